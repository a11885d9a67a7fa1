/// The extremes of an activation over the calibration inputs.
package struct ActivationRange: Hashable, Sendable {
    package var lower: Float
    package var upper: Float

    package init(lower: Float = .infinity, upper: Float = -.infinity) {
        self.lower = lower
        self.upper = upper
    }

    package var isEmpty: Bool { !(lower <= upper) }

    /// False once a NaN or an infinity was seen.
    package var isFinite: Bool { lower.isFinite && upper.isFinite }

    package mutating func observe(_ values: UnsafeBufferPointer<Float>) {
        // Comparisons pass over a NaN, so it is noted apart and then stays in the range, where `isFinite` finds it.
        var hasNaN = lower.isNaN
        for value in values {
            if value < lower { lower = value }
            if value > upper { upper = value }
            hasNaN = hasNaN || value.isNaN
        }
        if hasNaN { (lower, upper) = (.nan, .nan) }
    }

    package func union(_ other: ActivationRange) -> ActivationRange {
        ActivationRange(lower: min(lower, other.lower), upper: max(upper, other.upper))
    }
}

/// How often an activation took which values, in equal bins over a range known before.
package struct ActivationHistogram {
    package static let binCount = 2048

    package let range: ActivationRange
    package private(set) var counts = [UInt64](repeating: 0, count: binCount)
    private let binsPerUnit: Float

    package init(over range: ActivationRange) {
        self.range = range
        // Beyond float32's range (all values all but equal, or at its very ends) everything falls into the first bin.
        let ratio = Float(Self.binCount) / (range.upper - range.lower)
        binsPerUnit = ratio.isFinite ? ratio : 0
    }

    package mutating func observe(_ values: UnsafeBufferPointer<Float>) {
        counts.withUnsafeMutableBufferPointer { counts in
            for value in values {
                let position = (value - range.lower) * binsPerUnit
                counts[position >= 1 ? Int(min(position, Float(Self.binCount - 1))) : 0] += 1
            }
        }
    }

    private var binWidth: Double { (Double(range.upper) - Double(range.lower)) / Double(Self.binCount) }

    private func center(of bin: Int) -> Double { Double(range.lower) + (Double(bin) + 0.5) * binWidth }

    /// The range that `method` chooses; it always contains zero, which must be exactly representable.
    package func chosenRange(_ method: CalibrationMethod) -> ActivationRange {
        let chosen: ActivationRange
        switch method {
        case .minMax: chosen = range
        case .percentile(let share): chosen = percentileRange(share)
        case .meanSquaredError: chosen = leastErrorRange()
        }
        return ActivationRange(lower: min(chosen.lower, 0), upper: max(chosen.upper, 0))
    }

    private func percentileRange(_ share: Double) -> ActivationRange {
        let total = counts.reduce(0, +)
        let clipped = UInt64(Double(total) * (1 - share) / 2)
        var below: UInt64 = 0
        var lowest = 0
        while lowest < Self.binCount - 1 && below + counts[lowest] <= clipped {
            below += counts[lowest]
            lowest += 1
        }
        var above: UInt64 = 0
        var highest = Self.binCount - 1
        while highest > lowest && above + counts[highest] <= clipped {
            above += counts[highest]
            highest -= 1
        }
        return ActivationRange(
            lower: lowest == 0 ? range.lower : Float(Double(range.lower) + Double(lowest) * binWidth),
            upper: highest == Self.binCount - 1
                ? range.upper : Float(Double(range.lower) + Double(highest + 1) * binWidth))
    }

    /// Shrinks both ends towards zero by common factors and keeps the factor with the least expected squared error.
    private func leastErrorRange() -> ActivationRange {
        let candidates = 64
        var best = range
        var leastError = Double.infinity
        for candidate in 0..<candidates {
            let factor = 1 - Double(candidate) / Double(candidates) * 0.9
            let lower = min(Double(range.lower), 0) * factor
            let upper = max(Double(range.upper), 0) * factor
            let step = (upper - lower) / 255
            guard step > 0 else { continue }
            var error = 0.0
            for (bin, count) in counts.enumerated() where count > 0 {
                let value = center(of: bin)
                let clipped = min(max(value, lower), upper)
                let excess = value - clipped
                error += Double(count) * (excess * excess + (excess == 0 ? step * step / 12 : 0))
            }
            if error < leastError {
                leastError = error
                best = ActivationRange(lower: Float(lower), upper: Float(upper))
            }
        }
        return best
    }
}
