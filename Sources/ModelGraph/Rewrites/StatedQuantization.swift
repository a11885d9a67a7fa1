/// The quantisation that a network's file states, taken out of its graph: as QDQ pairs, or as what QLinear operators stand for.
///
/// A pair of a quantizeLinear and a dequantizeLinear (several where several nodes read it) becomes a quantisation of the
/// value before it; weights behind a dequantizeLinear become float32 constants whose scales are known.
package struct StatedQuantization: Sendable {
    /// Simplified, without the pairs that were taken out. A result of weights or an addition is clamped to what the
    /// quantisation could hold, as networks trained for it expect of float32, too.
    package let graph: Graph
    /// By name of the value in `graph`.
    package let activations: [String: ActivationQuantization]
    /// By name of the constant in `graph`.
    package let weights: [String: WeightScales]

    /// How integers became the constant: `real = scales[index along axis] · integer`.
    package struct WeightScales: Hashable, Sendable {
        /// One, or one for each index along `axis`.
        package let scales: [Float]
        /// In 0..<rank of the constant.
        package let axis: Int
    }

    /// - Parameters:
    ///   - graph: as imported, before anything is folded.
    ///   - kept: names of values, before or after rounding, whose pairs stay in the graph as the rounding that they are; what
    ///     they give is quantised all the same.
    /// - Returns: `nil` when the graph states no quantisation of activations.
    /// - Throws: `GraphError` when the graph is malformed.
    package init?(of graph: Graph, keeping kept: Set<String> = []) throws(GraphError) {
        let producers = graph.producers()
        let pairs = graph.statedPairs(producers)
        guard !pairs.isEmpty else { return nil }
        var activations = graph.statedAtEnds()
        var editor = GraphEditor(graph)
        for pair in pairs {
            let results = pair.dequantizations.map { graph[graph[$0].outputs[0]].name }
            guard kept.isDisjoint(with: [graph[pair.source].name] + results) else {
                for result in results { activations[result] = pair.quantization }
                continue
            }
            // The dequantisations of one value are one.
            let first = pair.dequantizations.first { editor.isOutput(graph[$0].outputs[0]) } ?? pair.dequantizations[0]
            let result = graph[first].outputs[0]
            var isWhole = true
            for other in pair.dequantizations where other != first {
                isWhole = editor.bypass(other, to: result) && isWhole
            }
            guard isWhole else { continue }
            let operation = producers[pair.source.index].map { graph[$0].operation }
            if operation?.saturatesAsStated ?? false {
                let clamp = Clamp(
                    lower: pair.quantization.dequantize(0), upper: pair.quantization.dequantize(255))
                editor.replace(
                    first,
                    by: Node(
                        name: graph[first].name, operation: .unary(.clamp(clamp)), inputs: [pair.source],
                        outputs: [result]))
                activations[graph[result].name] = pair.quantization
            } else {
                let name = editor.isOutput(result) ? graph[result].name : graph[pair.source].name
                guard editor.bypass(first, to: pair.source) else { continue }
                activations[name] = pair.quantization
            }
        }
        weights = graph.statedWeightScales()
        let simplified = try editor.finish().simplified()
        self.graph = simplified
        self.activations = simplified.spreading(activations)
    }
}

/// A value that is quantised and read dequantised only.
private struct StatedPair {
    let source: ValueID
    let quantization: ActivationQuantization
    /// Not empty.
    let dequantizations: [NodeID]
}

extension Graph {
    /// Pairs whose source nothing else reads, with one quantisation, in order of the quantizeLinear.
    fileprivate func statedPairs(_ producers: [NodeID?]) -> [StatedPair] {
        let consumers = consumers()
        return nodes.compactMap { node in
            guard case .quantizeLinear = node.operation, let source = node.inputs[0], let output = node.outputs.first,
                self[source].type.elementType == .float32,
                // From one grid to another is a rounding of its own.
                producers[source.index].map({ !self[$0].operation.isDequantization }) ?? true,
                self[source].constant == nil, consumers[source.index].count == 1, !outputs.contains(source),
                !outputs.contains(output), let quantization = statedQuantization(of: node),
                !consumers[output.index].isEmpty
            else { return nil }
            let readers = consumers[output.index]
            let areDequantizations = readers.allSatisfy { reader in
                guard case .dequantizeLinear = self[reader].operation, self[reader].inputs[0] == output,
                    self[self[reader].outputs[0]].type.elementType == .float32
                else { return false }
                return statedQuantization(of: self[reader]) == quantization
            }
            guard areDequantizations else { return nil }
            return StatedPair(source: source, quantization: quantization, dequantizations: readers)
        }
    }

