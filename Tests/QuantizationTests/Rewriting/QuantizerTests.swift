internal import InferenceEngine
internal import ModelGraph
internal import Quantization
internal import TestSupport
internal import Testing

@Suite struct QuantizerTests {
    // MARK: Activations

    @Test(arguments: 0..<200 as Range<UInt64>)
    func zeroIsExactAndTheRangeFits(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let ends = (0..<2).map { _ in Float.random(in: -10...10, using: &generator) }.sorted()
        let quantization = Quantizer.quantization(of: ActivationRange(lower: ends[0], upper: ends[1]))
        #expect(quantization.quantize(0) == quantization.zeroPoint, "seed \(seed)")
        #expect(quantization.dequantize(quantization.zeroPoint) == 0)
        // Rounding the zero point moves the ends by half a step at most; rounding to a code by another half.
        for value in stride(from: ends[0], through: ends[1], by: (ends[1] - ends[0]) / 100) {
            let error = abs(quantization.dequantize(quantization.quantize(value)) - value)
            #expect(error <= quantization.scale * 1.001, "seed \(seed): \(value)")
        }
    }

    @Test(arguments: [
        ActivationRange(lower: 0, upper: 0), ActivationRange(lower: 0, upper: Float.leastNonzeroMagnitude),
        ActivationRange(lower: -3e38, upper: 3e38), ActivationRange(lower: 3, upper: 5),
        ActivationRange(lower: -5, upper: -3),
    ])
    func extremeRangesHaveAScale(range: ActivationRange) {
        let quantization = Quantizer.quantization(of: range)
        #expect(quantization.scale.isNormal)
        #expect(quantization.quantize(0) == quantization.zeroPoint)
    }

    private func quantized(_ graph: Graph, seed: UInt64 = 1) throws -> QuantizedGraph {
        let calibration = try Calibration.measure(graph, method: .minMax, count: 4, pool: WorkerPool(width: 1)) {
            graph.randomInputs(seed: seed &+ UInt64($0))
        }
        var options = Quantizer.Options()
        options.clipsWeights = false
        return Quantizer(graph, calibration: calibration, options: options).quantized()
    }

