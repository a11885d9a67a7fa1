/// How many levels an element keeps.
///
/// The raw value is the width of a symbol in bits.
package enum Precision: Int, Sendable, Hashable, CaseIterable {
    /// Every uint8 code is kept.
    case lossless8 = 8
    /// 16 levels between the clip bounds of the channel.
    case quantized4 = 4
    /// 4 levels between the clip bounds of the channel.
    case quantized2 = 2

    /// Width of a symbol in bits.
    package var bits: Int { rawValue }

    /// Number of levels a symbol can name.
    package var levelCount: Int { 1 << rawValue }

    /// Symbols that share a byte.
    package var symbolsPerByte: Int { 8 / rawValue }
}

/// How packed symbols become the bytes of a band.
///
/// Every form but ``raw`` yields a zlib stream (RFC 1950) that any zlib decodes; they differ in what the encoder looks
/// for. On boundary tensors of SqueezeNet, ResNet-50 and MobileNetV2 (11 cuts, 8 pictures each, channel-planar) the mean
/// bits per element and the relative speed of stock zlib 1.2.13 were:
///
///     precision   zlib1         zlib6         runLength     huffmanOnly
///     8 bit       4.71  0.60    4.48  0.15    4.29  1       4.37  1.05
///     4 bit       2.86  0.45    2.79  0.10    2.72  1       2.75  0.96
///     2 bit        –     –      1.24  0.11    1.19  1       1.20  1.06
///
/// Long matches lose in size and in time, whatever the level; so run lengths are the default below 8 bits. On synthetic
/// fields without structure between symbols ``huffmanOnly`` is up to 5 % smaller at 2 and 4 bits. At 8 bits ``contexts``
/// is 10 to 15 % smaller than ``blocks`` on rectified boundaries and 3 to 9 % on dense ones, at half its speed.
package enum Compression: Sendable, Hashable {
    /// Bytes as they are.
    case raw
    /// Default strategy, level 0...9.
    case zlib(level: Int)
    /// `Z_FILTERED`, level 0...9: fewer short matches.
    case filtered(level: Int)
    /// `Z_HUFFMAN_ONLY`: no matches.
    case huffmanOnly
    /// `Z_RLE`: matches at distance one only.
    case runLength
    /// Runs and prefix codes by an encoder of our own, see ``BlockDeflater``.
    case blocks
    /// As ``blocks``, the symbols sorted by their neighbours first, see ``ContextOrder``. Not with clip ranges, where it is
    /// ``blocks``.
    case contexts
}

extension Compression: LosslessStringConvertible {
    /// `raw`, `zlib0`…`zlib9`, `filtered0`…`filtered9`, `huffman`, `rle`, `blocks` or `contexts`.
    package var description: String {
        switch self {
        case .raw: "raw"
        case .zlib(let level): "zlib\(level)"
        case .filtered(let level): "filtered\(level)"
        case .huffmanOnly: "huffman"
        case .runLength: "rle"
        case .blocks: "blocks"
        case .contexts: "contexts"
        }
    }

    package init?(_ description: String) {
        switch description {
        case "raw": self = .raw
        case "huffman": self = .huffmanOnly
        case "rle": self = .runLength
        case "blocks": self = .blocks
        case "contexts": self = .contexts
        default:
            guard let level = description.last?.wholeNumberValue, description.last?.isASCII == true else { return nil }
            switch description.dropLast() {
            case "zlib": self = .zlib(level: level)
            case "filtered": self = .filtered(level: level)
            default: return nil
            }
        }
    }

    /// Whether the level, where there is one, is a level zlib knows.
    package var isValid: Bool {
        switch self {
        case .raw, .huffmanOnly, .runLength, .blocks, .contexts: true
        case .zlib(let level), .filtered(let level): (0...9).contains(level)
        }
    }
}

/// How a boundary tensor is coded: its precision and its compression.
///
/// On command lines and in JSON: `8bit/rle`, `4bit/huffman`, `2bit/zlib6`, `8bit/raw`.
package struct CodecMode: Sendable, Hashable {
    package var precision: Precision
    package var compression: Compression

    package init(_ precision: Precision, _ compression: Compression) {
        self.precision = precision
        self.compression = compression
    }

    /// Every code kept, sorted by context: `8bit/contexts`.
    package static let lossless8 = CodecMode(.lossless8, .contexts)
    /// 16 levels a channel, two to a byte, run lengths and Huffman: `4bit/rle`.
    package static let quantized4 = CodecMode(.quantized4, .runLength)
    /// 4 levels a channel, four to a byte, run lengths and Huffman: `2bit/rle`.
    package static let quantized2 = CodecMode(.quantized2, .runLength)
}

extension CodecMode: LosslessStringConvertible, Codable {
    package var description: String { "\(precision.bits)bit/\(compression)" }

    /// Reads the textual form.
    ///
    /// - Throws: `CodecError.Code.unknownMode`, naming the part that is not understood.
    package init(parsing text: String) throws(CodecError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw CodecError(
                .unknownMode, "codec mode", expected: "PRECISION/COMPRESSION, such as 4bit/huffman", got: "\"\(text)\"")
        }
        guard let precision = Precision.allCases.first(where: { parts[0] == "\($0.bits)bit" }) else {
            throw CodecError(.unknownMode, "precision", expected: "8bit, 4bit or 2bit", got: "\"\(parts[0])\"")
        }
        guard let compression = Compression(String(parts[1])) else {
            throw CodecError(
                .unknownMode, "compression",
                expected: "raw, zlib0…zlib9, filtered0…filtered9, huffman, rle, blocks or contexts",
                got: "\"\(parts[1])\"")
        }
        self.init(precision, compression)
    }

    package init?(_ description: String) {
        guard let mode = try? CodecMode(parsing: description) else { return nil }
        self = mode
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do throws(CodecError) {
            self = try CodecMode(parsing: text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
