/// Sets of nodes closed under ancestors, as rows of bits, each with an earlier one that it contains.
struct Downsets: Sendable {
    let wordsPerRow: Int
    private(set) var rows: [UInt64] = []
    /// By row: an earlier row whose nodes it has too, or -1. What changes from one to the other is little, so that sums and
    /// boundaries cost little.
    private(set) var parents: [Int32] = []

    init(wordsPerRow: Int) {
        self.wordsPerRow = wordsPerRow
    }

    /// In lexicographic order, in which a set comes before those that contain it.
    /// - Parameter parents: by row, another of the rows that it contains, or `nil`.
    init(sorting parents: [[UInt64]: [UInt64]?], wordsPerRow: Int) {
        self.wordsPerRow = wordsPerRow
        let sorted = parents.keys.sorted { $0.precedesLexicographically($1) }
        let places = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, Int32($0)) })
        for row in sorted { append(row[...], parent: parents[row].flatMap { $0 }.flatMap { places[$0] } ?? -1) }
    }

    var count: Int { parents.count }

    subscript(index: Int) -> [UInt64] { Array(rows[index * wordsPerRow..<(index + 1) * wordsPerRow]) }

    mutating func reserveCapacity(_ count: Int) {
        rows.reserveCapacity(count * wordsPerRow)
        parents.reserveCapacity(count)
    }

    mutating func append(_ row: ArraySlice<UInt64>, parent: Int32) {
        rows.append(contentsOf: row)
        parents.append(parent)
    }
}

extension Topology {
    /// Every downset once, in lexicographic order; `nil` when there are more than `limit`.
    ///
    /// Nodes stand in topological order, so the ascending list of a downset's nodes is a path of downsets: each is visited
    /// from the one without its last node. From a downset one may add any node that is ready (all it reads is there) and
    /// comes after the last; taking the latest of them first gives the order wanted.
    func allDownsets(limit: Int) -> Downsets? {
        /// A downset whose successors are being visited.
        struct Visit {
            var node: Int
            var row: Int32
            /// Where its ready nodes after `node` begin in `ready`, ascending, and how many of them are still to be added.
            var start: Int
            var left: Int
        }
        guard !hasAntichain(beyond: limit) else { return nil }
        var downsets = Downsets(wordsPerRow: wordsPerRow)
        var row = Row(repeating: 0, count: wordsPerRow)
        downsets.append(row[...], parent: -1)
        let successors = self.successors()
        var waits = predecessors.map { Set($0).count }
        var ready = active.filter { waits[$0] == 0 }
        var path = [Visit(node: -1, row: 0, start: 0, left: ready.count)]
        while let visit = path.last {
            guard visit.left > 0 else {
                path.removeLast()
                guard visit.node >= 0 else { break }
                ready.removeSubrange(visit.start...)
                row.remove(visit.node)
                for successor in successors[visit.node] { waits[successor] += 1 }
                continue
            }
            guard downsets.count < limit else { return nil }
            path[path.count - 1].left -= 1
            let place = visit.start + visit.left - 1
            let node = ready[place]
            let start = ready.count
            row.insert(node)
            for later in (place + 1)..<start { ready.append(ready[later]) }
            for successor in successors[node] {
                waits[successor] -= 1
                guard waits[successor] == 0 else { continue }
                var slot = ready.count
                while slot > start && ready[slot - 1] > successor { slot -= 1 }
                ready.insert(successor, at: slot)
            }
            path.append(Visit(node: node, row: Int32(downsets.count), start: start, left: ready.count - start))
            downsets.append(row[...], parent: visit.row)
        }
        return downsets
    }

    /// Whether nodes that do not depend on each other show by themselves that there are more downsets than `limit`: each of
    /// their 2ⁿ subsets has another closure. Looks at the nodes of each distance from the inputs and from the ends.
    private func hasAntichain(beyond limit: Int) -> Bool {
        func widest(_ order: some Sequence<Int>, _ neighbours: [[Int]]) -> Int {
            var levels = [Int](repeating: 0, count: nodeCount)
            var counts = [0]
            for node in order {
                levels[node] = neighbours[node].reduce(0) { max($0, levels[$1] + 1) }
                if levels[node] == counts.count { counts.append(0) }
                counts[levels[node]] += 1
            }
            return counts.max() ?? 0
        }
        let width = max(widest(active, predecessors), widest(active.reversed(), successors()))
        return width >= Int.bitWidth - limit.leadingZeroBitCount
    }

    /// The prefixes of the orders, each once, in lexicographic order.
    func prefixes(of orders: [[Int]]) -> Downsets {
        let empty = Row(repeating: 0, count: wordsPerRow)
        var parents: [Row: Row?] = [empty: nil]
        for order in orders {
            var row = empty
            for node in order {
                let parent = row
                row.insert(node)
                parents[row] = parent
            }
        }
        return Downsets(sorting: parents, wordsPerRow: wordsPerRow)
    }

    /// By node: the active nodes that read its results.
    func successors() -> [[Int]] {
        var successors = [[Int]](repeating: [], count: nodeCount)
        for node in active {
            for predecessor in Set(predecessors[node]) { successors[predecessor].append(node) }
        }
        return successors
    }
}
