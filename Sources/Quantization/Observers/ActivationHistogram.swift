/// How often an activation took which values, in bins of equal width that doubles when a value does not fit.
///
/// Widths are powers of two and bins begin at zero, on both sides of it, so that two bins become exactly one of the next
/// width: whatever order values come in, and however they are shared out between histograms merged later, the counts
/// are the same.
package struct ActivationHistogram: Hashable, Sendable {
    /// On each side of zero.
    package static let binCount = 2048

    /// Bins of 0... first, by magnitude, then those of values below zero, by magnitude.
    package private(set) var counts = [UInt64](repeating: 0, count: 2 * binCount)
    /// Bins are 2^exponent wide.
    package private(set) var exponent = Self.leastExponent

    /// Reciprocals of widths from here on are normal numbers; smaller values all fall into the first bin.
    private static let leastExponent = -126

    package init() {}

    package var binWidth: Double { Double(sign: .plus, exponent: exponent, significand: 1) }
    package var total: UInt64 { counts.reduce(0, +) }

    /// The middle of a bin, whose index is that in `counts`.
    package func center(of bin: Int) -> Double {
        bin < Self.binCount
            ? (Double(bin) + 0.5) * binWidth : -(Double(bin - Self.binCount) + 0.5) * binWidth
    }

    /// - Parameter range: that of `values`; finite.
    package mutating func observe(_ values: UnsafeBufferPointer<Float>, within range: ActivationRange) {
        guard !range.isEmpty else { return }
        widen(toHold: range.magnitude)
        let binsPerUnit = Float(sign: .plus, exponent: -exponent, significand: 1)
        let half = Self.binCount
        // Equal values in a row, zeros mostly, would wait for one another's counts in memory: two tables take turns.
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 4 * half) { tables in
            tables.initialize(repeating: 0)
            let (even, odd) = (tables.baseAddress!, tables.baseAddress! + 2 * half)
            func bin(_ value: Float) -> Int {
                let position = Int(truncatingIfNeeded: Int32(abs(value) * binsPerUnit))
                return value < 0 ? position &+ half : position
            }
            var index = 0
            while index &+ 1 < values.count {
                even[bin(values[index])] &+= 1
                odd[bin(values[index &+ 1])] &+= 1
                index &+= 2
            }
            if index < values.count { even[bin(values[index])] &+= 1 }
            for bin in 0..<2 * half { counts[bin] += UInt64(even[bin]) + UInt64(odd[bin]) }
        }
    }

    /// Adds the counts of another.
    package mutating func merge(_ other: ActivationHistogram) {
        var other = other
        let wider = max(exponent, other.exponent)
        widen(to: wider)
        other.widen(to: wider)
        for bin in counts.indices { counts[bin] += other.counts[bin] }
    }

    private mutating func widen(toHold magnitude: Float) {
        guard magnitude > 0 else { return }
        // magnitude < 2^(e + 1) lies in the bins of 2^(e + 1) / binCount.
        widen(to: max(exponent, Int(magnitude.exponent) + 1 - Self.binCount.trailingZeroBitCount))
    }

    private mutating func widen(to newExponent: Int) {
        let shift = newExponent - exponent
        guard shift > 0 else { return }
        exponent = newExponent
        for first in [0, Self.binCount] {
            for bin in 1..<Self.binCount where counts[first + bin] > 0 {
                let target = shift < Self.binCount.bitWidth ? bin >> shift : 0
                guard target != bin else { continue }
                counts[first + target] += counts[first + bin]
                counts[first + bin] = 0
            }
        }
    }
}
