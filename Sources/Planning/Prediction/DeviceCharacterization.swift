package import ModelGraph

/// How long layers of many shapes take on one machine: enough to predict networks that were never run on it.
package struct DeviceCharacterization: ProfileDocument, Hashable {
    package static let schema = "cleave.device-characterization"
    package static let version = 1

    package var provenance: Provenance
    package var precision: DeviceProfile.Precision
    package var threads: Int
    package var layers: [LayerSample]

    package init(
        provenance: Provenance, precision: DeviceProfile.Precision, threads: Int, layers: [LayerSample]
    ) {
        self.provenance = provenance
        self.precision = precision
        self.threads = threads
        self.layers = layers
    }

    package func validate() throws(PlanningError) {
        guard threads >= 1 else {
            throw PlanningError(.invalidNumber, "expected at least one thread, got \(threads)", at: "threads")
        }
        guard !layers.isEmpty else { throw PlanningError(.invalidNumber, "expected at least one layer", at: "layers") }
        for (index, layer) in layers.enumerated() {
            guard (0...100_000_000_000_000).contains(layer.nanoseconds) else {
                throw PlanningError(
                    .invalidNumber, "expected 0...10^14, got \(layer.nanoseconds)", at: "layers[\(index)].nanoseconds")
            }
        }
    }

    /// What the machine would need for each node of a network, as if it had been measured; parts and memory are left out.
    /// - Parameters:
    ///   - command: the command line that asks.
    package func profile(of graph: Graph, model: ModelIdentity, role: DeviceProfile.Role, command: String)
        -> DeviceProfile
    {
        let predictor = LatencyModel(layers)
        let nodes = zip(graph.nodes, graph.layerShapes).map { node, shape in
            DeviceProfile.NodeTiming(
                name: node.name, kind: node.operation.kind, timing: .predicted(predictor.nanoseconds(shape)))
        }
        var provenance = provenance
        provenance.command = "\(command) (predicted from: \(provenance.command))"
        return DeviceProfile(
            provenance: provenance, model: model, role: role, precision: precision, threads: threads, nodes: nodes,
            wholeNetwork: .predicted(nodes.reduce(0) { $0 + Double($1.timing.median.wholeNanoseconds) }))
    }
}

extension Timing {
    fileprivate static func predicted(_ nanoseconds: Double) -> Timing {
        let time = Duration.nanoseconds(Int64(min(1e14, max(0, nanoseconds)).rounded()))
        return Timing(median: time, minimum: time, p90: time, runs: 1)
    }
}

extension DeviceProfile {
    /// The layers of a network that was measured, with their least times: what they take when nothing else disturbs them.
    /// - Throws: `PlanningError.missingNode` for a node without a time.
    package func samples(of graph: Graph) throws(PlanningError) -> [LayerSample] {
        let times = Dictionary(nodes.map { ($0.name, $0.timing.minimum.wholeNanoseconds) }) { first, _ in first }
        var samples: [LayerSample] = []
        for (node, shape) in zip(graph.nodes, graph.layerShapes) {
            guard let time = times[node.name] else {
                throw PlanningError(
                    .missingNode, "no time for node \"\(node.name)\" of \(graph.name)",
                    at: "\(role) device profile: nodes")
            }
            samples.append(LayerSample(shape, nanoseconds: time))
        }
        return samples
    }
}
