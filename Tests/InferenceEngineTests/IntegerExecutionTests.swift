internal import InferenceEngine
internal import ModelGraph
internal import TestSupport
internal import Testing

/// Prepared integer networks against the plain definition, bit for bit, whatever the machine offers.
@Suite struct IntegerExecutionTests {
    private static let pools = (1...3).map { WorkerPool(width: $0) }

    private func expectDefinition(_ graph: Graph, seed: UInt64) throws {
        let quantized = try MinMaxQuantization.quantized(graph, seed: seed)
        let inputs = graph.randomInputs(seed: seed &+ 1)
        var reference = IntegerReference(quantized)
        let expected = try reference.run(inputs).map { $0.array(of: Float.self) }
        for set in InstructionSet.available {
            let model = try PreparedModel(quantized, options: PreparationOptions(instructionSet: set))
            for pool in Self.pools {
                let session = InferenceSession(model, pool: pool)
                _ = try session.run(graph.randomInputs(seed: seed &+ 2))
                for (index, output) in try session.run(inputs).enumerated() {
                    let name = graph[graph.outputs[index]].name
                    #expect(
                        output.array(of: Float.self) == expected[index],
                        "\(graph.name) seed \(seed), \(set), \(pool.width) threads, output \(index) (\(name))")
                }
            }
        }
    }

    @Test(arguments: 0..<150 as Range<UInt64>)
    func randomNetworksKeepTheDefinition(seed: UInt64) throws {
        try expectDefinition(RandomNetwork.make(seed: seed, .integer), seed: seed)
    }

    @Test(arguments: 0..<3)
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
        let curved = builder.node("curved", .unary(.sigmoid), pooled)
        builder.output(builder.classifier("few pixels, many outputs", curved, outputs: 700))
        builder.output(both)
        try expectDefinition(builder.graph, seed: 8)
    }

    /// A block of MobileNetV3 or EfficientNet: nothing in it needs float32, whatever the number of images.
    @Test(arguments: [1, 3], [UnaryFunction.hardSwish, .swish(alpha: 1)])
    func gatedBlocksStayInIntegers(batch: Int, function: UnaryFunction) throws {
        var builder = GraphBuilder(name: "gated", seed: 9)
        let x = builder.input("x", [batch, 16, 9, 7])
        let wide = builder.node("wide.f", .unary(function), builder.convolution("wide", x, outputs: 40, kernel: 1))
        let deep = builder.node("deep.f", .unary(function), builder.convolution("deep", wide, outputs: 40, groups: 40))
        let pooled = builder.node("pooled", .globalAveragePool, deep)
        let squeezed = builder.convolution("squeezed", pooled, outputs: 10, kernel: 1, activation: .relu)
        let excited = builder.convolution("excited", squeezed, outputs: 40, kernel: 1)
        let gate = builder.node("gate", .unary(.hardSigmoid(alpha: 1 / 6, beta: 0.5)), excited)
        let gated = builder.node("gated", .binary(.multiply, activation: nil), gate, deep)
        let narrow = builder.convolution("narrow", gated, outputs: 16, kernel: 1)
        let sum = builder.node("sum", .binary(.add, activation: nil), narrow, x)
        let mean = Reduction(kind: .mean, axes: [2, 3], keepsDimensions: false)
        let features = builder.node("features", .reduce(mean), sum)
        builder.output(
            builder.node("y", .gemm(Gemm(transposesB: true)), features, builder.constant("y.w", [5, 16])))
        try expectDefinition(builder.graph, seed: 10)
        let quantized = try MinMaxQuantization.quantized(builder.graph, seed: 11)
        let options = PreparationOptions(defaultInput: .natural, defaultOutput: .natural)
        let model = try PreparedModel(quantized, options: options)
        #expect(model.nodesWithoutKernel.isEmpty && model.nodesInFloat.isEmpty, "\(model.nodesInFloat)")
    }

    /// A graph output in integers is handed out as it is, without a conversion.
    @Test func naturalPortsHoldCodes() throws {
        let graph = TestGraphs.residual()
        let quantized = try MinMaxQuantization.quantized(graph, seed: 3)
        let options = PreparationOptions(defaultInput: .natural, defaultOutput: .natural)
        let model = try PreparedModel(quantized, options: options)
        let port = model.inputs[0]
        #expect(port.form == TensorForm(quantization: quantized[graph.inputs[0]], layout: .channelsLast))
        #expect(model.outputs[0].form.quantization == quantized[graph.outputs[0]])
        let session = InferenceSession(model, pool: Self.pools[0])
        let input = graph.randomInputs(seed: 4)
        let quantization = try #require(port.form.quantization)
        let codes = session.input(0).bindMemory(to: UInt8.self)
        for (index, value) in input[0].array(of: Float.self).enumerated() {
            codes[index % 256 * 3 + index / 256] = quantization.quantize(value)
        }
        try session.run()
        var reference = IntegerReference(quantized)
        let expected = try reference.run(input)[0].array(of: Float.self)
        let result = session.copyOutputs()[0]
        let output = try #require(model.outputs[0].form.quantization)
        #expect(result.array(of: UInt8.self).map(output.dequantize) == expected)
    }
}
