internal import ModelGraph
internal import TestSupport
internal import Testing

@Suite struct CutTests {
    @Test(arguments: TestGraphs.all.indices)
    func headThenTailEqualsTheWhole(index: Int) throws {
        let graph = TestGraphs.all[index]
        let inputs = graph.randomInputs(seed: 7)
        let expected = try ReferenceExecutor(graph).run(inputs)
        for headNodes in graph.downsets {
            let cut = try Cut(headNodes: headNodes, of: graph)
            let (head, tail) = (try graph.head(of: cut), try graph.tail(of: cut))
            try head.verify()
            try tail.verify()
            let results = try run(head: head, tail: tail, cut: cut, of: graph, inputs)
            #expect(results.map { $0.array(of: Float.self) } == expected.map { $0.array(of: Float.self) })
        }
    }

    /// The graph's outputs, from the head's and the tail's, matched by name.
    private func run(head: Graph, tail: Graph, cut: Cut, of graph: Graph, _ inputs: [Tensor]) throws -> [Tensor] {
        var tensors: [String: Tensor] = [:]
        for (input, tensor) in zip(graph.inputs, inputs) { tensors[graph[input].name] = tensor }
        for (output, tensor) in zip(head.outputs, try ReferenceExecutor(head).run(inputs)) {
            tensors[head[output].name] = tensor
        }
        let boundary = try tail.inputs.map { try #require(tensors[tail[$0].name]) }
        for (output, tensor) in zip(tail.outputs, try ReferenceExecutor(tail).run(boundary)) {
            tensors[tail[output].name] = tensor
        }
        return try graph.outputs.map { try #require(tensors[graph[$0].name]) }
    }

    @Test(arguments: TestGraphs.all.indices)
    func namesLeadBackToTheCut(index: Int) throws {
        let graph = TestGraphs.all[index]
        let names = { (values: [ValueID]) in values.map { graph[$0].name } }
        for headNodes in graph.downsets {
            let cut = try Cut(headNodes: headNodes, of: graph)
            let named = try Cut(sending: names(cut.boundary), keeping: names(cut.headOutputs), of: graph)
            #expect(named == cut)
        }
    }

    @Test func chainHasOneCutForEachNode() throws {
        let graph = TestGraphs.chain()
        #expect(graph.downsets.count == graph.nodes.count + 1)
        #expect(Cut.cloudOnly(of: graph).boundary == graph.inputs)
        #expect(Cut.edgeOnly(of: graph).isEdgeOnly)
        #expect(try Cut(sending: ["conv2"], of: graph).headNodes.map(\.index) == [0, 1])
    }

    @Test func setsThatAreNotClosedAreRefused() {
        let graph = TestGraphs.chain()
        #expect(throws: GraphError.self) { try Cut(headNodes: [NodeID(1)], of: graph) }
        #expect(throws: GraphError.self) { try Cut(headNodes: [NodeID(0), NodeID(0)], of: graph) }
        #expect(throws: GraphError.self) { try Cut(headNodes: [NodeID(graph.nodes.count)], of: graph) }
        #expect(throws: GraphError.self) { try Cut(sending: ["conv1", "conv2"], of: graph) }
        #expect(throws: GraphError.self) { try Cut(sending: ["nowhere"], of: graph) }
    }

    @Test func shortcutsCrossTheBoundary() throws {
        let graph = TestGraphs.residual()
        let cut = try Cut(headNodes: [NodeID(0), NodeID(1)], of: graph)
        #expect(cut.name(in: graph) == "stem+block1.conv1")
        #expect(try Cut(sending: ["stem", "block1.conv1"], of: graph) == cut)
        #expect(throws: GraphError.self) { try Cut(sending: ["block1.conv1"], of: graph) }
    }
}

extension Graph {
    /// All sets of nodes that are closed under ancestors.
    fileprivate var downsets: [[NodeID]] {
        let producers = self.producers()
        // Node by node: a set may take the node in once it holds all its parents.
        return nodes.indices.reduce([[]]) { sets, index in
            let parents = nodes[index].inputs.compactMap { input in input.flatMap { producers[$0.index] } }
            return sets + sets.filter { set in parents.allSatisfy(set.contains) }.map { $0 + [NodeID(index)] }
        }
    }
}
