internal import Glibc
internal import ModelGraph
internal import TestSupport

/// A plain quantisation of a float graph from one random input: written apart from the one of the product, with ranges
/// that miss now and then and neighbours that seldom agree, so that saturation and requantisation have something to do.
/// For every other seed all scales are powers of two, so that many results lie halfway between two integers.
enum MinMaxQuantization {
    static func quantized(_ graph: Graph, seed: UInt64) throws -> QuantizedGraph {
        var generator = SplitMix64(seed: seed)
        var activations = [ActivationQuantization?](repeating: nil, count: graph.values.count)
        _ = try ReferenceExecutor(graph).run(graph.randomInputs(seed: seed)) { value, tensor in
            guard tensor.elementType == .float32 else { return }
            let values = tensor.array(of: Float.self)
            let (low, high) = (min(values.min() ?? 0, 0), max(values.max() ?? 0, 0))
            let scale = rounded(
                max((high - low) / 255, 1e-3) * Float.random(in: 0.8...1.2, using: &generator), seed: seed)
            activations[value.index] = ActivationQuantization(
                scale: scale, zeroPoint: UInt8(min(max((-low / scale).rounded(), 0), 255)))
        }
        let weights = graph.nodes.map { node -> QuantizedWeights? in
            guard node.inputs.count > 1, let input = node.inputs[0], let inputScale = activations[input.index]?.scale,
                let weightsID = node.inputs[1], let tensor = graph[weightsID].constant
            else { return nil }
            let bias =
                node.inputs.count > 2 ? node.inputs[2].flatMap { graph[$0].constant }?.array(of: Float.self) : nil
            switch node.operation {
            case .convolution:
                return rows(tensor.array(of: Float.self), tensor.shape, bias, inputScale, seed)
            case .gemm(let gemm):
                let (values, shape) =
                    gemm.transposesB ? (tensor.array(of: Float.self), tensor.shape) : transposed(tensor)
                return rows(values.map { gemm.alpha * $0 }, shape, bias?.map { gemm.beta * $0 }, inputScale, seed)
            case .matrixProduct:
                let (values, shape) = transposed(tensor)
                return rows(values, shape, nil, inputScale, seed)
            default:
                return nil
            }
        }
        return QuantizedGraph(graph: graph, activations: activations, weights: weights)
    }

    private static func transposed(_ matrix: Tensor) -> ([Float], Shape) {
        let (rows, columns) = (matrix.shape[0], matrix.shape[1])
        let values = matrix.array(of: Float.self)
        return ((0..<rows * columns).map { values[$0 % rows * columns + $0 / rows] }, [columns, rows])
    }

    private static func rounded(_ scale: Float, seed: UInt64) -> Float {
        seed.isMultiple(of: 2) ? scale : exp2f(log2f(scale).rounded(.up))
    }

    private static func rows(
        _ values: [Float], _ shape: Shape, _ bias: [Float]?, _ inputScale: Float, _ seed: UInt64
    ) -> QuantizedWeights {
        let columns = values.count / shape[0]
        let scales = (0..<shape[0]).map { row in
            rounded(max(values[row * columns..<(row + 1) * columns].map(abs).max() ?? 0, 1e-6) / 127, seed: seed)
        }
        let integers = values.indices.map { Int8((values[$0] / scales[$0 / columns]).rounded()) }
        let biases = scales.enumerated().map { row, scale in
            Int32(((bias.map { $0.count == 1 ? $0[0] : $0[row] } ?? 0) / (inputScale * scale)).rounded())
        }
        return QuantizedWeights(
            values: Tensor(integers, shape: shape), scales: scales, bias: Tensor(biases, shape: [shape[0]]))
    }
}
