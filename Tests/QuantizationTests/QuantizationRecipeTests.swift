internal import InferenceEngine
internal import ModelGraph
internal import Quantization
internal import TestSupport
internal import Testing

@Suite struct QuantizationRecipeTests {
    private let pool = WorkerPool(width: 1)

    private func quantize(
        _ graph: Graph, _ recipe: QuantizationRecipe = QuantizationRecipe(), threads: Int = 1
    ) throws -> QuantizationRecipe.Result {
        try recipe.quantize(graph, count: 12, pool: WorkerPool(width: threads)) {
            graph.randomInputs(seed: UInt64($0))
        }
    }

    @Test(arguments: 0..<4)
    func theDefaultKeepsTheAnswers(index: Int) throws {
        let graph = TestGraphs.all[index]
        let result = try quantize(graph)
        #expect(result.trials.contains { $0.method == result.method.description && $0.output == result.output })
        #expect(result.output.decibels > 20 && result.floatActivations.isEmpty, "\(graph.name): \(result.output)")
    }

    @Test(arguments: 0..<4)
    func numberOfThreadsDoesNotMatter(index: Int) throws {
        let graph = TestGraphs.all[index]
        let (alone, together) = (try quantize(graph), try quantize(graph, threads: 3))
        #expect(alone.quantized.activations == together.quantized.activations)
        #expect(alone.output == together.output && alone.trials == together.trials)
        for (one, other) in zip(alone.quantized.weights, together.quantized.weights) {
            #expect(one?.scales == other?.scales)
            #expect(one?.values.array(of: Int8.self) == other?.values.array(of: Int8.self))
            #expect(one?.bias.array(of: Int32.self) == other?.bias.array(of: Int32.self))
        }
    }

    @Test func automaticKeepsTheNearestOfAll() throws {
        var recipe = QuantizationRecipe()
        recipe.method = nil
        let result = try quantize(TestGraphs.residual(), recipe)
        #expect(result.trials.count == QuantizationRecipe.candidates.count)
        for trial in result.trials { #expect(!trial.output.isNearer(than: result.output), "\(trial)") }
        #expect(result.trials.contains { $0.method == result.method.description && $0.output == result.output })
    }

    @Test func everyMethodCanBeAskedFor() throws {
        for method in [CalibrationMethod.minMax, .movingAverage(0.9), .percentile(0.999), .entropy] {
            var recipe = QuantizationRecipe()
            recipe.method = method
            let result = try quantize(TestGraphs.chain(), recipe)
            #expect(result.method == method && result.trials.map(\.method) == [method.description])
        }
    }

    /// One hidden channel has outliers that say nothing and cost everything else its resolution.
    private func sensitive() -> Graph {
        var builder = GraphBuilder(name: "sensitive", seed: 11)
        let x = builder.input("x", [1, 4, 8, 8])
        let first = builder.convolution("first", x, outputs: 4, activation: .relu)
        // The square of an exponential spans many orders of magnitude, all of which the reciprocal at the end asks for.
        let wide = builder.node("wide", .unary(.exp), builder.convolution("middle", first, outputs: 4, kernel: 1))
        let power = builder.node("power", .binary(.multiply, activation: nil), wide, wide)
        builder.output(builder.convolution("y", builder.node("root", .unary(.sqrt), power), outputs: 4))
        return builder.graph
    }

    @Test func sensitiveActivationsFallBackUntilTheTargetIsReached() throws {
        let graph = sensitive()
        var recipe = QuantizationRecipe()
        recipe.leastSignalToNoise = nil
        let integer = try quantize(graph, recipe)
        #expect(integer.floatActivations.isEmpty)
        recipe.leastSignalToNoise = integer.output.decibels + 3
        let mixed = try quantize(graph, recipe)
        #expect(!mixed.floatActivations.isEmpty && mixed.output.decibels > integer.output.decibels)
        for name in mixed.floatActivations {
            let value = try #require(mixed.quantized.graph.value(named: name))
            #expect(mixed.quantized[value] == nil)
        }
        // No more than were needed: what is in integers already is left there.
        #expect(mixed.floatActivations.count <= graph.values.count / 3)
    }

    @Test func layersAskedForStayFloat() throws {
        var recipe = QuantizationRecipe()
        recipe.floatNodes = ["conv1", "logits"]
        let result = try quantize(TestGraphs.chain(), recipe)
        #expect(result.floatNodes == ["conv1", "logits"])
        let graph = result.quantized.graph
        // Only float nodes touch the picture and the answer; integers read what the first layer computes.
        #expect(result.quantized[graph.inputs[0]] == nil && result.quantized[graph.outputs[0]] == nil)
        #expect(result.quantized[try #require(graph.value(named: "conv1"))] != nil)
        let integer = try quantize(TestGraphs.chain())
        #expect(result.output.decibels > integer.output.decibels)
    }

    @Test func aLayerThatIsNotThereIsNamed() {
        var recipe = QuantizationRecipe()
        recipe.floatNodes = ["conv1", "conv9"]
        do {
            _ = try quantize(TestGraphs.chain(), recipe)
            Issue.record("conv9 was found")
        } catch {
            let refusal = error as? QuantizationError
            #expect(refusal?.code == .invalidOption && refusal?.message.contains("conv9") == true)
        }
    }

    @Test func progressComesToItsEnd() throws {
        let graph = TestGraphs.chain()
        var last: [String: (Int, Int)] = [:]
        _ = try QuantizationRecipe().quantize(graph, count: 12, pool: pool) {
            graph.randomInputs(seed: UInt64($0))
        } progress: { title, done, total in
            last[title] = (done, total)
        }
        #expect(last["calibrating"]?.0 == 12 && !last.isEmpty)
        for (title, (done, total)) in last { #expect(done == total, "\(title)") }
    }
}