    /// Of what a dequantizeLinear makes of integers that are the graph's inputs, and of what becomes an output as integers.
    fileprivate func statedAtEnds() -> [String: ActivationQuantization] {
        var found: [String: ActivationQuantization] = [:]
        let consumers = consumers()
        for node in nodes {
            guard let quantization = statedQuantization(of: node), let operand = node.inputs[0] else { continue }
            switch node.operation {
            case .dequantizeLinear where inputs.contains(operand): found[self[node.outputs[0]].name] = quantization
            case .quantizeLinear where outputs.contains(node.outputs[0]) && consumers[operand.index].count == 1:
                if self[operand].type.elementType == .float32 { found[self[operand].name] = quantization }
            default: break
            }
        }
        return found
    }

    /// Of the results of dequantizeLinear on constant 8-bit integers.
    fileprivate func statedWeightScales() -> [String: StatedQuantization.WeightScales] {
        var found: [String: StatedQuantization.WeightScales] = [:]
        for node in nodes {
            guard case .dequantizeLinear(let axis) = node.operation, let integers = node.inputs[0].map({ self[$0] }),
                integers.constant != nil, [.int8, .uint8].contains(integers.type.elementType),
                let scales = node.inputs[1].flatMap({ self[$0].constant }), scales.elementType == .float32
            else { continue }
            let values = scales.array(of: Float.self)
            let shape = integers.type.shape
            guard let axis = values.count == 1 ? 0 : shape.normalizedAxis(axis),
                values.count == 1 || values.count == shape[axis]
            else { continue }
            found[self[node.outputs[0]].name] = StatedQuantization.WeightScales(scales: values, axis: axis)
        }
        return found
    }

    /// The quantisations stated, and those that follow: what only moves elements passes them on, and takes them over from its
    /// result where nothing else reads its operands.
    fileprivate func spreading(_ stated: [String: ActivationQuantization]) -> [String: ActivationQuantization] {
        var found = stated
        let consumers = consumers()
        let movers = nodes.filter { $0.operation.movesElementsOnly }
        let activations = { (node: Node) in
            node.inputs.compactMap(\.self).filter { self[$0].constant == nil && self[$0].type.elementType == .float32 }
        }
        let results = { (node: Node) in node.outputs.filter { self[$0].type.elementType == .float32 } }
        for node in movers {
            let operands = activations(node).map { found[self[$0].name] }
            // A constant operand (of a concatenation) need not be on the grid.
            let hasConstant = node.inputs.compactMap(\.self).contains {
                self[$0].constant != nil && self[$0].type.elementType == .float32
            }
            guard !hasConstant, let first = operands.first.flatMap(\.self), operands.allSatisfy({ $0 == first }) else {
                continue
            }
            for result in results(node) where found[self[result].name] == nil { found[self[result].name] = first }
        }
        for node in movers.reversed() {
            guard let result = results(node).first, let quantization = found[self[result].name] else { continue }
            for operand in activations(node)
            where found[self[operand].name] == nil && consumers[operand.index].count == 1
                && !outputs.contains(operand)
            {
                found[self[operand].name] = quantization
            }
        }
        return found
    }

    /// The parameters of a quantizeLinear to, or a dequantizeLinear from, 8 bits where they are one constant scale and zero
    /// point; int8 counts as uint8, 128 higher.
    package func statedQuantization(of node: Node) -> ActivationQuantization? {
        let quantized: ValueID?
        switch node.operation {
        case .quantizeLinear: quantized = node.outputs.first
        case .dequantizeLinear: quantized = node.inputs[0]
        default: return nil
        }
        guard let elementType = quantized.map({ self[$0].type.elementType }), [.uint8, .int8].contains(elementType),
            let scale = node.inputs[1].flatMap({ self[$0].constant }), scale.elementType == .float32,
            scale.shape.elementCount == 1
        else { return nil }
        var zeroPoint = 0
        if node.inputs.count > 2, let id = node.inputs[2] {
            guard let value = self[id].constant?.integers?.first else { return nil }
            zeroPoint = value
        }
        let shift = elementType == .int8 ? 128 : 0
        return UInt8(exactly: zeroPoint + shift).flatMap {
            ActivationQuantization(validating: scale.array(of: Float.self)[0], zeroPoint: $0)
        }
    }
}

extension Operator {
    fileprivate var isDequantization: Bool {
        if case .dequantizeLinear = self { true } else { false }
    }

    /// Whether the result may lie beyond what its quantisation holds, and a clamp after it costs nothing.
    fileprivate var saturatesAsStated: Bool {
        switch self {
        case .convolution, .gemm, .matrixProduct, .binary(.add, _), .unary(.clamp), .clip: true
        default: false
        }
    }

    /// Whether results are elements of the operands, so that quantising before or after is the same.
    package var movesElementsOnly: Bool {
        switch self {
        case .maxPool, .globalMaxPool, .concat, .reshape, .flatten, .squeeze, .unsqueeze, .transpose, .identity,
            .dropout, .slice, .split, .gather, .expand:
            true
        default: false
        }
    }
}
