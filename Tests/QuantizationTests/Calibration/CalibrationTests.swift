internal import InferenceEngine
internal import ModelGraph
internal import Quantization
internal import TestSupport
internal import Testing

@Suite struct CalibrationTests {
    private let pool = WorkerPool(width: 1)

    @Test func rangesAreTheExtremesOfEveryActivation() throws {
        let graph = TestGraphs.residual()
        let inputs = (0..<3).map { graph.randomInputs(seed: UInt64($0)) }
        var expected = [Int: (Float, Float)]()
        for tensors in inputs {
            _ = try ReferenceExecutor(graph).run(tensors) { value, tensor in
                let values = tensor.array(of: Float.self)
                let (low, high) = expected[value.index] ?? (.infinity, -.infinity)
                expected[value.index] = (min(low, values.min() ?? low), max(high, values.max() ?? high))
            }
        }
        var steps: [Int] = []
        let calibration = try Calibration.measure(
            graph, method: .minMax, count: 3, pool: pool, input: { inputs[$0] },
            progress: { steps.append($0 * 10 + $1) })
        #expect(steps == [33])
        for (index, value) in graph.values.enumerated() {
            guard value.constant == nil else {
                #expect(calibration.statistics[index] == nil)
                continue
            }
            let range = try #require(calibration.statistics[index]).range
            let (low, high) = try #require(expected[index])
            #expect(abs(range.lower - low) < 1e-4 && abs(range.upper - high) < 1e-4, "\(value.name)")
        }
    }

    /// Everything that is kept, in every digit.
    @Test(arguments: 2...5)
    func numberOfThreadsDoesNotMatter(width: Int) throws {
        let graph = TestGraphs.concatenation()
        let inputs = (0..<23).map { graph.randomInputs(seed: UInt64($0)) }
        let alone = try Calibration.measure(graph, count: 23, pool: pool) { inputs[$0] }
        let together = try Calibration.measure(graph, count: 23, pool: WorkerPool(width: width)) { inputs[$0] }
        for value in graph.values.indices.map(ValueID.init) where graph[value].constant == nil {
            let (one, many) = (try #require(alone[value]), try #require(together[value]))
            #expect(one.channels == many.channels && one.histogram == many.histogram, "\(graph[value].name)")
            for method in [CalibrationMethod.movingAverage(0.9), .entropy, .meanSquaredError] {
                #expect(one.range(by: method) == many.range(by: method), "\(graph[value].name), \(method)")
            }
        }
    }

    /// Of inputs that fail, the first in order is reported, whichever thread comes to it first.
    @Test func theFirstFailureIsThrown() {
        struct Broken: Error { let index: Int }
        let graph = TestGraphs.chain()
        let input: InputSource = { index in
            if index >= 3 { throw Broken(index: index) }
            return graph.randomInputs(seed: 1)
        }
        #expect {
            try Calibration.measure(graph, count: 20, pool: WorkerPool(width: 4), input: input)
        } throws: {
            ($0 as? Broken)?.index == 3
        }
    }

    private func error(_ graph: Graph, _ count: Int = 1, _ input: @escaping InputSource) -> QuantizationError? {
        do {
            _ = try Calibration.measure(graph, method: .minMax, count: count, pool: pool, input: input)
            return nil
        } catch {
            return error as? QuantizationError
        }
    }

    @Test func nothingToLearnFromIsAnError() {
        let graph = TestGraphs.chain()
        #expect(error(graph, 0) { _ in graph.randomInputs(seed: 1) }?.code == .noCalibrationData)
    }

    @Test(arguments: [Float.nan, .infinity])
    func oddInputsAreRefused(odd: Float) throws {
        let graph = TestGraphs.chain()
        var values = graph.randomInputs(seed: 1)[0].array(of: Float.self)
        values[100] = odd
        let tensor = Tensor(values, shape: [1, 3, 16, 16])
        let refusal = try #require(error(graph) { _ in [tensor] })
        #expect(refusal.code == .notFinite && refusal.location == "image")
    }

    @Test func aNodeThatComputesNaNIsNamed() throws {
        var builder = GraphBuilder(name: "logarithm", seed: 1)
        let x = builder.input("x", [1, 2, 4, 4])
        let doubled = builder.node("doubled", .binary(.add, activation: nil), x, x)
        builder.output(builder.relu("hidden", builder.node("root", .unary(.log), doubled)))
        let graph = builder.graph
        let refusal = try #require(error(graph) { graph.randomInputs(seed: UInt64($0)) })
        #expect(refusal.code == .notFinite && refusal.location == "root" && refusal.message.contains("node root"))
    }

    @Test func inputsOfAnotherNumberOrTypeAreRefused() {
        let graph = TestGraphs.chain()
        for tensors in [
            [], [Tensor([1, 2] as [Float], shape: [2])], graph.randomInputs(seed: 1) + graph.randomInputs(seed: 1),
        ] {
            #expect(throws: EngineError.self) {
                try Calibration.measure(graph, method: .minMax, count: 1, pool: pool) { _ in tensors }
            }
        }
    }

    @Test func emptyActivationsAreLeftOut() throws {
        var builder = GraphBuilder(name: "empty", seed: 1)
        let x = builder.input("x", [1, 2, 4, 4])
        let nothing = builder.node(
            "nothing", .slice(Slice(starts: [2], ends: [2], axes: [1], steps: [1])), x)
        builder.output(nothing)
        let graph = builder.graph
        let calibration = try Calibration.measure(graph, count: 1, pool: pool) { _ in graph.randomInputs(seed: 1) }
        #expect(calibration[nothing] == nil && calibration[x] != nil)
    }
}
