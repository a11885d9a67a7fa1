package import GRPCCore

/// What a peer, a request or a transport setting got wrong: what, where, and what would have been right.
package struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// The request contradicts the protocol or the model's signature.
        case invalidRequest
        /// No such model, version or resource.
        case notFound
        /// A queue is full; the same request may succeed later.
        case overloaded
        /// Not ready, or draining.
        case unavailable
        case deadlineExceeded
        /// No credentials, or wrong ones.
        case unauthenticated
        /// A setting of this program is unusable: a file cannot be read, an address cannot be parsed.
        case configuration
        /// The peer broke its side of the protocol.
        case peerViolation
    }

    package let code: Code
    package let message: String
    /// The tensor, file, address or field concerned.
    package let location: String

    package init(_ code: Code, _ message: String, at location: String) {
        self.code = code
        self.message = message
        self.location = location
    }

    package var description: String { "\(location): \(message)" }
}

extension WireError: RPCErrorConvertible {
    package var rpcErrorCode: RPCError.Code {
        switch code {
        case .invalidRequest: .invalidArgument
        case .notFound: .notFound
        case .overloaded: .resourceExhausted
        case .unavailable: .unavailable
        case .deadlineExceeded: .deadlineExceeded
        case .unauthenticated: .unauthenticated
        case .configuration: .failedPrecondition
        case .peerViolation: .internalError
        }
    }

    package var rpcErrorMessage: String { description }
}
