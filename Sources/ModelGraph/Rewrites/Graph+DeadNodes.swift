extension Graph {
    /// Without the nodes, constants and optional results that no output depends on, in topological order.
    ///
    /// Graph inputs stay, used or not.
    /// - Throws: `GraphError.malformed` when the nodes form a cycle.
    func removingDeadNodes() throws(GraphError) -> Graph {
        let sorted = try topologicallySortedNodes()
        var isNeeded = [Bool](repeating: false, count: values.count)
        for value in outputs { isNeeded[value.index] = true }
        var kept: [Node] = []
        for var node in sorted.reversed() where node.outputs.contains(where: { isNeeded[$0.index] }) {
            if node.operation.hasOptionalOutputs {
                while let last = node.outputs.last, !isNeeded[last.index] { node.outputs.removeLast() }
            }
            for value in node.inputs.compactMap(\.self) + node.outputs { isNeeded[value.index] = true }
            kept.append(node)
        }
        for value in inputs { isNeeded[value.index] = true }

        var result = Graph(name: name)
        var renumbered = [ValueID?](repeating: nil, count: values.count)
        for (index, value) in values.enumerated() where isNeeded[index] {
            renumbered[index] = ValueID(result.values.count)
            result.values.append(value)
        }
        let renumber = { (value: ValueID) in renumbered[value.index] }
        result.inputs = inputs.compactMap(renumber)
        result.outputs = outputs.compactMap(renumber)
        result.nodes = kept.reversed().map { node in
            Node(
                name: node.name, operation: node.operation, inputs: node.inputs.map { $0.flatMap(renumber) },
                outputs: node.outputs.compactMap(renumber))
        }
        return result
    }

    /// Each node after those whose results it reads, otherwise in the present order.
    private func topologicallySortedNodes() throws(GraphError) -> [Node] {
        let producers = self.producers()
        var isPlaced = [Bool](repeating: false, count: nodes.count)
        var isPending = isPlaced
        var sorted: [Node] = []
        // Depth first, with a stack of its own: chains of many thousand nodes must not exhaust the call stack.
        for root in nodes.indices where !isPlaced[root] {
            var stack = [root]
            while let index = stack.last {
                if isPlaced[index] {
                    stack.removeLast()
                    continue
                }
                let waiting = nodes[index].inputs.compactMap { input in
                    input.flatMap { producers[$0.index]?.index }
                }.filter { !isPlaced[$0] }
                if waiting.isEmpty {
                    isPlaced[index] = true
                    sorted.append(nodes[index])
                    stack.removeLast()
                } else if isPending[index] {
                    throw GraphError(.malformed, "depends on its own result", at: nodes[index].name)
                } else {
                    isPending[index] = true
                    stack += waiting.reversed()
                }
            }
        }
        return sorted
    }
}

extension Operator {
    /// Whether results from the end on may be left out.
    fileprivate var hasOptionalOutputs: Bool {
        switch self {
        case .maxPool, .dropout, .batchNormalization: true
        default: false
        }
    }
}
