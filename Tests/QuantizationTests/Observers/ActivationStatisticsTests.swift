internal import InferenceEngine
internal import ModelGraph
internal import Quantization
internal import TestSupport
internal import Testing

/// The ranges that each method chooses, of inputs that pass through a graph unchanged.
@Suite struct ActivationStatisticsTests {
    private func statistics(of inputs: [[Float]]) throws -> ActivationStatistics {
        var graph = Graph(name: "input")
        graph.outputs = [graph.addInput("x", TensorType(.float32, [1, 1, inputs[0].count]))]
        let calibration = try Calibration.measure(graph, count: inputs.count, pool: WorkerPool(width: 1)) {
            [Tensor(inputs[$0], shape: [1, 1, inputs[$0].count])]
        }
        return try #require(calibration[ValueID(0)])
    }

    private static let methods: [CalibrationMethod] = [
        .minMax, .movingAverage(0.9), .percentile(0.99), .meanSquaredError, .entropy,
    ]

    @Test func averagesFollowTheExtremesInOrder() throws {
        let statistics = try statistics(of: [[-1, 1], [-3, 1], [-1, 5]])
        let range = statistics.range(by: .movingAverage(0.5))
        #expect(range == ActivationRange(lower: -1.5, upper: 3))
        #expect(statistics.range(by: .movingAverage(0)) == ActivationRange(lower: -1, upper: 5))
        #expect(statistics.range(by: .minMax) == ActivationRange(lower: -3, upper: 5))
    }

    @Test func percentilesSetOutliersAsideAtBothEnds() throws {
        var generator = SplitMix64(seed: 1)
        var values = (0..<100_000).map { _ in Float.random(in: -1...2, using: &generator) }
        values[10] = -100
        values[20] = 50
        let statistics = try statistics(of: [values])
        let chosen = statistics.range(by: .percentile(0.9998))
        let binWidth = Float(statistics.histogram.binWidth)
        #expect(abs(chosen.lower + 1) <= 2 * binWidth && abs(chosen.upper - 2) <= 2 * binWidth, "\(chosen)")
        #expect(statistics.range(by: .percentile(1)) == ActivationRange(lower: -100, upper: 50))
    }

    /// Values with a heavy tail, so that clipping pays; one-sided for even seeds.
    private func heavyTail(seed: UInt64) -> [Float] {
        var generator = SplitMix64(seed: seed)
        return (0..<20_000).map { _ in
            let uniform = Float.random(in: 0...1, using: &generator)
            let value = uniform * uniform * uniform / (1.02 - uniform)
            return seed.isMultiple(of: 2) || Bool.random(using: &generator) ? value : -value
        }
    }

    private func error(_ values: [Float], _ range: ActivationRange, _ function: (Float) -> Float = { $0 }) -> Double {
        let quantization = Quantizer.quantization(of: range)
        return values.reduce(0) { sum, value in
            let difference = Double(function(value) - function(quantization.dequantize(quantization.quantize(value))))
            return sum + difference * difference
        }
    }

    /// The error is that of quantising the values themselves, tried for many ranges.
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func leastErrorBeatsEveryOtherShrinking(seed: UInt64) throws {
        let values = heavyTail(seed: seed)
        let statistics = try statistics(of: [values])
        let (range, chosen) = (statistics.range, statistics.range(by: .meanSquaredError))
        #expect(chosen.lower <= 0 && chosen.upper >= 0 && chosen.upper <= range.upper, "seed \(seed)")
        for lower in stride(from: Float(0.1), through: 1, by: 0.1) {
            for upper in stride(from: Float(0.1), through: 1, by: 0.1) {
                let other = ActivationRange(lower: min(range.lower, 0) * lower, upper: range.upper * upper)
                // The bins' own width is the slack.
                #expect(error(values, chosen) <= error(values, other) * 1.05, "seed \(seed): \(chosen), \(other)")
            }
        }
    }

    /// What a sigmoid makes of large values is all alike, so that they may be clipped.
    @Test func leastErrorIsThatOfTheFunctionThatFollows() throws {
        var generator = SplitMix64(seed: 3)
        let values = (0..<20_000).map { _ in Float.random(in: -40...40, using: &generator) }
        let statistics = try statistics(of: [values])
        let sigmoid = { (x: Float) in 1 / (1 + Float(Double.exponential(-Double(x)))) }
        let (plain, seenThrough) = (
            statistics.range(by: .meanSquaredError), statistics.range(by: .meanSquaredError, through: .sigmoid)
        )
        #expect(error(values, seenThrough, sigmoid) < error(values, plain, sigmoid) / 4)
        #expect(seenThrough.upper < 12 && seenThrough.lower > -12 && plain.upper > 35, "\(seenThrough), \(plain)")
    }

    /// A single far outlier says next to nothing about the distribution.
    @Test func entropyLeavesAnOutlierOut() throws {
        var generator = SplitMix64(seed: 5)
        var values = (0..<50_000).map { _ in
            (0..<6).reduce(Float(0)) { sum, _ in sum + Float.random(in: -1...1, using: &generator) }
        }
        values[7] = 60
        let chosen = try statistics(of: [values]).range(by: .entropy)
        #expect(chosen.upper > 3 && chosen.upper < 20 && chosen.lower < -3, "\(chosen)")
    }

    @Test(arguments: methods)
    func chosenRangesHoldZeroAndAreNotWiderThanNeeded(method: CalibrationMethod) throws {
        let positive = try statistics(of: [(0..<1000).map { Float($0) / 1000 + 5 }]).range(by: method)
        #expect(positive.lower == 0 && positive.upper > 4 && positive.upper <= 6, "\(positive)")
        let negative = try statistics(of: [(0..<1000).map { -Float($0) / 1000 - 5 }]).range(by: method)
        #expect(negative.upper == 0 && negative.lower < -4 && negative.lower >= -6, "\(negative)")
        let zero = try statistics(of: [[0, 0, 0]]).range(by: method)
        #expect(zero == ActivationRange(lower: 0, upper: 0))
    }

    /// Ranges whose width, or whose reciprocal, float32 cannot hold.
    @Test(
        arguments: [
            [0, Float.leastNonzeroMagnitude], [-3.4e38, 3.4e38], [7, 7, 7],
            [-Float.leastNonzeroMagnitude, 0, Float.leastNonzeroMagnitude],
        ] as [[Float]], methods)
    func extremeRangesAreFinite(values: [Float], method: CalibrationMethod) throws {
        #expect(try statistics(of: [values]).range(by: method).isFinite)
    }
}

extension Double {
    /// e to the x, for |x| ≤ 40, from its series: the tests link no C library for it.
    fileprivate static func exponential(_ x: Double) -> Double {
        if x < 0 { return 1 / exponential(-x) }
        let half = x / 64
        let series = (1...20).reversed().reduce(1.0) { 1 + half / Double($1) * $0 }
        return (0..<6).reduce(series) { power, _ in power * power }
    }
}
