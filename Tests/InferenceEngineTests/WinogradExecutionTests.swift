internal import InferenceEngine
internal import ModelGraph
internal import TestSupport
internal import Testing

/// Networks whose convolutions run by Winograd's algorithm, against those that may not.
@Suite struct WinogradExecutionTests {
    private static let vectorSets = InstructionSet.available.filter { $0 != .scalar }

    /// 3 × 3 convolutions with a residual, in a concatenation, of few and of many tiles.
    private static func network(batch: Int) -> Graph {
        var builder = GraphBuilder(name: "winograd", seed: 31)
        let x = builder.input("x", [batch, 32, 21, 30])
        let first = builder.convolution("first", x, outputs: 48, activation: .relu)
        let second = builder.convolution("second", first, outputs: 48)
        let sum = builder.node("sum", .binary(.add, activation: .relu), second, first)
        let left = builder.convolution("left", sum, outputs: 40, kernel: 1)
        let right = builder.convolution("right", sum, outputs: 70)
        let both = builder.node("both", .concat(axis: 1), left, right)
        let halved = builder.node(
            "halved", .maxPool(Pooling(window: Window(kernel: [2, 2], strides: [2, 2]))), both)
        builder.output(builder.convolution("few", halved, outputs: 300))
        builder.output(both)
        return builder.graph
    }

    private func outputs(_ graph: Graph, _ inputs: [Tensor], _ options: PreparationOptions, width: Int) throws
        -> [Tensor]
    {
        try InferenceSession(try PreparedModel(graph, options: options), pool: WorkerPool(width: width)).run(inputs)
    }

    @Test(arguments: vectorSets) func isUsedUnlessForbiddenAndStaysClose(set: InstructionSet) throws {
        let graph = Self.network(batch: 2)
        let inputs = graph.randomInputs(seed: 32)
        let wanted = try ReferenceExecutor(graph).run(inputs)
        let allowed = PreparationOptions(instructionSet: set)
        let forbidden = PreparationOptions(instructionSet: set, allowsWinograd: false)
        // Transformed weights are the larger.
        #expect(
            try PreparedModel(graph, options: allowed).weightByteCount
                > 2 * PreparedModel(graph, options: forbidden).weightByteCount)
        let single = try outputs(graph, inputs, allowed, width: 1)
        for (output, definition) in zip(single, wanted) { #expect(output.relativeDifference(from: definition) < 2e-5) }
        for width in 2...4 {
            let divided = try outputs(graph, inputs, allowed, width: width)
            for (output, expected) in zip(divided, single) {
                #expect(output.array(of: Float.self) == expected.array(of: Float.self), "\(width) threads")
            }
        }
    }

    /// A batch gives the very results of its images.
    @Test(arguments: vectorSets) func batchesAreTheirImages(set: InstructionSet) throws {
        let options = PreparationOptions(instructionSet: set)
        let inputs = Self.network(batch: 3).randomInputs(seed: 33)
        let together = try outputs(Self.network(batch: 3), inputs, options, width: 2)
        let values = inputs[0].array(of: Float.self)
        let size = values.count / 3
        for image in 0..<3 {
            let input = Tensor(Array(values[image * size..<(image + 1) * size]), shape: [1, 32, 21, 30])
            let alone = try outputs(Self.network(batch: 1), [input], options, width: 1)
            for (whole, part) in zip(together, alone) {
                let expected = part.array(of: Float.self)
                let all = whole.array(of: Float.self)
                #expect(Array(all[image * expected.count..<(image + 1) * expected.count]) == expected)
            }
        }
    }
}
