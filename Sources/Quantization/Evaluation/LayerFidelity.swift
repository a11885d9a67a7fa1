internal import Glibc
package import InferenceEngine
package import ModelGraph

/// How well integers represent one activation.
package struct LayerFidelity: Hashable, Sendable, Codable {
    /// The tensor.
    package let name: String
    /// The node that computes it; empty for a graph input.
    package let node: String
    package let scale: Float
    package let zeroPoint: UInt8
    /// Signal-to-quantisation-noise ratio in dB, of the integer network's activation against the float network's: it
    /// holds the errors of all layers before. `nil` when there is no error, or no signal.
    package let signalToNoise: Double?
}

extension LayerFidelity {
    /// Runs both networks on every input and compares each quantised activation.
    /// - Parameters:
    ///   - count: number of inputs; ≥ 1.
    ///   - input: the tensors of input number 0..<count.
    package static func measure(
        _ quantized: QuantizedGraph, count: Int, pool: WorkerPool, input: (Int) throws -> [Tensor],
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> [LayerFidelity] {
        let graph = quantized.graph
        let values = graph.floatActivations.filter { quantized[$0] != nil }
        let exact = try ActivationProbe(graph, values: values, pool: pool)
        let integer = try ActivationProbe(graph, quantized: quantized, values: values, pool: pool)
        var signal = [Double](repeating: 0, count: values.count)
        var noise = [Double](repeating: 0, count: values.count)
        for index in 0..<count {
            let tensors = try input(index)
            var expected = [[Float]](repeating: [], count: values.count)
            try exact.run(tensors) { position, elements in expected[position] = Array(elements) }
            try integer.run(tensors) { position, elements in
                for (exact, got) in zip(expected[position], elements) {
                    signal[position] += Double(exact) * Double(exact)
                    noise[position] += Double(exact - got) * Double(exact - got)
                }
            }
            progress(index + 1, count)
        }
        let producers = graph.producers()
        return values.enumerated().map { position, value in
            let quantization = quantized[value] ?? ActivationQuantization(scale: 1, zeroPoint: 0)
            let ratio =
                signal[position] > 0 && noise[position] > 0 ? 10 * log10(signal[position] / noise[position]) : nil
            return LayerFidelity(
                name: graph[value].name, node: producers[value.index].map { graph[$0].name } ?? "",
                scale: quantization.scale, zeroPoint: quantization.zeroPoint, signalToNoise: ratio)
        }
    }
}
