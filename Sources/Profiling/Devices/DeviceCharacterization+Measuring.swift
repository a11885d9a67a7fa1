package import InferenceEngine
internal import ModelGraph
package import Planning
internal import Quantization

extension DeviceCharacterization {
    /// Times the layers of networks made for the purpose on this machine.
    ///
    /// - Parameters:
    ///   - multiplyAdds: the most that one of the networks takes, about; fewer for slow machines.
    ///   - progress: networks done, networks to do.
    package static func measure(
        precision: DeviceProfile.Precision, provenance: Provenance, pool: WorkerPool, instructionSet: InstructionSet,
        multiplyAdds: Int = 200_000_000, effort: MeasurementEffort = MeasurementEffort(runs: 9),
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> DeviceCharacterization {
        let networks = CharacterizationNetwork.all(multiplyAdds: multiplyAdds)
        // Of layers alike the fastest counts.
        var times: [LayerShape: Int64] = [:]
        for (index, graph) in networks.enumerated() {
            let type = graph[graph.inputs[0]].type
            var state: UInt32 = 1
            let pixels = (0..<type.shape.elementCount).map { _ -> Float in
                state = state &* 1_664_525 &+ 1_013_904_223
                return Float(state >> 8) / 8_388_608 - 1
            }
            let input = Tensor(pixels, shape: type.shape)
            let quantized =
                precision == .int8
                ? Quantizer(
                    graph,
                    calibration: try Calibration.measure(
                        graph, method: .minMax, count: 1, pool: pool, input: { _ in [input] })
                ).quantized()
                : QuantizedGraph(
                    graph: graph, activations: graph.values.map { _ in nil }, weights: graph.nodes.map { _ in nil })
            let profile = try DeviceProfile.measure(
                quantized, role: .edge, precision: precision,
                model: Planning.ModelIdentity(name: graph.name, digest: "none"), provenance: provenance, pool: pool,
                instructionSet: instructionSet, inputs: [input], effort: effort)
            for sample in try profile.samples(of: graph) {
                times[sample.shape] = min(times[sample.shape] ?? .max, sample.nanoseconds)
            }
            progress(index + 1, networks.count)
        }
        return DeviceCharacterization(
            provenance: provenance, precision: precision, threads: pool.width,
            layers: times.map { LayerSample($0, nanoseconds: $1) }.sorted {
                ($0.shape.kind, $0.nanoseconds) < ($1.shape.kind, $1.nanoseconds)
            })
    }
}
