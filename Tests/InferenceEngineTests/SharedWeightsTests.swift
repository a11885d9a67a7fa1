internal import InferenceEngine
internal import ModelGraph
internal import TestSupport
internal import Testing

/// Packed weights that several prepared models have in common.
@Suite struct SharedWeightsTests {
    private func network() -> Graph {
        var builder = GraphBuilder(name: "shared", seed: 1)
        let x = builder.input("x", [1, 3, 9, 9])
        let stem = builder.convolution("stem", x, outputs: 8, activation: .relu)
        let body = builder.convolution("body", stem, outputs: 12)
        builder.output(builder.classifier("logits", body, outputs: 5))
        return builder.graph
    }

    private func outputs(_ graph: Graph, _ options: PreparationOptions) throws -> (PreparedModel, [[Float]]) {
        let model = try PreparedModel(graph, options: options)
        let session = InferenceSession(model, pool: WorkerPool(width: 1))
        return (model, try session.run(graph.randomInputs(seed: 3)).map { $0.array() })
    }

    @Test(arguments: InstructionSet.available)
    func aSecondModelPacksNothing(set: InstructionSet) throws {
        let graph = network()
        let shared = SharedWeights()
        let options = PreparationOptions(
            instructionSet: set, workers: WorkerPool(width: 2), sharedWeights: shared)
        let (alone, expected) = try outputs(graph, PreparationOptions(instructionSet: set))
        let (first, firstResults) = try outputs(graph, options)
        #expect(shared.byteCount == alone.weightByteCount)
        let (second, secondResults) = try outputs(graph, options)
        #expect(shared.byteCount == alone.weightByteCount)
        #expect(firstResults == expected)
        #expect(secondResults == expected)
        withExtendedLifetime((first, second)) {}
    }

    /// The layers in common are those with the same packing: another batch size has them all.
    @Test func batchSizesShare() throws {
        let graph = network()
        let shared = SharedWeights()
        let options = PreparationOptions(sharedWeights: shared)
        let one = try PreparedModel(graph, options: options)
        let three = try PreparedModel(try graph.withBatchSize(3), options: options)
        #expect(shared.byteCount == one.weightByteCount)
        #expect(three.weightByteCount == one.weightByteCount)
    }

    @Test func weightsLiveAsLongAsAModelUsesThem() throws {
        let graph = network()
        let shared = SharedWeights()
        let options = PreparationOptions(sharedWeights: shared)
        var first: PreparedModel? = try PreparedModel(graph, options: options)
        let byteCount = try #require(first?.weightByteCount)
        var second: PreparedModel? = try PreparedModel(graph, options: options)
        first = nil
        #expect(shared.byteCount == byteCount)
        let session = InferenceSession(try #require(second), pool: WorkerPool(width: 1))
        let (_, expected) = try outputs(graph, PreparationOptions())
        #expect(try session.run(graph.randomInputs(seed: 3)).map { $0.array() } == expected)
        second = nil
        withExtendedLifetime(session) { #expect(shared.byteCount == byteCount) }
    }

    @Test func nothingIsKeptForNobody() throws {
        let shared = SharedWeights()
        _ = try PreparedModel(network(), options: PreparationOptions(sharedWeights: shared))
        #expect(shared.byteCount == 0)
    }

    /// Weights that are equal but lie elsewhere, or are packed for other kernels, are not the same.
    @Test func whatDiffersIsPackedApart() throws {
        let shared = SharedWeights()
        var models: [PreparedModel] = []
        var expected = 0
        for set in InstructionSet.available {
            for graph in [network(), network()] {
                models.append(
                    try PreparedModel(
                        graph, options: PreparationOptions(instructionSet: set, sharedWeights: shared)))
                expected += models[models.count - 1].weightByteCount
            }
        }
        #expect(shared.byteCount == expected)
    }
}
