internal import Glibc
package import ModelGraph

extension Graph {
    /// Scales channels of hidden activations up to one another where the weights around them can undo it.
    ///
    /// An activation has one scale for all channels, so a channel that is ten times smaller than the largest has ten times
    /// fewer levels. Where all that lies between two layers of weights commutes with a positive factor (ReLU, leaky ReLU,
    /// pooling), the first layer's row is multiplied by a factor and the second's column divided by it. Factors are
    /// powers of two: the float32 network computes the very same numbers as before, in its outputs to the last bit.
    ///
    /// A clamp from above, as ReLU6 has, does not commute: such channels are left alone.
    /// - Parameter calibration: of this graph; no longer that of the result where anything was scaled.
    /// - Returns: the graph, and the names of the nodes whose results were scaled.
    /// - SeeAlso: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019, §4.1
    package func equalized(by calibration: Calibration, boundedToo: Bool = false) -> (graph: Graph, scaled: [String]) {
        var equalizer = Equalizer(self, calibration, boundedToo: boundedToo)
        for id in nodeIDs { equalizer.equalize(id) }
        return (equalizer.graph, equalizer.scaled)
    }
}

private struct Equalizer {
    private(set) var graph: Graph
    private(set) var scaled: [String] = []
    private let calibration: Calibration
    private let consumers: [[NodeID]]
    private let useCounts: [Int]
    let boundedToo: Bool

    /// Channels are scaled by 2^this at most: what is smaller hardly counts, or was seen too little.
    private static let largestExponent = 8.0
    /// How much of the difference between channels is made up for, tried in turn.
    private static let shares = [0.25, 0.5, 0.75, 1]

    init(_ graph: Graph, _ calibration: Calibration, boundedToo: Bool) {
        self.boundedToo = boundedToo
        self.graph = graph
        self.calibration = calibration
        consumers = graph.consumers()
        var useCounts = [Int](repeating: 0, count: graph.values.count)
        for case let input? in graph.nodes.flatMap(\.inputs) { useCounts[input.index] += 1 }
        for output in graph.outputs { useCounts[output.index] += 1 }
        self.useCounts = useCounts
    }

    mutating func equalize(_ producer: NodeID) {
        let node = graph[producer]
        guard let layer = scalableLayer(producer), isHomogeneous(node.operation),
            let statistics = calibration[node.outputs[0]],
            statistics.channels.channelCount == layer.rows,
            let readers = readers(of: node.outputs[0], channels: layer.rows), !readers.isEmpty
        else { return }
        let layers = readers.compactMap(scalableLayer)
        guard layers.count == readers.count, layers.allSatisfy({ $0.inputChannels == layer.rows }) else { return }
        let magnitudes = statistics.channels.ranges.map { Double($0.magnitude) }
        let powers = statistics.channels.powers
        let largest = magnitudes.max() ?? 0
        guard largest > 0 else { return }
        var best: (factors: [Double], noise: Double) = (magnitudes.map { _ in 1 }, .infinity)
        for share in [0] + Self.shares {
            let factors = magnitudes.map { magnitude -> Double in
                guard magnitude > 0 else { return 1 }
                return exp2(min(floor(share * log2(largest / magnitude)), Self.largestExponent))
            }
            let noise = layers.reduce(0) {
                $0 + Self.noise(in: $1, factors, statistics.channels.ranges, powers: powers)
            }
            if noise < best.noise { best = (factors, noise) }
        }
        guard best.factors.contains(where: { $0 != 1 }) else { return }
        scaleRows(of: producer, layer, by: best.factors)
        for (reader, layer) in zip(readers, layers) { scaleColumns(of: reader, layer, by: best.factors) }
        scaled.append(node.name)
    }

    /// The weights of a node, when they and the bias are nobody else's.
    private func scalableLayer(_ id: NodeID) -> WeightedLayer? {
        let node = graph[id]
        switch node.operation {
        case .convolution, .gemm: break
        default: return nil
        }
        let constants = node.inputs.dropFirst().compactMap(\.self)
        guard constants.allSatisfy({ useCounts[$0.index] == 1 }), let layer = node.constantWeights(in: graph),
            layer.isFinite, layer.bias.map({ $0.count == layer.rows }) ?? true
        else { return nil }
        // A gemm's bias may be one number for all rows, which then cannot be scaled one by one.
        if node.inputs.count > 2, let bias = node.inputs[2], graph[bias].type.shape.elementCount != layer.rows {
            return nil
        }
        return layer
    }

    private func isHomogeneous(_ operation: Operator) -> Bool {
        switch operation {
        case .convolution(let convolution): isHomogeneous(convolution.activation)
        case .gemm(let gemm): isHomogeneous(gemm.activation)
        default: false
        }
    }

