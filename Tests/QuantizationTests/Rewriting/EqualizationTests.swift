internal import InferenceEngine
internal import ModelGraph
internal import Quantization
internal import TestSupport
internal import Testing

@Suite struct EqualizationTests {
    private let pool = WorkerPool(width: 1)

    private func calibration(_ graph: Graph) throws -> Calibration {
        try Calibration.measure(graph, count: 6, pool: pool) { graph.randomInputs(seed: UInt64($0)) }
    }

    /// Whatever network it is, its outputs stay the same to the last bit.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func theFloatNetworkStaysTheSame(seed: UInt64) throws {
        let graph =
            try seed < 4
            ? TestGraphs.all[Int(seed)] : RandomGraph.make(seed: seed, nodeCount: 12).simplified()
        let (equalized, _) = graph.equalized(by: try calibration(graph))
        try equalized.verify()
        let before = InferenceSession(try PreparedModel(graph), pool: pool)
        let after = InferenceSession(try PreparedModel(equalized), pool: pool)
        for index in 10..<14 as Range<UInt64> {
            let inputs = graph.randomInputs(seed: index)
            for (expected, got) in zip(try before.run(inputs), try after.run(inputs)) {
                let same = expected.withUnsafeBytes { left in got.withUnsafeBytes { left.elementsEqual($0) } }
                #expect(same, "seed \(seed)")
            }
        }
    }

    /// Two convolutions, the first of which makes channels of very different size.
    private func unequal(
        activation: Clamp?, groups: Int = 1, between: (inout GraphBuilder, ValueID) -> ValueID = { $1 }
    ) -> Graph {
        var builder = GraphBuilder(name: "unequal", seed: 7)
        let x = builder.input("x", [1, 3, 8, 8])
        let hidden = builder.convolution("hidden", x, outputs: 6, activation: activation)
        builder.output(builder.convolution("y", between(&builder, hidden), outputs: 6, groups: groups))
        var graph = builder.graph
        for name in ["hidden.w", "hidden.b"] {
            let value = graph.value(named: name)!
            let tensor = graph[value].constant!
            let columns = tensor.shape.elementCount / 6
            let scaled = tensor.array(of: Float.self).enumerated().map { index, element in
                element * Float(sign: .plus, exponent: -(index / columns), significand: 1)
            }
            graph[value].constant = Tensor(scaled, shape: tensor.shape)
        }
        return graph
    }

    private func spread(_ graph: Graph) throws -> Float {
        let calibration = try calibration(graph)
        let magnitudes = calibration[graph.value(named: "hidden")!]!.channels.ranges.map(\.magnitude)
        return magnitudes.max()! / magnitudes.min()!
    }

    /// A depthwise layer after it has a scale for each channel: nothing is lost by making up for all of the difference.
    @Test func channelsBeforeADepthwiseLayerBecomeAlike() throws {
        let graph = unequal(activation: .relu, groups: 6)
        let (equalized, scaled) = graph.equalized(by: try calibration(graph))
        #expect(scaled == ["hidden"])
        #expect(try spread(graph) > 10)
        // Factors are powers of two, rounded down.
        #expect(try spread(equalized) < 2.01)
    }

    @Test func smallNetworksLoseLess() throws {
        let graph = unequal(activation: .relu)
        func error(_ graph: Graph) throws -> Double {
            let quantized = Quantizer(graph, calibration: try calibration(graph)).quantized()
            return try OutputFidelity(graph, count: 6, pool: pool) { graph.randomInputs(seed: 100 + UInt64($0)) }
                .measure(quantized, pool: pool).decibels
        }
        let (equalized, _) = graph.equalized(by: try calibration(graph))
        #expect(try error(equalized) > error(graph))
    }

    @Test func additionsShareTheirFactors() throws {
        let graph = unequal(activation: nil) { builder, hidden in
            let other = builder.convolution("other", builder.graph.inputs[0], outputs: 6)
            return builder.node("sum", .binary(.add, activation: .relu), hidden, other)
        }
        let (_, scaled) = graph.equalized(by: try calibration(graph))
        #expect(scaled == ["hidden", "other"] || scaled.isEmpty)
        // Something else that reads one of the operands forbids it.
        let forbidden = unequal(activation: nil) { builder, hidden in
            let other = builder.convolution("other", builder.graph.inputs[0], outputs: 6)
            builder.output(builder.node("sigmoid", .unary(.sigmoid), other))
            return builder.node("sum", .binary(.add, activation: .relu), hidden, other)
        }
        #expect(forbidden.equalized(by: try calibration(forbidden)).scaled.isEmpty)
    }

    @Test func whatDoesNotCommuteIsLeftAlone() throws {
        let graphs = [
            unequal(activation: .relu6), unequal(activation: Clamp(lower: -1)),
            unequal(activation: nil) { $0.node("function", .unary(.hardSwish), $1) },
            unequal(activation: nil) { builder, hidden in
                builder.output(hidden)
                return hidden
            },
            unequal(activation: nil) { $0.node("softmax", .softmax(Softmax(axis: 1)), $1) },
        ]
        for (index, graph) in graphs.enumerated() {
            #expect(graph.equalized(by: try calibration(graph)).scaled.isEmpty, "\(index)")
        }
    }

    @Test func weightsThatSeveralLayersShareAreLeftAlone() throws {
        var builder = GraphBuilder(name: "shared", seed: 9)
        let x = builder.input("x", [1, 4, 8, 8])
        let weights = builder.constant("w", [4, 4, 1, 1])
        let pointwise = Operator.convolution(Convolution(window: Window(kernel: [1, 1]), activation: .relu))
        let first = builder.node("first", pointwise, x, weights)
        builder.output(builder.node("second", pointwise, first, weights))
        #expect(builder.graph.equalized(by: try calibration(builder.graph)).scaled.isEmpty)
    }
}
