internal import InferenceEngine
internal import ModelGraph
internal import Quantization
internal import TestSupport
internal import Testing

/// Networks whose file states their quantisation: what is taken up, and that it computes what the file says.
@Suite struct StatedQuantizationTests {
    private static let pool = WorkerPool(width: 2)

    @Test(arguments: 0..<20 as Range<UInt64>)
    func integersGiveWhatTheFileSays(seed: UInt64) throws {
        let graph = QuantizedFile.network(seed: seed)
        let quantized = try #require(try QuantizedGraph(statedIn: graph))
        #expect(quantized.weights.count { $0 != nil } == 4)
        #expect(
            quantized.graph.nodes.allSatisfy { !["quantizeLinear", "dequantizeLinear"].contains($0.operation.kind) })
        #expect(quantized.graph.outputs.map { quantized.graph[$0].name } == ["logits"])
        let natural = PreparationOptions(defaultInput: .natural, defaultOutput: .natural)
        #expect(try PreparedModel(quantized, options: natural).nodesInFloat.isEmpty)
        let inputs = graph.randomInputs(seed: seed)
        let wanted = try ReferenceExecutor(graph).run(inputs)[0].array(of: Float.self)
        for set in InstructionSet.available {
            let model = try PreparedModel(quantized, options: PreparationOptions(instructionSet: set))
            let got = try InferenceSession(model, pool: Self.pool).run(inputs)[0].array(of: Float.self)
            for (value, expected) in zip(got, wanted) {
                #expect(abs(value - expected) <= 0.01001, "seed \(seed), \(set)")
            }
        }
    }

    /// Levels that need nine bits stay with the float32 kernels; every value is still rounded as the file says.
    @Test(arguments: 0..<10 as Range<UInt64>)
    func layersThatDoNotFitStayInFloat(seed: UInt64) throws {
        var graph = QuantizedFile.network(seed: seed, largestLevel: 170)
        #expect(try QuantizedGraph(statedIn: graph) == nil)
        // One that fits among them.
        let levels = try #require(graph.value(named: "second.w.levels"))
        let zero = try #require(graph.value(named: "second.w.zero"))
        graph[zero].constant = Tensor([UInt8](repeating: 128, count: 8), shape: [8])
        graph[levels].constant = Tensor(
            graph[levels].constant!.array(of: UInt8.self).map { max($0, 1) }, shape: graph[levels].type.shape)
        let quantized = try #require(try QuantizedGraph(statedIn: graph))
        #expect(quantized.weights.count { $0 != nil } == 1)
        let inputs = graph.randomInputs(seed: seed)
        let wanted = try ReferenceExecutor(graph).run(inputs)[0].array(of: Float.self)
        let got = try InferenceSession(try PreparedModel(quantized, options: PreparationOptions()), pool: Self.pool)
            .run(inputs)[0]
        for (value, expected) in zip(got.array(of: Float.self), wanted) {
            #expect(abs(value - expected) <= 0.01501, "seed \(seed)")
        }
    }

    /// Networks trained for their quantisation rely on its ends, as on a ReLU6.
    @Test func float32SaturatesAsStated() throws {
        var writer = QuantizedFile(seed: 3)
        let x = writer.pair("x.q", writer.builder.input("x", [1, 3, 6, 6]), scale: 0.02, 128)
        let y = writer.pair("y.q", writer.convolution("y", x, outputs: 4), scale: 0.001, 10)
        writer.builder.output(writer.pair("z.q", writer.convolution("z", y, outputs: 4), scale: 0.001, 100))
        let graph = writer.builder.graph
        let stated = try #require(try StatedQuantization(of: graph))
        let inputs = graph.randomInputs(seed: 4)
        let wanted = try ReferenceExecutor(graph).run(inputs)[0].array(of: Float.self)
        let got = try ReferenceExecutor(stated.graph).run(inputs)[0].array(of: Float.self)
        for (value, expected) in zip(got, wanted) { #expect(abs(value - expected) < 0.02) }
        #expect(got.allSatisfy { (-0.1001...0.1551).contains($0) })
        #expect(stated.activations.keys.sorted() == ["x", "y.q", "z.q"])
    }

    /// A value that something reads before it is rounded keeps its pair.
    @Test func whatIsReadUnroundedIsNotQuantised() throws {
        var writer = QuantizedFile(seed: 5)
        let x = writer.pair("x.q", writer.builder.input("x", [1, 3, 6, 6]), scale: 0.02, 128)
        let y = writer.convolution("y", x, outputs: 4)
        let rounded = writer.pair("y.q", y, scale: 0.01, 128)
        writer.builder.output(writer.builder.node("both", .binary(.add, activation: nil), y, rounded))
        let stated = try #require(try StatedQuantization(of: writer.builder.graph))
        #expect(stated.activations.keys.sorted() == ["x"])
        #expect(stated.graph.nodes.contains { $0.operation.kind == "quantizeLinear" })
    }

    @Test func floatNetworksStateNothing() throws {
        var builder = GraphBuilder(name: "float", seed: 1)
        builder.output(builder.convolution("y", builder.input("x", [1, 3, 6, 6]), outputs: 4))
        #expect(try QuantizedGraph(statedIn: builder.graph) == nil)
    }
}
