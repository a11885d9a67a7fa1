internal import ModelGraph
internal import TestSupport
internal import Testing

/// What each rewrite makes of the pattern it is for, and where it must keep away.
@Suite struct RewriteTests {
    private func kinds(_ graph: Graph) -> [String] { graph.nodes.map(\.operation.kind) }

    private func simplified(
        _ builder: GraphBuilder, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Graph {
        let simplified = try builder.graph.simplified()
        let inputs = builder.graph.randomInputs(seed: 5)
        let expected = try ReferenceExecutor(builder.graph).run(inputs)
        for (actual, expected) in zip(try ReferenceExecutor(simplified).run(inputs), expected) {
            #expect(actual.relativeDifference(from: expected) <= 1e-5, sourceLocation: sourceLocation)
        }
        return simplified
    }

    @Test func convolutionTakesInWhatFollows() throws {
        var builder = GraphBuilder(name: "g", seed: 1)
        let input = builder.input("x", [1, 3, 6, 6])
        let pad = Pad(mode: .constant, begins: [0, 0, 1, 0], ends: [0, 0, 1, 2])
        let padded = builder.node("pad", .pad(pad), input)
        let convolution = builder.convolution("conv", padded, outputs: 4)
        let normalized = builder.batchNormalization("bn", convolution)
        let flat = builder.constant("gamma", [4])
        let gamma = builder.node("unsqueezed", .unsqueeze(axes: [1, 2]), flat)
        let scaled = builder.node("scaled", .binary(.multiply, activation: nil), gamma, normalized)
        let shifted = builder.node(
            "shifted", .binary(.subtract, activation: nil), scaled, builder.constant("beta", [1, 4, 1, 1]))
        let (low, high) = (builder.constant("low", [], in: -1...0), builder.constant("high", [], in: 0...1))
        let clipped = builder.node("clipped", .clip, shifted, low, high)
        builder.output(builder.relu("y", clipped))
        let graph = try simplified(builder)
        #expect(kinds(graph) == ["convolution"])
        #expect(graph[graph.outputs[0]].name == "y")
        #expect(graph.nodes[0].name == "conv")
        let bounds = try [low, high].map { try #require(builder.graph[$0].constant).array(of: Float.self)[0] }
        guard case .convolution(let fused) = graph.nodes[0].operation else { return }
        #expect(fused.activation == Clamp(lower: 0, upper: bounds[1]))
        #expect(fused.window.padsBegin == [2, 1] && fused.window.padsEnd == [2, 3])
    }

    @Test func valuesWithOtherReadersStay() throws {
        var builder = GraphBuilder(name: "g", seed: 2)
        let convolution = builder.convolution("conv", builder.input("x", [1, 3, 6, 6]), outputs: 4)
        let normalized = builder.batchNormalization("bn", convolution)
        builder.output(builder.relu("y", normalized))
        builder.output(convolution)
        let graph = try simplified(builder)
        // The normalisation cannot enter the first convolution, whose result is wanted; it becomes a second.
        #expect(kinds(graph) == ["convolution", "convolution"])
        #expect(graph.outputs.map { graph[$0].name } == ["y", "conv"])
        guard case .convolution(let depthwise) = graph.nodes[1].operation else { return }
        #expect(depthwise.groups == 4 && depthwise.window.isPointwise && depthwise.activation == .relu)
    }

    @Test func additionReadTwiceKeepsItsClampApart() throws {
        var builder = GraphBuilder(name: "g", seed: 3)
        let input = builder.input("x", [1, 3, 4, 4])
        let sum = builder.node("sum", .binary(.add, activation: nil), input, input)
        let relu = builder.relu("relu", sum)
        builder.output(builder.node("y", .binary(.multiply, activation: nil), relu, sum))
        #expect(kinds(try simplified(builder)) == ["add", "clamp", "multiply"])
    }

    @Test func gatesBecomeFunctions() throws {
        var builder = GraphBuilder(name: "g", seed: 15)
        let input = builder.input("x", [1, 3, 4, 4])
        let product = Operator.binary(.multiply, activation: nil)
        let sigmoid = builder.node("sigmoid", .unary(.sigmoid), input)
        builder.output(builder.node("swish", product, sigmoid, input))
        let hard = builder.node("hard", .unary(.hardSigmoid(alpha: 1 / 6, beta: 0.5)), input)
        builder.output(builder.node("hardSwish", product, input, hard))
        // Without the operator: relu6(x + 3) / 6, and x times that.
        for (index, divides) in [true, false].enumerated() {
            let three = builder.constant("three\(index)", [], in: 3...3)
            let sum = builder.node("sum\(index)", .binary(.add, activation: nil), input, three)
            let clamped = builder.node("clamped\(index)", .unary(.clamp(.relu6)), sum)
            let six = builder.constant("six\(index)", [1], in: divides ? 6...6 : 1 / 6...1 / 6)
            let quotient = builder.node(
                "quotient\(index)", .binary(divides ? .divide : .multiply, activation: nil), clamped, six)
            builder.output(divides ? quotient : builder.node("long", product, input, quotient))
        }
        let graph = try simplified(builder)
        #expect(kinds(graph) == ["swish", "hardSwish", "hardSigmoid", "hardSwish"])
        #expect(graph.outputs.map { graph[$0].name } == ["swish", "hardSwish", "quotient0", "long"])
    }

    @Test func gatesOfOtherValuesOrReadTwiceStay() throws {
        var builder = GraphBuilder(name: "g", seed: 16)
        let (x, y) = (builder.input("x", [1, 3, 4, 4]), builder.input("y", [1, 3, 4, 4]))
        let product = Operator.binary(.multiply, activation: nil)
        let other = builder.node("other", .unary(.sigmoid), y)
        builder.output(builder.node("gated", product, x, other))
        let sigmoid = builder.node("sigmoid", .unary(.sigmoid), x)
        builder.output(builder.node("swish", product, x, sigmoid))
        builder.output(sigmoid)
        let steep = builder.node("steep", .unary(.hardSigmoid(alpha: 0.2, beta: 0.5)), x)
        builder.output(builder.node("unnamed", product, x, steep))
        #expect(
            kinds(try simplified(builder)) == ["sigmoid", "multiply", "sigmoid", "multiply", "hardSigmoid", "multiply"])
    }

    @Test func arithmeticByChannelBecomesOneDepthwiseConvolution() throws {
        var builder = GraphBuilder(name: "g", seed: 17)
        let input = builder.input("x", [2, 3, 4, 4])
        let centered = builder.node(
            "centered", .binary(.subtract, activation: nil), input, builder.constant("mean", [1, 3, 1, 1]))
        let scaled = builder.node(
            "scaled", .binary(.divide, activation: nil), centered, builder.constant("deviation", [3, 1, 1], in: 1...2))
        let relu = builder.relu("relu", scaled)
        builder.output(builder.node("y", .binary(.multiply, activation: nil), builder.constant("two", []), relu))
        let graph = try simplified(builder)
        #expect(kinds(graph) == ["convolution", "convolution"])
        for node in graph.nodes {
            guard case .convolution(let convolution) = node.operation else { continue }
            #expect(convolution.groups == 3 && convolution.window.isPointwise)
        }
    }

    @Test func arithmeticOnEmptyPlanesStays() throws {
        var builder = GraphBuilder(name: "g", seed: 4)
        let input = builder.input("x", [1, 3, 4, 0])
        let shift = builder.constant("shift", [1])
        builder.output(builder.node("y", .binary(.subtract, activation: nil), input, shift))
        #expect(kinds(try simplified(builder)) == ["subtract"])
    }

    @Test func matrixProductAndBiasBecomeGemm() throws {
        var builder = GraphBuilder(name: "g", seed: 4)
        let input = builder.input("x", [2, 5])
        let product = builder.node("product", .matrixProduct, input, builder.constant("w", [5, 3]))
        let sum = builder.node("sum", .binary(.add, activation: nil), builder.constant("b", [3]), product)
        builder.output(builder.relu("y", sum))
        let graph = try simplified(builder)
        #expect(kinds(graph) == ["gemm"])
        #expect(graph.nodes[0].inputs.count == 3)
    }

    @Test func gemmKeepsRowwiseAddends() throws {
        var builder = GraphBuilder(name: "g", seed: 5)
        let input = builder.input("x", [2, 5])
        let gemm = Gemm(alpha: 0.5, beta: 2, transposesB: true)
        let addend = builder.constant("c", [2, 1])
        let product = builder.node("product", .gemm(gemm), input, builder.constant("w", [3, 5]), addend)
        let scale = builder.constant("s", [1, 3])
        builder.output(builder.node("y", .binary(.multiply, activation: nil), product, scale))
        #expect(kinds(try simplified(builder)) == ["gemm", "multiply"])
    }

    @Test func poolsOverWholePlanesBecomeGlobal() throws {
        var builder = GraphBuilder(name: "g", seed: 14)
        let input = builder.input("x", [2, 3, 4, 5])
        let pooling = Pooling(window: Window(kernel: [4, 5], strides: [2, 2]), roundsUp: true, countsPadding: true)
        builder.output(builder.node("average", .averagePool(pooling), input))
        builder.output(builder.node("maximum", .maxPool(pooling), input))
        builder.output(builder.node("mean", .reduce(Reduction(kind: .mean, axes: [-1, 2])), input))
        builder.output(builder.node("partial", .reduce(Reduction(kind: .mean, axes: [1, 2, 3])), input))
        let rows = Pooling(window: Window(kernel: [4, 4]))
        builder.output(builder.node("rows", .averagePool(rows), input))
        #expect(
            kinds(try simplified(builder)) == [
                "globalAveragePool", "globalMaxPool", "globalAveragePool", "reduce.mean", "averagePool",
            ])
    }

