internal import ModelGraph

extension Topology {
    /// Three different topological orders of the active nodes; every prefix of one is a downset.
    ///
    /// The graph's own order; depth first, which finishes a branch before it starts the next; and smallest boundary
    /// first, which at each step runs the ready node that leaves the fewest bytes between head and tail.
    func orders(_ graph: Graph) -> [[Int]] {
        var step = 0
        var readyStep: [Int: Int] = [:]
        let depthFirst = order { ready in
            step += 1
            for node in ready where readyStep[node] == nil { readyStep[node] = step }
            return ready.max { (readyStep[$0] ?? 0, -$0) < (readyStep[$1] ?? 0, -$1) }
        }
        return [active, depthFirst, smallestBoundaryFirst(graph)]
    }

    private func smallestBoundaryFirst(_ graph: Graph) -> [Int] {
        var readersLeft = graph.consumers().map(\.count)
        func growth(_ node: Int) -> Int {
            let added = graph.nodes[node].outputs.reduce(0) { $0 + graph[$1].type.byteCount }
            let freed = Set(graph.nodes[node].inputs.compactMap { $0 })
                .filter { readersLeft[$0.index] == 1 && graph[$0].constant == nil }
            return added - freed.reduce(0) { $0 + graph[$1].type.byteCount }
        }
        return order { ready in
            let next = ready.min { (growth($0), $0) < (growth($1), $1) }
            if let next {
                for input in Set(graph.nodes[next].inputs.compactMap { $0 }) { readersLeft[input.index] -= 1 }
            }
            return next
        }
    }

    /// Kahn's algorithm; `choose` picks from the ready nodes, which are never empty and ascend.
    private func order(choosing choose: ([Int]) -> Int?) -> [Int] {
        var waits = predecessors.map { Set($0).count }
        let successors = self.successors()
        var ready = active.filter { waits[$0] == 0 }
        var order: [Int] = []
        while let node = choose(ready) {
            order.append(node)
            ready.removeAll { $0 == node }
            for successor in successors[node] {
                waits[successor] -= 1
                if waits[successor] == 0 { ready.append(successor) }
            }
            ready.sort()
        }
        return order
    }
}
