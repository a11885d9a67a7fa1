internal import ModelGraph

/// What a plan makes as small (or, for throughput, as large) as it can.
package enum Objective: String, Hashable, Sendable, Codable, CaseIterable {
    /// Picture to answer, one picture at a time.
    case latency
    /// The latency that one picture in twenty exceeds, by the spread of the measurements and of the link.
    case p95Latency
    /// Answers a second with edge, link and cloud working on different pictures.
    case throughput
    case uplinkBytes
    /// How long the edge computes for one picture.
    case edgeTime
    /// Of the board and its radio, for one picture.
    case energy
    /// How long the server's cores compute for one picture.
    case cloudTime
    /// For data and for the server's cores.
    case money
}

/// What a plan aims at: one objective, several weighed against each other, or one after another.
package struct Goal: Hashable, Sendable, Codable {
    package struct Term: Hashable, Sendable, Codable {
        package var objective: Objective
        package var weight: Double

        package init(_ objective: Objective, weight: Double = 1) {
            self.objective = objective
            self.weight = weight
        }
    }

    /// Not empty.
    package private(set) var terms: [Term]
    /// `nil`: the weighted sum of the terms counts, each as a multiple of the least that is possible. Else the terms count one
    /// after another: what is worse than the best by more than this share is passed over for the next.
    package private(set) var tolerance: Double?

    package static func one(_ objective: Objective) -> Goal { Goal(terms: [Term(objective)], tolerance: nil) }

    /// - Precondition: `terms` is not empty, weights are finite and > 0.
    package static func weighted(_ terms: [Term]) -> Goal {
        precondition(!terms.isEmpty && terms.allSatisfy { $0.weight.isFinite && $0.weight > 0 })
        return Goal(terms: terms, tolerance: nil)
    }

    /// - Precondition: `objectives` is not empty, `tolerance` is finite and ≥ 0.
    package static func lexicographic(_ objectives: [Objective], tolerance: Double) -> Goal {
        precondition(!objectives.isEmpty && tolerance.isFinite && tolerance >= 0)
        return Goal(terms: objectives.map { Term($0) }, tolerance: tolerance)
    }

    /// The objective that figures are shown for.
    package var main: Objective { terms[0].objective }
}

/// How much of the network must lie between the picture and what leaves the edge.
package enum PrivacyFloor: Hashable, Sendable, Codable {
    case none
    /// Each boundary tensor is the result of at least so many nodes (its own and their ancestors); 1 keeps the picture
    /// itself on the edge.
    case nodesBeforeBoundary(Int)
    /// The node runs on the edge and nothing that it is computed from is sent.
    case notBefore(node: String)

    /// Any floor keeps the picture on the edge, and so excludes cloud-only.
    package var allowsPicture: Bool {
        switch self {
        case .none: true
        case .nodesBeforeBoundary(let count): count <= 0
        case .notBefore: false
        }
    }
}

package struct PlanConstraints: Hashable, Sendable, Codable {
    package var privacy: PrivacyFloor
    /// The largest loss a codec mode may cause, as the fraction of images whose top-1 class changes (an upper bound on
    /// the loss of accuracy). A cut without a measured agreement does not satisfy it.
    package var maximumAccuracyLoss: Double?
    package var maximumUplink: ByteCount?
    package var maximumLatency: Duration?
    /// A cut without a measured peak memory does not satisfy it.
    package var maximumEdgeMemory: ByteCount?
    /// For the head's integer weights, `Graph.integerWeightBytes`: what a package of the head alone weighs.
    package var maximumPackage: ByteCount?

    package init(
        privacy: PrivacyFloor = .none, maximumAccuracyLoss: Double? = nil, maximumUplink: ByteCount? = nil,
        maximumLatency: Duration? = nil, maximumEdgeMemory: ByteCount? = nil, maximumPackage: ByteCount? = nil
    ) {
        self.privacy = privacy
        self.maximumAccuracyLoss = maximumAccuracyLoss
        self.maximumUplink = maximumUplink
        self.maximumLatency = maximumLatency
        self.maximumEdgeMemory = maximumEdgeMemory
        self.maximumPackage = maximumPackage
    }

    private enum CodingKeys: String, CodingKey {
        case privacy, maximumAccuracyLoss, maximumUplink, maximumEdgeMemory, maximumPackage
        case maximumLatency = "maximumLatencyNanoseconds"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        privacy = try container.decode(PrivacyFloor.self, forKey: .privacy)
        maximumAccuracyLoss = try container.decodeIfPresent(Double.self, forKey: .maximumAccuracyLoss)
        maximumUplink = try container.decodeIfPresent(ByteCount.self, forKey: .maximumUplink)
        maximumLatency = try container.decodeIfPresent(Nanoseconds.self, forKey: .maximumLatency)?.duration
        maximumEdgeMemory = try container.decodeIfPresent(ByteCount.self, forKey: .maximumEdgeMemory)
        maximumPackage = try container.decodeIfPresent(ByteCount.self, forKey: .maximumPackage)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(privacy, forKey: .privacy)
        try container.encodeIfPresent(maximumAccuracyLoss, forKey: .maximumAccuracyLoss)
        try container.encodeIfPresent(maximumUplink, forKey: .maximumUplink)
        try container.encodeIfPresent(maximumLatency.map(Nanoseconds.init), forKey: .maximumLatency)
        try container.encodeIfPresent(maximumEdgeMemory, forKey: .maximumEdgeMemory)
        try container.encodeIfPresent(maximumPackage, forKey: .maximumPackage)
    }
}

