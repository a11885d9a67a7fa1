internal import ModelGraph
internal import TestSupport
internal import Testing

@Suite struct BatchSizeTests {
    /// Inputs of several images, and the same one at a time.
    private func expectImagesApart(_ graph: Graph, batch: Int) throws {
        let resized = try graph.withBatchSize(batch)
        try resized.verify()
        #expect(resized.batchSize == batch)
        let images = (0..<batch).map { graph.randomInputs(seed: UInt64($0)) }
        let together = graph.inputs.indices.map { port in
            let type = resized[resized.inputs[port]].type
            return Tensor(images.flatMap { $0[port].array(of: Float.self) }, shape: type.shape)
        }
        let outputs = try ReferenceExecutor(resized).run(together)
        let apart = try images.map { try ReferenceExecutor(graph).run($0) }
        for (index, output) in outputs.enumerated() {
            #expect(
                output.array(of: Float.self) == apart.flatMap { $0[index].array(of: Float.self) },
                "\(graph.name), \(batch) images")
        }
    }

    @Test(arguments: 0..<4, [2, 3, 8])
    func everyImageGetsItsOwnResult(index: Int, batch: Int) throws {
        try expectImagesApart(TestGraphs.all[index], batch: batch)
        try expectImagesApart(try TestGraphs.all[index].simplified(), batch: batch)
    }

    @Test func writtenOutBatchSizesAreMended() throws {
        var builder = GraphBuilder(name: "reshaped", seed: 1)
        let x = builder.input("x", [1, 4, 3, 3])
        let rows = builder.node("rows", .reshape(extents: [1, 4, -1], allowZero: false), x)
        let turned = builder.node("turned", .transpose(permutation: [0, 2, 1]), rows)
        builder.output(builder.node("flat", .reshape(extents: [1, 36], allowZero: false), turned))
        try expectImagesApart(builder.graph, batch: 3)
    }

    /// One node each that ties the network to its batch size.
    @Test(arguments: [
        Operator.transpose(permutation: [1, 0]), .concat(axis: 0), .flatten(axis: 0),
        .softmax(Softmax(axis: 0)), .squeeze(axes: [0]),
        .slice(Slice(starts: [-1], ends: [-9], axes: [0], steps: [-1])), .gemm(Gemm(transposesA: true)),
        .reduce(Reduction(kind: .sum, axes: [0])),
    ])
    func nodesThatMixImagesAreNamed(operation: Operator) throws {
        var builder = GraphBuilder(name: "fixed", seed: 2)
        let x = builder.input("x", [1, 1])
        let operands = if case .gemm = operation { [x, builder.constant("w", [1, 1])] } else { [x] }
        builder.output(builder.node("knot", operation, operands))
        do {
            _ = try builder.graph.withBatchSize(2)
            Issue.record("\(operation.kind) was accepted")
        } catch {
            #expect(error.code == .fixedBatchSize && error.location == "knot", "\(error)")
        }
        #expect(try builder.graph.withBatchSize(1).nodes == builder.graph.nodes)
    }

    @Test func constantsForOneImageAreRefused() throws {
        var builder = GraphBuilder(name: "anchors", seed: 3)
        let x = builder.input("x", [1, 2, 3])
        builder.output(builder.node("joined", .concat(axis: 1), x, builder.constant("anchors", [1, 4, 3])))
        #expect(throws: GraphError.self) { try builder.graph.withBatchSize(2) }
    }

    @Test func broadcastingAcrossRanksIsRefused() throws {
        var builder = GraphBuilder(name: "ranks", seed: 4)
        let x = builder.input("x", [1, 3, 3])
        let flat = builder.node("flat", .reshape(extents: [0, 9], allowZero: false), x)
        let narrow = builder.node("narrow", .slice(Slice(starts: [0], ends: [3], axes: [1], steps: [1])), flat)
        builder.output(builder.node("sum", .binary(.add, activation: nil), x, narrow))
        // Three rows of three: the shapes fit, but image i would be added to row i of every image.
        do {
            _ = try builder.graph.withBatchSize(3)
            Issue.record("accepted")
        } catch {
            #expect(error.code == .fixedBatchSize && error.location == "sum")
        }
    }
}
