/// Why a head or a tail cannot be prepared or fed.
package struct SplitExecutionError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// A boundary tensor without quantisation, which cannot be sent.
        case unquantizedBoundary
        /// An input of another number, shape or type than the network takes.
        case inputMismatch
    }

    package let code: Code
    package let message: String
    package let location: String

    package init(_ code: Code, _ message: String, at location: String) {
        self.code = code
        self.message = message
        self.location = location
    }

    package var description: String { "\(location): \(message)" }
}
