/// Why a graph cannot be quantised.
package struct QuantizationError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// No calibration input was given.
        case noCalibrationData
        /// An activation was NaN or infinite during calibration.
        case notFinite
        /// A parameter out of its range.
        case invalidOption
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
