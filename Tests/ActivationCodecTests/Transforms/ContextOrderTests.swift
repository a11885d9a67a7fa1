internal import ActivationCodec
internal import Testing

/// Bands sorted by context: exact, smaller where there is context, in streams that stock zlib decodes.
@Suite struct ContextOrderTests {
    private static let shapes = [
        [1, 1, 1, 1], [1, 3, 1, 5], [1, 5, 4, 1], [2, 9, 6, 7], [1, 64, 14, 14], [1, 33, 13, 13], [3, 100, 3, 3], [40],
        [7, 50], [1, 17, 300], [1, 16, 2, 5, 9],
    ]

    /// The flags of a frame's bands.
    private static func flags(_ frame: [UInt8]) -> [UInt8] {
        let container = ContainerSurgery(frame)
        return container.bandOffsets.map { container.bytes[$0 + 2] }
    }

    @Test(arguments: [UInt8(0), 100])
    func codesAreKept(zeroPoint: UInt8) throws {
        let seed: UInt64 = 0xC0DE_0C00 + UInt64(zeroPoint)
        var generator = SeededGenerator(seed: seed)
        var sorted = 0
        for shape in Self.shapes {
            let codes = patchyCodes(shape: shape, zeroPoint: zeroPoint, using: &generator)
            let signature = TensorSignature(shape: shape, scale: 0.1, zeroPoint: zeroPoint)
            let bandBytes = Int.random(in: 1...30_000, using: &generator)
            let note: Comment = "seed \(seed), \(shape), bands of \(bandBytes)"
            let mode = CodecMode(.lossless8, .contexts)
            let frame = try encodeFrame(
                id: 1, [TensorSource(signature, layout: .rowMajor, mode: mode, codes: codes)], bandBytes: bandBytes)
            let other = try encodeFrame(
                id: 1,
                [TensorSource(signature, layout: .channelsLast, mode: mode, codes: channelsLast(codes, shape: shape))],
                bandBytes: bandBytes)
            #expect(frame == other, "the source layout must not show; \(note)")
            #expect(try decodeFrame(frame).tensors == [codes], note)
            #expect(
                try decodeFrame(frame, layout: .channelsLast).tensors == [channelsLast(codes, shape: shape)], note)
            sorted += Self.flags(frame).count { $0 == 3 }
        }
        #expect(sorted > 0, "nothing was sorted, so nothing was tested; seed \(seed)")
    }

    @Test(arguments: 2...16)
    func levelsAreKept(levels: Int) throws {
        let seed: UInt64 = 0xC0DE_0D00 + UInt64(levels)
        var generator = SeededGenerator(seed: seed)
        for shape in Self.shapes {
            let signature = TensorSignature(shape: shape, scale: 0.1, zeroPoint: 20)
            let codes = patchyCodes(shape: shape, zeroPoint: 20, using: &generator)
            let channels = shape.count < 3 ? 1 : shape[1]
            // Some channels silent, each of the others with values of its own.
            var (thresholds, values): ([UInt8], [UInt8]) = ([], [])
            for _ in 0..<channels {
                let isSilent = generator.next() % 5 == 0
                thresholds += (1..<levels).map { _ in UInt8.random(in: 0...80, using: &generator) }.sorted()
                values +=
                    isSilent
                    ? [UInt8](repeating: 9, count: levels)
                    : (0..<levels).map { UInt8($0 * 15 + Int.random(in: 0...14, using: &generator)) }
            }
            let quantizer = try LevelQuantizer(levelCount: levels, thresholds: thresholds, codes: values)
            let plane = codes.count / (shape.count < 3 ? 1 : shape[0] * channels)
            let expected = codes.enumerated().map { index, code in
                let channel = index / plane % channels
                return values[channel * levels + quantizer.level(of: code, channel: channel)]
            }
            for layout in TensorLayout.allCases {
                let source = layout == .rowMajor ? codes : channelsLast(codes, shape: shape)
                let frame = try encodeFrame(
                    id: 1,
                    [
                        TensorSource(
                            signature, layout: layout, coding: .inline(quantizer), compression: .contexts, codes: source
                        )
                    ], bandBytes: Int.random(in: 10...20_000, using: &generator))
                let note: Comment = "seed \(seed), \(shape), \(layout)"
                #expect(try decodeFrame(frame).tensors == [expected], note)
                #expect(
                    try decodeFrame(frame, layout: .channelsLast).tensors == [channelsLast(expected, shape: shape)],
                    note)
            }
        }
    }

    /// The point of it all, and that every byte is stock zlib's to read.
    @Test func smallerThanOneCodeForAll() throws {
        let seed: UInt64 = 0xC0DE_0E00
        var generator = SeededGenerator(seed: seed)
        let shape = [1, 64, 28, 28]
        let codes = patchyCodes(shape: shape, zeroPoint: 0, using: &generator)
        let signature = TensorSignature(shape: shape, scale: 0.1, zeroPoint: 0)
        func frame(_ compression: Compression) throws -> [UInt8] {
            try encodeFrame(
                id: 1,
                [
                    TensorSource(
                        signature, layout: .rowMajor, mode: CodecMode(.lossless8, compression), codes: codes)
                ])
        }
        let sorted = try frame(.contexts)
        let plain = try frame(.blocks)
        #expect(sorted.count * 10 < plain.count * 9, "seed \(seed): \(sorted.count) against \(plain.count) bytes")
        let container = ContainerSurgery(sorted)
        for band in container.bandOffsets {
            #expect(container.bytes[band + 2] == 3)
            let length = Int(container.field(at: band + 20, UInt32.self))
            let end = band + 28 + Int(container.field(at: band + 16, UInt32.self))
            #expect(stockInflate(sorted[(band + 28)..<end], length: length) != nil)
        }
    }
}
