internal import ModelGraph

/// What one machine needs for each node of one model.
package struct DeviceProfile: ProfileDocument, Hashable {
    package static let schema = "cleave.device-profile"
    package static let version = 1

    /// Which part of a split the machine runs.
    package enum Role: String, Hashable, Sendable, Codable {
        case edge, cloud
    }

    package enum Precision: String, Hashable, Sendable, Codable {
        case int8, float32, bfloat16
    }

    package struct NodeTiming: Hashable, Sendable, Codable {
        /// The node's name in the graph.
        package var name: String
        /// The operator, for people.
        package var kind: String
        package var timing: Timing

        package init(name: String, kind: String, timing: Timing) {
            self.name = name
            self.kind = kind
            self.timing = timing
        }
    }

    /// A part of the network measured as one: on the edge the head of `cut`, in the cloud its tail.
    package struct PartTiming: Hashable, Sendable, Codable {
        /// `Cut.name(in:)`.
        package var cut: String
        package var timing: Timing
        package var peakMemory: ByteCount?

        package init(cut: String, timing: Timing, peakMemory: ByteCount? = nil) {
            self.cut = cut
            self.timing = timing
            self.peakMemory = peakMemory
        }

        private enum CodingKeys: String, CodingKey {
            case cut, timing
            case peakMemory = "peakMemoryBytes"
        }
    }

    /// The whole network on several pictures at once.
    package struct BatchTiming: Hashable, Sendable, Codable {
        package var pictures: Int
        package var timing: Timing

        package init(pictures: Int, timing: Timing) {
            self.pictures = pictures
            self.timing = timing
        }
    }

    package var provenance: Provenance
    package var model: ModelIdentity
    package var role: Role
    package var precision: Precision
    package var threads: Int
    /// Every node of the graph.
    package var nodes: [NodeTiming]
    /// The whole network run as one: less or more than the sum of its nodes.
    package var wholeNetwork: Timing
    package var wholeNetworkPeakMemory: ByteCount?
    package var parts: [PartTiming]
    /// Of two pictures or more, by their number; `nil` where none was measured.
    package var batches: [BatchTiming]?
    /// How much longer the last runs took than the first, as a share of these; `nil` where too few to tell.
    package var drift: Double?

    package init(
        provenance: Provenance, model: ModelIdentity, role: Role, precision: Precision, threads: Int,
        nodes: [NodeTiming], wholeNetwork: Timing, wholeNetworkPeakMemory: ByteCount? = nil, parts: [PartTiming] = [],
        batches: [BatchTiming]? = nil, drift: Double? = nil
    ) {
        self.provenance = provenance
        self.model = model
        self.role = role
        self.precision = precision
        self.threads = threads
        self.nodes = nodes
        self.wholeNetwork = wholeNetwork
        self.wholeNetworkPeakMemory = wholeNetworkPeakMemory
        self.parts = parts
        self.batches = batches
        self.drift = drift
    }

    private enum CodingKeys: String, CodingKey {
        case provenance, model, role, precision, threads, nodes, wholeNetwork, parts, batches, drift
        case wholeNetworkPeakMemory = "wholeNetworkPeakMemoryBytes"
    }

    /// What each further picture of a batch takes, as a share of one alone, in the largest batch measured.
    package var batchShare: Double? {
        guard let largest = batches?.max(by: { $0.pictures < $1.pictures }), wholeNetwork.median > .zero else {
            return nil
        }
        return (largest.timing.median / wholeNetwork.median - 1) / Double(largest.pictures - 1)
    }

    package var sumOfNodes: Duration { nodes.reduce(.zero) { $0 + $1.timing.median } }

    package func validate() throws(PlanningError) {
        guard threads >= 1 else {
            throw PlanningError(.invalidNumber, "expected at least one thread, got \(threads)", at: "threads")
        }
        try nodes.checkUnique("nodes", \.name)
        try parts.checkUnique("parts", \.cut)
        for (index, batch) in (batches ?? []).enumerated() where batch.pictures < 2 {
            throw PlanningError(
                .invalidNumber, "expected two pictures or more, got \(batch.pictures)", at: "batches[\(index)].pictures"
            )
        }
    }

    /// Whether this is what measuring in these ways would give again: what `cleave profile --resume` keeps.
    package func isMeasurement(
        of model: ModelIdentity, _ role: Role, _ precision: Precision, threads: Int, instructionSet: String,
        batches: [Int] = []
    ) -> Bool {
        self.model == model && self.role == role && self.precision == precision && self.threads == threads
            && provenance.instructionSet == instructionSet
            && Set((self.batches ?? []).map(\.pictures)).isSuperset(of: batches)
    }

    /// Nanoseconds by node index, scaled so that all nodes together take what the whole network takes.
    ///
    /// Nodes timed one by one pay for their timers and cold caches; without the scale, cuts would be charged for that
    /// and edge-only and cloud-only, which are measured whole, would not.
    /// - Throws: `PlanningError.missingNode` for a node of `graph` without a time.
    func nodeNanoseconds(for graph: Graph) throws(PlanningError) -> [Int64] {
        let times = Dictionary(nodes.map { ($0.name, $0.timing.median.wholeNanoseconds) }) { first, _ in first }
        var nanoseconds: [Int64] = []
        for node in graph.nodes {
            guard let time = times[node.name] else {
                throw PlanningError(
                    .missingNode, "no time for node \"\(node.name)\" of \(graph.name)",
                    at: "\(role) device profile: nodes")
            }
            nanoseconds.append(time)
        }
        let sum = nanoseconds.reduce(0.0) { $0 + Double($1) }
        guard sum > 0 else { return nanoseconds }
        let scale = Double(wholeNetwork.median.wholeNanoseconds) / sum
        return nanoseconds.map { Int64((Double($0) * scale).rounded()) }
    }
}
