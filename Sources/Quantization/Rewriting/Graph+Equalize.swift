internal import Glibc
package import ModelGraph

extension Graph {
    /// Scales channels of hidden activations up to one another where the weights around them can undo it.
    ///
    /// An activation has one scale for all channels, so a channel that is ten times smaller than the largest has ten times
    /// fewer levels. Where all that lies between layers of weights commutes with a positive factor (ReLU, leaky ReLU,
    /// pooling, additions of such activations), rows of the layers before are multiplied by a factor and columns of the
    /// layers after divided by it. Factors are powers of two: the float32 network computes the very same numbers as
    /// before, its outputs to the last bit.
    ///
    /// A clamp from above, as ReLU6 has, does not commute, and is no ReLU either (which the paper makes of it): such
    /// activations are left alone.
    /// - Parameter calibration: of this graph; no longer that of the result where anything was scaled.
    /// - Returns: the graph, and the names of the nodes whose results were scaled.
    /// - SeeAlso: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019, §4.1
    package func equalized(by calibration: Calibration) -> (graph: Graph, scaled: [String]) {
        var equalizer = Equalizer(self, calibration)
        for id in nodeIDs { equalizer.equalize(id) }
        return (equalizer.graph, equalizer.scaled)
    }
}

private struct Equalizer {
    private(set) var graph: Graph
    private(set) var scaled: [String] = []
    private let calibration: Calibration
    private let consumers: [[NodeID]]
    private let producers: [NodeID?]
    private let useCounts: [Int]
    /// Nodes whose results have been considered.
    private var visited: Set<NodeID> = []

    /// Channels are scaled by 2^this at most: what is smaller hardly counts, or was seen too little.
    private static let largestExponent = 8.0
    /// How much of the difference between channels is made up for, tried in turn.
    private static let shares = [0.25, 0.5, 0.75, 1]

    init(_ graph: Graph, _ calibration: Calibration) {
        self.graph = graph
        self.calibration = calibration
        consumers = graph.consumers()
        producers = graph.producers()
        var useCounts = [Int](repeating: 0, count: graph.values.count)
        for case let input? in graph.nodes.flatMap(\.inputs) { useCounts[input.index] += 1 }
        for output in graph.outputs { useCounts[output.index] += 1 }
        self.useCounts = useCounts
    }

    mutating func equalize(_ producer: NodeID) {
        guard !visited.contains(producer), case .some = scalableLayer(producer),
            let component = component(around: graph[producer].outputs[0])
        else { return }
        visited.formUnion(component.writers)
        let channels = graph[producer].outputs[0].channels(in: graph)
        let (writers, readers) = (component.writers.map(scalableLayer), component.readers.map(scalableLayer))
        let layers = readers.compactMap(\.self)
        let inputs = component.readers.compactMap { graph[$0].inputs[0].flatMap { calibration[$0]?.channels } }
        guard !readers.isEmpty, layers.count == readers.count, inputs.count == readers.count,
            writers.allSatisfy({ $0?.rows == channels }), layers.allSatisfy({ $0.inputChannels == channels }),
            inputs.allSatisfy({ $0.channelCount == channels })
        else { return }
        var magnitudes = [Double](repeating: 0, count: channels)
        for value in component.values {
            guard let ranges = calibration[value]?.channels.ranges, ranges.count == channels else { return }
            for channel in ranges.indices {
                magnitudes[channel] = max(magnitudes[channel], Double(ranges[channel].magnitude))
            }
        }
        guard let factors = bestFactors(magnitudes, layers, inputs), factors.contains(where: { $0 != 1 }) else {
            return
        }
        for (writer, layer) in zip(component.writers, writers) { scaleRows(of: writer, layer!, by: factors) }
        for (reader, layer) in zip(component.readers, layers) { scaleColumns(of: reader, layer, by: factors) }
        scaled += component.writers.map { graph[$0].name }
    }

    /// Those with the least expected noise in what the readers compute; `nil` for an activation that is always zero.
    private func bestFactors(
        _ magnitudes: [Double], _ layers: [WeightedLayer], _ inputs: [ChannelMoments]
    ) -> [Double]? {
        guard let largest = magnitudes.max(), largest > 0 else { return nil }
        var best: (factors: [Double], noise: Double)?
        for share in [0] + Self.shares {
            let factors = magnitudes.map { magnitude -> Double in
                guard magnitude > 0 else { return 1 }
                return exp2(min(floor(share * log2(largest / magnitude)), Self.largestExponent))
            }
            let noise = zip(layers, inputs).reduce(0) { $0 + Self.noise(in: $1.0, factors, $1.1) }
            if best.map({ noise < $0.noise }) ?? true { best = (factors, noise) }
        }
        return best?.factors
    }

    /// Values that share their factors, the nodes whose weights compute them, and those whose weights read them.
    private struct Component {
        var values: Set<ValueID> = []
        var writers: [NodeID] = []
        var readers: [NodeID] = []
    }

    /// All that is connected to `value` through operators that commute with a factor a channel; `nil` when anything else
    /// takes part.
    private func component(around value: ValueID) -> Component? {
        let channels = value.channels(in: graph)
        var component = Component()
        var queue = [value]
        while let next = queue.popLast() {
            guard component.values.insert(next).inserted else { continue }
            guard !graph.outputs.contains(next), next.channels(in: graph) == channels,
                let writer = producers[next.index]
            else { return nil }
            for id in [writer] + consumers[next.index] {
                let node = graph[id]
                switch node.operation {
                case .convolution, .gemm:
                    if id == writer {
                        guard isHomogeneous(node.operation) else { return nil }
                        component.writers.append(id)
                    } else {
                        guard node.inputs[0] == next, !node.inputs.dropFirst().contains(next) else { return nil }
                        component.readers.append(id)
                    }
                default:
                    guard commutes(node, channels: channels) else { return nil }
                    queue += node.inputs.compactMap(\.self) + node.outputs
                }
            }
        }
        component.writers.sort()
        component.readers.sort()
        return component
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
        return (clamp.lower == 0 || clamp.lower == -.infinity) && clamp.upper == .infinity
    }

    private func commutes(_ node: Node, channels: Int) -> Bool {
        guard node.outputs.count == 1, let input = node.inputs[0] else { return false }
        switch node.operation {
        case .maxPool, .averagePool, .globalMaxPool, .globalAveragePool, .identity, .dropout: return true
        case .binary(.add, let activation):
            return isHomogeneous(activation)
                && node.inputs.allSatisfy {
                    $0.map { graph[$0].constant == nil && graph[$0].type == graph[input].type } ?? false
                }
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
        in layer: WeightedLayer, _ factors: [Double], _ input: ChannelMoments
    ) -> Double {
        let powers = input.powers
        var (lower, upper) = (0.0, 0.0)
        for (range, factor) in zip(input.ranges, factors) {
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

extension ValueID {
    fileprivate func channels(in graph: Graph) -> Int { graph[self].type.shape.channelCount }
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
