/// Why a model cannot be prepared or run.
package struct EngineError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// The machine or the build has no kernels for the instruction set asked for.
        case unavailableInstructionSet
        /// The name of an input or output that the model does not have.
        case unknownPort
        /// An input whose type or form is not what the port takes.
        case inputMismatch
        /// A tensor form that the engine cannot produce.
        case unsupportedForm
        /// A layer failed while running.
        case layerFailed
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
