/// Quantisers fixed by calibration: few levels, a dead zone and reconstruction at centroids, channel by channel.
///
/// With L levels a channel has L − 1 thresholds and L codes. A code `x` is sent as the number of thresholds that do not
/// exceed it; level `l` is received as `codes[l]`. Everything is integer, so every machine computes the same. The first
/// interval, wide and received as (nearly) the zero point, is the dead zone. A channel whose codes all coincide is silent
/// and costs no symbols: dead channels vanish.
///
/// The parameters belong to the model, not to the frame: both sides hold them and a frame names them by their checksum. So
/// they may be as many as they need to be, and what a frame pays for is symbols alone.
///
/// - SeeAlso: Cohen, Choi, Bajić, "Lightweight compression of intermediate neural network features for collaborative
///   intelligence" (IEEE OJCAS 2021), whose entropy-constrained quantiser with pinned boundaries this follows;
///   Chou, Lookabaugh, Gray, "Entropy-constrained vector quantization" (1989). Designed by ``LevelQuantizer/designing(_:)``.
package struct LevelQuantizer: Sendable, Hashable {
    package static let levelLimits = 2...16

    /// L.
    package let levelCount: Int
    /// Of channel c: `thresholds[c · (L − 1) ..< (c + 1) · (L − 1)]`, none below the one before.
    package let thresholds: [UInt8]
    /// Of channel c: `codes[c · L ..< (c + 1) · L]`, none below the one before.
    package let codes: [UInt8]
    /// CRC-32 of the level count, the thresholds and the codes: the name by which a frame refers to this quantiser.
    package let checksum: UInt32

    package var channelCount: Int { codes.count / levelCount }

    /// - Throws: `invalidArgument` when the arrays do not fit each other or a channel's values descend.
    package init(levelCount: Int, thresholds: [UInt8], codes: [UInt8]) throws(CodecError) {
        guard Self.levelLimits.contains(levelCount) else {
            throw CodecError(
                .invalidArgument, "number of levels", expected: "\(Self.levelLimits)", got: "\(levelCount)")
        }
        let channels = codes.count / levelCount
        guard channels >= 1, codes.count == channels * levelCount, thresholds.count == channels * (levelCount - 1)
        else {
            throw CodecError(
                .invalidArgument, "level quantiser", expected: "\(levelCount) codes and a threshold fewer per channel",
                got: "\(codes.count) codes, \(thresholds.count) thresholds")
        }
        for channel in 0..<channels {
            let codes = codes[channel * levelCount..<(channel + 1) * levelCount]
            let thresholds = thresholds[channel * (levelCount - 1)..<(channel + 1) * (levelCount - 1)]
            guard zip(codes, codes.dropFirst()).allSatisfy({ $0 <= $1 }),
                zip(thresholds, thresholds.dropFirst()).allSatisfy({ $0 <= $1 })
            else {
                throw CodecError(
                    .invalidArgument, "quantiser of channel \(channel)", expected: "ascending values",
                    got: "codes \(Array(codes)), thresholds \(Array(thresholds))")
            }
        }
        self.levelCount = levelCount
        self.thresholds = thresholds
        self.codes = codes
        checksum = ([UInt8(levelCount)] + thresholds + codes).withUnsafeBufferPointer { ActivationCodec.checksum($0) }
    }

    /// The wire form: the thresholds of all channels, then their codes.
    var bytes: [UInt8] { thresholds + codes }

    /// Bytes of the wire form.
    static func byteCount(channels: Int, levels: Int) -> Int { channels * (2 * levels - 1) }

    /// Whether a channel is received as one value and needs no symbols.
    @inline(__always)
    func isSilent(channel: Int) -> Bool {
        let first = row(ofChannel: channel) &* levelCount
        return codes[first] == codes[first &+ levelCount &- 1]
    }

    /// Which row of the tables serves a channel: a single one serves all.
    @inline(__always)
    func row(ofChannel channel: Int) -> Int { channelCount == 1 ? 0 : channel }

    /// The level of a code: how many thresholds do not exceed it.
    package func level(of code: UInt8, channel: Int) -> Int {
        thresholds[channel * (levelCount - 1)..<(channel + 1) * (levelCount - 1)].count { $0 <= code }
    }
}

extension LevelQuantizer: Codable {
    private enum CodingKeys: String, CodingKey {
        case levels, thresholds, codes
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let levels = try container.decode(Int.self, forKey: .levels)
        let thresholds = try container.decode([UInt8].self, forKey: .thresholds)
        let codes = try container.decode([UInt8].self, forKey: .codes)
        do throws(CodecError) {
            try self.init(levelCount: levels, thresholds: thresholds, codes: codes)
        } catch {
            throw DecodingError.dataCorruptedError(
                forKey: .codes, in: container, debugDescription: error.description)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(levelCount, forKey: .levels)
        try container.encode(thresholds, forKey: .thresholds)
        try container.encode(codes, forKey: .codes)
    }
}
