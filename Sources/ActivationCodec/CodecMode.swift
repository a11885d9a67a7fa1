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
/// for. Matches (``zlib(level:)``) rarely pay on activations and cost most of the time: run lengths find the zeros, and
/// Huffman coding alone is best once several symbols share a byte.
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
}

extension Compression: LosslessStringConvertible {
    /// `raw`, `zlib0`…`zlib9`, `filtered0`…`filtered9`, `huffman` or `rle`.
    package var description: String {
        switch self {
        case .raw: "raw"
        case .zlib(let level): "zlib\(level)"
        case .filtered(let level): "filtered\(level)"
        case .huffmanOnly: "huffman"
        case .runLength: "rle"
        }
    }

    package init?(_ description: String) {
        switch description {
        case "raw": self = .raw
        case "huffman": self = .huffmanOnly
        case "rle": self = .runLength
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
        case .raw, .huffmanOnly, .runLength: true
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

    /// Every code kept, run lengths and Huffman: `8bit/rle`.
    package static let lossless8 = CodecMode(.lossless8, .runLength)
    /// 16 levels a channel, two to a byte, Huffman: `4bit/huffman`.
    package static let quantized4 = CodecMode(.quantized4, .huffmanOnly)
    /// 4 levels a channel, four to a byte, Huffman: `2bit/huffman`.
    package static let quantized2 = CodecMode(.quantized2, .huffmanOnly)
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
                .unknownMode, "compression", expected: "raw, zlib0…zlib9, filtered0…filtered9, huffman or rle",
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
