/// Neurosurgeon's regressions (Kang et al., ASPLOS 2017, table 1), to compare with: a straight line for each type of layer.
///
/// Features: convolutions, the input's size and (filter side ÷ stride)² × filters; fully connected layers, numbers of inputs and
/// outputs; pooling, sizes of input and output; all others the size of the input.
package struct NeurosurgeonModel: LayerPredictor, Sendable {
    private var lines: [String: [Double]] = [:]
    private let fallback: [Double]

    /// - Precondition: `samples` is not empty.
    package init(_ samples: [LayerSample]) {
        precondition(!samples.isEmpty)
        for (type, members) in Dictionary(grouping: samples, by: { $0.shape.neurosurgeonType }) {
            lines[type] = Self.fit(members)
        }
        fallback = lines["other"] ?? [0, 0, 0]
    }

    package func nanoseconds(_ shape: LayerShape) -> Double {
        let line = lines[shape.neurosurgeonType] ?? fallback
        return max(0, zip(line, shape.neurosurgeonFeatures).reduce(0) { $0 + $1.0 * $1.1 })
    }

    /// Ordinary least squares by the normal equations, with a trace of ridge against dependent features.
    private static func fit(_ samples: [LayerSample]) -> [Double] {
        let rows = samples.map(\.shape.neurosurgeonFeatures)
        let width = rows[0].count
        var matrix = [[Double]](repeating: [Double](repeating: 0, count: width + 1), count: width)
        for (row, sample) in zip(rows, samples) {
            for i in 0..<width {
                for j in 0..<width { matrix[i][j] += row[i] * row[j] }
                matrix[i][width] += row[i] * Double(sample.nanoseconds)
            }
        }
        for i in 0..<width { matrix[i][i] *= 1 + 1e-9 }
        for i in 0..<width where matrix[i][i] > 0 {
            for other in 0..<width where other != i {
                let factor = matrix[other][i] / matrix[i][i]
                for j in 0...width { matrix[other][j] -= factor * matrix[i][j] }
            }
        }
        return (0..<width).map { matrix[$0][$0] > 0 ? matrix[$0][width] / matrix[$0][$0] : 0 }
    }
}

extension LayerShape {
    fileprivate var neurosurgeonType: String {
        switch kind {
        case "first", "pointwise", "depthwise", "grouped", "3x3", "window", "transposedConvolution": "convolution"
        case "gemm", "matrixProduct": "fully connected"
        case "maxPool", "averagePool", "globalAveragePool", "globalMaxPool": "pooling"
        default: "other"
        }
    }

    fileprivate var neurosurgeonFeatures: [Double] {
        switch neurosurgeonType {
        case "convolution":
            [
                1, Double(inputElements),
                Double(taps) / Double(max(1, stride * stride)) * Double(outputChannels * groups),
            ]
        case "fully connected": [1, Double(inputChannels), Double(outputChannels)]
        case "pooling": [1, Double(inputElements), Double(outputElements)]
        default: [1, Double(inputElements), 0]
        }
    }
}
