internal import InferenceEngine
internal import ModelGraph
internal import Quantization
internal import TestSupport
internal import Testing

/// Networks whose file states their quantisation: what is taken up, and that it computes what the file says.
@Suite struct StatedQuantizationTests {
    private static let pool = WorkerPool(width: 2)

    /// Writes networks as files keep them: activations between pairs, weights behind a dequantizeLinear.
    private struct Writer {
        var builder: GraphBuilder
        var generator: SplitMix64
        /// Levels of weights go up to this, either way.
        var largestLevel = 127

        init(seed: UInt64) {
            builder = GraphBuilder(name: "stated", seed: seed)
            generator = SplitMix64(seed: seed)
        }

        mutating func pair(_ name: String, _ x: ValueID, scale: Float, _ zeroPoint: Int) -> ValueID {
            let zero = zeroPoint < 0 ? Tensor(scalar: Int8(zeroPoint)) : Tensor(scalar: UInt8(zeroPoint))
            let parameters = [
                builder.constant("\(name).scale", Tensor(scalar: scale)), builder.constant("\(name).zero", zero),
            ]
            let levels = builder.node(
                "\(name).levels", .quantizeLinear(axis: 0, to: zero.elementType), [x] + parameters)
            return builder.node(name, .dequantizeLinear(axis: 0), [levels] + parameters)
        }

        /// int8 `[shape]` with a scale for each index of `axis`.
        mutating func weights(_ name: String, _ shape: Shape, axis: Int) -> ValueID {
            let range = -largestLevel...largestLevel
            let levels: Tensor
            let zero: Tensor
            if largestLevel <= 127 {
                levels = Tensor(
                    (0..<shape.elementCount).map { _ in Int8(Int.random(in: range, using: &generator)) }, shape: shape)
                zero = Tensor([Int8](repeating: 0, count: shape[axis]), shape: [shape[axis]])
            } else {
                // uint8 with a zero point off the middle.
                levels = Tensor(
                    (0..<shape.elementCount).map { _ in UInt8.random(in: 0...255, using: &generator) }, shape: shape)
                zero = Tensor([UInt8](repeating: UInt8(largestLevel), count: shape[axis]), shape: [shape[axis]])
            }
            let scales = (0..<shape[axis]).map { _ in Float.random(in: 0.002...0.004, using: &generator) }
            return builder.node(
                name, .dequantizeLinear(axis: axis),
                builder.constant("\(name).levels", levels),
                builder.constant("\(name).scales", Tensor(scales, shape: [scales.count])),
                builder.constant("\(name).zero", zero))
        }

        mutating func convolution(_ name: String, _ x: ValueID, outputs: Int, groups: Int = 1) -> ValueID {
            let channels = builder.shape(x)[1]
            let weights = weights("\(name).w", [outputs, channels / groups, 3, 3], axis: 0)
            let bias = builder.constant("\(name).b", [outputs], in: -0.2...0.2)
            let window = Window(kernel: [3, 3], padsBegin: [1, 1], padsEnd: [1, 1])
            return builder.node(
                name, .convolution(Convolution(window: window, groups: groups)), x, weights, bias)
        }
    }

    /// Convolutions plain and by channel, an addition, poolings, a matrix product, int8 and uint8 activations.
    private func network(seed: UInt64, largestLevel: Int = 127) -> Graph {
        var writer = Writer(seed: seed)
        writer.largestLevel = largestLevel
        let x = writer.pair("x.q", writer.builder.input("x", [1, 3, 12, 12]), scale: 0.008, 127)
        let first = writer.builder.relu("first.relu", writer.convolution("first", x, outputs: 8))
        let a = writer.pair("a", first, scale: 0.012, 0)
        let deep = writer.pair("deep", writer.convolution("depthwise", a, outputs: 8, groups: 8), scale: 0.01, -3)
        let wide = writer.pair("wide", writer.convolution("second", deep, outputs: 8), scale: 0.02, 120)
        let sum = writer.pair(
            "sum", writer.builder.node("add", .binary(.add, activation: nil), wide, a), scale: 0.015, 90)
        let pooled = writer.builder.node(
            "pooled", .maxPool(Pooling(window: Window(kernel: [2, 2], strides: [2, 2]))), sum)
        let same = writer.pair("pooled.q", pooled, scale: 0.015, 90)
        let mean = writer.pair("mean", writer.builder.node("average", .globalAveragePool, same), scale: 0.006, 100)
        let flat = writer.builder.node("flat", .flatten(axis: 1), mean)
        let product = writer.builder.node(
            "product", .gemm(Gemm(transposesB: true)), flat, writer.weights("product.w", [10, 8], axis: 0))
        writer.builder.output(writer.pair("logits", product, scale: 0.01, -1))
        return writer.builder.graph
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func integersGiveWhatTheFileSays(seed: UInt64) throws {
        let graph = network(seed: seed)
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
        var graph = network(seed: seed, largestLevel: 170)
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
        var writer = Writer(seed: 3)
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
        var writer = Writer(seed: 5)
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
