package import ModelGraph

/// How far predictions of networks that were not learnt from lie from measurements.
package struct PredictionErrors: Hashable, Sendable, Codable {
    /// One way to predict one network.
    package struct Errors: Hashable, Sendable, Codable {
        /// Predicted ÷ measured − 1, of all layers together.
        package var total: Double
        /// The median of |predicted ÷ measured − 1| over layers that take at least a hundredth of the network's time.
        package var medianLayer: Double
    }

    package struct Row: Hashable, Sendable, Codable {
        package var network: String
        /// All layers together, measured.
        package var milliseconds: Double
        /// From the machine's characterisation alone.
        package var characterized: Errors
        /// From the characterisation and the layers of all other networks.
        package var leftOut: Errors
        /// Neurosurgeon's regressions, from the same as `leftOut`.
        package var neurosurgeon: Errors
    }

    package var rows: [Row]

    /// - Parameter networks: measured on the machine that was characterised, in the same precision and threads.
    /// - Throws: `PlanningError` where a network and its profile do not belong together.
    package init(
        _ characterization: DeviceCharacterization, networks: [(name: String, graph: Graph, profile: DeviceProfile)]
    ) throws(PlanningError) {
        var samples: [[LayerSample]] = []
        for network in networks { samples.append(try network.profile.samples(of: network.graph)) }
        let alone = LatencyModel(characterization.layers)
        rows = networks.indices.map { index in
            var others = characterization.layers
            for other in networks.indices where other != index { others += samples[other] }
            let own = samples[index]
            return Row(
                network: networks[index].name,
                milliseconds: own.reduce(0) { $0 + Double($1.nanoseconds) / 1e6 },
                characterized: Errors(of: alone, on: own), leftOut: Errors(of: LatencyModel(others), on: own),
                neurosurgeon: Errors(of: NeurosurgeonModel(others), on: own))
        }
    }

    /// The median over the networks of the absolute error of the total, and of the layers' median error.
    package func medians(_ way: (Row) -> Errors) -> Errors {
        Errors(total: rows.map { abs(way($0).total) }.median, medianLayer: rows.map { way($0).medianLayer }.median)
    }
}

extension PredictionErrors.Errors {
    fileprivate init(of predictor: some LayerPredictor, on samples: [LayerSample]) {
        let measured = samples.map { Double($0.nanoseconds) }
        let predicted = samples.map { predictor.nanoseconds($0.shape) }
        let sum = max(1, measured.reduce(0, +))
        total = predicted.reduce(0, +) / sum - 1
        medianLayer = zip(predicted, measured).filter { $0.1 >= sum / 100 }.map { abs($0.0 / $0.1 - 1) }.median
    }
}

extension [Double] {
    /// 0 where there are none.
    fileprivate var median: Double {
        let sorted = self.sorted()
        guard !sorted.isEmpty else { return 0 }
        let upper = sorted[sorted.count / 2]
        return sorted.count.isMultiple(of: 2) ? (sorted[sorted.count / 2 - 1] + upper) / 2 : upper
    }
}
