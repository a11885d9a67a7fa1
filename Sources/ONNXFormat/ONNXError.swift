package import ModelGraph

/// Why an ONNX file could not be read, imported or written: what is wrong, where, and what would have been right.
package struct ONNXError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// The file does not exist or cannot be read.
        case unreadableFile
        /// The bytes end inside a field.
        case truncated
        /// The bytes are no protobuf message of ONNX's schema.
        case malformed
        /// An IR or operator set version outside the supported range.
        case unsupportedVersion
        case unsupportedOperator
        /// The operator exists but not with this attribute or this value of it.
        case unsupportedAttribute
        /// An element type or a kind of value (sequence, sparse tensor…) that graphs do not have.
        case unsupportedType
        /// The form is legal ONNX but outside what graphs express.
        case unsupportedFeature
        /// A tensor's data does not fit its extents or type.
        case invalidTensor
        /// Tensor data in another file that may not, or cannot, be read.
        case externalData
        /// An attribute is absent, of another kind, or out of its range.
        case invalidAttribute
        /// A node has too few or too many operands or results.
        case invalidNode
        /// A name is defined twice, or read before it is defined.
        case invalidName
        /// An operand that shapes the result is not known before execution.
        case notConstant
        /// A symbolic extent that no option fixes.
        case unresolvedExtent
        /// An option names an input that the model lacks, or does not fit it.
        case invalidOption
        /// Folded constants would exceed the limit, or a written model would exceed protobuf's.
        case tooLarge
        /// The operator refuses its operands; see `cause`.
        case invalidGraph
        /// The graph holds what ONNX cannot say.
        case notExportable
    }

    /// The place the error concerns.
    package enum Location: Hashable, Sendable, CustomStringConvertible {
        case file(String)
        case byte(Int, field: String)
        case node(String, type: String, attribute: String? = nil)
        case value(String)
        case model

        package var description: String {
            switch self {
            case .file(let path): "file \(path)"
            case .byte(let offset, let field): "byte \(offset), \(field)"
            case .node(let name, let type, nil): "node \(name) (\(type))"
            case .node(let name, let type, let attribute?): "node \(name) (\(type)), attribute \(attribute)"
            case .value(let name): "value \(name)"
            case .model: "model"
            }
        }
    }

    package let code: Code
    package let message: String
    package let location: Location
    package let expected: String?
    package let got: String?
    package let cause: GraphError?

    package init(
        _ code: Code, _ message: String, at location: Location, expected: String? = nil, got: String? = nil,
        cause: GraphError? = nil
    ) {
        self.code = code
        self.message = message
        self.location = location
        self.expected = expected
        self.got = got
        self.cause = cause
    }

    package var description: String {
        var text = "\(location): \(message)"
        if let expected { text += "; expected \(expected)" }
        if let got { text += "; got \(got)" }
        if let cause { text += ": \(cause.message)" }
        return text
    }
}