    @Test func identitiesVanishAndOutputsKeepTheirNames() throws {
        var builder = GraphBuilder(name: "g", seed: 6)
        let input = builder.input("x", [1, 3, 4, 4])
        let convolution = builder.convolution("conv", builder.node("first", .identity, input), outputs: 2)
        let dropped = builder.node("dropped", .dropout, convolution)
        let sliced = builder.node("sliced", .slice(Slice(starts: [0], ends: [.max], axes: [2], steps: [1])), dropped)
        let alone = builder.node("y", .concat(axis: 0), sliced)
        builder.output(alone)
        let graph = try simplified(builder)
        #expect(kinds(graph) == ["convolution"])
        #expect(graph[graph.nodes[0].outputs[0]].name == "y")
    }

    @Test func identityBetweenInputAndOutputStays() throws {
        var builder = GraphBuilder(name: "g", seed: 7)
        let input = builder.input("x", [1, 3, 4, 4])
        builder.output(builder.node("y", .identity, input))
        let convolution = builder.convolution("conv", input, outputs: 2)
        builder.output(convolution)
        builder.output(builder.node("z", .identity, convolution))
        #expect(kinds(try simplified(builder)) == ["identity", "convolution", "identity"])
    }

    @Test func reversingSlicesAndPermutationsAreNoIdentities() throws {
        var builder = GraphBuilder(name: "g", seed: 8)
        let input = builder.input("x", [4, 4])
        let reversed = builder.node(
            "reversed", .slice(Slice(starts: [-1], ends: [.min], axes: [0], steps: [-1])), input)
        builder.output(builder.node("y", .transpose(permutation: [1, 0]), reversed))
        #expect(kinds(try simplified(builder)) == ["slice", "transpose"])
    }

