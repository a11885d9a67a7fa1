/// The quantised tensors of a frame that was sent, as the receiver has them: what later frames may be told as changes to.
package struct FrameReference: Sendable {
    package let frameID: UInt64
    /// What the tensors are and how they are coded; a difference is coded in the same way.
    let tensors: [TensorHeader]
    /// The codes of each tensor, row-major.
    package let codes: [[UInt8]]
    package let checksum: UInt32
    /// Bytes of the latest key frame before it, or of itself if it is one: 0 at the receiver.
    let keyFrameByteCount: Int

    init(frameID: UInt64, tensors: [TensorHeader], codes: [[UInt8]], keyFrameByteCount: Int = 0) {
        self.frameID = frameID
        self.tensors = tensors
        self.codes = codes
        self.keyFrameByteCount = keyFrameByteCount
        checksum = codes.reduce(0) { sum, codes in
            codes.withUnsafeBufferPointer { ActivationCodec.checksum($0, seed: sum) }
        }
    }

    /// Memory that the codes take.
    package var byteCount: Int { codes.reduce(0) { $0 + $1.count } }
}

/// How the next frame is to be told.
package enum FramePrediction: Sendable {
    /// As a plain container: nothing will refer to it.
    case independent
    /// As a key frame.
    case key
    /// As what changed since this one.
    case difference(to: FrameReference)
}

/// The symbols of one tensor's planes: what a code is called when the reference's code is known, and the way back.
struct PlaneSymbols {
    /// 256 for 8 bits.
    let levels: Int
    private let quantizer: LevelQuantizer?
    /// By channel (or once), 256 each: the level of a code; empty for 8 bits.
    private let levelOfCode: [UInt8]

    /// - Throws: `invalidArgument` for a coding whose symbols change their meaning from frame to frame.
    init(_ header: TensorHeader, at location: CodecError.Location = .init()) throws(CodecError) {
        switch header.coding {
        case .codes:
            levels = 256
            quantizer = nil
            levelOfCode = []
        case .levels(let quantizer):
            levels = quantizer.levelCount
            self.quantizer = quantizer
            var table = [UInt8](repeating: 0, count: quantizer.channelCount << 8)
            for channel in 0..<quantizer.channelCount {
                for level in (0..<quantizer.levelCount).reversed() {
                    table[channel << 8 | Int(quantizer.codes[channel * quantizer.levelCount + level])] = UInt8(level)
                }
            }
            levelOfCode = table
        case .ranges:
            throw CodecError(
                .invalidArgument, "coding of a predicted frame", at: location,
                expected: "8 bits or a level quantiser", got: "clip ranges measured for each frame")
        }
    }

    /// Packs symbols: 8 bits as they are, else the quantiser whose levels are their own codes.
    var coding: TensorSource.Coding {
        quantizer == nil ? .precision(.lossless8, .measured) : .agreed(Self.identity(levels: levels))
    }

    /// Its level l is received as the code l.
    static func identity(levels: Int) -> LevelQuantizer {
        guard
            let identity = try? LevelQuantizer(
                levelCount: levels, thresholds: (1..<levels).map { UInt8($0) }, codes: (0..<levels).map { UInt8($0) })
        else { preconditionFailure("2 to 16 ascending levels make a quantiser") }
        return identity
    }

    /// Fills a plane's symbols.
    ///
    /// - Parameters:
    ///   - reference: nil to send the plane anew.
    ///   - symbols: as many as codes.
    func fill(
        _ symbols: UnsafeMutablePointer<UInt8>, of codes: UnsafePointer<UInt8>, reference: UnsafePointer<UInt8>?,
        count: Int, channel: Int
    ) {
        guard let quantizer else {
            guard let reference else { return symbols.update(from: codes, count: count) }
            for index in 0..<count { symbols[index] = codes[index] &- reference[index] }
            return
        }
        levelOfCode.withUnsafeBufferPointer { table in
            let level = table.baseAddress! + quantizer.row(ofChannel: channel) << 8
            guard let reference else {
                for index in 0..<count { symbols[index] = level[Int(codes[index])] }
                return
            }
            for index in 0..<count {
                let (this, other) = (level[Int(codes[index])], level[Int(reference[index])])
                symbols[index] = this == other ? 0 : this &+ (this < other ? 1 : 0)
            }
        }
    }

    /// Turns a plane's symbols back into codes.
    ///
    /// - Parameters:
    ///   - symbols: below ``levels``.
    ///   - codes: the reference's, which become this frame's, unless `isAnew`.
    func apply(
        _ symbols: UnsafePointer<UInt8>, to codes: UnsafeMutablePointer<UInt8>, isAnew: Bool, count: Int, channel: Int
    ) {
        guard let quantizer else {
            if isAnew { return codes.update(from: symbols, count: count) }
            for index in 0..<count { codes[index] &+= symbols[index] }
            return
        }
        let row = quantizer.row(ofChannel: channel)
        levelOfCode.withUnsafeBufferPointer { table in
            quantizer.codes.withUnsafeBufferPointer { values in
                let level = table.baseAddress! + row << 8
                let value = values.baseAddress! + row * levels
                for index in 0..<count {
                    var symbol = symbols[index]
                    if !isAnew {
                        let other = level[Int(codes[index])]
                        symbol = symbol == 0 ? other : symbol &- (symbol <= other ? 1 : 0)
                    }
                    codes[index] = value[Int(symbol)]
                }
            }
        }
    }
}
