internal import InferenceEngine
internal import ModelGraph
internal import Quantization
internal import TestSupport
internal import Testing

/// How close calibrated integer networks come to their float originals.
@Suite struct FidelityTests {
    private let pool = WorkerPool(width: 1)

    /// Low frequencies only, as pictures have.
    private static func smoothInputs(_ graph: Graph, seed: UInt64) -> [Tensor] {
        var generator = SplitMix64(seed: seed)
        return graph.inputs.map { input in
            let shape = graph[input].type.shape
            let waves = (0..<4).map { _ in
                (0..<4).map { _ in Float.random(in: -0.4...0.4, using: &generator) }
            }
            let values = (0..<shape.elementCount).map { index -> Float in
                let x = Float(index % shape[3])
                let y = Float(index / shape[3] % shape[2])
                let channel = Float(index / (shape[3] * shape[2]))
                return waves.reduce(0) { sum, wave in
                    let phase = wave[0] * x + wave[1] * y + wave[2] * channel + wave[3] * 10
                    let turns = phase - phase.rounded(.down)
                    return sum + (turns < 0.5 ? 4 * turns - 1 : 3 - 4 * turns)
                }
            }
            return Tensor(values, shape: shape)
        }
    }

    private func cosines(_ graph: Graph, method: CalibrationMethod, seed: UInt64) throws -> [Double] {
        let calibration = try Calibration.measure(graph, method: method, count: 64, pool: pool) {
            Self.smoothInputs(graph, seed: seed &* 1000 &+ UInt64($0))
        }
        let quantized = Quantizer(graph, calibration: calibration).quantized()
        let exact = InferenceSession(try PreparedModel(graph), pool: pool)
        let integer = InferenceSession(try PreparedModel(quantized, options: PreparationOptions()), pool: pool)
        var comparisons = graph.outputs.map { _ in OutputComparison() }
        for index in 0..<8 {
            let inputs = Self.smoothInputs(graph, seed: seed &* 1000 &+ 500 &+ UInt64(index))
            for (position, (expected, got)) in zip(try exact.run(inputs), try integer.run(inputs)).enumerated() {
                comparisons[position].add(expected: expected.array(of: Float.self), got: got.array(of: Float.self))
            }
        }
        return comparisons.map(\.meanCosine)
    }

    @Test(arguments: 0..<4, [CalibrationMethod.minMax, .percentile(0.9999), .entropy, .meanSquaredError])
    func smallNetworksKeepTheirOutputs(index: Int, method: CalibrationMethod) throws {
        for cosine in try cosines(TestGraphs.all[index], method: method, seed: 1) {
            #expect(cosine >= 0.98, "\(TestGraphs.all[index].name), \(method)")
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func randomNetworksKeepTheirOutputs(seed: UInt64) throws {
        let graph = try RandomGraph.make(seed: seed, nodeCount: 8).simplified()
        for (output, cosine) in zip(graph.outputs, try cosines(graph, method: .minMax, seed: seed)) {
            #expect(cosine >= 0.98, "seed \(seed), \(graph[output].name)")
        }
    }

    @Test func everyQuantisedActivationIsMeasured() throws {
        let graph = TestGraphs.residual()
        let calibration = try Calibration.measure(graph, method: .minMax, count: 4, pool: pool) {
            Self.smoothInputs(graph, seed: UInt64($0))
        }
        let quantized = Quantizer(graph, calibration: calibration).quantized()
        let fidelities = try LayerFidelity.measure(quantized, count: 4, pool: pool) {
            Self.smoothInputs(graph, seed: UInt64($0))
        }
        #expect(fidelities.map(\.name) == graph.values.filter { $0.constant == nil }.map(\.name))
        #expect(fidelities[0].node.isEmpty && fidelities.dropFirst().allSatisfy { !$0.node.isEmpty })
        // The input itself arrives in float32.
        #expect(fidelities[0].signalToNoise == nil)
        for fidelity in fidelities.dropFirst() { #expect(fidelity.signalToNoise ?? 0 > 20, "\(fidelity.name)") }
    }

    @Test func comparisonsAverage() {
        var comparison = OutputComparison()
        #expect(comparison.meanCosine == 0 && comparison.top1Agreement == 0)
        comparison.add(expected: [1, 0] as [Float], got: [2, 0] as [Float])
        comparison.add(expected: [1, 0] as [Float], got: [0, 3] as [Float])
        comparison.add(expected: [0, 0] as [Float], got: [0, 0] as [Float])
        #expect(comparison.count == 3)
        #expect(abs(comparison.meanCosine - 2.0 / 3) < 1e-12)
        #expect(abs(comparison.top1Agreement - 2.0 / 3) < 1e-12)
        #expect(([] as [Float]).indexOfLargest == -1 && ([1, 5, 5] as [Float]).indexOfLargest == 1)
    }
}
