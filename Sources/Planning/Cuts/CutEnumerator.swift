package import ModelGraph

/// Lists the legal cuts of a graph: the sets of nodes closed under ancestors (downsets of the DAG).
///
/// Nodes that read no activation, directly or through others, do not multiply the cuts: they stand in the head where
/// a head node needs them, and else in the tail. The empty head and the full head are always listed.
package struct CutEnumerator: Sendable {
    /// The largest number of downsets visited; beyond it the prefixes of a few topological orders stand for all.
    package var limit: Int
    /// Whether a value may be sent; applies to every cut but cloud-only and edge-only.
    package var isOffered: @Sendable (Value) -> Bool

    package init(
        limit: Int = 100_000,
        isOffered: @escaping @Sendable (Value) -> Bool = { $0.type.elementType == .float32 }
    ) {
        precondition(limit > 0)
        self.limit = limit
        self.isOffered = isOffered
    }

    /// - Complexity: time in the order of a node's degree, and nodes ÷ 8 bytes, for each downset.
    package func cuts(of graph: Graph) -> CutSet {
        let topology = Topology(graph, isOffered: isOffered)
        if let downsets = topology.allDownsets(limit: limit) {
            return topology.cutSet(of: graph, downsets, isExhaustive: true)
        }
        return topology.cutSet(of: graph, topology.prefixes(of: topology.orders(graph)), isExhaustive: false)
    }
}

/// The dependencies between the nodes that read activations, and the sets of bits over nodes that enumeration needs.
struct Topology {
    typealias Row = [UInt64]

    /// Nodes that depend on a graph input, ascending (a topological order).
    let active: [Int]
    /// By node: the active nodes whose results it reads.
    let predecessors: [[Int]]
    /// The other nodes, ascending, and for each its readers.
    let passive: [(node: Int, readers: [Int])]
    /// Activations that may not be sent: producer (`nil` for graph inputs) and readers.
    let withheld: [(producer: Int?, readers: [Int])]
    let nodeCount: Int
    let wordsPerRow: Int

    init(_ graph: Graph, isOffered: (Value) -> Bool) {
        let producers = graph.producers()
        let consumers = graph.consumers()
        var isActiveValue = [Bool](repeating: false, count: graph.values.count)
        for input in graph.inputs { isActiveValue[input.index] = true }
        var active: [Int] = []
        var passive: [(node: Int, readers: [Int])] = []
        var predecessors = [[Int]](repeating: [], count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            let inputs = node.inputs.compactMap { $0 }.filter { isActiveValue[$0.index] }
            if inputs.isEmpty {
                passive.append((index, node.outputs.flatMap { consumers[$0.index].map(\.index) }))
            } else {
                active.append(index)
                predecessors[index] = inputs.compactMap { producers[$0.index]?.index }
                for output in node.outputs { isActiveValue[output.index] = true }
            }
        }
        self.active = active
        self.passive = passive
        self.predecessors = predecessors
        withheld = graph.values.indices.compactMap { value in
            guard isActiveValue[value], !consumers[value].isEmpty, !isOffered(graph.values[value]) else { return nil }
            return (producers[value]?.index, consumers[value].map(\.index))
        }
        nodeCount = graph.nodes.count
        wordsPerRow = max(1, (graph.nodes.count + 63) / 64)
    }

    /// With the passive nodes that the head needs, or all of them.
    func addingPassive(to downset: Row, all: Bool) -> Row {
        guard !passive.isEmpty else { return downset }
        var row = downset
        for (node, readers) in passive.reversed() where all || readers.contains(where: row.contains) {
            row.insert(node)
        }
        return row
    }

    /// Adds the passive nodes each head needs and drops the heads that would send what may not be sent.
    func cutSet(of graph: Graph, _ downsets: Downsets, isExhaustive: Bool) -> CutSet {
        var heads = Downsets(wordsPerRow: wordsPerRow)
        heads.reserveCapacity(downsets.count)
        // Where a downset, or the closest of its ancestors that is listed, stands in the result.
        var listed: [Int32] = []
        listed.reserveCapacity(downsets.count)
        var withheldCount = 0
        for index in 0..<downsets.count {
            let isFull = index == downsets.count - 1
            let row = addingPassive(to: downsets[index], all: isFull)
            let parent = index == 0 ? -1 : listed[Int(downsets.parents[index])]
            let isWithheld = withheld.contains { producer, readers in
                (producer.map(row.contains) ?? true) && !readers.allSatisfy(row.contains)
            }
            if isWithheld && index != 0 && !isFull {
                withheldCount += 1
                listed.append(parent)
            } else {
                listed.append(Int32(heads.count))
                heads.append(row[...], parent: parent)
            }
        }
        return CutSet(graph: graph, heads: heads, isExhaustive: isExhaustive, withheldCount: withheldCount)
    }
}

extension [UInt64] {
    func contains(_ bit: Int) -> Bool { self[bit / 64] & (1 << UInt64(bit % 64)) != 0 }

    mutating func insert(_ bit: Int) { self[bit / 64] |= 1 << UInt64(bit % 64) }

    mutating func remove(_ bit: Int) { self[bit / 64] &= ~(1 << UInt64(bit % 64)) }

    /// At the first bit that differs, `self` has 0.
    func precedesLexicographically(_ other: [UInt64]) -> Bool {
        for (left, right) in zip(self, other) where left != right {
            return left & (1 << UInt64((left ^ right).trailingZeroBitCount)) == 0
        }
        return false
    }
}
