internal import InferenceEngine
internal import ModelGraph
internal import TestSupport
internal import Testing

/// Prepared float32 networks against the definition of their operators.
@Suite struct FloatExecutionTests {
    private static let pools = (1...3).map { WorkerPool(width: $0) }

    /// Runs `graph` in every way the machine can; two runs each, for what the first leaves behind must not matter.
    private func expectDefinition(_ graph: Graph, seed: UInt64) throws {
        let inputs = graph.randomInputs(seed: seed)
        let expected = try ReferenceExecutor(graph).run(inputs)
        for set in InstructionSet.available {
            let model = try PreparedModel(graph, options: PreparationOptions(instructionSet: set))
            for pool in Self.pools {
                let session = InferenceSession(model, pool: pool)
                _ = try session.run(graph.randomInputs(seed: seed &+ 1))
                let outputs = try session.run(inputs)
                #expect(outputs.count == expected.count)
                for (index, (output, wanted)) in zip(outputs, expected).enumerated() {
                    let difference = output.relativeDifference(from: wanted)
                    #expect(
                        difference < 5e-5,
                        "\(graph.name) seed \(seed), \(set), \(pool.width) threads, output \(index) (\(graph[graph.outputs[index]].name))"
                    )
                }
            }
        }
    }

    @Test(arguments: 0..<150 as Range<UInt64>)
    func randomNetworksKeepTheDefinition(seed: UInt64) throws {
        try expectDefinition(RandomNetwork.make(seed: seed), seed: seed)
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func randomGraphsKeepTheDefinitionBeforeAndAfterSimplification(seed: UInt64) throws {
        let graph = RandomGraph.make(seed: seed)
        try expectDefinition(graph, seed: seed)
        try expectDefinition(try graph.simplified(), seed: seed)
    }

    @Test(arguments: 0..<4)
    func testGraphsKeepTheDefinition(index: Int) throws {
        try expectDefinition(TestGraphs.all[index], seed: 5)
    }

    /// Layers large enough for every part to get its share of pixels, or of output channels.
    @Test func dividedLayersKeepTheDefinition() throws {
        var builder = GraphBuilder(name: "divided", seed: 7)
        let x = builder.input("x", [2, 24, 19, 23])
        let wide = builder.convolution("wide", x, outputs: 40, activation: .relu)
        let grouped = builder.convolution("grouped", wide, outputs: 60, groups: 4)
        let depthwise = builder.convolution("depthwise", grouped, outputs: 60, groups: 60)
        let multiplied = builder.convolution("multiplied", depthwise, outputs: 120, groups: 60)
        let narrow = builder.convolution("narrow", multiplied, outputs: 24, kernel: 1)
        let sum = builder.node("sum", .binary(.add, activation: .relu), narrow, x)
        let product = builder.node("product", .binary(.multiply, activation: nil), sum, x)
        let both = builder.node("both", .concat(axis: 1), product, sum, x)
        let pooled = builder.node(
            "pooled", .averagePool(Pooling(window: Window(kernel: [2, 2], strides: [2, 2]))), both)
        let negative = builder.node("negative", .unary(.sigmoid), pooled)
        let rows = builder.node("rows", .softmax(Softmax(axis: 3)), negative)
        builder.output(builder.classifier("few pixels, many outputs", rows, outputs: 700))
        builder.output(both)
        try expectDefinition(builder.graph, seed: 8)
    }

    /// Operands rounded to 8 significant bits: an error of 2⁻⁸ each, which averages out over a sum.
    @Test(.enabled(if: InstructionSet.best.hasBFloat16, "this CPU does not multiply bfloat16"))
    func bfloat16StaysNearTheDefinition() throws {
        var builder = GraphBuilder(name: "bfloat16", seed: 11)
        let x = builder.input("x", [2, 32, 17, 13])
        let wide = builder.convolution("wide", x, outputs: 48, activation: .relu)
        let grouped = builder.convolution("grouped", wide, outputs: 64, groups: 2)
        let narrow = builder.convolution("narrow", grouped, outputs: 32, kernel: 1)
        builder.output(builder.node("sum", .binary(.add, activation: .relu), narrow, x))
        let inputs = builder.graph.randomInputs(seed: 12)
        let expected = try ReferenceExecutor(builder.graph).run(inputs)
        let exact = try PreparedModel(builder.graph, options: PreparationOptions(allowsWinograd: false))
        let rounded = try PreparedModel(
            builder.graph, options: PreparationOptions(allowsBFloat16: true, allowsWinograd: false))
        #expect(rounded.weightByteCount < exact.weightByteCount * 2 / 3)
        for pool in Self.pools {
            let output = try InferenceSession(rounded, pool: pool).run(inputs)[0]
            #expect(output.relativeDifference(from: expected[0]) < 0x1p-7)
            #expect(output.relativeDifference(from: expected[0]) > 0x1p-16, "nothing was rounded")
        }
    }

    @Test func inputsAndConstantsMayBeOutputs() throws {
        var builder = GraphBuilder(name: "passing", seed: 9)
        let x = builder.input("x", [1, 3, 2, 2])
        let unused = builder.input("unused", [4])
        let constant = builder.constant("constant", [1, 2, 3, 3])
        let pooled = builder.node("pooled", .globalMaxPool, constant)
        let same = builder.node("same", .identity, x)
        let flat = builder.node("flat", .flatten(axis: 1), same)
        for output in [x, constant, same, flat, pooled, x, unused] { builder.output(output) }
        try expectDefinition(builder.graph, seed: 10)
    }

    @Test func emptyTensorsPassThrough() throws {
        var builder = GraphBuilder(name: "empty", seed: 11)
        let x = builder.input("x", [0, 3, 4, 4])
        let convolved = builder.convolution("convolved", x, outputs: 5, activation: .relu)
        let sum = builder.node("sum", .binary(.add, activation: nil), convolved, convolved)
        let both = builder.node("both", .concat(axis: 1), sum, convolved)
        builder.output(builder.node("pooled", .globalAveragePool, both))
        builder.output(builder.node("curve", .unary(.tanh), both))
        try expectDefinition(builder.graph, seed: 12)
    }

    /// Every form of a port holds the same values.
    @Test func portFormsConvertBothWays() throws {
        let graph = TestGraphs.severalOutputs()
        let inputs = graph.randomInputs(seed: 13)
        let pool = Self.pools[1]
        let expected = try InferenceSession(try PreparedModel(graph), pool: pool).run(inputs)
        let last = PortRequest.exactly(TensorForm(layout: .channelsLast))
        let options = PreparationOptions(defaultInput: last, outputForms: ["boxes": last])
        let session = InferenceSession(try PreparedModel(graph, options: options), pool: pool)
        let (channels, pixels) = (3, 256)
        let values = inputs[0].array(of: Float.self)
        let target = session.input(0).bindMemory(to: Float.self)
        for channel in 0..<channels {
            for pixel in 0..<pixels { target[pixel * channels + channel] = values[channel * pixels + pixel] }
        }
        try session.run()
        let outputs = session.copyOutputs()
        #expect(outputs[0].array(of: Float.self) == expected[0].array(of: Float.self))
        let (boxes, plain) = (outputs[1].array(of: Float.self), expected[1].array(of: Float.self))
        for index in plain.indices { #expect(boxes[index % 64 * 8 + index / 64] == plain[index]) }
    }
}
