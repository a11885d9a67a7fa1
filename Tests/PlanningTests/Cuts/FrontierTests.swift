internal import ModelGraph
internal import Planning
internal import Testing

@Suite struct FrontierTests {
    /// A chain of convolutions whose results have these many channels, an activation after each.
    private func chain(_ channels: [Int]) throws -> Graph {
        var graph = Graph(name: "chain")
        var value = graph.addInput("x", TensorType(.float32, [1, 4, 8, 8]))
        var inputs = 4
        for (index, outputs) in channels.enumerated() {
            let shape: Shape = [outputs, inputs, 1, 1]
            let weights = graph.addConstant(
                "w\(index)", Tensor([Float](repeating: 1, count: shape.elementCount), shape: shape))
            value = try graph.append(
                .convolution(Convolution(window: Window(kernel: [1, 1]))), name: "conv\(index)",
                inputs: [value, weights, nil], outputNames: ["conv\(index)"])[0]
            value = try graph.append(
                .unary(.sigmoid), name: "act\(index)", inputs: [value], outputNames: ["act\(index)"])[0]
            inputs = outputs
        }
        graph.outputs = [value]
        return graph
    }

    private func names(_ graph: Graph, slack: Double = 1, isCodable: (ValueID) -> Bool = { _ in true }) -> [String] {
        let cuts = CutEnumerator().cuts(of: graph)
        return cuts.frontier(slack: slack, isCodable: isCodable).map { cuts[$0].name(in: graph) }
    }

    /// Behind the activation rather than before it, and only what is smaller than all before; the last activation is the
    /// network's output, behind which nothing is left to send.
    @Test func onlySmallerBoundariesCount() throws {
        let graph = try chain([16, 8, 12, 8, 2, 3, 1])
        #expect(names(graph) == ["act0", "act1", "act3", "act4", "conv6"])
        #expect(names(graph, slack: 1.5) == ["act0", "act1", "act2", "act3", "act4", "act5", "conv6"])
    }

    @Test func whatCannotBeSentIsLeftOut() throws {
        let graph = try chain([8, 4, 2])
        #expect(names(graph) { graph[$0].name != "act0" } == ["conv0", "act1", "conv2"])
    }
}
