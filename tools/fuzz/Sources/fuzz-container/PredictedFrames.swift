internal import ActivationCodec
internal import CZlib
internal import Fuzzing
internal import TestSupport

/// The decoder of frames that are told as changes to another: of one cut, with a frame kept to refer to.
enum PredictedFrames {
    private static let quantizer = try! LevelQuantizer(
        levelCount: 3, thresholds: [20, 60, 10, 30], codes: [0, 30, 90, 5, 5, 40])
    private static let signatures = [
        TensorSignature(shape: [1, 2, 5, 3], scale: 0.05, zeroPoint: 12),
        TensorSignature(shape: [1, 9], scale: 1, zeroPoint: 0),
    ]
    private static let cut = [
        ExpectedTensor(signatures[0], agreedQuantizers: [quantizer]), ExpectedTensor(signatures[1]),
    ]

    private static func sources(_ seed: UInt64) -> [TensorSource] {
        var generator = SplitMix64(seed: seed)
        let codes = signatures.map { signature in
            (0..<signature.shape.reduce(1, *)).map {
                UInt8.random(in: 0...99, using: &generator) &* ($0 % 3 == 0 ? 1 : 0)
            }
        }
        return [
            TensorSource(signatures[0], layout: .rowMajor, coding: .agreed(quantizer), codes: codes[0]),
            TensorSource(
                signatures[1], layout: .rowMajor, mode: CodecMode(.lossless8, .blocks), codes: codes[1]),
        ]
    }

    private static func frame(_ id: UInt64, seed: UInt64, to reference: FrameReference?) -> (
        bytes: [UInt8], reference: FrameReference
    ) {
        var encoder = PredictedFrameEncoder()
        return try! encoder.encode(frameID: id, tensors: sources(seed), reference: reference)
    }

    private static let kept = frame(7, seed: 1, to: nil).reference
    private static let store = {
        var store = ReferenceStore(limits: .init(maximumCount: 2, maximumBytes: 1 << 16))
        store.insert(kept)
        return store
    }()

    static func read(_ input: [UInt8]) {
        let whole = decode(input, pieceSize: .max)
        let pieces = decode(input, pieceSize: 1 + input.count % 13)
        precondition(whole?.codes == pieces?.codes, "a predicted frame in pieces has other elements")
    }

    private static func decode(_ input: [UInt8], pieceSize: Int) -> FrameReference? {
        var decoder = PredictedFrameDecoder(expecting: cut)
        var rest = input[...]
        do throws(CodecError) {
            while !rest.isEmpty {
                let piece = Array(rest.prefix(pieceSize))
                rest = rest.dropFirst(piece.count)
                try piece.withUnsafeBufferPointer { (piece) throws(CodecError) in
                    try decoder.append(piece, references: store)
                }
            }
            return try decoder.finish()
        } catch {
            return nil
        }
    }

    static var seeds: [String: [UInt8]] {
        var seeds = ["predicted-key": frame(8, seed: 2, to: nil).bytes]
        for seed in 1...4 as ClosedRange<UInt64> {
            seeds["predicted-\(seed)"] = frame(9, seed: seed, to: kept).bytes
        }
        return seeds
    }

    /// Changes the prefix and its maps, and makes their checksum right; or the container behind them.
    static func mutate(_ input: inout [UInt8], limit: Int, using generator: inout SplitMix64) {
        guard input.count >= 40 else { return }
        let mapLength = Int(input[32])
        let end = 36 + mapLength
        guard input.count >= end + 4 else { return }
        if Bool.random(using: &generator), input.count > end + 4 {
            var container = FrameBytes(Array(input[(end + 4)...]))
            container.mutate(limit: limit, using: &generator)
            container.sign()
            input.replaceSubrange((end + 4)..., with: container.bytes)
        } else {
            input[Int.random(in: 4..<end, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        let sum = input[..<end].withUnsafeBufferPointer { UInt32(crc32(0, $0.baseAddress, uInt($0.count))) }
        withUnsafeBytes(of: sum.littleEndian) { input.replaceSubrange(end..<end + 4, with: $0) }
    }
}
