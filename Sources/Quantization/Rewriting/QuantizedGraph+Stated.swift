package import ModelGraph

extension QuantizedGraph {
    /// The network that a file holds already quantised, with its own scales: uint8 activations, int8 weights.
    ///
    /// Weights must be symmetric and of at most 127 levels either way; a layer with others (uint8 with one zero point for all
    /// channels often needs nine bits) computes in float32 on the same integers, its result rounded as stated. So is what
    /// no quantisation is stated for.
    /// - Parameter graph: as imported, not simplified.
    /// - Returns: `nil` when no layer of weights runs in integers.
    /// - Throws: `GraphError` when the graph is malformed.
    package init?(statedIn graph: Graph) throws(GraphError) {
        guard let everything = try StatedQuantization(of: graph) else { return nil }
        let whole = QuantizedGraph(everything)
        guard whole.weights.contains(where: { $0 != nil }) else { return nil }
        // From one node in float32 to another nothing else would round.
        let unrounded = whole.quantizedFromFloatToFloat()
        let parts = unrounded.isEmpty ? everything : try StatedQuantization(of: graph, keeping: unrounded)
        guard let parts else { return nil }
        self.init(parts)
    }

    private init(_ stated: StatedQuantization) {
        let graph = stated.graph
        let activations = graph.values.map { $0.constant == nil ? stated.activations[$0.name] : nil }
        let weights = graph.nodes.map { node -> QuantizedWeights? in
            guard let source = node.inputs.first.flatMap(\.self), let input = activations[source.index],
                activations[node.outputs[0].index] != nil, node.inputs.count > 1, let id = node.inputs[1],
                let scales = stated.weights[graph[id].name], let layer = node.constantWeights(in: graph)
            else { return nil }
            return layer.integers(by: scales, inputScale: input.scale, isTransposed: node.transposesWeights)
        }
        self.init(graph: graph, activations: activations, weights: weights)
    }

    /// Names of quantised values that a node in float32 computes and another reads.
    private func quantizedFromFloatToFloat() -> Set<String> {
        let producers = graph.producers()
        let consumers = graph.consumers()
        var isInteger = [Bool](repeating: false, count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated().reversed() {
            let values = node.inputs.compactMap(\.self).filter { graph[$0].constant == nil } + node.outputs
            guard values.allSatisfy({ self[$0] != nil }) else { continue }
            switch node.operation {
            case .convolution, .gemm, .matrixProduct: isInteger[index] = weights[index] != nil
            case .softmax: break
            // What moves elements hands on the form that it was given.
            case let operation where operation.movesElementsOnly:
                isInteger[index] = node.outputs.flatMap { consumers[$0.index] }.allSatisfy { isInteger[$0.index] }
            default: isInteger[index] = true
            }
        }
        let names = graph.values.indices.lazy.map(ValueID.init).filter { value in
            guard self[value] != nil, let producer = producers[value.index] else { return false }
            return !isInteger[producer.index] && consumers[value.index].contains { !isInteger[$0.index] }
        }
        return Set(names.map { graph[$0].name })
    }
}

extension WeightedLayer {
    /// The integers that these weights were, each exactly; `nil` when they do not fit int8 symmetrically, or the weights are
    /// not what `scales` makes of integers.
    fileprivate func integers(
        by stated: StatedQuantization.WeightScales, inputScale: Float, isTransposed: Bool
    ) -> QuantizedWeights? {
        let outputAxis = isTransposed ? 1 : 0
        guard stated.scales.count == 1 || (stated.axis == outputAxis && stated.scales.count == rows) else { return nil }
        let scales = stated.scales.count == 1 ? Array(repeating: stated.scales[0], count: rows) : stated.scales
        guard scales.allSatisfy({ $0.isNormal && $0 > 0 }) else { return nil }
        var levels = [Int8](repeating: 0, count: values.count)
        for row in 0..<rows {
            for index in row * columns..<(row + 1) * columns {
                let level = (values[index] / scales[row]).rounded(.toNearestOrEven)
                guard abs(level) <= 127, level * scales[row] == values[index] else { return nil }
                levels[index] = Int8(level)
            }
        }
        // What int32 leaves beside the largest products.
        let largestBias = Double(Int32.max) - Double(columns) * 255 * 127
        var biases = [Int32](repeating: 0, count: rows)
        if let bias {
            for row in 0..<rows {
                let level = (Double(bias[row]) / (Double(inputScale) * Double(scales[row]))).rounded(.toNearestOrEven)
                guard abs(level) <= largestBias else { return nil }
                biases[row] = Int32(level)
            }
        }
        return QuantizedWeights(
            values: Tensor(levels, shape: shape), scales: scales, bias: Tensor(biases, shape: [rows]))
    }
}

extension Node {
    /// Whether the constant weights are `[K, O]`.
    fileprivate var transposesWeights: Bool {
        switch operation {
        case .gemm(let gemm): !gemm.transposesB
        case .matrixProduct: true
        default: false
        }
    }
}