    private func isHomogeneous(_ clamp: Clamp?) -> Bool {
        guard let clamp else { return true }
        return (clamp.lower == 0 || clamp.lower == -.infinity) && (clamp.upper == .infinity || boundedToo)
    }

    /// The nodes with weights that read `value`, perhaps through others that commute with a factor a channel; `nil` when
    /// anything else does.
    private func readers(of value: ValueID, channels: Int) -> [NodeID]? {
        guard !graph.outputs.contains(value) else { return nil }
        var found: [NodeID] = []
        for id in consumers[value.index] {
            let node = graph[id]
            switch node.operation {
            case .convolution, .gemm:
                guard node.inputs[0] == value, !node.inputs.dropFirst().contains(value) else { return nil }
                found.append(id)
            default:
                guard commutes(node, channels: channels), let further = readers(of: node.outputs[0], channels: channels)
                else { return nil }
                found += further
            }
        }
        return found
    }

    private func commutes(_ node: Node, channels: Int) -> Bool {
        guard node.outputs.count == 1, let input = node.inputs[0] else { return false }
        switch node.operation {
        case .maxPool, .averagePool, .globalMaxPool, .globalAveragePool, .identity, .dropout: return true
        case .unary(.leakyRelu(let alpha)): return alpha.isFinite
        case .unary(.clamp(let clamp)): return isHomogeneous(clamp)
        case .reshape, .flatten, .squeeze, .unsqueeze:
            // One pixel: the channels are all there is.
            let (before, after) = (graph[input].type.shape, graph[node.outputs[0]].type.shape)
            return after.rank >= 2 && after[1] == channels && before[0] == after[0]
                && after.elementCount == after[0] * channels
        default: return false
        }
    }

    /// Expected squared error of a layer's sums, were its input's channels multiplied by `factors`: from rounding its input,
    /// and from rounding its weights.
    private static func noise(
        in layer: WeightedLayer, _ factors: [Double], _ ranges: [ActivationRange], powers: [Double]
    ) -> Double {
        var (lower, upper) = (0.0, 0.0)
        for (range, factor) in zip(ranges, factors) {
            lower = min(lower, Double(range.lower) * factor)
            upper = max(upper, Double(range.upper) * factor)
        }
        let inputStep = (upper - lower) / 255
        var noise = 0.0
        for row in 0..<layer.rows {
            let first = layer.firstChannel(of: row)
            var (largest, inputGain, weightGain) = (0.0, 0.0, 0.0)
            for channel in 0..<layer.shape[1] {
                let factor = factors[first + channel]
                var (squares, peak): (Float, Float) = (0, 0)
                let start = row * layer.columns + channel * layer.taps
                for weight in layer.values[start..<start + layer.taps] {
                    squares += weight * weight
                    peak = max(peak, abs(weight))
                }
                largest = max(largest, Double(peak) / factor)
                inputGain += Double(squares) / (factor * factor)
                weightGain += Double(layer.taps) * powers[first + channel] * factor * factor
            }
            let weightStep = largest / 127
            noise += inputGain * inputStep * inputStep + weightGain * weightStep * weightStep
        }
        return noise
    }

    private mutating func scaleRows(of id: NodeID, _ layer: WeightedLayer, by factors: [Double]) {
        let node = graph[id]
        scale(node.inputs[1]) { index, shape in
            factors[node.row(of: index, shape)]
        }
        if node.inputs.count > 2 { scale(node.inputs[2]) { index, _ in factors[index] } }
    }

    private mutating func scaleColumns(of id: NodeID, _ layer: WeightedLayer, by factors: [Double]) {
        let node = graph[id]
        scale(node.inputs[1]) { index, shape in
            1 / factors[node.inputChannel(of: index, shape, layer)]
        }
    }

    private mutating func scale(_ value: ValueID?, by factor: (Int, Shape) -> Double) {
        guard let value, let tensor = graph[value].constant else { return }
        var elements = tensor.array(of: Float.self)
        for index in elements.indices { elements[index] *= Float(factor(index, tensor.shape)) }
        graph[value].constant = Tensor(elements, shape: tensor.shape)
    }
}

extension Node {
    /// Which result an element of the weights contributes to.
    fileprivate func row(of index: Int, _ shape: Shape) -> Int {
        if case .gemm(let gemm) = operation, !gemm.transposesB { return index % shape[1] }
        return index / (shape.elementCount / max(shape[0], 1))
    }

    /// Which input channel an element of the weights is multiplied with.
    fileprivate func inputChannel(of index: Int, _ shape: Shape, _ layer: WeightedLayer) -> Int {
        if case .gemm(let gemm) = operation { return gemm.transposesB ? index % shape[1] : index / shape[1] }
        let (row, column) = (index / layer.columns, index % layer.columns)
        return layer.firstChannel(of: row) + column / layer.taps
    }
}
