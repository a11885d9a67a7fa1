package import InferenceProtocol

/// Why the cloud did not finish a frame; the edge then finishes it itself.
package struct CloudFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable {
        /// There is no connection.
        case unreachable
        /// The connection ended while the frame was under way.
        case connectionLost = "connection_lost"
        case deadlineExceeded = "deadline_exceeded"
        /// The cloud answered with an error.
        case refused
        /// The frame is larger than the cloud takes.
        case frameTooLarge = "frame_too_large"
        /// The cloud broke the protocol.
        case violation = "protocol_violation"
        /// Encoding failed here.
        case encoding
    }

    package let kind: Kind
    /// The cloud's error, when it gave one.
    package let code: SplitErrorCode?
    package let message: String

    package init(_ kind: Kind, _ message: String, code: SplitErrorCode? = nil) {
        self.kind = kind
        self.code = code
        self.message = message
    }

    /// Stable, for result lines and counters.
    package var label: String { code.map { "\(kind.rawValue)/\($0.label)" } ?? kind.rawValue }
    package var description: String { "\(label): \(message)" }
}
