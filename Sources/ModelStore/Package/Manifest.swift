internal import FoundationEssentials
internal import ModelGraph

/// The JSON part of a package: everything but the tensors' elements. See FORMAT.md.
struct Manifest: Codable, Sendable {
    let card: ModelCard
    let graph: GraphRecord
    let quantization: QuantizationRecord?
    let sections: [Section]
}

extension Manifest {
    /// A `Graph` with section numbers in place of tensors.
    struct GraphRecord: Codable, Sendable {
        let name: String
        let values: [ValueRecord]
        let nodes: [NodeRecord]
        /// Indices of values, as everywhere below.
        let inputs: [Int]
        let outputs: [Int]
    }

    struct ValueRecord: Codable, Sendable {
        let name: String
        let elementType: ElementType
        let shape: Shape
        /// Of a constant: the section that holds it.
        let section: Int?
    }

    struct NodeRecord: Codable, Sendable {
        let name: String
        let operation: Operator
        /// `null` for an optional operand left out.
        let inputs: [Int?]
        let outputs: [Int]
    }

    struct QuantizationRecord: Codable, Sendable {
        /// By value; `null` for constants and activations that stay float32.
        let activations: [ActivationQuantization?]
        /// By node; `null` for nodes without integer weights.
        let weights: [WeightsRecord?]
    }

    /// Integer weights; each number but those of `shape` is that of a section.
    struct WeightsRecord: Codable, Sendable {
        /// Of `values`, int8; the first extent is the number of float32 `scales` and of int32 in `bias`.
        let shape: Shape
        let values: Int
        let scales: Int
        let bias: Int
    }
}

extension Manifest {
    /// JSON has no infinities, but pads and slopes may be infinite.
    private static let infinity = "inf"
    private static let notANumber = "nan"

    /// The same manifest always gives the same bytes.
    func encoded() throws(ModelStoreError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: Self.infinity, negativeInfinity: "-" + Self.infinity, nan: Self.notANumber)
        do {
            return Array(try encoder.encode(self))
        } catch {
            throw ModelStoreError(.malformed, "cannot be written as JSON: \(error)", part: "manifest")
        }
    }

    init(parsing bytes: UnsafeRawBufferPointer) throws(ModelStoreError) {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: Self.infinity, negativeInfinity: "-" + Self.infinity, nan: Self.notANumber)
        do {
            self = try decoder.decode(Manifest.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw ModelStoreError(.malformed, error.summary, part: "manifest")
        } catch {
            throw ModelStoreError(.malformed, "\(error)", part: "manifest")
        }
    }
}

extension DecodingError {
    /// Where in the document, and what is wrong there, in one line.
    fileprivate var summary: String {
        let context: Context
        switch self {
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .dataCorrupted(let found): context = found
        case .keyNotFound(_, let found): context = found
        @unknown default: return "\(self)"
        }
        let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
        return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
    }
}
