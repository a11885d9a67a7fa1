package import ModelGraph

/// Cuts of one graph, held as rows of bits: a few megabytes for tens of thousands of cuts.
///
/// Rows stand in lexicographic order of membership, node 0 first, so that the empty head comes first and the full head
/// last. A row is made a `Cut` only when asked for.
package struct CutSet: Sendable, RandomAccessCollection {
    package let graph: Graph
    /// False when the graph has too many cuts and only some of them are held.
    package let isExhaustive: Bool
    /// The cuts passed over because a boundary tensor was not offered.
    package let withheldCount: Int

    private let heads: Downsets
    private let producers: [NodeID?]
    /// The boundaries one after another, and where each begins.
    private let boundaryValues: [ValueID]
    private let boundaryStarts: [Int32]

    init(graph: Graph, heads: Downsets, isExhaustive: Bool, withheldCount: Int) {
        self.graph = graph
        self.heads = heads
        producers = graph.producers()
        self.isExhaustive = isExhaustive
        self.withheldCount = withheldCount
        (boundaryValues, boundaryStarts) = heads.boundaries(in: graph)
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { heads.count }

    /// - Complexity: O(nodes + values), with allocation: for loops over all cuts use the queries below.
    package subscript(position: Int) -> Cut {
        let head = graph.nodeIDs.filter { contains($0, inHeadAt: position) }
        guard let cut = try? Cut(headNodes: head, of: graph) else {
            preconditionFailure("row \(position) is not closed under ancestors")
        }
        return cut
    }

    package func contains(_ node: NodeID, inHeadAt position: Int) -> Bool {
        heads.rows[position * heads.wordsPerRow + node.index / 64] & (1 << UInt64(node.index % 64)) != 0
    }

    /// The same as the cut's `boundary`: ascending.
    package func boundary(at position: Int) -> ArraySlice<ValueID> {
        boundaryValues[Int(boundaryStarts[position])..<Int(boundaryStarts[position + 1])]
    }

    /// The sum of `weights` (one for each node) over the head.
    package func headSum(of weights: [Int64], at position: Int) -> Int64 {
        var sum: Int64 = 0
        heads.forEachNode(at: position, beyond: -1) { sum += weights[$0] }
        return sum
    }

    /// `headSum` of every cut.
    package func headSums(of weights: [Int64]) -> [Int64] {
        var sums: [Int64] = []
        sums.reserveCapacity(count)
        for position in indices {
            let parent = Int(heads.parents[position])
            var sum = parent < 0 ? 0 : sums[parent]
            heads.forEachNode(at: position, beyond: parent) { sum += weights[$0] }
            sums.append(sum)
        }
        return sums
    }

    /// Graph outputs that the head computes, in the graph's order.
    package func headOutputs(at position: Int) -> [ValueID] {
        graph.outputs.filter { output in producers[output.index].map { contains($0, inHeadAt: position) } ?? true }
    }

    package func headNodeCount(at position: Int) -> Int {
        heads.rows[position * heads.wordsPerRow..<(position + 1) * heads.wordsPerRow].reduce(0) {
            $0 + $1.nonzeroBitCount
        }
    }

    package func isCloudOnly(at position: Int) -> Bool { headNodeCount(at: position) == 0 }

    /// True when the head holds every node.
    package func isEdgeOnly(at position: Int) -> Bool { headNodeCount(at: position) == graph.nodes.count }

    /// With more heads, each a downset of the graph as a row of bits.
    func adding(_ rows: [[UInt64]]) -> CutSet {
        var parents: [[UInt64]: [UInt64]?] = [:]
        for index in 0..<heads.count {
            let parent = Int(heads.parents[index])
            parents[heads[index]] = .some(parent < 0 ? nil : heads[parent])
        }
        for row in rows where parents[row] == nil { parents[row] = .some(heads[0]) }
        return CutSet(
            graph: graph, heads: Downsets(sorting: parents, wordsPerRow: heads.wordsPerRow), isExhaustive: isExhaustive,
            withheldCount: withheldCount)
    }
}

extension Downsets {
    /// The nodes of a row, ascending, that the row `parent` lacks (all of them for -1).
    fileprivate func forEachNode(at position: Int, beyond parent: Int, _ body: (Int) -> Void) {
        for word in 0..<wordsPerRow {
            var bits = rows[position * wordsPerRow + word]
            if parent >= 0 { bits &= ~rows[parent * wordsPerRow + word] }
            while bits != 0 {
                body(word * 64 + bits.trailingZeroBitCount)
                bits &= bits - 1
            }
        }
    }

    /// What each head's tail reads and does not compute: that of its parent, less what is now read by the head alone, and
    /// the results of the nodes added that others read.
    fileprivate func boundaries(in graph: Graph) -> (values: [ValueID], starts: [Int32]) {
        let readers = graph.consumers().map { Set($0.map(\.index)).sorted() }
        let inputs = graph.inputs.filter { !readers[$0.index].isEmpty && graph[$0].constant == nil }.sorted {
            $0.index < $1.index
        }
        var values: [ValueID] = []
        var starts: [Int32] = [0]
        starts.reserveCapacity(count + 1)
        for position in 0..<count {
            let base = position * wordsPerRow
            let isRead = { (value: ValueID) in
                !readers[value.index].allSatisfy { rows[base + $0 / 64] & (1 << UInt64($0 % 64)) != 0 }
            }
            let first = values.count
            let parent = Int(parents[position])
            if parent < 0 {
                for input in inputs where isRead(input) { values.append(input) }
            } else {
                for index in Int(starts[parent])..<Int(starts[parent + 1]) where isRead(values[index]) {
                    values.append(values[index])
                }
            }
            forEachNode(at: position, beyond: parent) { node in
                for output in graph.nodes[node].outputs where isRead(output) {
                    var place = values.count
                    while place > first && values[place - 1].index > output.index { place -= 1 }
                    values.insert(output, at: place)
                }
            }
            starts.append(Int32(values.count))
        }
        return (values, starts)
    }
}
