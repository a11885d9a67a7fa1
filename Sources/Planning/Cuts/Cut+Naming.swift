package import ModelGraph

extension Cut {
    /// The cut that sends `boundary` and whose head computes exactly the graph outputs `headOutputs`.
    ///
    /// These two name a cut uniquely and across programs, also inside a residual block, where one boundary tensor
    /// depends on another: the tail is what the remaining outputs need, traced back to the boundary.
    /// - Precondition: every node serves some output.
    /// - Throws: `GraphError.unknownName` for a name the graph lacks; `GraphError.illegalCut` when the tail would need
    ///   more than `boundary`, or not all of it.
    package init(sending boundary: [String], keeping headOutputs: [String], of graph: Graph) throws(GraphError) {
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
        let topology = Topology(graph) { _ in true }
        var downset = Topology.Row(repeating: 0, count: topology.wordsPerRow)
        for node in topology.active where !isTail[node] { downset.insert(node) }
        let row = topology.addingPassive(to: downset, all: !topology.active.contains { isTail[$0] })
        try self.init(headNodes: graph.nodeIDs.filter { row.contains($0.index) }, of: graph)

        let sent = Set(boundary)
        let kept = Set(headOutputs)
        guard Set(self.boundary.map { graph[$0].name }) == sent, Set(self.headOutputs.map { graph[$0].name }) == kept
        else {
            let needed = self.boundary.map { graph[$0].name }.joined(separator: ", ")
            throw GraphError(
                .illegalCut, "boundary is [\(boundary.joined(separator: ", "))] but the tail needs [\(needed)]",
                at: graph.name)
        }
    }
}
