internal import ActivationCodec
internal import Testing

@Suite struct LevelQuantizerTests {
    /// Random tables, some channels silent.
    static func quantizer(
        channels: Int, levels: Int, using generator: inout SeededGenerator
    ) throws -> LevelQuantizer {
        var thresholds: [UInt8] = []
        var codes: [UInt8] = []
        for _ in 0..<channels {
            let values = (0..<levels).map { _ in UInt8.random(in: 0...255, using: &generator) }.sorted()
            codes += generator.next() % 5 == 0 ? [UInt8](repeating: values[0], count: levels) : values
            thresholds += (1..<levels).map { _ in UInt8.random(in: 0...255, using: &generator) }.sorted()
        }
        return try LevelQuantizer(levelCount: levels, thresholds: thresholds, codes: codes)
    }

    /// A decoded element is the code of the level that the definition names.
    @Test(arguments: 2...16)
    func everyShapeAndLayout(levels: Int) throws {
        let seed = 0xC0DE_0700 + UInt64(levels)
        var generator = SeededGenerator(seed: seed)
        for shape in someShapes + [[1, 20, 13, 13]] {
            let channels = shape.count < 3 ? 1 : shape[1]
            let planeSize = shape.count < 3 ? shape.reduce(1, *) : shape[2...].reduce(1, *)
            let isShared = generator.next() % 3 == 0
            let quantizer = try Self.quantizer(channels: isShared ? 1 : channels, levels: levels, using: &generator)
            let codes = syntheticCodes(count: shape.reduce(1, *), using: &generator)
            let signature = TensorSignature(shape: shape, scale: 0.1, zeroPoint: 0)
            let bandBytes = Int.random(in: 1...200, using: &generator)
            let note: Comment = "seed \(seed), \(shape), bands of \(bandBytes)"
            let expected = codes.enumerated().map { index, code in
                let row = isShared ? 0 : index / planeSize % channels
                return quantizer.codes[row * levels + quantizer.level(of: code, channel: row)]
            }
            let held = [ExpectedTensor(signature, agreedQuantizers: [quantizer])]
            for coding in [TensorSource.Coding.agreed(quantizer), .inline(quantizer)] {
                for compression in [Compression.raw, .blocks, .runLength] {
                    let planar = try encodeFrame(
                        id: 1,
                        [
                            TensorSource(
                                signature, layout: .rowMajor, coding: coding, compression: compression, codes: codes)
                        ],
                        bandBytes: bandBytes)
                    let interleaved = try encodeFrame(
                        id: 1,
                        [
                            TensorSource(
                                signature, layout: .channelsLast, coding: coding, compression: compression,
                                codes: channelsLast(codes, shape: shape))
                        ],
                        bandBytes: bandBytes)
                    #expect(planar == interleaved, note)
                    #expect(try decodeFrame(planar, expecting: held).tensors == [expected], note)
                    #expect(
                        try decodeFrame(planar, expecting: held, layout: .channelsLast).tensors
                            == [channelsLast(expected, shape: shape)], note)
                }
            }
        }
    }

    @Test func designFindsTheClusters() throws {
        // Channel 0 has three clusters; channel 1 is constant and must fall silent.
        let signature = TensorSignature(shape: [1, 2, 1, 100], scale: 1, zeroPoint: 0)
        var histograms = try CodeHistograms(signature)
        let clusters = (0..<100).map { UInt8([0, 0, 0, 60, 62, 200][$0 % 6]) }
        (clusters + [UInt8](repeating: 5, count: 100)).withUnsafeBufferPointer {
            histograms.add($0, layout: .rowMajor)
        }
        let quantizer = try LevelQuantizer.designing(histograms, levels: 3, rateWeight: 0.001)
        #expect(Array(quantizer.codes[..<3]) == [0, 61, 200])
        #expect(quantizer.codes[3...].allSatisfy { $0 == 5 })
        #expect(quantizer.level(of: 2, channel: 0) == 0)
        #expect(quantizer.level(of: 61, channel: 0) == 1)
        #expect(quantizer.level(of: 255, channel: 0) == 2)
    }

    /// More weight on rate never spends more bits, and error grows for it.
    @Test func rateWeightTradesErrorForRate() throws {
        let seed: UInt64 = 0xC0DE_0750
        var generator = SeededGenerator(seed: seed)
        let signature = TensorSignature(shape: [1, 8, 32, 32], scale: 1, zeroPoint: 0)
        let codes = syntheticCodes(count: 8 * 1024, using: &generator)
        var histograms = try CodeHistograms(signature)
        codes.withUnsafeBufferPointer { histograms.add($0, layout: .rowMajor) }
        var sizes: [Int] = []
        var errors: [Int] = []
        for weight in [0, 0.02, 0.1, 0.3] {
            let quantizer = try LevelQuantizer.designing(histograms, levels: 6, rateWeight: weight)
            let source = TensorSource(signature, layout: .rowMajor, coding: .agreed(quantizer), codes: codes)
            let frame = try encodeFrame(id: 0, [source])
            let decoded = try decodeFrame(
                frame, expecting: [ExpectedTensor(signature, agreedQuantizers: [quantizer])]
            ).tensors[0]
            sizes.append(frame.count)
            errors.append(zip(codes, decoded).reduce(0) { $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)) })
        }
        #expect(sizes == sizes.sorted(by: >), "seed \(seed)")
        #expect(errors == errors.sorted(), "seed \(seed)")
    }

    @Test func tablesThatDescendAreRefused() {
        #expect(throws: CodecError.self) { try LevelQuantizer(levelCount: 3, thresholds: [9, 8], codes: [0, 1, 2]) }
        #expect(throws: CodecError.self) { try LevelQuantizer(levelCount: 3, thresholds: [8, 9], codes: [0, 2, 1]) }
        #expect(throws: CodecError.self) { try LevelQuantizer(levelCount: 17, thresholds: [], codes: []) }
        #expect(throws: CodecError.self) { try LevelQuantizer(levelCount: 2, thresholds: [1], codes: [0, 2, 1]) }
    }
}
