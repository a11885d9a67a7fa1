internal import ActivationCodec
internal import Testing

/// Bands sorted by context, damaged below their zlib stream and signed again: an error that names it, never a trap.
@Suite struct HostileContextTests {
    private static let signature = TensorSignature(shape: [1, 24, 21, 21], scale: 0.5, zeroPoint: 0)

    /// A frame of one sorted band and that band's payload, decompressed.
    private struct Sample {
        let frame: ContainerSurgery
        let payload: [UInt8]

        init(levels: Int?) throws {
            var generator = SeededGenerator(seed: 0xC0DE_0F00)
            let codes = patchyCodes(shape: signature.shape, zeroPoint: 0, using: &generator)
            var coding = TensorSource.Coding.precision(.lossless8, .measured)
            if let levels {
                coding = .inline(
                    try LevelQuantizer(
                        levelCount: levels, thresholds: (1..<levels).map { UInt8(4 * $0) },
                        codes: (0..<levels).map { UInt8(4 * $0) }))
            }
            frame = ContainerSurgery(
                try encodeFrame(
                    id: 3,
                    [
                        TensorSource(
                            signature, layout: .rowMajor, coding: coding, compression: .contexts, codes: codes)
                    ]))
            let band = frame.bandOffsets[0]
            try #require(frame.bandOffsets.count == 1 && frame.bytes[band + 2] == 3)
            payload = try #require(
                stockInflate(
                    frame.bytes[(band + 28)...], length: Int(frame.field(at: band + 20, UInt32.self))))
        }

        /// The frame with another payload in its band.
        func frame(_ payload: [UInt8]) -> [UInt8] {
            var container = frame
            let band = container.bandOffsets[0]
            let stream = stockDeflate(payload)
            container.bytes.replaceSubrange((band + 28)..., with: stream)
            container.set(UInt32(stream.count), at: band + 16)
            container.set(UInt32(payload.count), at: band + 20)
            container.sign()
            return container.bytes
        }
    }

    @Test(arguments: [nil, 3] as [Int?])
    func faultsAreNamed(levels: Int?) throws {
        let sample = try Sample(levels: levels)
        #expect(HostileContainerTests.failure(sample.frame(sample.payload)) == nil)
        let buckets = Int(sample.payload[0])
        try #require(buckets >= 2)
        func code(_ change: (inout [UInt8]) -> Void) -> CodecError.Code? {
            var payload = sample.payload
            change(&payload)
            return HostileContainerTests.failure(sample.frame(payload))?.code
        }
        #expect(code { $0[0] = 0 } == .corruptPayload)
        #expect(code { $0[0] = 17 } == .corruptPayload)
        #expect(code { $0[0] += 1 } == .corruptPayload)
        // The limit of the first bucket beyond that of the second; of the last, not the greatest.
        #expect(code { $0[2] = 255 } == .corruptPayload)
        #expect(code { $0[1 + 10 * (buckets - 1)] = 1 } == .corruptPayload)
        // A form there is not, or not for these symbols; more symbols; others among none.
        #expect(code { $0[3] = 9 } == .corruptPayload)
        #expect(code { $0[3] = levels == nil ? 2 : 8 } == .corruptPayload)
        #expect(code { $0[5] ^= 1 } == .corruptPayload)
        #expect(code { $0[10] = 200 } == .corruptPayload)
        #expect(code { $0.removeLast() } == .corruptPayload)
        #expect(code { $0.append(0) } == .corruptPayload)
        // A limit that is possible but not the one: the walk takes too many of one bucket.
        #expect(code { $0[1] &+= 5 } == .corruptPayload)
    }

    @Test func flagsOfBandsMustFit() throws {
        let sample = try Sample(levels: nil)
        func code(_ change: (inout ContainerSurgery, _ band: Int) -> Void) -> CodecError.Code? {
            var container = sample.frame
            change(&container, container.bandOffsets[0])
            container.sign()
            return HostileContainerTests.failure(container.bytes)?.code
        }
        #expect(code { $0.bytes[$1 + 2] = 2 } == .unsupportedFlags)
        #expect(code { $0.bytes[$1 + 2] = 7 } == .unsupportedFlags)
        #expect(code { $0.bytes[$1 + 2] = 1 } == .inconsistentLength)
        #expect(code { $0.set(UInt32.max, at: $1 + 20) } == .inconsistentLength)
        #expect(code { $0.set(UInt32(0), at: $1 + 20) } == .inconsistentLength)
        // Levels between bounds are never sorted.
        let halves = (0..<24 * 441).map { (index: Int) -> UInt8 in index / 441 % 2 == 0 ? 1 : UInt8(index % 99) }
        var bounded = ContainerSurgery(
            try encodeFrame(
                id: 3,
                [
                    TensorSource(
                        Self.signature, layout: .rowMajor, mode: CodecMode(.quantized4, .contexts),
                        codes: halves)
                ]))
        bounded.bytes[bounded.bandOffsets[0] + 2] = 3
        bounded.sign()
        #expect(HostileContainerTests.failure(bounded.bytes)?.code == .invalidField)
    }

    /// What a band spreads to counts against the limit, however few bytes it comes in.
    @Test func spreadSymbolsAreLimited() throws {
        let sample = try Sample(levels: 3)
        var limits = DecodeLimits()
        limits.maximumBandBytes = 24 * 21 * 21 - 1
        #expect(throws: CodecError.self) { try decodeFrame(sample.frame.bytes, limits: limits) }
        limits.maximumBandBytes = 24 * 21 * 21
        #expect(throws: Never.self) { try decodeFrame(sample.frame.bytes, limits: limits) }
    }

    @Test(arguments: [nil, 2, 3, 7] as [Int?])
    func damageNeverTraps(levels: Int?) throws {
        let seed: UInt64 = 0xC0DE_0F50
        var generator = SeededGenerator(seed: seed)
        let sample = try Sample(levels: levels)
        var refused = 0
        for _ in 0..<4000 {
            var payload = sample.payload
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                // Half of the damage in the records.
                let end = generator.next() & 1 == 0 ? min(payload.count, 1 + 10 * Int(payload[0])) : payload.count
                let place = Int.random(in: 0..<max(1, end), using: &generator)
                payload[place] = UInt8.random(in: 0...255, using: &generator)
            }
            if let error = HostileContainerTests.failure(sample.frame(payload)) {
                #expect(error.code == .corruptPayload || error.code == .inconsistentLength, "seed \(seed): \(error)")
                refused += 1
            }
        }
        #expect(refused > 1000, "seed \(seed)")
    }
}
