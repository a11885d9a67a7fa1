internal import InferenceEngine
internal import ModelGraph
internal import TestSupport
internal import Testing

/// Networks that state their quantisation as pairs of quantizeLinear and dequantizeLinear.
@Suite struct StoredQuantizationTests {
    private static let pool = WorkerPool(width: 2)

    /// A pair as files write it: one scale and zero point, both read twice.
    private func pair(
        _ builder: inout GraphBuilder, _ name: String, _ x: ValueID, scale: Float, _ zeroPoint: Tensor
    ) -> ValueID {
        let parameters = [
            builder.constant("\(name).scale", Tensor(scalar: scale)), builder.constant("\(name).zero", zeroPoint),
        ]
        let levels = builder.node(
            "\(name).levels", .quantizeLinear(axis: 0, to: zeroPoint.elementType), [x] + parameters)
        return builder.node(name, .dequantizeLinear(axis: 0), [levels] + parameters)
    }

    /// uint8 and int8, in both layouts, through movements, onto the same grid and another.
    private func network(seed: UInt64) -> Graph {
        var builder = GraphBuilder(name: "stated", seed: seed)
        let x = pair(&builder, "a", builder.input("x", [2, 6, 7, 5]), scale: 0.013, Tensor(scalar: UInt8(97)))
        let pooled = builder.node(
            "pooled", .maxPool(Pooling(window: Window(kernel: [2, 2], padsBegin: [1, 0], padsEnd: [0, 1]))), x)
        let same = pair(&builder, "b", pooled, scale: 0.013, Tensor(scalar: UInt8(97)))
        let shuffled = builder.node("shuffled", .channelShuffle(groups: 3), same)
        let coarser = pair(&builder, "c", shuffled, scale: 0.031, Tensor(scalar: Int8(-100)))
        let joined = builder.node("joined", .concat(axis: 1), coarser, same)
        let flat = builder.node("flat", .flatten(axis: 1), joined)
        builder.output(pair(&builder, "d", flat, scale: 0.02, Tensor(scalar: Int8(3))))
        builder.output(coarser)
        return builder.graph
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func pairsKeepTheDefinitionBitForBit(seed: UInt64) throws {
        let graph = network(seed: seed)
        let inputs = graph.randomInputs(seed: seed)
        let expected = try ReferenceExecutor(graph).run(inputs)
        for set in InstructionSet.available {
            let model = try PreparedModel(graph, options: PreparationOptions(instructionSet: set))
            #expect(model.nodesWithoutKernel.isEmpty)
            for (output, wanted) in zip(try InferenceSession(model, pool: Self.pool).run(inputs), expected) {
                #expect(output.array(of: Float.self) == wanted.array(of: Float.self), "seed \(seed), \(set)")
            }
        }
    }

    /// A cut between the two halves of a pair sends what the first half gives.
    @Test func everyCutGivesTheWhole() throws {
        let graph = network(seed: 1)
        let inputs = graph.randomInputs(seed: 2)
        let whole = try InferenceSession(try PreparedModel(graph), pool: Self.pool).run(inputs)
        let expected = Dictionary(uniqueKeysWithValues: zip(graph.outputs.map { graph[$0].name }, whole))
        for count in 1..<graph.nodes.count {
            let cut = try Cut(headNodes: Array(graph.nodeIDs).prefix(count), of: graph)
            guard !cut.tailOutputs.isEmpty else { continue }
            let head = try graph.extracting(
                inputs: graph.inputs, outputs: cut.boundary.filter { !graph.inputs.contains($0) }, name: "head")
            let tail = try graph.extracting(inputs: cut.boundary, outputs: cut.tailOutputs, name: "tail")
            let sent = try InferenceSession(try PreparedModel(head), pool: Self.pool).run(inputs)
            let names = head.outputs.map { head[$0].name } + graph.inputs.map { graph[$0].name }
            let known = Dictionary(uniqueKeysWithValues: zip(names, sent + inputs))
            let operands = try tail.inputs.map { try #require(known[tail[$0].name]) }
            let results = try InferenceSession(try PreparedModel(tail), pool: Self.pool).run(operands)
            for (id, result) in zip(tail.outputs, results) {
                #expect(
                    result.array(of: Float.self) == expected[tail[id].name]?.array(of: Float.self),
                    "\(tail[id].name) after \(count) nodes")
            }
        }
    }
}
