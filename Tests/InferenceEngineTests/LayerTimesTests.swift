internal import InferenceEngine
internal import ModelGraph
internal import TestSupport
internal import Testing

@Suite struct LayerTimesTests {
    /// Adds up runs until every node expected to take time has, for a coarse clock may miss a short one.
    private func times(_ model: PreparedModel, until isDone: (LayerTimes) -> Bool) throws -> LayerTimes {
        let session = InferenceSession(model, pool: WorkerPool(width: 2))
        var times = LayerTimes(for: model)
        for _ in 0..<1000 {
            try session.run(measuring: &times)
            if isDone(times) { break }
        }
        return times
    }

    @Test func everyNodeThatComputesHasATime() throws {
        let graph = TestGraphs.severalOutputs()
        let model = try PreparedModel(graph)
        #expect(model.nodeNames == graph.nodes.map(\.name))
        let isAlias = graph.nodes.map { if case .flatten = $0.operation { true } else { false } }
        let times = try times(model) { times in
            zip(times.nanoseconds, isAlias).allSatisfy { $1 || $0 > 0 } && times.otherNanoseconds > 0
        }
        for (index, node) in graph.nodes.enumerated() {
            #expect(times.nanoseconds[index] > 0 || isAlias[index], "\(node.name)")
        }
        // "boxes" is converted to row-major for the caller.
        #expect(times.otherNanoseconds > 0)
    }

    @Test func conversionsCountForWhoNeedsThem() throws {
        var builder = GraphBuilder(name: "conversion", seed: 1)
        let x = builder.input("x", [1, 3, 4, 4])
        let pooled = builder.node("pooled", .maxPool(Pooling(window: Window(kernel: [2, 2]))), x)
        // Free but for the change to row-major that it asks for.
        builder.output(builder.node("flat", .flatten(axis: 1), pooled))
        let times = try times(try PreparedModel(builder.graph)) { $0.nanoseconds.allSatisfy { $0 > 0 } }
        #expect(times.nanoseconds.allSatisfy { $0 > 0 })
        #expect(times.otherNanoseconds == 0)
    }

    @Test func aFusedAdditionCountsForItsConvolution() throws {
        let graph = TestGraphs.residual()
        let times = try times(try PreparedModel(graph)) { times in
            zip(graph.nodes, times.nanoseconds).allSatisfy { $1 > 0 || !$0.name.hasSuffix("conv2") }
        }
        for (node, nanoseconds) in zip(graph.nodes, times.nanoseconds) {
            switch node.operation {
            case .binary: #expect(nanoseconds == 0, "\(node.name)")
            case .convolution: #expect(nanoseconds > 0, "\(node.name)")
            default: break
            }
        }
    }
}
