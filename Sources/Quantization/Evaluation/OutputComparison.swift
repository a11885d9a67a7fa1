internal import Glibc

/// Agreement of two networks' outputs over a set of inputs.
package struct OutputComparison: Sendable {
    private var cosineSum = 0.0
    private var agreements = 0
    package private(set) var count = 0

    package init() {}

    /// Adds one input's outputs; both flat, of equal length, the largest element being the answer.
    package mutating func add(expected: some Collection<Float>, got: some Collection<Float>) {
        var (dot, expectedNorm, gotNorm) = (0.0, 0.0, 0.0)
        for (left, right) in zip(expected, got) {
            dot += Double(left) * Double(right)
            expectedNorm += Double(left) * Double(left)
            gotNorm += Double(right) * Double(right)
        }
        let norm = sqrt(expectedNorm * gotNorm)
        cosineSum += norm > 0 ? dot / norm : (expectedNorm == gotNorm ? 1 : 0)
        if expected.indexOfLargest == got.indexOfLargest { agreements += 1 }
        count += 1
    }

    /// Mean cosine of the angle between the outputs, −1...1.
    package var meanCosine: Double { count == 0 ? 0 : cosineSum / Double(count) }

    /// Inputs with the same largest output.
    package var agreement: Proportion { Proportion(agreements, of: count) }

    /// Share of inputs with the same largest output, 0...1.
    package var top1Agreement: Double { agreement.share }
}

extension Collection<Float> {
    /// The position of the largest element, the first of several; −1 for an empty collection.
    package var indexOfLargest: Int {
        var best = -1
        var largest = -Float.infinity
        for (index, value) in enumerated() where value > largest || best < 0 {
            best = index
            largest = value
        }
        return best
    }
}
