internal import ModelGraph
internal import Quantization
internal import TestSupport
internal import Testing

@Suite struct ActivationHistogramTests {
    private func range(of values: [Float]) -> ActivationRange {
        var range = ActivationRange()
        values.withUnsafeBufferPointer { range.observe($0) }
        return range
    }

    private func histogram(of values: [Float]) -> ActivationHistogram {
        var histogram = ActivationHistogram(over: range(of: values))
        values.withUnsafeBufferPointer { histogram.observe($0) }
        return histogram
    }

    @Test func extremesAreKept() {
        #expect(range(of: [0.5, -3, 2, 1]) == ActivationRange(lower: -3, upper: 2))
        #expect(range(of: [4]) == ActivationRange(lower: 4, upper: 4))
        #expect(ActivationRange().isEmpty && !range(of: [4]).isEmpty)
    }

    /// Wherever it stands, and whatever is observed later.
    @Test(arguments: [Float.nan, .infinity, -.infinity], 0..<5)
    func oneOddValueMakesTheRangeOdd(odd: Float, position: Int) {
        var values: [Float] = [1, -2, 3, 0, 5]
        values[position] = odd
        var range = range(of: values)
        #expect(!range.isFinite)
        [Float](repeating: 1, count: 20).withUnsafeBufferPointer { range.observe($0) }
        #expect(!range.isFinite)
    }

    @Test func everyValueFallsIntoItsBin() {
        let bins = ActivationHistogram.binCount
        // The middle of each bin over 0...bins; the ends fix the range.
        let values = [0, Float(bins)] + (0..<bins).map { Float($0) + 0.5 }
        let histogram = histogram(of: values)
        #expect(histogram.counts.reduce(0, +) == UInt64(values.count))
        #expect(histogram.counts.dropFirst().dropLast().allSatisfy { $0 == 1 })
        #expect(histogram.counts.first == 2 && histogram.counts.last == 2)
    }

    /// Ranges whose width, or whose reciprocal, float32 cannot hold.
    @Test(
        arguments: [
            [0, Float.leastNonzeroMagnitude], [-3.4e38, 3.4e38], [7, 7, 7],
            [-Float.leastNonzeroMagnitude, 0, Float.leastNonzeroMagnitude],
        ] as [[Float]])
    func extremeRangesAreCounted(values: [Float]) {
        let histogram = histogram(of: values)
        #expect(histogram.counts.reduce(0, +) == UInt64(values.count))
        for method in [CalibrationMethod.percentile(0.99), .meanSquaredError] {
            #expect(histogram.chosenRange(method).isFinite)
        }
    }

    @Test func valuesOutsideTheRangeFallIntoTheOuterBins() {
        var histogram = ActivationHistogram(over: ActivationRange(lower: 0, upper: 1))
        [-1e30, 1e30, .infinity].withUnsafeBufferPointer { histogram.observe($0) }
        #expect(histogram.counts.first == 1 && histogram.counts.last == 2)
    }

    @Test func percentilesSetOutliersAsideAtBothEnds() {
        var generator = SplitMix64(seed: 1)
        var values = (0..<100_000).map { _ in Float.random(in: -1...2, using: &generator) }
        values[10] = -100
        values[20] = 50
        let histogram = histogram(of: values)
        let binWidth = Float(150) / Float(ActivationHistogram.binCount)
        let chosen = histogram.chosenRange(.percentile(0.9998))
        #expect(abs(chosen.lower + 1) <= 2 * binWidth && abs(chosen.upper - 2) <= 2 * binWidth, "\(chosen)")
        #expect(histogram.chosenRange(.percentile(1)) == ActivationRange(lower: -100, upper: 50))
        #expect(histogram.chosenRange(.minMax) == ActivationRange(lower: -100, upper: 50))
    }

    /// The error is that of quantising the values themselves, tried for many ranges.
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func leastErrorBeatsEveryOtherSymmetricShrinking(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let isPositive = seed.isMultiple(of: 2)
        // A heavy tail, so that clipping pays.
        let values = (0..<20_000).map { _ in
            let uniform = Float.random(in: 0...1, using: &generator)
            let value = uniform * uniform * uniform / (1.02 - uniform)
            return isPositive || Bool.random(using: &generator) ? value : -value
        }
        let range = range(of: values)
        let chosen = histogram(of: values).chosenRange(.meanSquaredError)
        func error(_ candidate: ActivationRange) -> Double {
            let quantization = Quantizer.quantization(of: candidate)
            return values.reduce(0) { sum, value in
                let difference = Double(value - quantization.dequantize(quantization.quantize(value)))
                return sum + difference * difference
            }
        }
        #expect(chosen.lower <= 0 && chosen.upper >= 0 && chosen.upper <= range.upper, "seed \(seed)")
        for factor in stride(from: Float(0.1), through: 1, by: 0.05) {
            let other = ActivationRange(lower: min(range.lower, 0) * factor, upper: range.upper * factor)
            // The bins' own width is the slack.
            #expect(error(chosen) <= error(other) * 1.05, "seed \(seed): \(chosen) against \(other)")
        }
    }

    @Test func chosenRangesHoldZero() {
        let values = (0..<1000).map { Float($0) / 1000 + 5 }
        for method in [CalibrationMethod.minMax, .percentile(0.99), .meanSquaredError] {
            let chosen = histogram(of: values).chosenRange(method)
            #expect(chosen.lower == 0, "\(method)")
        }
    }
}
