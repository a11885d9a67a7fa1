package import InferenceEngine
package import ModelGraph

/// Quantises the weights of one layer, each row by itself: symmetric int8, the bias in units of input scale × weight scale.
package struct WeightRows {
    private let layer: WeightedLayer
    private let inputScale: Float
    /// By input channel: how much an error of a weight there counts. Without it nothing is clipped.
    private let inputPowers: [Double]?
    /// By input channel: what the errors of weights add to the sums on average, which the biases take back.
    private let inputMeans: [Double]?

    /// - Parameters:
    ///   - inputPowers: means of the squares of the input, by channel.
    ///   - inputMeans: means of the input, by channel.
    package init(
        _ layer: WeightedLayer, inputScale: Float, inputPowers: [Double]? = nil, inputMeans: [Double]? = nil
    ) {
        self.layer = layer
        self.inputScale = inputScale
        self.inputPowers = inputPowers
        self.inputMeans = inputMeans
    }

    /// Biases stay below this, which leaves room in int32 for the products.
    private static let largestBias = Double(1 << 30)
    /// The shares of a row's largest weight that are tried as the largest level.
    private static let shares: [Float] = (0..<16).map { 1 - Float($0) / 40 }

    private struct Row {
        var scale: Float
        var bias: Int32
    }

    package func quantized(on workers: WorkerPool? = nil) -> QuantizedWeights {
        let (rows, columns) = (layer.rows, layer.columns)
        var results = [Row](repeating: Row(scale: 1, bias: 0), count: rows)
        let integers = Tensor(shape: layer.shape, of: Int8.self) { levels in
            results.withUnsafeMutableBufferPointer { results in
                layer.values.withUnsafeBufferPointer { values in
                    // Each call writes its own row only.
                    nonisolated(unsafe) let (results, values, levels) = (results, values, levels)
                    let quantizeRow = { @Sendable (row: Int) in
                        let range = row * columns..<(row + 1) * columns
                        results[row] = quantize(
                            row, UnsafeBufferPointer(rebasing: values[range]),
                            into: UnsafeMutableBufferPointer(rebasing: levels[range]))
                    }
                    if let workers, layer.values.count > 1 << 14 {
                        workers.forEach(rows, quantizeRow)
                    } else {
                        (0..<rows).forEach(quantizeRow)
                    }
                }
            }
        }
        return QuantizedWeights(
            values: integers, scales: results.map(\.scale), bias: Tensor(results.map(\.bias), shape: [rows]))
    }

    private func quantize(
        _ row: Int, _ weights: UnsafeBufferPointer<Float>, into levels: UnsafeMutableBufferPointer<Int8>
    ) -> Row {
        let largest = weights.reduce(0) { max($0, abs($1)) }
        var bias = Double(layer.bias?[row] ?? 0)
        // A row of tiny weights and a large bias needs a coarser scale for the bias to fit.
        let leastScale = Float(abs(bias) / (Double(inputScale) * Self.largestBias))
        var scale = largest / 127
        if let inputPowers, scale.isNormal { scale *= bestShare(of: scale, weights, row, inputPowers) }
        scale = max(scale, leastScale)
        if !(scale > 0 && scale.isNormal) { scale = 1 }
        for (index, weight) in weights.enumerated() {
            levels[index] = Int8(min(max((weight / scale).rounded(.toNearestOrEven), -127), 127))
        }
        if let inputMeans { bias += correction(row, weights, levels, scale: Double(scale), inputMeans) }
        let unit = Double(inputScale) * Double(scale)
        let level = (bias / unit).rounded(.toNearestOrEven)
        return Row(scale: scale, bias: Int32(min(max(level, -Self.largestBias), Self.largestBias)))
    }

    /// How far to shrink `scale` for the least squared error of the row's sums, if inputs were independent.
    private func bestShare(
        of scale: Float, _ weights: UnsafeBufferPointer<Float>, _ row: Int, _ inputPowers: [Double]
    ) -> Float {
        let first = layer.firstChannel(of: row)
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: weights.count) { importance in
            for index in 0..<weights.count { importance[index] = Float(inputPowers[first + index / layer.taps]) }
            var best: (share: Float, error: Float) = (1, .infinity)
            for share in Self.shares {
                let error = Self.squaredError(of: weights, scale: scale * share, importance)
                if error < best.error { best = (share, error) }
            }
            return best.share
        }
    }

    private static func squaredError(
        of weights: UnsafeBufferPointer<Float>, scale: Float, _ importance: UnsafeMutableBufferPointer<Float>
    ) -> Float {
        /// Adding and subtracting it rounds to an integer, half to even, what is far smaller.
        let roundingShift: Float = 12_582_912
        let reciprocal = 1 / scale
        var errors = SIMD8<Float>.zero
        let vectors = weights.count / 8
        let (weightBytes, importanceBytes) = (
            UnsafeRawPointer(weights.baseAddress!), UnsafeRawPointer(importance.baseAddress!)
        )
        for vector in 0..<vectors {
            let offset = vector * MemoryLayout<SIMD8<Float>>.size
            let weight = weightBytes.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
            let power = importanceBytes.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
            var level = weight * reciprocal
            level.replace(with: 127, where: level .> 127)
            level.replace(with: -127, where: level .< -127)
            level = (level + roundingShift) - roundingShift
            let error = weight - level * scale
            errors += error * error * power
        }
        var sum = errors.sum()
        for index in vectors * 8..<weights.count {
            let level = min(max((weights[index] * reciprocal).rounded(.toNearestOrEven), -127), 127)
            let error = weights[index] - level * scale
            sum += error * error * importance[index]
        }
        return sum
    }

    /// What the sums of a row lack on average.
    ///
    /// - SeeAlso: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019, §4.2;
    ///   the means are measured here instead of derived from batch normalisation
    private func correction(
        _ row: Int, _ weights: UnsafeBufferPointer<Float>, _ levels: UnsafeMutableBufferPointer<Int8>, scale: Double,
        _ inputMeans: [Double]
    ) -> Double {
        let first = layer.firstChannel(of: row)
        let taps = layer.taps
        var sum = 0.0
        for channel in 0..<layer.shape[1] {
            for tap in 0..<taps {
                let index = channel * taps + tap
                let error = Double(weights[index]) - Double(levels[index]) * scale
                sum += layer.coverage[tap] * error * inputMeans[first + channel]
            }
        }
        return sum
    }
}
