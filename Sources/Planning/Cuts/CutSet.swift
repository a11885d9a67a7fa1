package import ModelGraph

/// Cuts of one graph, held as rows of bits: a few kilobytes for thousands of cuts.
///
/// Rows stand in lexicographic order of membership, node 0 first, so that the empty head comes first and the full head
/// last. A row is made a `Cut` only when asked for.
package struct CutSet: Sendable, RandomAccessCollection {
    package let graph: Graph
    /// False when the graph has too many cuts and only the prefixes of a few topological orders are held.
    package let isExhaustive: Bool
    /// The cuts passed over because a boundary tensor was not offered.
    package let withheldCount: Int

    private let rows: [UInt64]
    private let wordsPerRow: Int
    private let crossings: [Crossing]

    /// A value that may lie on a boundary: it does when its producer is in the head and a consumer is not.
    private struct Crossing: Sendable {
        var value: ValueID
        var producer: Int?
        var consumers: [Int]
    }

    init(graph: Graph, rows: [UInt64], wordsPerRow: Int, isExhaustive: Bool, withheldCount: Int) {
        self.graph = graph
        self.rows = rows
        self.wordsPerRow = wordsPerRow
        self.isExhaustive = isExhaustive
        self.withheldCount = withheldCount
        let producers = graph.producers()
        let consumers = graph.consumers()
        crossings = graph.values.indices.compactMap { value in
            guard graph.values[value].constant == nil, !consumers[value].isEmpty else { return nil }
            return Crossing(
                value: ValueID(value), producer: producers[value]?.index, consumers: consumers[value].map(\.index))
        }
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { rows.count / wordsPerRow }

    /// - Complexity: O(nodes + values), with allocation: for loops over all cuts use the queries below.
    package subscript(position: Int) -> Cut {
        let head = graph.nodeIDs.filter { contains($0, inHeadAt: position) }
        guard let cut = try? Cut(headNodes: head, of: graph) else {
            preconditionFailure("row \(position) is not closed under ancestors")
        }
        return cut
    }

    package func contains(_ node: NodeID, inHeadAt position: Int) -> Bool {
        rows[position * wordsPerRow + node.index / 64] & (1 << UInt64(node.index % 64)) != 0
    }

    /// The same as the cut's `boundary`.
    package func boundary(at position: Int) -> [ValueID] {
        let base = position * wordsPerRow
        func isInHead(_ node: Int) -> Bool { rows[base + node / 64] & (1 << UInt64(node % 64)) != 0 }
        var boundary: [ValueID] = []
        for crossing in crossings {
            if let producer = crossing.producer, !isInHead(producer) { continue }
            if !crossing.consumers.allSatisfy(isInHead) { boundary.append(crossing.value) }
        }
        return boundary
    }

    /// The sum of `weights` (one for each node) over the head.
    package func headSum(of weights: [Int64], at position: Int) -> Int64 {
        var sum: Int64 = 0
        for word in 0..<wordsPerRow {
            var bits = rows[position * wordsPerRow + word]
            while bits != 0 {
                sum += weights[word * 64 + bits.trailingZeroBitCount]
                bits &= bits - 1
            }
        }
        return sum
    }

    package func headNodeCount(at position: Int) -> Int {
        rows[position * wordsPerRow..<(position + 1) * wordsPerRow].reduce(0) { $0 + $1.nonzeroBitCount }
    }

    package func isCloudOnly(at position: Int) -> Bool { headNodeCount(at: position) == 0 }

    /// True when the head holds every node.
    package func isEdgeOnly(at position: Int) -> Bool { headNodeCount(at: position) == graph.nodes.count }
}
