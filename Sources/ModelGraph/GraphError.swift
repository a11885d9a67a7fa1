/// What is wrong with a graph, where, and what would have been right.
package struct GraphError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// Extents negative or too large.
        case invalidShape
        /// An operand's shape does not fit the operator.
        case shapeMismatch
        /// An operand's element type does not fit the operator.
        case typeMismatch
        /// An attribute is out of its range.
        case invalidAttribute
        /// The operator exists but not in this form.
        case unsupported
        /// An operand that must be known before execution is not.
        case notConstant
        /// The graph breaks one of its own rules (see `Graph.verify()`).
        case malformed
        /// A name that the graph does not have.
        case unknownName
        /// A set of nodes or tensors that is no legal cut.
        case illegalCut
        /// A network that only works on as many images at once as it was written for.
        case fixedBatchSize
        /// A file of tensors does not exist or cannot be read.
        case unreadableFile
    }

    package let code: Code
    package let message: String
    /// The node, tensor or input concerned.
    package let location: String

    package init(_ code: Code, _ message: String, at location: String) {
        self.code = code
        self.message = message
        self.location = location
    }

    package var description: String { "\(location): \(message)" }
}