    @Test func whatOnlyMovesElementsSharesAQuantisation() throws {
        var builder = GraphBuilder(name: "moves", seed: 1)
        let x = builder.input("x", [1, 4, 8, 8])
        let left = builder.convolution("left", x, outputs: 4)
        let right = builder.convolution("right", x, outputs: 4, activation: .relu)
        let apart = builder.convolution("apart", x, outputs: 4, activation: .relu6)
        let pooled = builder.node("pooled", .maxPool(Pooling(window: Window(kernel: [2, 2]))), left)
        let cut = builder.node(
            "cut", .slice(Slice(starts: [0, 0], ends: [7, 7], axes: [2, 3], steps: [1, 1])), right)
        let joined = builder.node("joined", .concat(axis: 1), pooled, cut)
        let turned = builder.node("turned", .transpose(permutation: [0, 2, 3, 1]), joined)
        let flat = builder.node("flat", .reshape(extents: [0, -1], allowZero: false), turned)
        let averaged = builder.node("averaged", .globalAveragePool, joined)
        for output in [flat, averaged, apart] { builder.output(output) }
        let quantized = try quantized(builder.graph)
        let shared = try #require(quantized[left])
        for value in [right, pooled, cut, joined, turned, flat] {
            #expect(quantized[value] == shared, "\(builder.graph[value].name)")
        }
        for value in [x, averaged, apart] { #expect(quantized[value] != shared, "\(builder.graph[value].name)") }
    }

    @Test func everyPartOfASplitSharesItsQuantisation() throws {
        var graph = Graph(name: "split")
        let x = graph.addInput("x", TensorType(.float32, [1, 4, 3, 3]))
        graph.outputs = try graph.append(
            .split(axis: 1, sizes: [1, 3]), name: "split", inputs: [x], outputNames: ["first", "rest"])
        let quantized = try quantized(graph)
        for output in graph.outputs { #expect(quantized[output] == quantized[x]) }
    }

    @Test func onlyFloatActivationsAreQuantised() throws {
        var builder = GraphBuilder(name: "types", seed: 2)
        let x = builder.input("x", [1, 3, 4, 4])
        let convolved = builder.convolution("convolved", x, outputs: 2)
        let best = builder.node("best", .argMax(axis: 1, keepsDimensions: false, selectsLastIndex: false), convolved)
        builder.output(best)
        let quantized = try quantized(builder.graph)
        #expect(quantized[x] != nil && quantized[convolved] != nil && quantized[best] == nil)
        for (index, value) in builder.graph.values.enumerated() where value.constant != nil {
            #expect(quantized.activations[index] == nil)
        }
    }

    // MARK: Weights

    @Test(arguments: 0..<50 as Range<UInt64>)
    func weightsAreOffByHalfAStepAtMost(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let shape: Shape = [5, 3, 3, 3]
        let values = (0..<shape.elementCount).map { index in
            Float.random(in: -1...1, using: &generator) * Float(index / 27 + 1)
        }
        let bias = (0..<5).map { _ in Float.random(in: -3...3, using: &generator) }
        let inputScale: Float = 0.017
        let weights = WeightRows(
            WeightedLayer(values: values, shape: shape, bias: bias, coverage: [Double](repeating: 1, count: 9)),
            inputScale: inputScale
        ).quantized()
        let integers = weights.values.array(of: Int8.self)
        let biases = weights.bias.array(of: Int32.self)
        for (index, value) in values.enumerated() {
            let scale = weights.scales[index / 27]
            #expect(abs(Float(integers[index]) * scale - value) <= scale * 0.5001, "seed \(seed)")
            #expect(integers[index] != -128)
        }
        for row in 0..<5 {
            let unit = inputScale * weights.scales[row]
            #expect(abs(Float(biases[row]) * unit - bias[row]) <= unit * 0.51 + abs(bias[row]) * 1e-6, "seed \(seed)")
            #expect(integers[row * 27..<row * 27 + 27].contains { abs($0) == 127 })
        }
    }

    @Test func tinyWeightsLeaveRoomForALargeBias() {
        let layer = WeightedLayer(values: [1e-9, -2e-9, 0.5, 1], shape: [2, 2], bias: [100, -0.25])
        let weights = WeightRows(layer, inputScale: 0.01).quantized()
        let biases = weights.bias.array(of: Int32.self)
        let restored = Double(biases[0]) * Double(weights.scales[0]) * 0.01
        #expect(abs(restored - 100) < 1e-4 && abs(biases[0]) <= 1 << 30)
        // The other row keeps its own resolution.
        #expect(weights.values.array(of: Int8.self)[2...] == [64, 127])
    }

    @Test func deadChannelsHaveAScale() {
        let layer = WeightedLayer(
            values: [0, 0, Float.leastNonzeroMagnitude, 0, 0, 0], shape: [3, 2], bias: [0, 0, 7])
        let weights = WeightRows(layer, inputScale: 0.1).quantized()
        #expect(weights.scales.allSatisfy { $0.isNormal })
        #expect(weights.values.array(of: Int8.self).allSatisfy { $0 == 0 })
        let biases = weights.bias.array(of: Int32.self)
        #expect(biases[0] == 0 && biases[1] == 0)
        #expect(abs(Float(biases[2]) * weights.scales[2] * 0.1 - 7) < 1e-5)
    }

    @Test func matrixProductsAreStoredByOutput() throws {
        var builder = GraphBuilder(name: "matrix", seed: 3)
        let x = builder.input("x", [2, 3])
        let weights = builder.constant("w", [3, 4])
        let bias = builder.constant("b", [4])
        builder.output(builder.node("y", .gemm(Gemm(alpha: 2, beta: 0.5)), x, weights, bias))
        let quantized = try quantized(builder.graph)
        let integers = try #require(quantized.weights[0])
        #expect(integers.values.shape == [4, 3])
        let (real, stored) = (
            builder.graph[weights].constant?.array(of: Float.self), integers.values.array(of: Int8.self)
        )
        let source = try #require(real)
        for row in 0..<4 {
            for column in 0..<3 {
                let restored = Float(stored[row * 3 + column]) * integers.scales[row]
                #expect(abs(restored - 2 * source[column * 4 + row]) <= integers.scales[row] * 0.5001)
            }
        }
    }

    /// A column of C is one value for each row of the product, which a bias for each output cannot be.
    @Test func aBiasForEachRowStaysFloat() throws {
        var builder = GraphBuilder(name: "column", seed: 4)
        let x = builder.input("x", [3, 2])
        let weights = builder.constant("w", [2, 3])
        builder.output(builder.node("y", .gemm(Gemm()), x, weights, builder.constant("c", [3, 1])))
        #expect(try quantized(builder.graph).weights[0] == nil)
    }

    /// A clamp may hide what such weights compute from calibration.
    @Test(arguments: [Float.nan, .infinity])
    func oddWeightsStayFloat(odd: Float) throws {
        var graph = Graph(name: "odd")
        let x = graph.addInput("x", TensorType(.float32, [1, 2]))
        let weights = graph.addConstant("w", Tensor([1, odd] as [Float], shape: [1, 2]))
        graph.outputs = try graph.append(
            .gemm(Gemm(transposesB: true)), name: "y", inputs: [x, weights], outputNames: ["y"])
        let range = ActivationRange(lower: -1, upper: 1)
        let seen = ActivationStatistics(range)
        let calibration = Calibration(method: .minMax, inputCount: 1, statistics: [seen, nil, seen])
        #expect(Quantizer(graph, calibration: calibration).quantized().weights[0] == nil)
    }
}
