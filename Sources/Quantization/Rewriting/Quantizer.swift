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
        /// Nodes that stay in float32.
        package var floatNodes: Set<NodeID> = []

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

    /// One quantisation for each group of values that must share it.
    private func activationQuantizations() -> [ActivationQuantization?] {
        var groups = ValueGroups(count: graph.values.count)
        for node in graph.nodes where node.operation.keepsQuantization {
            let members = (node.inputs.compactMap(\.self) + node.outputs).filter { calibration[$0] != nil }
            for member in members.dropFirst() { groups.join(members[0].index, member.index) }
        }
        let functions = solelyReadFunctions()
        let float = floatValues()
        var ranges = [Int: ActivationRange]()
        for (index, statistics) in calibration.statistics.enumerated() {
            guard let statistics else { continue }
            let range = statistics.range(by: calibration.method, through: functions[index])
            ranges[groups.root(of: index), default: range].formUnion(range)
        }
        return calibration.statistics.indices.map { index in
            calibration.statistics[index] == nil || float.contains(index)
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

    /// Results of float nodes that no other node reads in integers.
    ///
    /// A float result that an integer node reads keeps its quantisation: the engine then quantises it once, behind the
    /// float node. What decides whether a node runs in integers are its weights, or else its result's quantisation.
    private func floatValues() -> Set<Int> {
        let consumers = graph.consumers()
        var values = Set<Int>()
        for id in options.floatNodes {
            for output in graph[id].outputs {
                let readers = consumers[output.index]
                let isFloatOnly = readers.allSatisfy(options.floatNodes.contains)
                if isFloatOnly || graph[id].constantWeights(in: graph) == nil { values.insert(output.index) }
            }
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
    /// Operators whose results are some of their operands' elements: quantising both alike makes them exact.
    fileprivate var keepsQuantization: Bool {
        switch self {
        case .maxPool, .globalMaxPool, .concat, .reshape, .flatten, .squeeze, .unsqueeze, .transpose, .identity,
            .dropout,
            .slice, .split, .gather, .expand:
            true
        default: false
        }
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
