/// What is wrong with a profile, a plan or a request for one, where, and what would have been right.
package struct PlanningError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// Not JSON, a field missing, or a field of another type.
        case malformed
        /// The document is of another kind.
        case unknownSchema
        /// The document is of this kind but a version this program cannot read.
        case unsupportedVersion
        /// A number is out of its range.
        case invalidNumber
        /// A name stands twice where it must stand once.
        case duplicateName
        /// A profile lacks a node of the graph.
        case missingNode
        /// A constraint names a node that the graph lacks.
        case unknownName
        /// Profiles of different models, or of the wrong side, were given together.
        case mismatchedProfiles
        /// The constraints leave nothing to choose from.
        case infeasible
    }

    package let code: Code
    package let message: String
    /// The file and field, node or constraint concerned.
    package let location: String

    package init(_ code: Code, _ message: String, at location: String) {
        self.code = code
        self.message = message
        self.location = location
    }

    package var description: String { "\(location): \(message)" }
}
