internal import ActivationCodec
internal import Testing

/// Bytes from a stranger: each either decodes or throws the error that names its fault.
@Suite struct HostileContainerTests {
    static let signature = TensorSignature(shape: [1, 12, 5, 5], scale: 0.5, zeroPoint: 9)

    /// One tensor in three bands (zlib where it pays): header 24 + 32 + 16 + clip ranges + 4 bytes.
    static func sample(_ mode: CodecMode = CodecMode(.lossless8, .huffmanOnly)) throws -> ContainerSurgery {
        var generator = SeededGenerator(seed: 0xC0DE_0400)
        // Only three codes, so that even a small band compresses.
        let codes = (0..<300).map { _ in UInt8(generator.next() % 8 == 0 ? 90 : generator.next() % 4 == 0 ? 30 : 0) }
        return ContainerSurgery(
            try encodeFrame(
                id: 3, [TensorSource(signature, layout: .rowMajor, mode: mode, codes: codes)],
                bandBytes: 100 / mode.precision.symbolsPerByte))
    }

    static func failure(
        _ bytes: [UInt8], limits: DecodeLimits = DecodeLimits(), expecting: [ExpectedTensor]? = nil
    ) -> CodecError? {
        do throws(CodecError) {
            _ = try decodeFrame(bytes, limits: limits, expecting: expecting)
            return nil
        } catch {
            return error
        }
    }

    @Test func theSampleIsSound() throws {
        for mode in [CodecMode(.lossless8, .huffmanOnly), .quantized4, .quantized2] {
            var sample = try Self.sample(mode)
            #expect(Self.failure(sample.bytes) == nil)
            #expect(sample.bandOffsets.count == 3)
            let original = sample.bytes
            sample.sign()
            #expect(sample.bytes == original, "the checksums follow the written format")
        }
        #expect(try Self.sample().bandOffsets.allSatisfy { try Self.sample().bytes[$0 + 2] == 1 })
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: CodecError.Code
        var mode = CodecMode(.lossless8, .huffmanOnly)
        var isSigned = true
        let change: @Sendable (inout ContainerSurgery) -> Void

        init(
            _ description: String, _ code: CodecError.Code, mode: CodecMode = CodecMode(.lossless8, .huffmanOnly),
            isSigned: Bool = true, change: @escaping @Sendable (inout ContainerSurgery) -> Void
        ) {
            testDescription = description
            self.code = code
            self.mode = mode
            self.isSigned = isSigned
            self.change = change
        }
    }

