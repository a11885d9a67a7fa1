internal import InferenceEngine
internal import ModelGraph
internal import Quantization
internal import TestSupport
internal import Testing

@Suite struct WeightRowsTests {
    private let channels = 24

    private func layer(seed: UInt64, rows: Int = 8, groups: Int = 1) -> WeightedLayer {
        var generator = SplitMix64(seed: seed)
        let columns = channels / groups * 9
        let values = (0..<rows * columns).map { _ in
            let uniform = Float.random(in: -1...1, using: &generator)
            return uniform * uniform * uniform * uniform * uniform
        }
        return WeightedLayer(
            values: values, shape: [rows, channels / groups, 3, 3], bias: (0..<rows).map { Float($0) }, groups: groups,
            coverage: [Double](repeating: 1, count: 9))
    }

    private func powers(seed: UInt64) -> [Double] {
        var generator = SplitMix64(seed: seed &+ 100)
        return (0..<channels).map { _ in Double.random(in: 0...4, using: &generator) }
    }

    /// Weighted squared error of each row.
    private func errors(_ layer: WeightedLayer, _ weights: QuantizedWeights, _ powers: [Double]) -> [Double] {
        let levels = weights.values.array(of: Int8.self)
        let columns = layer.columns
        return (0..<layer.rows).map { row in
            (0..<columns).reduce(0) { sum, column in
                let index = row * columns + column
                let error = Double(layer.values[index]) - Double(levels[index]) * Double(weights.scales[row])
                return sum + error * error * powers[layer.firstChannel(of: row) + column / 9]
            }
        }
    }

    /// The largest weights meet a channel that is next to silent.
    @Test(arguments: 1...8 as ClosedRange<UInt64>, [1, 4])
    func clippingLowersTheErrorOfEveryRow(seed: UInt64, groups: Int) {
        let (layer, audible) = (layer(seed: seed, groups: groups), powers(seed: seed))
        let silent = (0..<layer.rows).map { row in
            let weights = layer.values[row * layer.columns..<(row + 1) * layer.columns]
            let largest = weights.indices.max { abs(weights[$0]) < abs(weights[$1]) }! - weights.startIndex
            return layer.firstChannel(of: row) + largest / 9
        }
        let powers = audible.enumerated().map { silent.contains($0) ? 1e-9 : $1 }
        let plain = errors(layer, WeightRows(layer, inputScale: 0.1).quantized(), powers)
        let clipped = errors(layer, WeightRows(layer, inputScale: 0.1, inputPowers: powers).quantized(), powers)
        for (plain, clipped) in zip(plain, clipped) { #expect(clipped <= plain * 1.0001, "seed \(seed)") }
        #expect(clipped.reduce(0, +) < plain.reduce(0, +), "seed \(seed)")
    }

    /// On inputs that are their means everywhere, nothing is left of the error.
    @Test(arguments: 1...8 as ClosedRange<UInt64>, [1, 4])
    func biasesTakeBackTheMeanError(seed: UInt64, groups: Int) {
        let (layer, means) = (layer(seed: seed, groups: groups), powers(seed: seed))
        let inputScale: Float = 1e-4
        let weights = WeightRows(layer, inputScale: inputScale, inputMeans: means).quantized()
        let levels = weights.values.array(of: Int8.self)
        let biases = weights.bias.array(of: Int32.self)
        for row in 0..<layer.rows {
            let scale = Double(weights.scales[row])
            var (exact, got) = (Double(row), Double(biases[row]) * scale * Double(inputScale))
            for column in 0..<layer.columns {
                let input = means[layer.firstChannel(of: row) + column / 9]
                exact += Double(layer.values[row * layer.columns + column]) * input
                got += Double(levels[row * layer.columns + column]) * scale * input
            }
            #expect(abs(exact - got) < 1e-4, "seed \(seed), row \(row)")
        }
    }

    /// More weights than the threads divide among themselves at once.
    @Test func numberOfThreadsDoesNotMatter() {
        let layer = layer(seed: 3, rows: 200)
        let rows = WeightRows(layer, inputScale: 0.1, inputPowers: powers(seed: 3), inputMeans: powers(seed: 4))
        let (alone, together) = (rows.quantized(), rows.quantized(on: WorkerPool(width: 3)))
        #expect(alone.scales == together.scales)
        #expect(alone.values.array(of: Int8.self) == together.values.array(of: Int8.self))
        #expect(alone.bias.array(of: Int32.self) == together.bias.array(of: Int32.self))
    }
}
