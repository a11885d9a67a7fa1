package import InferenceEngine
package import ModelGraph

/// Turns a calibrated float graph into a quantised one: uint8 activations, int8 weights per output channel.
///
/// - SeeAlso: Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference", 2018, §3
package struct Quantizer {
    /// What is done beyond choosing ranges.
    package struct Options: Hashable, Sendable {
        /// Clips each row of weights where that lowers the expected squared error of its sums.
        package var clipsWeights = true
        /// Moves the error that quantised weights make on average into the bias.
        package var correctsBiases = true
        /// Nodes that compute in float32, their weights as they are.
        package var floatNodes: Set<NodeID> = []
        /// Activations that stay float32; so do the nodes that compute and read them.
        package var floatValues: Set<ValueID> = []

        package init() {}
    }

    private let graph: Graph
    private let calibration: Calibration
    private let options: Options

    /// - Precondition: `calibration` was measured on `graph`.
    package init(_ graph: Graph, calibration: Calibration, options: Options = Options()) {
        precondition(calibration.statistics.count == graph.values.count, "calibrated on another graph")
        self.graph = graph
        self.calibration = calibration
        self.options = options
    }

    /// - Parameter workers: threads that help.
    package func quantized(on workers: WorkerPool? = nil) -> QuantizedGraph {
        let activations = activationQuantizations()
        let weights = graph.nodes.indices.map { index in
            integerWeights(of: NodeID(index), activations, on: workers)
        }
        return QuantizedGraph(graph: graph, activations: activations, weights: weights)
    }

    // MARK: Activations

    /// One quantisation for each group of values that share it.
    private func activationQuantizations() -> [ActivationQuantization?] {
        var groups = ValueGroups(count: graph.values.count)
        for node in graph.nodes where node.operation.movesElementsOnly || node.operation.isLeakyRelu {
            let members = (node.inputs.compactMap(\.self) + node.outputs).filter { calibration[$0] != nil }
            for member in members.dropFirst() { groups.join(members[0].index, member.index) }
        }
        let functions = solelyReadFunctions()
        // The largest scores are rare, but they are the answer; and the levels of a picture's samples survive where
        // nothing of them is clipped.
        let unclipped = Set(graph.answers + graph.inputs)
        let float = floatValues()
        var ranges = [Int: ActivationRange]()
        for (index, statistics) in calibration.statistics.enumerated() {
            guard let statistics else { continue }
            let method = unclipped.contains(ValueID(index)) ? .minMax : calibration.method
            let range = statistics.range(by: method, through: functions[index])
            ranges[groups.root(of: index), default: range].formUnion(range)
        }
        return calibration.statistics.indices.map { index in
            calibration.statistics[index] == nil || float.contains(ValueID(index))
                ? nil : ranges[groups.root(of: index)].map(Self.quantization)
        }
    }

    /// By value index: the function that a value is computed for and nothing else.
    private func solelyReadFunctions() -> [UnaryFunction?] {
        let consumers = graph.consumers()
        return graph.values.indices.map { index in
            guard consumers[index].count == 1, !graph.outputs.contains(ValueID(index)),
                case .unary(let function) = graph[consumers[index][0]].operation
            else { return nil }
            return function
        }
    }

    /// Activations that are not quantised: those asked for, and those that only float nodes touch.
    ///
    /// What an integer node reads or computes is quantised even at a float node's side: the engine converts it there.
    private func floatValues() -> Set<ValueID> {
        let consumers = graph.consumers()
        let producers = graph.producers()
        var values = options.floatValues
        for value in graph.values.indices.map(ValueID.init) {
            let neighbours = consumers[value.index] + [producers[value.index]].compactMap(\.self)
            if !neighbours.isEmpty, neighbours.allSatisfy(options.floatNodes.contains) { values.insert(value) }
        }
        return values
    }

    /// Maps the range, widened to hold zero, to 0...255 such that zero is exact.
    package static func quantization(of range: ActivationRange) -> ActivationQuantization {
        let lower = Double(min(range.lower, 0))
        let upper = Double(max(range.upper, 0))
        // An activation that is always zero still needs a scale; any will do.
        let scale = upper > lower ? Float((upper - lower) / 255) : 1
        guard scale.isNormal else { return ActivationQuantization(scale: 1, zeroPoint: 0) }
        let zeroPoint = (-lower / Double(scale)).rounded(.toNearestOrEven)
        return ActivationQuantization(scale: scale, zeroPoint: UInt8(min(max(zeroPoint, 0), 255)))
    }

    // MARK: Weights

    private func integerWeights(
        of id: NodeID, _ activations: [ActivationQuantization?], on workers: WorkerPool?
    ) -> QuantizedWeights? {
        let node = graph[id]
        guard !options.floatNodes.contains(id), let input = node.inputs.first ?? nil,
            let inputQuantization = activations[input.index], activations[node.outputs[0].index] != nil,
            let layer = node.constantWeights(in: graph), layer.isFinite
        else { return nil }
        let moments = calibration[input].map(\.channels).flatMap { $0.channelCount == layer.inputChannels ? $0 : nil }
        let rows = WeightRows(
            layer, inputScale: inputQuantization.scale, inputPowers: options.clipsWeights ? moments?.powers : nil,
            inputMeans: options.correctsBiases ? moments?.means : nil)
        return rows.quantized(on: workers)
    }
}

extension ActivationRange {
    fileprivate mutating func formUnion(_ other: ActivationRange) { self = union(other) }
}

extension Operator {
    /// On the same levels it passes on what is positive, which it would round a second time on others.
    fileprivate var isLeakyRelu: Bool {
        if case .unary(.leakyRelu) = self { true } else { false }
    }
}

/// Disjoint sets of values.
private struct ValueGroups {
    private var parents: [Int]

    init(count: Int) {
        parents = Array(0..<count)
    }

    mutating func root(of index: Int) -> Int {
        var index = index
        while parents[index] != index {
            parents[index] = parents[parents[index]]
            index = parents[index]
        }
        return index
    }

    mutating func join(_ left: Int, _ right: Int) {
        parents[root(of: right)] = root(of: left)
    }
}
