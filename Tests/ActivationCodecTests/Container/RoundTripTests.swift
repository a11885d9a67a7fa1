internal import ActivationCodec
internal import Testing

@Suite struct RoundTripTests {
    /// Straight from the definition in real arithmetic: the bounds on what a quantiser may do to a code.
    private func check(
        _ decoded: [UInt8], against codes: [UInt8], header: TensorHeader, _ note: Comment
    ) throws {
        guard let ranges = header.ranges else {
            #expect(decoded == codes, note)
            return
        }
        let steps = header.levelCount - 1
        for (index, code) in codes.enumerated() {
            let channel = index / header.geometry.planeSize % header.geometry.channelCount
            let range = ranges.count == 1 ? 0 : channel
            let lower = Int(ranges.lower[range])
            let upper = Int(ranges.upper[range])
            let step = (upper - lower + steps - 1) / steps
            let clipped = min(max(Int(code), lower), upper)
            let error = abs(Int(decoded[index]) - clipped)
            try #require(2 * error <= step, "element \(index): \(code) became \(decoded[index]); \(note)")
        }
    }

    @Test(arguments: allModes)
    func everyShapeAndLayout(mode: CodecMode) throws {
        let seed: UInt64 = 0xC0DE_0001
        var generator = SeededGenerator(seed: seed)
        for shape in someShapes {
            let codes = syntheticCodes(count: shape.reduce(1, *), using: &generator)
            let signature = TensorSignature(shape: shape, scale: 0.05, zeroPoint: 3)
            let bandBytes = Int.random(in: 1...300, using: &generator)
            let note: Comment = "seed \(seed), \(mode), \(shape), bands of \(bandBytes)"
            let planar = try encodeFrame(
                id: 42, [TensorSource(signature, layout: .rowMajor, mode: mode, codes: codes)], bandBytes: bandBytes)
            let interleaved = try encodeFrame(
                id: 42,
                [
                    TensorSource(
                        signature, layout: .channelsLast, mode: mode, codes: channelsLast(codes, shape: shape))
                ],
                bandBytes: bandBytes)
            #expect(planar == interleaved, "the source layout must not show; \(note)")

            let frame = try decodeFrame(planar)
            #expect(frame.header.frameID == 42)
            let header = try #require(frame.header.tensors.first)
            #expect(header.signature == signature, note)
            #expect(header.levelCount == mode.precision.levelCount, note)
            try check(frame.tensors[0], against: codes, header: header, note)
            let other = try decodeFrame(planar, layout: .channelsLast)
            #expect(other.tensors[0] == channelsLast(frame.tensors[0], shape: shape), note)
        }
    }

    @Test func severalTensorsOfDifferentModes() throws {
        let seed: UInt64 = 0xC0DE_0002
        var generator = SeededGenerator(seed: seed)
        let shapes = [[1, 24, 7, 7], [1, 10], [2, 5, 9]]
        let modes = [CodecMode.quantized4, .lossless8, .quantized2]
        let codes = shapes.map { syntheticCodes(count: $0.reduce(1, *), using: &generator) }
        let sources = shapes.indices.map { index in
            TensorSource(
                TensorSignature(shape: shapes[index], scale: Float(index + 1), zeroPoint: UInt8(index)),
                layout: .rowMajor, mode: modes[index], codes: codes[index])
        }
        let frame = try decodeFrame(encodeFrame(id: .max, sources, bandBytes: 100))
        #expect(frame.header.frameID == .max)
        #expect(frame.header.tensors.map(\.signature.scale) == [1, 2, 3])
        for index in shapes.indices {
            try check(frame.tensors[index], against: codes[index], header: frame.header.tensors[index], "seed \(seed)")
        }
    }

    @Test(arguments: [CodecMode.quantized4, .quantized2])
    func calibratedAndAgreedRangesClip(mode: CodecMode) throws {
        var generator = SeededGenerator(seed: 0xC0DE_0003)
        let shape = [1, 6, 8, 8]
        let codes = syntheticCodes(count: 6 * 64, using: &generator)
        let signature = TensorSignature(shape: shape, scale: 0.1, zeroPoint: 0)
        let ranges = try ChannelRanges(lower: [0, 0, 5, 10, 255, 0], upper: [40, 0, 9, 200, 255, 255])
        let calibrated = try encodeFrame(
            id: 1,
            [TensorSource(signature, layout: .rowMajor, mode: mode, ranges: .calibrated(ranges), codes: codes)])
        let agreed = try encodeFrame(
            id: 1, [TensorSource(signature, layout: .rowMajor, mode: mode, ranges: .agreed(ranges), codes: codes)])
        let first = try decodeFrame(calibrated)
        let header = first.header.tensors[0]
        #expect(header.ranges == ranges)
        try check(first.tensors[0], against: codes, header: header, "calibrated")
        #expect(first.tensors[0][64..<128].allSatisfy { $0 == 0 })
        #expect(first.tensors[0][256..<320].allSatisfy { $0 == 255 })

        #expect(agreed.count < calibrated.count)
        let expected = ExpectedTensor(signature, agreedRanges: ranges)
        #expect(try decodeFrame(agreed, expecting: [expected]).tensors == first.tensors)
        #expect(throws: CodecError.self) { try decodeFrame(agreed) }
    }

    @Test func constantChannelsCostNoPayload() throws {
        let signature = TensorSignature(shape: [1, 4, 16, 16], scale: 1, zeroPoint: 0)
        let codes = (0..<4).flatMap { [UInt8](repeating: UInt8($0 * 60), count: 256) }
        let mode = CodecMode(.quantized2, .raw)
        var encoder = FrameEncoder()
        _ = try encoder.begin(
            frameID: 0, tensors: [TensorSource(signature, layout: .rowMajor, mode: mode, codes: codes)])
        let band = try #require(try encoder.nextBand())
        #expect(band.count == 28)
        #expect(try encoder.nextBand() == nil)
        let bytes = try encodeFrame(
            id: 0, [TensorSource(signature, layout: .rowMajor, mode: mode, codes: codes)])
        #expect(try decodeFrame(bytes).tensors == [codes])
    }

    @Test func percentileRangesSetOutliersAside() throws {
        var codes = (0..<1000).map { UInt8($0 % 50) }
        codes[17] = 255
        let signature = TensorSignature(shape: [1, 1, 10, 100], scale: 1, zeroPoint: 0)
        let bytes = try encodeFrame(
            id: 0,
            [
                TensorSource(
                    signature, layout: .rowMajor, mode: .quantized4, ranges: .percentile(clipped: 0.001), codes: codes)
            ])
        let ranges = try #require(try decodeFrame(bytes).header.tensors[0].ranges)
        #expect(ranges.lower == [0])
        #expect(ranges.upper == [49])
    }
}
