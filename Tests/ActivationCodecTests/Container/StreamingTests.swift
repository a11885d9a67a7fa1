internal import ActivationCodec
internal import Testing

@Suite struct StreamingTests {
    private static let signatures = [
        TensorSignature(shape: [1, 24, 9, 9], scale: 0.5, zeroPoint: 0),
        TensorSignature(shape: [1, 40, 5, 5], scale: 0.25, zeroPoint: 7),
    ]

    private func sources(_ mode: CodecMode, using generator: inout SeededGenerator) -> [TensorSource] {
        Self.signatures.map { signature in
            TensorSource(
                signature, layout: .channelsLast, mode: mode,
                codes: syntheticCodes(count: signature.shape.reduce(1, *), using: &generator))
        }
    }

    @Test(arguments: [CodecMode.lossless8, .quantized4, .quantized2, CodecMode(.lossless8, .raw)])
    func anySplitEqualsOneShot(mode: CodecMode) throws {
        let seed: UInt64 = 0xC0DE_0300
        var generator = SeededGenerator(seed: seed)
        let bytes = try encodeFrame(id: 9, sources(mode, using: &generator), bandBytes: 200)
        let whole = try decodeFrame(bytes)
        var decoder = try FrameDecoder()
        for round in 0..<50 {
            decoder.reset()
            let longest = [1, 3, 40, 1000][round % 4]
            var events: [FrameDecoder.Event] = []
            var start = 0
            while start < bytes.count {
                let end = min(bytes.count, start + Int.random(in: 1...longest, using: &generator))
                try decoder.append(Array(bytes[start..<end]))
                while let event = try decoder.next() { events.append(event) }
                start = end
            }
            try decoder.finish()
            try #require(decoder.takeTensors() == whole.tensors, "seed \(seed), round \(round)")
            #expect(decoder.takeTensors().isEmpty)
            #expect(events.first == .header(whole.header))
            #expect(events.last == .finished)
            let bandCount = whole.header.tensors.map(\.bandCount).reduce(0, +)
            #expect(bandCount > 4)
            #expect(events.count == bandCount + 2)
        }
    }

    /// The header is reported as soon as its last byte is there, and so is each band.
    @Test func eventsComeWithTheirLastByte() throws {
        var generator = SeededGenerator(seed: 0xC0DE_0301)
        var encoder = FrameEncoder(bandBytes: 500)
        let decoder = try FrameDecoder()
        try followEvents(&encoder, decoder, sources(.quantized4, using: &generator))
    }

    private func followEvents(
        _ encoder: inout FrameEncoder, _ decoder: consuming FrameDecoder, _ sources: [TensorSource]
    ) throws {
        let header = try encoder.begin(frameID: 1, tensors: sources)
        try decoder.append(Array(header.dropLast()))
        #expect(try decoder.next() == nil)
        try decoder.append([header.last!])
        guard case .header(let known) = try decoder.next() else {
            Issue.record("the header was complete")
            return
        }
        #expect(known.tensors.map(\.signature) == Self.signatures)
        var covered = [0, 0]
        while let band = try encoder.nextBand() {
            try decoder.append(Array(band.dropLast()))
            #expect(try decoder.next() == nil)
            try decoder.append([band.last!])
            guard case .band(let tensor, let planes) = try decoder.next() else {
                Issue.record("the band was complete")
                return
            }
            #expect(planes.lowerBound == covered[tensor])
            covered[tensor] = planes.upperBound
        }
        #expect(covered == [24, 40])
        #expect(try decoder.next() == .finished)
        #expect(try decoder.next() == nil)
    }

    @Test(arguments: TensorLayout.allCases)
    func decodesIntoMemoryOfTheCaller(layout: TensorLayout) throws {
        var generator = SeededGenerator(seed: 0xC0DE_0302)
        let bytes = try encodeFrame(id: 0, sources(.quantized2, using: &generator), bandBytes: 300)
        let expected = try decodeFrame(bytes, layout: layout).tensors
        let counts = expected.map(\.count)
        // Guard bytes before, between and after.
        var memory = [UInt8](repeating: 0xA5, count: 16 + counts[0] + 16 + counts[1] + 16)
        var decoder = try FrameDecoder(layout: layout)
        try decoder.append(bytes)
        _ = try decoder.next()
        try memory.withUnsafeMutableBufferPointer { memory in
            let first = UnsafeMutableBufferPointer(rebasing: memory[16..<16 + counts[0]])
            let second = UnsafeMutableBufferPointer(rebasing: memory[32 + counts[0]..<32 + counts[0] + counts[1]])
            try decoder.setDestinations([first, second])
            while try decoder.next() != nil {}
        }
        let isFinished = decoder.isFinished
        #expect(isFinished)
        let guardBytes = [UInt8](repeating: 0xA5, count: 16)
        #expect(memory == guardBytes + expected[0] + guardBytes + expected[1] + guardBytes)
    }

    @Test func destinationsMustFit() throws {
        var generator = SeededGenerator(seed: 0xC0DE_0303)
        let bytes = try encodeFrame(id: 0, sources(.lossless8, using: &generator))
        var decoder = try FrameDecoder()
        try decoder.append(bytes)
        _ = try decoder.next()
        let wrong = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 10)
        defer { wrong.deallocate() }
        var code: CodecError.Code?
        do throws(CodecError) { try decoder.setDestinations([wrong, wrong]) } catch { code = error.code }
        #expect(code == .invalidArgument)
    }

    /// One encoder, frames of different modes one after another: each equals a fresh encoder's.
    @Test func encoderIsReused() throws {
        let seed: UInt64 = 0xC0DE_0304
        var generator = SeededGenerator(seed: seed)
        var encoder = FrameEncoder(bandBytes: 256)
        for mode in allModes + allModes.reversed() {
            let tensors = sources(mode, using: &generator)
            var bytes = try encoder.begin(frameID: 5, tensors: tensors)
            while try encoder.appendNextBand(to: &bytes) {}
            #expect(bytes == (try encodeFrame(id: 5, tensors, bandBytes: 256)), "seed \(seed), \(mode)")
        }
    }

    @Test func encoderRefusesWhatDoesNotHoldTogether() throws {
        let codes = [UInt8](0..<24)
        func code(_ shape: [Int], _ scale: Float = 1, ranges: RangeSource = .measured) -> CodecError.Code? {
            let source = TensorSource(
                TensorSignature(shape: shape, scale: scale, zeroPoint: 0), layout: .rowMajor, mode: .quantized4,
                ranges: ranges, codes: codes)
            do throws(CodecError) {
                _ = try encodeFrame(id: 0, [source])
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code([1, 2, 3, 4]) == nil)
        #expect(code([1, 2, 3, 5]) == .invalidArgument)
        #expect(code([]) == .invalidField)
        #expect(code([24, 0]) == .invalidField)
        #expect(code([-1, -24]) == .invalidField)
        #expect(code([1, 1, 1, 1, 1, 1, 1, 1, 24]) == .invalidField)
        #expect(code([1 << 31, 1 << 31, 1 << 31]) == .invalidField)
        for scale in [0, -1, .nan, .infinity] as [Float] {
            #expect(code([24], scale) == .invalidArgument)
        }
        let ranges = try ChannelRanges(lower: [0, 0, 0], upper: [9, 9, 9])
        #expect(code([1, 2, 3, 4], ranges: .calibrated(ranges)) == .invalidArgument)
        #expect(throws: CodecError.self) { try encodeFrame(id: 0, []) }
    }
}
