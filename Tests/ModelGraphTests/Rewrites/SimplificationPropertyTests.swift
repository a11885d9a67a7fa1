internal import ModelGraph
internal import TestSupport
internal import Testing

/// Random graphs compute the same before and after rewriting.
@Suite struct SimplificationPropertyTests {
    @Test(arguments: 0..<400 as Range<UInt64>)
    func simplifiedGraphComputesTheSame(seed: UInt64) throws {
        let graph = RandomGraph.make(seed: seed)
        try graph.verify()
        let simplified = try graph.simplified()
        // A transposed convolution may become a convolution, blocks that become pixels, and a slice.
        let added = graph.nodes.count { $0.operation.kind == "transposedConvolution" } * 2
        #expect(simplified.nodes.count <= graph.nodes.count + added)
        try expectSameResults(simplified, graph, seed: seed)
    }

    @Test(arguments: Rewrite.allCases)
    func eachRewriteAloneComputesTheSame(rewrite: Rewrite) throws {
        for seed in 1000..<1060 as Range<UInt64> {
            let graph = RandomGraph.make(seed: seed)
            let rewritten = try rewrite(graph)
            try rewritten.verify()
            try expectSameResults(rewritten, graph, seed: seed)
        }
    }

    @Test func randomGraphsExerciseEveryRewrite() throws {
        var effective: Set<Rewrite> = []
        for seed in 0..<100 as Range<UInt64> {
            var graph = try RandomGraph.make(seed: seed).simplified(by: [.removeDeadNodes])
            for rewrite in Rewrite.allCases {
                let rewritten = try rewrite(graph)
                if rewritten.nodes != graph.nodes { effective.insert(rewrite) }
                graph = rewritten
            }
        }
        // Every node of a random graph leads to an output: only rewrites leave dead nodes, and clear them themselves.
        #expect(effective == Set(Rewrite.allCases).subtracting([.removeDeadNodes]))
    }

    private func expectSameResults(_ rewritten: Graph, _ original: Graph, seed: UInt64) throws {
        #expect(rewritten.inputs.map { rewritten[$0].name } == original.inputs.map { original[$0].name })
        #expect(rewritten.outputs.map { rewritten[$0].name } == original.outputs.map { original[$0].name })
        let inputs = original.randomInputs(seed: seed)
        let expected = try ReferenceExecutor(original).run(inputs)
        let actual = try ReferenceExecutor(rewritten).run(inputs)
        for (index, pair) in zip(actual, expected).enumerated() {
            let difference = pair.0.relativeDifference(from: pair.1)
            #expect(difference <= 1e-4, "seed \(seed), output \(index)")
        }
    }
}
