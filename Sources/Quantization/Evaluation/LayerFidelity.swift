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
        _ quantized: QuantizedGraph, count: Int, pool: WorkerPool, input: @escaping InputSource,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> [LayerFidelity] {
        let graph = quantized.graph
        let values = graph.floatActivations.filter { quantized[$0] != nil }
        let exact = try ActivationProbe.model(graph, values: values, pool: pool)
        let integer = try ActivationProbe.model(graph, quantized: quantized, values: values, pool: pool)
        var signal = [Double](repeating: 0, count: values.count)
        var noise = signal
        let fan = InputFan(pool, count: count, input: input) {
            (exact: ActivationProbe(exact), integer: ActivationProbe(integer))
        }
        try fan.run { probes, tensors in
            var powers = [(signal: Double, noise: Double)](repeating: (0, 0), count: values.count)
            var expected = [[Float]](repeating: [], count: values.count)
            try probes.exact.run(tensors) { position, elements in expected[position] = Array(elements) }
            try probes.integer.run(tensors) { position, elements in
                for (exact, got) in zip(expected[position], elements) {
                    powers[position].signal += Double(exact) * Double(exact)
                    powers[position].noise += Double(exact - got) * Double(exact - got)
                }
            }
            return powers
        } collect: { powers in
            for (position, power) in powers.enumerated() {
                signal[position] += power.signal
                noise[position] += power.noise
            }
        } progress: {
            progress($0, count)
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