/// Why an option was not allowed; the first that applies.
package enum Refusal: String, Hashable, Sendable, Codable, CaseIterable {
    /// The codec profile has neither the boundary nor all of its tensors.
    case notMeasured
    case privacy
    case packageSize
    case edgeMemory
    case uplinkSize
    case accuracy
    case deadline
}

/// A privacy floor made fast to test: which boundary tensors and nodes it decides by.
struct PrivacyTest {
    /// By value index: whether the value may be sent.
    private let isAllowed: [Bool]
    let requiredHeadNode: NodeID?

    /// - Throws: `PlanningError.unknownName` for a node that the graph lacks.
    init(_ floor: PrivacyFloor, graph: Graph) throws(PlanningError) {
        switch floor {
        case .none:
            isAllowed = Array(repeating: true, count: graph.values.count)
            requiredHeadNode = nil
        case .nodesBeforeBoundary(let count):
            let ancestors = graph.ancestors()
            let producers = graph.producers()
            isAllowed = graph.values.indices.map { value in
                let depth = producers[value].map { ancestors[$0.index].reduce(1) { $0 + $1.nonzeroBitCount } } ?? 0
                return depth >= count
            }
            requiredHeadNode = nil
        case .notBefore(let name):
            guard let node = graph.nodes.firstIndex(where: { $0.name == name }) else {
                throw PlanningError(.unknownName, "the graph has no node \"\(name)\"", at: "privacy floor")
            }
            let ancestors = graph.ancestors()[node]
            var isAllowed = [Bool](repeating: true, count: graph.values.count)
            for index in graph.nodes.indices where index == node || ancestors.contains(index) {
                for case let input? in graph.nodes[index].inputs { isAllowed[input.index] = false }
            }
            self.isAllowed = isAllowed
            requiredHeadNode = NodeID(node)
        }
    }

    /// Whether the value may be sent.
    func allows(_ value: ValueID) -> Bool { isAllowed[value.index] }

    func allows(_ boundary: ArraySlice<ValueID>, cutAt position: Int, of cuts: CutSet) -> Bool {
        if let requiredHeadNode, !cuts.contains(requiredHeadNode, inHeadAt: position) { return false }
        return boundary.allSatisfy { isAllowed[$0.index] }
    }
}

extension Graph {
    /// By node: the bytes of its constants with integer weights, a byte for each weight and four for each bias and the like.
    package var integerWeightBytes: [Int64] {
        nodes.map { node in
            Set(node.inputs.compactMap { $0 }).reduce(0) { sum, input in
                guard let shape = self[input].constant?.shape else { return sum }
                return sum + Int64(shape.elementCount) * (shape.rank > 1 ? 1 : 4)
            }
        }
    }

    /// By node: the bits of all nodes it depends on.
    fileprivate func ancestors() -> [[UInt64]] {
        let producers = self.producers()
        var ancestors: [[UInt64]] = []
        for node in nodes {
            var row = [UInt64](repeating: 0, count: max(1, (nodes.count + 63) / 64))
            for case let input? in node.inputs {
                guard let producer = producers[input.index] else { continue }
                for word in row.indices { row[word] |= ancestors[producer.index][word] }
                row.insert(producer.index)
            }
            ancestors.append(row)
        }
        return ancestors
    }
}
