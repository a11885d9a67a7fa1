/// An interval of an activation's values; empty until something was seen.
package struct ActivationRange: Hashable, Sendable {
    package var lower: Float
    package var upper: Float

    package init(lower: Float = .infinity, upper: Float = -.infinity) {
        self.lower = lower
        self.upper = upper
    }

    package var isEmpty: Bool { !(lower <= upper) }

    /// False while empty, and once a NaN or an infinity was seen.
    package var isFinite: Bool { lower.isFinite && upper.isFinite }

    /// The larger of both ends' magnitudes.
    package var magnitude: Float { max(abs(lower), abs(upper)) }

    package func union(_ other: ActivationRange) -> ActivationRange {
        // A NaN at an end says that one was seen, and stays.
        guard !lower.isNaN, !other.lower.isNaN else { return ActivationRange(lower: .nan, upper: .nan) }
        return ActivationRange(lower: min(lower, other.lower), upper: max(upper, other.upper))
    }

    /// The smallest interval that holds this one and zero, which must be exactly representable.
    var withZero: ActivationRange { ActivationRange(lower: min(lower, 0), upper: max(upper, 0)) }
}
