internal import ActivationCodec
internal import Fuzzing
internal import TestSupport

/// The decoder of activation frames.
enum ContainerTarget: FuzzTarget {
    /// Less than the defaults, so that an input takes milliseconds at most; what is compared with them is the same.
    private static let limits = {
        var limits = DecodeLimits()
        limits.maximumElements = 1 << 18
        limits.maximumBandBytes = 1 << 17
        return limits
    }()

    private static let agreed = try! ChannelRanges(lower: [0, 3, 7, 9], upper: [200, 90, 7, 255])
    private static let signatures = [
        TensorSignature(shape: [1, 4, 5, 3], scale: 0.05, zeroPoint: 12),
        TensorSignature(shape: [1, 9], scale: 1, zeroPoint: 0),
    ]
    /// The cut of the seeds, for a receiver that holds clip ranges and refuses every other cut.
    private static let cut = [ExpectedTensor(signatures[0], agreedRanges: agreed), ExpectedTensor(signatures[1])]

    private typealias Decoded = (header: FrameHeader, tensors: [[UInt8]])

    static func read(_ input: [UInt8]) {
        guard PredictedFrameDecoder.accepts(input) != true else { return PredictedFrames.read(input) }
        let whole = result { () throws(CodecError) in
            let frame = try decodeFrame(input, limits: limits)
            return (frame.header, frame.tensors)
        }
        let pieces = result { () throws(CodecError) in try decodePieces(input) }
        switch (whole, pieces) {
        case (.success(let whole), .success(let pieces)):
            precondition(
                whole.header == pieces.header && whole.tensors == pieces.tensors, "a frame in pieces has other elements"
            )
        case (.failure, .failure): break
        case (.success, .failure(let error)), (.failure(let error), .success):
            fatalError("whole and in pieces a frame is not both times a frame: \(error)")
        }
        _ = try? decodeFrame(input, limits: limits, expecting: cut, layout: .channelsLast)
    }

    /// Decodes bytes that arrive in pieces whose sizes depend on the bytes.
    private static func decodePieces(_ input: [UInt8]) throws(CodecError) -> Decoded {
        var generator = SplitMix64(seed: input.reduce(UInt64(input.count)) { ($0 &* 31) &+ UInt64($1) })
        var decoder = try FrameDecoder(limits: limits)
        var rest = input[...]
        var header: FrameHeader?
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...max(1, input.count / 2), using: &generator))
            rest = rest.dropFirst(piece.count)
            try decoder.append(Array(piece))
            while let event = try decoder.next() {
                if case .header(let found) = event { header = found }
            }
        }
        try decoder.finish()
        guard let header else { fatalError("a frame without a header") }
        return (header, decoder.takeTensors())
    }

    private static func result(_ body: () throws(CodecError) -> Decoded) -> Result<Decoded, CodecError> {
        do throws(CodecError) {
            return .success(try body())
        } catch {
            return .failure(error)
        }
    }

    static func seeds() throws -> [String: [UInt8]] {
        var seeds = PredictedFrames.seeds
        var generator = SplitMix64(seed: 1)
        let modes: [CodecMode] = [
            .lossless8, .quantized4, .quantized2, CodecMode(.lossless8, .raw), CodecMode(.quantized4, .raw),
            CodecMode(.quantized2, .zlib(level: 9)), CodecMode(.quantized4, .huffmanOnly),
        ]
        let bounds: [(name: String, source: RangeSource)] = [
            ("measured", .measured), ("percentile", .percentile(clipped: 0.1)), ("calibrated", .calibrated(agreed)),
            ("agreed", .agreed(agreed)),
        ]
        for mode in modes {
            for (name, source) in bounds {
                let sources = signatures.enumerated().map { index, signature in
                    let count = signature.shape.reduce(1, *)
                    let codes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) & 0x3F }
                    return TensorSource(
                        signature, layout: .rowMajor, mode: mode, ranges: index == 0 ? source : .measured, codes: codes)
                }
                let file = "\(mode.precision.bits)bit-\(mode.compression)-\(name)"
                seeds[file] = try encodeFrame(id: 7, sources, bandBytes: 24)
            }
        }
        // Bands sorted by context: codes, and levels of quantisers that travel along.
        let quantizer = try LevelQuantizer(levelCount: 3, thresholds: [4, 20], codes: [0, 9, 40])
        let wide = TensorSignature(shape: [1, 16, 6, 6], scale: 0.5, zeroPoint: 0)
        let patches = (0..<576).map { (index: Int) -> UInt8 in
            index / 36 % 2 == 0 ? 0 : UInt8.random(in: 0...50, using: &generator)
        }
        for (name, coding) in [
            ("codes", TensorSource.Coding.precision(.lossless8, .measured)), ("levels", .inline(quantizer)),
        ] {
            for compression in [Compression.contexts, .blocks] {
                let source = TensorSource(
                    wide, layout: .rowMajor, coding: coding, compression: compression, codes: patches)
                seeds["\(name)-\(compression)"] = try encodeFrame(id: 9, [source])
            }
        }
        // More channels than bounds fit uncompressed, and planes that pack into whole and broken bytes.
        for (index, shape) in [[1, 300, 1, 1], [2, 3, 7, 5], [1, 40, 4, 4], [3]].enumerated() {
            let signature = TensorSignature(shape: shape, scale: 0.5, zeroPoint: 0)
            let codes = (0..<shape.reduce(1, *)).map { UInt8(truncatingIfNeeded: $0 / 7) }
            let source = TensorSource(signature, layout: .channelsLast, mode: .quantized2, codes: codes)
            seeds["shape-\(index)"] = try encodeFrame(id: 8, [source], bandBytes: 100)
        }
        return seeds
    }

    static func mutate(_ input: inout [UInt8], limit: Int, using generator: inout SplitMix64) {
        guard PredictedFrameDecoder.accepts(input) != true else {
            return PredictedFrames.mutate(&input, limit: limit, using: &generator)
        }
        var frame = FrameBytes(input)
        frame.mutate(limit: limit, using: &generator)
        frame.sign()
        input = frame.bytes
    }
}
