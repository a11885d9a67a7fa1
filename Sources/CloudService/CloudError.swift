/// A failure of the completion service.
package struct CloudError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// The compute queue is full.
        case overloaded
        /// A frame's deadline passed before its turn came.
        case deadlineExceeded
        /// Two models of one name and version.
        case duplicateModel
        /// A setting is out of its range.
        case configuration
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
