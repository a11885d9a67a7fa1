package import InferenceEngine
package import ModelGraph

/// What calibration learnt of each float activation, and by which method ranges are chosen from it.
package struct Calibration: Sendable {
    package var method: CalibrationMethod
    package let inputCount: Int
    /// By value index; `nil` for constants, for values that are not float32, and for those without elements.
    package let statistics: [ActivationStatistics?]

    package init(method: CalibrationMethod, inputCount: Int, statistics: [ActivationStatistics?]) {
        self.method = method
        self.inputCount = inputCount
        self.statistics = statistics
    }

    package subscript(value: ValueID) -> ActivationStatistics? { statistics[value.index] }
}

extension Calibration {
    /// Runs `graph` in float32 on every calibration input, several at once, and notes what each activation holds.
    ///
    /// The result does not depend on the number of threads.
    /// - Parameters:
    ///   - graph: simplified: what is learnt refers to its values.
    ///   - count: number of inputs; ≥ 1.
    ///   - progress: called with the inputs done and the inputs to do.
    /// - Throws: `QuantizationError.noCalibrationData`, `.notFinite` naming the activation, and what the engine and `input`
    ///   throw.
    package static func measure(
        _ graph: Graph, method: CalibrationMethod = .meanSquaredError, count: Int, pool: WorkerPool,
        input: @escaping InputSource, progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> Calibration {
        guard count > 0 else {
            throw QuantizationError(.noCalibrationData, "calibration needs at least one input", at: graph.name)
        }
        // Nothing can be seen of an activation without elements.
        let observed = graph.floatActivations.filter { graph[$0].type.shape.elementCount > 0 }
        var statistics = observed.map { ActivationStatistics(channels: graph[$0].type.shape.channelCount) }
        let empty = statistics.map(\.channels)
        let batches = observed.map { graph[$0].type.shape.imageCount }
        let model = try ActivationProbe.model(graph, values: observed, pool: pool)
        let fan = InputFan(pool, count: count, input: input) {
            (probe: ActivationProbe(model), histograms: observed.map { _ in ActivationHistogram() })
        }
        let workers = try fan.run { worker, tensors in
            var moments = empty
            try worker.probe.run(tensors) { position, values in
                moments[position].observe(values, batch: batches[position])
                let range = moments[position].range
                if range.isFinite { worker.histograms[position].observe(values, within: range) }
            }
            return moments
        } collect: { moments in
            if let position = moments.firstIndex(where: { !$0.range.isFinite }) {
                throw notFinite(observed[position], of: graph)
            }
            for position in moments.indices { statistics[position].add(moments[position]) }
        } progress: {
            progress($0, count)
        }
        for worker in workers {
            for position in statistics.indices { statistics[position].add(worker.histograms[position]) }
        }
        var byValue = [ActivationStatistics?](repeating: nil, count: graph.values.count)
        for (value, statistics) in zip(observed, statistics) { byValue[value.index] = statistics }
        return Calibration(method: method, inputCount: count, statistics: byValue)
    }

    private static func notFinite(_ value: ValueID, of graph: Graph) -> QuantizationError {
        let node = graph.producers()[value.index].map { "node \(graph[$0].name)" } ?? "an input"
        return QuantizationError(
            .notFinite, "a calibration input makes the result of \(node) NaN or infinite", at: graph[value].name)
    }
}

extension Shape {
    /// Extent of the channel axis; 1 without one.
    var channelCount: Int { rank >= 2 ? self[1] : 1 }
    /// How many times the channels come, one after the other.
    var imageCount: Int { rank >= 2 ? self[0] : 1 }
}
