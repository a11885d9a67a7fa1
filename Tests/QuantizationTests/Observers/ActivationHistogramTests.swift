internal import Quantization
internal import TestSupport
internal import Testing

@Suite struct ActivationHistogramTests {
    private func histogram(of values: [Float]) -> ActivationHistogram {
        var histogram = ActivationHistogram()
        histogram.observe(values)
        return histogram
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func everyValueFallsIntoItsBin(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let magnitude = Float(sign: .plus, exponent: Int.random(in: -30...30, using: &generator), significand: 1)
        let values = (0..<1001).map { _ in Float.random(in: -magnitude...magnitude, using: &generator) }
        let histogram = histogram(of: values)
        var expected = [UInt64](repeating: 0, count: histogram.counts.count)
        for value in values {
            let bin = expected.indices.first { abs(Double(value) - histogram.center(of: $0)) < histogram.binWidth / 2 }
            // On an edge two bins are equally near, and the farther from zero is right.
            let position = Int(abs(Double(value)) / histogram.binWidth) + (value < 0 ? ActivationHistogram.binCount : 0)
            #expect(bin == nil || bin == position, "seed \(seed): \(value)")
            expected[position] += 1
        }
        #expect(histogram.counts == expected, "seed \(seed)")
        // At least half of the bins on one side are in use.
        #expect(histogram.binWidth * Double(ActivationHistogram.binCount) <= 2 * Double(magnitude), "seed \(seed)")
    }

    /// Any order, any sharing out.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func orderDoesNotMatter(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var parts = (0..<6).map { _ -> [Float] in
            let limit = Float(sign: .plus, exponent: Int.random(in: -20...20, using: &generator), significand: 1.3)
            return (0..<500).map { _ in Float.random(in: -limit...limit, using: &generator) }
        }
        let all = histogram(of: parts.flatMap(\.self))
        parts.shuffle(using: &generator)
        var first = ActivationHistogram()
        var second = ActivationHistogram()
        for part in parts.prefix(2) { first.observe(part) }
        for part in parts.dropFirst(2) { second.observe(part) }
        first.merge(second)
        #expect(first == all, "seed \(seed)")
    }

    @Test(
        arguments: [
            [], [0], [-0.0], [0, Float.leastNonzeroMagnitude], [-3.4e38, 3.4e38], [7, 7, 7],
            [-Float.leastNonzeroMagnitude, 0, Float.leastNonzeroMagnitude], [Float.greatestFiniteMagnitude],
        ] as [[Float]])
    func extremeValuesAreCounted(values: [Float]) {
        #expect(histogram(of: values).total == UInt64(values.count))
    }
}

extension ActivationHistogram {
    fileprivate mutating func observe(_ values: [Float]) {
        let range = values.reduce(ActivationRange()) { $0.union(ActivationRange(lower: $1, upper: $1)) }
        values.withUnsafeBufferPointer { observe($0, within: range) }
    }
}
