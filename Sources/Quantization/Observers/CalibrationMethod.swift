internal import ModelGraph

/// How the range of an activation is chosen from what calibration saw of it.
package enum CalibrationMethod: Hashable, Sendable {
    /// Everything seen fits: no clipping, but an outlier costs resolution everywhere.
    case minMax
    /// The extremes of each input, averaged with weights that fall by this factor, in 0..<1, an input.
    case movingAverage(Double)
    /// The given share of all values, in 0.5...1, fits; the rest is clipped, half of it at each end.
    case percentile(Double)
    /// The range with the least expected squared error of rounding and clipping together.
    case meanSquaredError
    /// The range that loses the least information about the distribution of values (Kullback–Leibler).
    ///
    /// - SeeAlso: Migacz, "8-bit inference with TensorRT", GTC 2017
    case entropy
}

extension CalibrationMethod: CustomStringConvertible {
    package var description: String {
        switch self {
        case .minMax: "minmax"
        case .movingAverage(let decay): "average:\(decay)"
        // As it was given: 99.999, not the double nearest to a hundred times its share.
        case .percentile(let share): "percentile:\((share * 1e8).rounded() / 1e6)"
        case .meanSquaredError: "mse"
        case .entropy: "entropy"
        }
    }

    private static let forms =
        "minmax, average, average:DECAY with DECAY in 0..<1, percentile, percentile:P with P in 50...100, mse or entropy"

    /// Reads `minmax`, `average` (0.9), `average:0.99`, `percentile` (99.99), `percentile:99.9`, `mse` or `entropy`.
    /// - Throws: `QuantizationError.invalidOption`, naming the forms.
    package init(_ text: String) throws(QuantizationError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let number = parts.count == 2 ? Double(parts[1]) : nil
        switch (parts[0], parts.count, number) {
        case ("minmax", 1, _): self = .minMax
        case ("mse", 1, _): self = .meanSquaredError
        case ("entropy", 1, _): self = .entropy
        case ("average", 1, _): self = .movingAverage(0.9)
        case ("average", _, let decay?) where (0..<1).contains(decay): self = .movingAverage(decay)
        case ("percentile", 1, _): self = .percentile(0.9999)
        case ("percentile", _, let percent?) where (50...100).contains(percent): self = .percentile(percent / 100)
        default:
            throw QuantizationError(
                .invalidOption, "expected \(Self.forms), got \"\(text)\"", at: "calibration method")
        }
    }
}
