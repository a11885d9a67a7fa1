/// A failure of the agent that finishing locally cannot mend.
package struct EdgeError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// The input folder cannot be listed.
        case unreadableFolder
        /// The package cannot run on the edge.
        case unusableModel
        /// The model's outputs are not what labels can be given to.
        case unusableOutput
        /// The plan has nothing that this agent can follow.
        case unusablePlan
        /// Results cannot be written.
        case unwritableOutput
    }

    package let code: Code
    package let message: String
    /// The file or output concerned.
    package let location: String

    package init(_ code: Code, _ message: String, at location: String) {
        self.code = code
        self.message = message
        self.location = location
    }

    package var description: String { "\(location): \(message)" }
}