    @Test func constantsFoldButGiantsDoNot() throws {
        var builder = GraphBuilder(name: "g", seed: 9)
        let input = builder.input("x", [1, 4])
        let shape = builder.node("shape", .shape(start: 0, end: nil), input)
        let extents = builder.node("extents", .cast(.float32), shape)
        let sum = builder.node(
            "sum", .binary(.add, activation: nil), input,
            builder.node(
                "last",
                .slice(
                    Slice(starts: [1], ends: [2], axes: [0], steps: [1])), extents))
        builder.output(sum)
        #expect(kinds(try simplified(builder)) == ["add"])
        var giant = GraphBuilder(name: "g", seed: 10)
        let one = giant.constant("one", [1])
        giant.output(giant.node("y", .expand(extents: [1 << 30]), one))
        #expect(kinds(try giant.graph.simplified()) == ["expand"])
    }

    @Test func dequantizedWeightsFold() throws {
        var graph = Graph(name: "g")
        let input = graph.addInput("x", TensorType(.float32, [1, 1, 2]))
        let levels = graph.addConstant("w8", Tensor([2, -4] as [Int8], shape: [2, 1, 1]))
        let scales = graph.addConstant("s", Tensor([0.5, 0.25] as [Float], shape: [2]))
        let weights = try graph.append(
            .dequantizeLinear(axis: 0), name: "w", inputs: [levels, scales], outputNames: ["w"])
        graph.outputs = try graph.append(
            .convolution(Convolution(window: Window(kernel: [1]))), name: "y", inputs: [input, weights[0]],
            outputNames: ["y"])
        let simplified = try graph.simplified()
        #expect(kinds(simplified) == ["convolution"])
        let constant = try #require(simplified.nodes[0].inputs[1].flatMap { simplified[$0].constant })
        expect(constant, [2, 1, 1], [1, -1])
    }