    static let headerFaults: [Fault] = [
        Fault("magic", .badMagic) { $0.bytes[0] ^= 1 },
        Fault("version", .unsupportedVersion) { $0.set(UInt16(2), at: 4) },
        Fault("flags", .unsupportedFlags) { $0.set(UInt16(0x8000), at: 6) },
        Fault("frame id, unsigned", .headerChecksumMismatch, isSigned: false) { $0.bytes[8] ^= 1 },
        Fault("header too short", .inconsistentLength) { $0.set(UInt32(50), at: 16) },
        Fault("header too long", .limitExceeded) { $0.set(UInt32.max, at: 16) },
        Fault("header longer than its records", .inconsistentLength) { container in
            container.bytes.insert(contentsOf: [0, 0], at: container.headerLength - 4)
            container.set(UInt32(container.headerLength + 2), at: 16)
        },
        Fault("no tensors", .invalidField) { $0.set(UInt16(0), at: 20) },
        Fault("too many tensors", .limitExceeded) { $0.set(UInt16(65), at: 20) },
        Fault("more tensors than records", .inconsistentLength) { $0.set(UInt16(2), at: 20) },
        Fault("reserved of the prefix", .invalidField) { $0.set(UInt16(1), at: 22) },
        Fault("tensor index", .invalidField) { $0.set(UInt16(1), at: 24) },
        Fault("element type", .unsupportedFeature) { $0.bytes[26] = 2 },
        Fault("rank 0", .invalidField) { container in
            container.bytes[27] = 0
            container.bytes.removeSubrange(56..<72)
            container.bytes.insert(contentsOf: [0, 0, 0, 0], at: 56)
            container.set(UInt32(container.headerLength - 12), at: 16)
        },
        Fault("rank 9", .limitExceeded) { $0.bytes[27] = 9 },
        Fault("rank beyond the header", .inconsistentLength) { $0.bytes[27] = 5 },
        Fault("width 3", .unsupportedFeature) { $0.bytes[29] = 3 },
        Fault("level count", .unsupportedFeature) { $0.set(UInt16(255), at: 30) },
        Fault("order", .unsupportedFeature) { $0.bytes[32] = 2 },
        Fault("filter", .unsupportedFeature) { $0.bytes[33] = 1 },
        Fault("packing", .unsupportedFeature) { $0.bytes[34] = 2 },
        Fault("compression", .unsupportedFeature) { $0.bytes[35] = 2 },
        Fault("scale NaN", .invalidField) { $0.set(Float.nan.bitPattern, at: 36) },
        Fault("scale infinite", .invalidField) { $0.set(Float.infinity.bitPattern, at: 36) },
        Fault("scale zero", .invalidField) { $0.set(Float(0).bitPattern, at: 36) },
        Fault("scale negative", .invalidField) { $0.set(Float(-1).bitPattern, at: 36) },
        Fault("no bands", .invalidField) { $0.set(UInt32(0), at: 40) },
        Fault("more bands than planes", .invalidField) { $0.set(UInt32(13), at: 40) },
        Fault("clip range form", .unsupportedFeature) { $0.bytes[44] = 7 },
        Fault("form of a level quantiser", .invalidField) { $0.bytes[44] = 4 },
        Fault("clip ranges at 8 bits", .invalidField) { $0.bytes[44] = 1 },
        Fault("a number of clip ranges at 8 bits", .inconsistentLength) { $0.set(UInt32(1), at: 48) },
        Fault("reserved of the record", .invalidField) { $0.bytes[45] = 1 },
        Fault("other reserved of the record", .invalidField) { $0.bytes[47] = 1 },
        Fault("dimension 0", .invalidField) { $0.set(UInt32(0), at: 60) },
        Fault("huge shape", .limitExceeded) { $0.set(UInt32.max, at: 60) },
        Fault("shape overflow", .invalidField) { container in
            for axis in 0..<4 { container.set(UInt32.max, at: 56 + 4 * axis) }
        },
        Fault("clip ranges missing", .invalidField, mode: .quantized4) { $0.bytes[44] = 0 },
        Fault("clip ranges of too few channels", .invalidField, mode: .quantized4) { $0.set(UInt32(11), at: 48) },
        Fault("clip ranges longer than the header", .inconsistentLength, mode: .quantized4) {
            $0.set(UInt32.max, at: 52)
        },
        Fault("clip range upside down", .invalidField, mode: CodecMode(.quantized2, .raw)) { container in
            container.replaceRanges(form: 1, [UInt8](repeating: 2, count: 12) + [UInt8](repeating: 1, count: 12))
        },
        Fault("clip ranges inline but short", .inconsistentLength, mode: .quantized4) { container in
            container.replaceRanges(form: 1, [UInt8](repeating: 0, count: 23))
        },
        Fault("clip ranges a damaged stream", .corruptPayload, mode: .quantized4) { container in
            container.replaceRanges(form: 2, [1, 2, 3, 4])
        },
        Fault("clip ranges a bomb", .corruptPayload, mode: .quantized4) { container in
            container.replaceRanges(form: 2, stockDeflate([UInt8](repeating: 0, count: 1000)))
        },
        Fault("clip ranges not shorter for compression", .inconsistentLength, mode: .quantized4) { container in
            container.replaceRanges(form: 2, [UInt8](repeating: 0, count: 24))
        },
        Fault("clip ranges agreed with nobody", .cutMismatch, mode: .quantized4) { container in
            container.replaceRanges(form: 3, [0, 0, 0, 0])
        },
    ]

