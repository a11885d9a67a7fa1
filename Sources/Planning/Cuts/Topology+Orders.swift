internal import ModelGraph

extension Topology {
    /// Three different topological orders of the active nodes; every prefix of one is a downset.
    ///
    /// The graph's own order; depth first, which finishes a branch before it starts the next; and smallest boundary
    /// first, which at each step runs the ready node that leaves the fewest bytes between head and tail.
    func orders(_ graph: Graph) -> [[Int]] {
        var step = 0
        var readyStep = [Int](repeating: 0, count: nodeCount)
        let depthFirst = order { ready in
            step += 1
            for node in ready where readyStep[node] == 0 { readyStep[node] = step }
            return ready.max { (readyStep[$0], -$0) < (readyStep[$1], -$1) }
        }
        return [active, depthFirst, smallestBoundaryFirst(graph)]
    }

    private func smallestBoundaryFirst(_ graph: Graph) -> [Int] {
        let readers = graph.consumers()
        var readersLeft = readers.map(\.count)
        let inputs = graph.nodes.map { Set($0.inputs.compactMap { $0 }).filter { graph[$0].constant == nil } }
        let sizes = graph.values.map { $0.type.byteCount }
        let added = graph.nodes.map { $0.outputs.reduce(0) { $0 + sizes[$1.index] } }
        func growth(_ node: Int) -> Int {
            inputs[node].reduce(added[node]) { readersLeft[$1.index] == 1 ? $0 - sizes[$1.index] : $0 }
        }
        var growths = graph.nodes.indices.map(growth)
        return order { ready in
            let next = ready.min { (growths[$0], $0) < (growths[$1], $1) }
            if let next {
                for input in inputs[next] {
                    readersLeft[input.index] -= 1
                    // Only where one reader is left does that change what it frees.
                    guard readersLeft[input.index] == 1 else { continue }
                    for reader in readers[input.index] { growths[reader.index] = growth(reader.index) }
                }
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