    @Test func paddingThatIsNotZeroStays() throws {
        var builder = GraphBuilder(name: "g", seed: 11)
        let input = builder.input("x", [1, 2, 4, 4])
        let pad = Pad(mode: .constant, begins: [0, 0, 1, 1], ends: [0, 0, 0, 0], value: 1)
        builder.output(builder.convolution("y", builder.node("pad", .pad(pad), input), outputs: 2))
        let zeros = builder.node("zeros", .pad(Pad(mode: .constant, begins: [0, 0, 1, 1], ends: [0, 0, 0, 0])), input)
        builder.output(builder.node("max", .maxPool(Pooling(window: Window(kernel: [2, 2]))), zeros))
        let average = Pooling(window: Window(kernel: [3, 3], padsBegin: [1, 1], padsEnd: [1, 1]))
        builder.output(builder.node("average", .averagePool(average), zeros))
        #expect(kinds(try simplified(builder)) == ["pad", "convolution", "pad", "maxPool", "averagePool"])
    }

    @Test func normalizationsInTrainingStay() throws {
        var builder = GraphBuilder(name: "g", seed: 12)
        let convolution = builder.convolution("conv", builder.input("x", [2, 3, 4, 4]), outputs: 2)
        let parameters = ["s", "b", "m", "v"].map { builder.constant($0, [2], in: 0.5...1) }
        let training = Operator.batchNormalization(BatchNormalization(isTraining: true))
        builder.output(builder.node("y", training, [convolution] + parameters))
        #expect(kinds(try simplified(builder)) == ["convolution", "batchNormalization"])
    }

    @Test func unusedResultsAndNodesGo() throws {
        var builder = GraphBuilder(name: "g", seed: 13)
        let input = builder.input("x", [1, 2, 4, 4])
        _ = builder.input("unused", [1])
        _ = builder.convolution("dead", input, outputs: 2)
        var graph = builder.graph
        let pooled = try graph.append(
            .maxPool(Pooling(window: Window(kernel: [2, 2]))), name: "pool", inputs: [input],
            outputNames: ["y", "indices"])
        graph.outputs = [pooled[0]]
        let simplified = try graph.simplified()
        #expect(kinds(simplified) == ["maxPool"])
        #expect(simplified.values.map(\.name) == ["x", "unused", "y"])
    }

    @Test func nodesAreSortedAndCyclesRefused() throws {
        var graph = TestGraphs.residual()
        let expected = try ReferenceExecutor(graph).run(graph.randomInputs(seed: 1))
        graph.nodes.reverse()
        let sorted = try graph.simplified()
        #expect(
            try ReferenceExecutor(sorted).run(graph.randomInputs(seed: 1))[0].relativeDifference(from: expected[0]) == 0
        )
        var cyclic = TestGraphs.chain()
        cyclic.nodes[0].inputs[0] = cyclic.nodes[2].outputs[0]
        #expect(throws: GraphError.self) { try cyclic.simplified() }
        var dangling = TestGraphs.chain()
        dangling.nodes[0].inputs[0] = ValueID(1000)
        #expect(throws: GraphError.self) { try dangling.simplified() }
    }
}
