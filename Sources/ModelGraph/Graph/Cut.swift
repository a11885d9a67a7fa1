/// A legal division of a graph: the head's nodes are closed under ancestors, the rest is the tail.
///
/// Every program names cuts by this one type. The head runs on the edge and sends `boundary`; the tail, in the cloud,
/// needs nothing else. Graph outputs that the head already computes stay on the edge.
package struct Cut: Hashable, Sendable {
    /// Ascending.
    package let headNodes: [NodeID]
    /// Values that the tail reads and does not compute (a graph input, where the tail needs it), ascending.
    package let boundary: [ValueID]
    /// Graph outputs computed by the head, in the graph's order.
    package let headOutputs: [ValueID]
    /// Graph outputs computed by the tail, in the graph's order.
    package let tailOutputs: [ValueID]

    /// - Throws: `GraphError.illegalCut` when `headNodes` is not closed under ancestors, or names a node twice or
    ///   beyond the graph.
    package init(headNodes: some Collection<NodeID>, of graph: Graph) throws(GraphError) {
        var isHead = [Bool](repeating: false, count: graph.nodes.count)
        for node in headNodes {
            guard graph.nodes.indices.contains(node.index), !isHead[node.index] else {
                throw GraphError(.illegalCut, "node \(node.index) is named twice or does not exist", at: graph.name)
            }
            isHead[node.index] = true
        }
        let producers = graph.producers()
        var crosses = [Bool](repeating: false, count: graph.values.count)
        for (index, node) in graph.nodes.enumerated() {
            for case let input? in node.inputs where graph[input].constant == nil {
                let isFromHead = producers[input.index].map { isHead[$0.index] } ?? true
                if isHead[index] && !isFromHead {
                    throw GraphError(
                        .illegalCut,
                        "the head holds node \(node.name) but not its ancestor that computes \(graph[input].name)",
                        at: graph.name)
                }
                if !isHead[index] && isFromHead { crosses[input.index] = true }
            }
        }
        let isHeadValue = { (value: ValueID) in producers[value.index].map { isHead[$0.index] } ?? true }
        self.headNodes = graph.nodeIDs.filter { isHead[$0.index] }
        boundary = graph.values.indices.lazy.map(ValueID.init).filter { crosses[$0.index] }
        headOutputs = graph.outputs.filter(isHeadValue)
        tailOutputs = graph.outputs.filter { !isHeadValue($0) }
    }

    /// The cut that sends `boundary` and whose head computes exactly the graph outputs `headOutputs`.
    ///
    /// These names identify a cut within a graph and between programs, also inside a residual block, where one
    /// boundary tensor depends on another: the tail is what the remaining outputs need, traced back to the boundary.
    /// - Throws: `GraphError.unknownName` for a name the graph lacks; `GraphError.illegalCut` when the tail would need
    ///   more than `boundary`, or not all of it.
    package init(sending boundary: [String], keeping headOutputs: [String] = [], of graph: Graph) throws(GraphError) {
        var isSent = [Bool](repeating: false, count: graph.values.count)
        for name in boundary {
            guard let value = graph.value(named: name), graph[value].constant == nil else {
                throw GraphError(.unknownName, "the graph has no activation \"\(name)\"", at: graph.name)
            }
            isSent[value.index] = true
        }
        for name in headOutputs where !graph.outputs.contains(where: { graph[$0].name == name }) {
            throw GraphError(.unknownName, "the graph has no output \"\(name)\"", at: graph.name)
        }
        var isNeeded = [Bool](repeating: false, count: graph.values.count)
        for output in graph.outputs where !headOutputs.contains(graph[output].name) { isNeeded[output.index] = true }
        var isTail = [Bool](repeating: false, count: graph.nodes.count)
        for index in graph.nodes.indices.reversed() {
            isTail[index] = graph.nodes[index].outputs.contains { isNeeded[$0.index] && !isSent[$0.index] }
            guard isTail[index] else { continue }
            for case let input? in graph.nodes[index].inputs { isNeeded[input.index] = true }
        }
        try self.init(headNodes: graph.nodeIDs.filter { !isTail[$0.index] }, of: graph)
        let names = self.boundary.map { graph[$0].name }
        guard Set(names) == Set(boundary), Set(self.headOutputs.map { graph[$0].name }) == Set(headOutputs) else {
            throw GraphError(
                .illegalCut,
                "boundary is [\(boundary.joined(separator: ", "))] but the tail needs [\(names.joined(separator: ", "))]",
                at: graph.name)
        }
    }

    /// Nothing on the edge: the input itself is sent.
    package static func cloudOnly(of graph: Graph) -> Cut {
        guard let cut = try? Cut(headNodes: [NodeID](), of: graph) else {
            preconditionFailure("the empty set is closed")
        }
        return cut
    }

    /// Nothing in the cloud.
    package static func edgeOnly(of graph: Graph) -> Cut {
        guard let cut = try? Cut(headNodes: Array(graph.nodeIDs), of: graph) else {
            preconditionFailure("the set of all nodes is closed")
        }
        return cut
    }

    package var isCloudOnly: Bool { headNodes.isEmpty }
    /// True when nothing is left for the cloud to compute.
    package var isEdgeOnly: Bool { tailOutputs.isEmpty }

    /// The boundary's names joined by `+`: stable across programs, unique among cuts that keep the same head outputs.
    package func name(in graph: Graph) -> String {
        isEdgeOnly ? "edge-only" : boundary.map { graph[$0].name }.joined(separator: "+")
    }
}

