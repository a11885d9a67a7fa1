/// What is wrong with a trace or a scenario, where, and what would have been right.
package struct SimulationError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// None of the formats of link traces.
        case unknownFormat
        /// A trace breaks its format.
        case malformed
        /// A number is out of its range.
        case invalidNumber
        /// A trace is larger than the reader's limits.
        case tooLarge
        /// A trace that never ends any interval.
        case empty
        /// A scenario that cannot be run.
        case invalidScenario
    }

    package let code: Code
    package let message: String
    /// The file and the line or byte, or the setting concerned.
    package let location: String

    package init(_ code: Code, _ message: String, at location: String) {
        self.code = code
        self.message = message
        self.location = location
    }

    package var description: String { "\(location): \(message)" }
}
