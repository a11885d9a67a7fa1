/// How the range of an activation is chosen from what calibration saw of it.
package enum CalibrationMethod: Hashable, Sendable {
    /// Everything seen fits: no clipping, but an outlier costs resolution everywhere.
    case minMax
    /// The given share of all values, in 0.5...1, fits; the rest is clipped, half of it at each end.
    case percentile(Double)
    /// The range with the least expected squared error of rounding and clipping together.
    case meanSquaredError
}

extension CalibrationMethod: CustomStringConvertible {
    package var description: String {
        switch self {
        case .minMax: "minmax"
        case .percentile(let share): "percentile:\(share * 100)"
        case .meanSquaredError: "mse"
        }
    }

    /// Reads `minmax`, `mse`, `percentile` (99.99) or `percentile:99.9`.
    /// - Throws: `QuantizationError.invalidOption`, naming the forms.
    package init(_ text: String) throws(QuantizationError) {
        switch text {
        case "minmax": self = .minMax
        case "mse": self = .meanSquaredError
        case "percentile": self = .percentile(0.9999)
        default:
            let parts = text.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0] == "percentile", let percent = Double(parts[1]),
                (50...100).contains(percent)
            else {
                throw QuantizationError(
                    .invalidOption,
                    "expected minmax, mse, percentile or percentile:P with P in 50...100, got \"\(text)\"",
                    at: "calibration method")
            }
            self = .percentile(percent / 100)
        }
    }
}
