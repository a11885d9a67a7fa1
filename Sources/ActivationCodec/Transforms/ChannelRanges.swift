/// The clip bounds of a quantised tensor: codes below `lower` or above `upper` become the bound.
///
/// One pair per channel, or a single pair that every channel shares. A channel whose bounds coincide is constant and
/// costs no symbols.
package struct ChannelRanges: Sendable, Hashable {
    package let lower: [UInt8]
    package let upper: [UInt8]

    /// Number of pairs.
    package var count: Int { lower.count }

    /// - Throws: `invalidArgument` when the arrays are empty, differ in length, or a lower bound exceeds its upper bound.
    package init(lower: [UInt8], upper: [UInt8]) throws(CodecError) {
        guard !lower.isEmpty, lower.count == upper.count else {
            throw CodecError(
                .invalidArgument, "clip ranges", expected: "as many upper bounds as lower bounds, at least one",
                got: "\(lower.count) lower, \(upper.count) upper")
        }
        if let channel = lower.indices.first(where: { lower[$0] > upper[$0] }) {
            throw CodecError(
                .invalidArgument, "clip range of channel \(channel)", expected: "lower bound ≤ upper bound",
                got: "\(lower[channel])...\(upper[channel])")
        }
        self.lower = lower
        self.upper = upper
    }

    /// Index of the pair that serves a channel.
    @inline(__always)
    func index(ofChannel channel: Int) -> Int { lower.count == 1 ? 0 : channel }

    func isConstant(channel: Int) -> Bool {
        let index = index(ofChannel: channel)
        return lower[index] == upper[index]
    }

    /// The wire form: all lower bounds, then all upper bounds.
    var bytes: [UInt8] { lower + upper }
}

extension ChannelRanges: Codable {
    private enum CodingKeys: String, CodingKey {
        case lower
        case upper
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let lower = try container.decode([UInt8].self, forKey: .lower)
        let upper = try container.decode([UInt8].self, forKey: .upper)
        do throws(CodecError) {
            self = try ChannelRanges(lower: lower, upper: upper)
        } catch {
            throw DecodingError.dataCorruptedError(
                forKey: .lower, in: container, debugDescription: error.description)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(lower, forKey: .lower)
        try container.encode(upper, forKey: .upper)
    }
}

/// Where the clip bounds of a tensor come from.
package enum RangeSource: Sendable, Hashable {
    /// The least and greatest code of each channel of this very tensor.
    case measured
    /// As ``measured``, after setting aside up to this fraction (0 ..< 0.5) of a channel's elements at either end.
    case percentile(clipped: Double)
    /// Bounds fixed in advance, sent along with the frame.
    case calibrated(ChannelRanges)
    /// Bounds fixed in advance that the receiver holds too: only their checksum is sent.
    case agreed(ChannelRanges)
}