    static let bandFaults: [Fault] = [
        Fault("payload, unsigned", .bandChecksumMismatch, isSigned: false) { $0.bytes[$0.bandOffsets[1] + 30] ^= 4 },
        Fault("record, unsigned", .bandChecksumMismatch, isSigned: false) { $0.bytes[$0.bandOffsets[1] + 24] ^= 4 },
        Fault("band of another frame", .bandChecksumMismatch, isSigned: false) { container in
            let bands = container.bytes[container.headerLength...]
            container.set(UInt64(4), at: 8)
            container.sign()
            container.bytes.replaceSubrange(container.headerLength..., with: bands)
        },
        Fault("tensor index", .bandOutOfOrder) { $0.set(UInt16(1), at: $0.bandOffsets[1]) },
        Fault("unknown flag", .unsupportedFlags) { $0.bytes[$0.bandOffsets[0] + 2] |= 4 },
        Fault("reserved", .unsupportedFlags) { $0.bytes[$0.bandOffsets[0] + 3] = 1 },
        Fault("zlib band of a raw tensor", .invalidField) { $0.bytes[35] = 0 },
        Fault("duplicate", .bandOutOfOrder) { container in
            let offsets = container.bandOffsets
            container.bytes.insert(contentsOf: container.bytes[offsets[0]..<offsets[1]], at: offsets[1])
        },
        Fault("missing", .bandOutOfOrder) { container in
            let offsets = container.bandOffsets
            container.bytes.removeSubrange(offsets[1]..<offsets[2])
        },
        Fault("last one missing", .truncated) { $0.bytes.removeSubrange($0.bandOffsets[2]...) },
        Fault("overlap", .bandOutOfOrder) { container in
            let offset = container.bandOffsets[1]
            container.set(container.field(at: offset + 8, UInt32.self) - 1, at: offset + 8)
        },
        Fault("gap", .bandOutOfOrder) { container in
            let offset = container.bandOffsets[1]
            container.set(container.field(at: offset + 8, UInt32.self) + 1, at: offset + 8)
        },
        Fault("no planes", .inconsistentLength) { $0.set(UInt32(0), at: $0.bandOffsets[0] + 12) },
        Fault("too many planes", .inconsistentLength) { $0.set(UInt32.max, at: $0.bandOffsets[0] + 12) },
        Fault("planes of the following bands", .inconsistentLength) { $0.set(UInt32(12), at: $0.bandOffsets[0] + 12) },
        Fault("last band short of planes", .inconsistentLength) { $0.set(UInt32(3), at: $0.bandOffsets[2] + 12) },
        Fault("payload longer than its contents", .inconsistentLength) {
            $0.set(UInt32(100), at: $0.bandOffsets[0] + 16)
        },
        Fault("payload empty", .inconsistentLength) { $0.set(UInt32(0), at: $0.bandOffsets[0] + 16) },
        Fault("decompressed length", .inconsistentLength) { $0.set(UInt32(99), at: $0.bandOffsets[0] + 20) },
        Fault("raw but shorter", .inconsistentLength) { $0.bytes[$0.bandOffsets[0] + 2] = 0 },
        Fault("not a zlib stream", .corruptPayload) { $0.bytes[$0.bandOffsets[0] + 28] ^= 0xFF },
        Fault("wrong Adler-32", .corruptPayload) { $0.bytes[$0.bandOffsets[1] - 1] ^= 1 },
        Fault("stream too short", .corruptPayload) {
            $0.replacePayload(ofBand: 0, stockDeflate([UInt8](repeating: 0, count: 99)))
        },
        Fault("stream too long by one", .corruptPayload) {
            $0.replacePayload(ofBand: 0, stockDeflate([UInt8](repeating: 0, count: 101)))
        },
        Fault("bytes after the stream", .corruptPayload) {
            $0.replacePayload(ofBand: 0, stockDeflate([UInt8](repeating: 0, count: 100)) + [0])
        },
        Fault("stream without its end", .corruptPayload) {
            $0.replacePayload(ofBand: 0, stockDeflate([UInt8](repeating: 0, count: 100)).dropLast(5))
        },
        Fault("trailing byte", .trailingBytes) { $0.bytes.append(0) },
    ]

    @Test(arguments: headerFaults + bandFaults)
    func isRefusedByName(fault: Fault) throws {
        var container = try Self.sample(fault.mode)
        fault.change(&container)
        if fault.isSigned { container.sign() }
        let error = try #require(Self.failure(container.bytes))
        #expect(error.code == fault.code, "\(error)")
    }

    /// 75 symbols of 2 bits leave a quarter of the 19th byte unused.
    @Test func paddingMustBeZero() throws {
        let source = TensorSource(
            TensorSignature(shape: [1, 3, 5, 5], scale: 1, zeroPoint: 0), layout: .rowMajor,
            mode: CodecMode(.quantized2, .raw), codes: (0..<75).map { UInt8($0) })
        var container = ContainerSurgery(try encodeFrame(id: 0, [source]))
        for bit in 0..<8 {
            let original = container
            container.bytes[container.bytes.count - 1] ^= 1 << bit
            container.sign()
            #expect(Self.failure(container.bytes)?.code == (bit < 6 ? nil : .corruptPayload))
            container = original
        }
    }

    @Test(arguments: [CodecMode(.lossless8, .huffmanOnly), .quantized4, .quantized2])
    func everyTruncationThrows(mode: CodecMode) throws {
        let bytes = try Self.sample(mode).bytes
        for length in 0..<bytes.count {
            let error = try #require(Self.failure(Array(bytes[..<length])), "\(length) of \(bytes.count) bytes")
            try #require(error.code == .truncated, "\(length) of \(bytes.count) bytes: \(error)")
        }
    }

