internal import ActivationCodec

/// A boundary that a fixed camera might give: from frame to frame a patch of some channels changes, now and then everything.
struct CameraSequence {
    let signatures: [TensorSignature]
    let coding: BoundaryCoding
    private(set) var codes: [[UInt8]]
    private(set) var generator: SeededGenerator

    /// - Parameter levels: of calibrated quantisers; nil for 8 bits.
    init(shapes: [[Int]], levels: Int?, seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        signatures = shapes.map { TensorSignature(shape: $0, scale: 0.1, zeroPoint: 4) }
        codes = shapes.map { syntheticCodes(count: $0.reduce(1, *), using: &generator) }
        if let levels {
            let quantizers = try shapes.map { shape in
                try LevelQuantizerTests.quantizer(
                    channels: shape.count < 3 || seed % 2 == 0 ? 1 : shape[1], levels: levels, using: &generator)
            }
            coding = .calibrated(name: "test", quantizers: quantizers)
        } else {
            coding = .mode(CodecMode(.lossless8, .blocks))
        }
        self.generator = generator
    }

    mutating func change() {
        for tensor in codes.indices {
            switch generator.next() % 8 {
            case 0: break
            case 1: codes[tensor] = syntheticCodes(count: codes[tensor].count, using: &generator)
            default:
                let length = Int.random(in: 1...max(1, codes[tensor].count / 10), using: &generator)
                let start = Int.random(in: 0...codes[tensor].count - length, using: &generator)
                for index in start..<start + length where generator.next() % 2 == 0 {
                    codes[tensor][index] = UInt8(truncatingIfNeeded: generator.next() >> 56)
                }
            }
        }
    }

    func sources(layout: TensorLayout = .rowMajor) -> [TensorSource] {
        signatures.indices.map { index in
            TensorSource(
                signatures[index], layout: layout, coding: coding.symbols(ofTensor: index),
                compression: coding.compression,
                codes: layout == .rowMajor
                    ? codes[index] : channelsLast(codes[index], shape: signatures[index].shape))
        }
    }

    var expected: [ExpectedTensor] { coding.expected(of: sources()) }

    /// What a frame by itself decodes to.
    func quantized() throws -> [[UInt8]] {
        try decodeFrame(encodeFrame(id: 0, sources()), expecting: expected).tensors
    }
}

/// Decodes a whole predicted frame that arrives in pieces.
func decodePredicted(
    _ bytes: [UInt8], expecting expected: [ExpectedTensor], references: ReferenceStore, pieceSize: Int = .max
) throws(CodecError) -> FrameReference {
    var decoder = PredictedFrameDecoder(expecting: expected)
    var start = 0
    while start < bytes.count {
        let end = start + min(pieceSize, bytes.count - start)
        try bytes[start..<end].withUnsafeBufferPointer { (piece) throws(CodecError) in
            try decoder.append(piece, references: references)
        }
        start = end
    }
    return try decoder.finish()
}