extension Graph {
    /// The part of the graph that computes `outputs` from `inputs`, which become the new graph's inputs in that order.
    ///
    /// Value and node names are kept; constants that the part does not use are dropped.
    /// - Throws: `GraphError.illegalCut` when the part would need another activation.
    package func extracting(inputs: [ValueID], outputs: [ValueID], name: String) throws(GraphError) -> Graph {
        let producers = self.producers()
        let isInput = Set(inputs)
        var isNeeded = [Bool](repeating: false, count: nodes.count)
        var isNeededValue = [Bool](repeating: false, count: values.count)
        for output in outputs { isNeededValue[output.index] = true }
        for index in nodes.indices.reversed() {
            guard nodes[index].outputs.contains(where: { isNeededValue[$0.index] && !isInput.contains($0) }) else {
                continue
            }
            isNeeded[index] = true
            for case let input? in nodes[index].inputs { isNeededValue[input.index] = true }
        }
        var part = Graph(name: name)
        var renamed = [ValueID?](repeating: nil, count: values.count)
        for input in inputs {
            renamed[input.index] = part.addInput(self[input].name, self[input].type)
        }
        for value in values.indices where isNeededValue[value] && renamed[value] == nil {
            if let constant = values[value].constant {
                renamed[value] = part.addConstant(values[value].name, constant)
            } else if producers[value] == nil {
                throw GraphError(.illegalCut, "the part also needs the input \(values[value].name)", at: name)
            }
        }
        for index in nodes.indices where isNeeded[index] {
            let node = nodes[index]
            for output in node.outputs where renamed[output.index] == nil {
                renamed[output.index] = part.addValue(self[output].name, self[output].type)
            }
            part.nodes.append(
                Node(
                    name: node.name, operation: node.operation,
                    inputs: node.inputs.map { $0.flatMap { renamed[$0.index] } },
                    outputs: node.outputs.compactMap { renamed[$0.index] }))
        }
        part.outputs = outputs.compactMap { renamed[$0.index] }
        return part
    }

    /// The nodes before the cut: graph inputs → boundary, then the outputs already computed.
    package func head(of cut: Cut) throws(GraphError) -> Graph {
        let computed = cut.boundary.filter { !inputs.contains($0) }
        return try extracting(
            inputs: inputs, outputs: computed + cut.headOutputs.filter { !computed.contains($0) }, name: name + ".head")
    }

    /// The nodes after the cut: boundary → remaining outputs.
    package func tail(of cut: Cut) throws(GraphError) -> Graph {
        try extracting(inputs: cut.boundary, outputs: cut.tailOutputs, name: name + ".tail")
    }
}
