private import Glibc

/// Maps values to pixels and picks round values to mark.
package struct ChartAxis: Sendable {
    package let range: ClosedRange<Double>
    package let pixels: (from: Double, to: Double)
    package let isLogarithmic: Bool
    package let ticks: [Double]

    /// From 0 to the first tick at or above `maximum`, with about five ticks at 1, 2 or 5 times a power of ten.
    package static func linear(upTo maximum: Double, pixels: (from: Double, to: Double)) -> ChartAxis {
        let step = roundStep(max(maximum, 1e-9) / 5)
        let count = max(1, Int((maximum / step).rounded(.up)))
        return ChartAxis(
            range: 0...(Double(count) * step), pixels: pixels, isLogarithmic: false,
            ticks: (0...count).map { Double($0) * step })
    }

    /// Exactly over `range`, with ticks at 1, 2 and 5 times each power of ten, or at the powers alone where there are
    /// more than four.
    package static func logarithmic(_ range: ClosedRange<Double>, pixels: (from: Double, to: Double)) -> ChartAxis {
        let decades = Int(log10Floor(range.lowerBound))...Int(log10Floor(range.upperBound))
        let multiples: [Double] = decades.count > 5 ? [1] : [1, 2, 5]
        let ticks = decades.flatMap { decade in multiples.map { $0 * powerOfTen(decade) } }
        return ChartAxis(
            range: range, pixels: pixels, isLogarithmic: true,
            ticks: ticks.filter { (range.lowerBound * 0.999...range.upperBound * 1.001).contains($0) })
    }

    package func position(_ value: Double) -> Double {
        let fraction =
            isLogarithmic
            ? (log(value) - log(range.lowerBound)) / (log(range.upperBound) - log(range.lowerBound))
            : (value - range.lowerBound) / (range.upperBound - range.lowerBound)
        return pixels.from + fraction * (pixels.to - pixels.from)
    }

    /// `count` values from one end of a logarithmic axis to the other, equally far apart on it.
    package func samples(_ count: Int) -> [Double] {
        let (low, high) = (log(range.lowerBound), log(range.upperBound))
        return (0..<count).map { exp(low + (high - low) * Double($0) / Double(max(1, count - 1))) }
    }

    private static func roundStep(_ step: Double) -> Double {
        let power = powerOfTen(Int(log10Floor(step)))
        return [1, 2, 5].map { $0 * power }.first { $0 >= step * 0.999 } ?? 10 * power
    }
}

private func powerOfTen(_ exponent: Int) -> Double {
    (0..<exponent.magnitude).reduce(1.0) { power, _ in exponent < 0 ? power / 10 : power * 10 }
}

private func log10Floor(_ value: Double) -> Double { (log10(value) + 1e-9).rounded(.down) }
