internal import ModelGraph

extension CostModel {
    /// This model over more cuts: those that are least in a weighted sum of the board's, the link's and the cloud's time, as
    /// minimum cuts of a network whose source is the edge and whose sink is the cloud (DADS: Hu et al., INFOCOM 2019).
    ///
    /// A node in the cloud costs the arc from the source, one on the edge the arc to the sink, and a value that both need is
    /// paid once, on an arc to a vertex of its own. Beyond DADS, an unlimited arc from each node to those it reads keeps a head
    /// closed under ancestors, and a network input counts as produced by the source. With equal weights the cut is the one of
    /// least latency, exactly, where parts and boundaries of several tensors were not measured as one: those costs are not sums.
    ///
    /// - Throws: `PlanningError.unknownName` for a privacy floor at a node that the graph lacks.
    func addingMinimumCuts(_ constraints: PlanConstraints) throws(PlanningError) -> CostModel {
        let network = try CutNetwork(self, PrivacyTest(constraints.privacy, graph: cuts.graph))
        var rows: [[UInt64]] = []
        for mode in modes.indices {
            for edge in edges.indices {
                for cloud in clouds.indices {
                    for weights in CutNetwork.Weights.searched {
                        rows.append(network.leastHead(mode: mode, edge: edge, cloud: cloud, weights))
                    }
                }
            }
        }
        return try over(cuts.adding(rows))
    }
}

/// The network of a cost model's graph, and what its arcs cost.
private final class CutNetwork {
    /// What a nanosecond counts.
    struct Weights {
        var edge: Double
        var link: Double
        var cloud: Double

        /// Least latency, at this uplink and at slower and faster ones, and the ends: least of one part alone.
        static let searched =
            [1.0, 1.0 / 8, 8].map { Weights(edge: 1, link: $0, cloud: 1) }
            + [Weights(edge: 1, link: 0.01, cloud: 0.01), Weights(edge: 0.01, link: 0.01, cloud: 1)]
    }

    private let model: CostModel
    private let topology: Topology
    private var network: FlowNetwork
    private let source: Int
    private let sink: Int
    /// By node: the arcs that its time costs, and the time its outputs take to come back.
    private var nodeArcs: [(node: Int, inCloud: Int, onEdge: Int, answer: Int64)] = []
    private var valueArcs: [(value: ValueID, arc: Int)] = []
    private let privacy: PrivacyTest

    init(_ model: CostModel, _ privacy: PrivacyTest) {
        self.model = model
        self.privacy = privacy
        let graph = model.cuts.graph
        topology = Topology(graph, isOffered: { _ in true })
        let readers = graph.consumers()
        let producers = graph.producers()
        let sent = graph.values.indices.filter { graph.values[$0].constant == nil && !readers[$0].isEmpty }
        source = graph.nodes.count
        sink = source + 1
        network = FlowNetwork(vertices: graph.nodes.count + 2 + sent.count)
        let predecessors = graph.nodes.map { node in
            Set(node.inputs.compactMap { $0.flatMap { producers[$0.index]?.index } })
        }
        for node in graph.nodes.indices {
            let isRequired = privacy.requiredHeadNode == NodeID(node)
            let answer = graph.nodes[node].outputs.filter(graph.outputs.contains)
                .reduce(ByteCount.zero) { $0 + ByteCount(graph[$1].type.byteCount) }
            let inCloud = network.addArc(
                from: source, to: node, capacity: isRequired ? FlowNetwork.unlimited : 0)
            let onEdge = network.addArc(from: node, to: sink)
            if !isRequired {
                nodeArcs.append((node, inCloud, onEdge, model.link.downlink.nanoseconds(of: answer)))
            }
            for predecessor in predecessors[node] {
                _ = network.addArc(from: node, to: predecessor, capacity: FlowNetwork.unlimited)
            }
        }
        for (place, value) in sent.enumerated() {
            let vertex = graph.nodes.count + 2 + place
            let producer = producers[value].map(\.index) ?? source
            valueArcs.append((ValueID(value), network.addArc(from: producer, to: vertex)))
            for reader in Set(readers[value].map(\.index)) {
                _ = network.addArc(from: vertex, to: reader, capacity: FlowNetwork.unlimited)
            }
        }
    }

    /// The head of a least cut, as a row of bits.
    func leastHead(mode: Int, edge: Int, cloud: Int, _ weights: Weights) -> [UInt64] {
        func time(_ nanoseconds: Int64, _ weight: Double) -> Int64 { Int64(Double(nanoseconds) * weight * 256) }
        for (node, inCloud, onEdge, answer) in nodeArcs {
            let tail = time(model.clouds[cloud].nanoseconds[node], weights.cloud) + time(answer, weights.link)
            network.setCapacity(tail, of: inCloud)
            network.setCapacity(time(model.edges[edge].nanoseconds[node], weights.edge), of: onEdge)
        }
        for (value, arc) in valueArcs {
            var capacity = FlowNetwork.unlimited
            if privacy.allows(value), let encoding = model.encoding(of: [value], mode: mode) {
                capacity =
                    time(encoding.encode.wholeNanoseconds, weights.edge)
                    + time(model.link.uplink.nanoseconds(of: encoding.size), weights.link)
                    + time(encoding.decode.wholeNanoseconds, weights.cloud)
            }
            network.setCapacity(capacity, of: arc)
        }
        let isOnEdge = network.sourceSide(from: source, to: sink)
        var row = Topology.Row(repeating: 0, count: topology.wordsPerRow)
        for node in topology.active where isOnEdge[node] { row.insert(node) }
        return topology.addingPassive(to: row, all: topology.active.allSatisfy { isOnEdge[$0] })
    }
}