    /// Signed mutations get past the checksums; the rest exercise them.
    @Test(arguments: [CodecMode(.lossless8, .huffmanOnly), .quantized4, .quantized2, CodecMode(.lossless8, .raw)])
    func randomMutationsDecodeOrThrow(mode: CodecMode) throws {
        let seed: UInt64 = 0xC0DE_0401
        var generator = SeededGenerator(seed: seed)
        let sample = try Self.sample(mode)
        var outcomes: [CodecError.Code?: Int] = [:]
        for round in 0..<5000 {
            var container = sample
            for _ in 0...Int.random(in: 0...3, using: &generator) {
                let offset = Int.random(in: 0..<container.bytes.count, using: &generator)
                switch generator.next() % 4 {
                case 0: container.bytes[offset] = UInt8.random(in: 0...255, using: &generator)
                case 1: container.bytes[offset] ^= 1 << UInt8.random(in: 0...7, using: &generator)
                case 2: container.bytes.insert(UInt8.random(in: 0...255, using: &generator), at: offset)
                default: container.bytes.remove(at: offset)
                }
            }
            if round % 4 != 0 { container.sign() }
            let error = Self.failure(container.bytes)
            outcomes[error?.code, default: 0] += 1
            if round % 4 == 0, error == nil {
                #expect(
                    container.bytes == sample.bytes, "unsigned damage was not noticed; seed \(seed), round \(round)")
            }
        }
        #expect(outcomes.count > 10, "seed \(seed): \(outcomes)")
    }

    // MARK: Limits

    @Test func eachLimitHolds() throws {
        let bytes = try Self.sample().bytes
        func code(_ adjust: (inout DecodeLimits) -> Void) -> CodecError.Code? {
            var limits = DecodeLimits()
            adjust(&limits)
            return Self.failure(bytes, limits: limits)?.code
        }
        #expect(code { $0.maximumHeaderBytes = 76 } == nil)
        #expect(code { $0.maximumHeaderBytes = 75 } == .limitExceeded)
        #expect(code { $0.maximumContainerBytes = bytes.count } == nil)
        #expect(code { $0.maximumContainerBytes = bytes.count - 1 } == .limitExceeded)
        #expect(code { $0.maximumTensors = 0 } == .limitExceeded)
        #expect(code { $0.maximumRank = 4 } == nil)
        #expect(code { $0.maximumRank = 3 } == .limitExceeded)
        #expect(code { $0.maximumElements = 300 } == nil)
        #expect(code { $0.maximumElements = 299 } == .limitExceeded)
        #expect(code { $0.maximumBands = 3 } == nil)
        #expect(code { $0.maximumBands = 2 } == .limitExceeded)
        #expect(code { $0.maximumBandBytes = 100 } == nil)
        #expect(code { $0.maximumBandBytes = 99 } == .limitExceeded)
    }

    @Test func limitsHoldOverAllTensorsTogether() throws {
        let source = TensorSource(
            TensorSignature(shape: [1, 4, 5, 5], scale: 1, zeroPoint: 0), layout: .rowMajor, mode: .lossless8,
            codes: [UInt8](repeating: 1, count: 100))
        let bytes = try encodeFrame(id: 0, [source, source, source], bandBytes: 50)
        var limits = DecodeLimits()
        limits.maximumElements = 300
        limits.maximumBands = 6
        #expect(Self.failure(bytes, limits: limits) == nil)
        limits.maximumElements = 299
        #expect(Self.failure(bytes, limits: limits)?.code == .limitExceeded)
        limits.maximumElements = 300
        limits.maximumBands = 5
        #expect(Self.failure(bytes, limits: limits)?.code == .limitExceeded)
    }

    /// Four megabytes behind a few thousand bytes: not one byte past the declared planes is written.
    @Test func bombStopsAtTheDeclaredLength() throws {
        let side = 80
        let signature = TensorSignature(shape: [1, 1, side, side], scale: 1, zeroPoint: 0)
        let count = side * side
        var container = ContainerSurgery(
            try encodeFrame(
                id: 0,
                [
                    TensorSource(
                        signature, layout: .rowMajor, mode: CodecMode(.lossless8, .runLength),
                        codes: [UInt8](repeating: 0, count: count))
                ]))
        let bomb = stockDeflate([UInt8](repeating: 0xEE, count: 4 << 20))
        #expect(bomb.count < count)
        container.replacePayload(ofBand: 0, bomb)
        container.sign()

        var memory = [UInt8](repeating: 0xA5, count: count + 4096)
        var decoder = try FrameDecoder()
        try decoder.append(container.bytes)
        _ = try decoder.next()
        var codes: [CodecError.Code] = []
        try memory.withUnsafeMutableBufferPointer { memory in
            try decoder.setDestinations([UnsafeMutableBufferPointer(rebasing: memory[..<count])])
            for _ in 0..<2 {
                do throws(CodecError) { _ = try decoder.next() } catch { codes.append(error.code) }
            }
        }
        #expect(codes == [.corruptPayload, .corruptPayload], "the first error stays")
        #expect(memory[count...].allSatisfy { $0 == 0xA5 })
    }

    // MARK: What was agreed

    @Test func anythingButTheAgreedCutIsRefused() throws {
        let bytes = try Self.sample().bytes
        let agreed = ExpectedTensor(Self.signature)
        #expect(Self.failure(bytes, expecting: [agreed]) == nil)
        var others: [[ExpectedTensor]] = [[], [agreed, agreed]]
        for change in 0..<3 {
            var other = agreed
            switch change {
            case 0: other.signature.shape = [1, 5, 12, 5]
            case 1: other.signature.scale = 0.25
            default: other.signature.zeroPoint = 8
            }
            others.append([other])
        }
        for other in others {
            #expect(Self.failure(bytes, expecting: other)?.code == .cutMismatch)
        }
    }

    @Test func agreedRangesMustBeTheSame() throws {
        let ranges = try ChannelRanges(lower: [0], upper: [90])
        let bytes = try encodeFrame(
            id: 0,
            [
                TensorSource(
                    Self.signature, layout: .rowMajor, mode: .quantized4, ranges: .agreed(ranges),
                    codes: [UInt8](repeating: 5, count: 300))
            ])
        func code(_ held: ChannelRanges?) -> CodecError.Code? {
            Self.failure(bytes, expecting: [ExpectedTensor(Self.signature, agreedRanges: held)])?.code
        }
        #expect(code(ranges) == nil)
        #expect(code(nil) == .cutMismatch)
        #expect(code(try ChannelRanges(lower: [0], upper: [91])) == .cutMismatch)
        #expect(
            code(
                try ChannelRanges(
                    lower: [UInt8](repeating: 0, count: 12), upper: [UInt8](repeating: 90, count: 12))) == .cutMismatch)
    }

    // MARK: The outside world

    /// Every compressed band is a zlib stream to zlib itself, and at 8 bits its contents are the planes.
    @Test(arguments: allModes)
    func stockZlibReadsEveryBand(mode: CodecMode) throws {
        var generator = SeededGenerator(seed: 0xC0DE_0402)
        let codes = syntheticCodes(count: 64 * 196, using: &generator)
        let signature = TensorSignature(shape: [1, 64, 14, 14], scale: 1, zeroPoint: 0)
        let container = ContainerSurgery(
            try encodeFrame(
                id: 0, [TensorSource(signature, layout: .rowMajor, mode: mode, codes: codes)], bandBytes: 4000))
        var planes: [UInt8] = []
        for offset in container.bandOffsets {
            let length = Int(container.field(at: offset + 16, UInt32.self))
            let unpacked = Int(container.field(at: offset + 20, UInt32.self))
            let payload = container.bytes[offset + 28..<offset + 28 + length]
            let isCompressed = container.bytes[offset + 2] == 1
            #expect(isCompressed == (mode.compression != .raw && mode.compression != .zlib(level: 0)))
            planes += try isCompressed ? #require(stockInflate(payload, length: unpacked)) : Array(payload)
        }
        if mode.precision == .lossless8 { #expect(planes == codes) }
    }
}

extension ContainerSurgery {
    /// Puts another clip range field into the record of the only tensor, of rank 4.
    mutating func replaceRanges(form: UInt8, _ field: [UInt8]) {
        let start = 24 + 32 + 16
        bytes[44] = form
        set(UInt32(field.count), at: 52)
        bytes.replaceSubrange(start..<headerLength - 4, with: field)
        set(UInt32(start + field.count + 4), at: 16)
    }

    /// Puts another zlib stream into a band.
    mutating func replacePayload(ofBand band: Int, _ payload: some Collection<UInt8>) {
        let offset = bandOffsets[band]
        let length = Int(field(at: offset + 16, UInt32.self))
        bytes.replaceSubrange(offset + 28..<offset + 28 + length, with: payload)
        bytes[offset + 2] = 1
        set(UInt32(payload.count), at: offset + 16)
    }
}
