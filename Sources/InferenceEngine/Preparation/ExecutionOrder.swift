internal import ModelGraph

extension QuantizedGraph {
    /// An order of the nodes, each after those it reads from, that needs little memory for activations.
    ///
    /// Of the graph's own order, one that finishes a branch before it starts the next, and one that always runs the node
    /// after which least is alive, the one with the lowest peak; the first of several.
    /// - Complexity: O(n²) in the number of nodes.
    func frugalOrder() -> [NodeID] {
        let given = Array(graph.nodeIDs)
        let uses = ActivationUses(self)
        return [given, uses.order(preferring: .latestReady), uses.order(preferring: .leastAlive)]
            .min { uses.peak(of: $0) < uses.peak(of: $1) } ?? given
    }
}

/// Who computes and who reads each activation of a graph, and its bytes.
private struct ActivationUses {
    enum Preference {
        /// The node whose operands were complete last.
        case latestReady
        /// The node after which the fewest bytes are alive.
        case leastAlive
    }

    private let graph: Graph
    /// By value index; 0 for constants.
    private let byteCounts: [Int]
    /// By value index: the nodes still to read it; outputs of the graph have one reader more.
    private let readers: [Int]
    private let consumers: [[NodeID]]
    /// By node index: activations it reads, each once.
    private let operands: [[ValueID]]

    init(_ quantized: QuantizedGraph) {
        let graph = quantized.graph
        self.graph = graph
        consumers = graph.consumers()
        var readers = consumers.map(\.count)
        for output in graph.outputs { readers[output.index] += 1 }
        self.readers = readers
        byteCounts = graph.values.indices.map { index in
            let value = graph.values[index]
            if value.constant != nil { return 0 }
            return quantized.activations[index] == nil ? value.type.byteCount : value.type.shape.elementCount
        }
        operands = graph.nodes.map { node in
            Set(node.inputs.compactMap(\.self)).filter { graph[$0].constant == nil }.sorted()
        }
    }

    /// Bytes that a node adds to what is alive, given how often each value is still to be read.
    private func growth(_ node: NodeID, _ unread: [Int]) -> Int {
        let added = graph[node].outputs.reduce(0) { $0 + byteCounts[$1.index] }
        return operands[node.index].reduce(added) { unread[$1.index] == 1 ? $0 - byteCounts[$1.index] : $0 }
    }

    /// The largest sum of bytes alive at once.
    func peak(of order: [NodeID]) -> Int {
        var unread = readers
        var alive = graph.inputs.reduce(0) { $0 + byteCounts[$1.index] }
        var peak = alive
        for node in order {
            let added = graph[node].outputs.reduce(0) { $0 + byteCounts[$1.index] }
            peak = max(peak, alive + added)
            alive += growth(node, unread)
            for operand in operands[node.index] { unread[operand.index] -= 1 }
        }
        return peak
    }

    func order(preferring preference: Preference) -> [NodeID] {
        var unread = readers
        var missing = operands.map(\.count)
        for input in graph.inputs {
            for consumer in consumers[input.index] { missing[consumer.index] -= 1 }
        }
        var ready = graph.nodeIDs.filter { missing[$0.index] == 0 }
        var order: [NodeID] = []
        while !ready.isEmpty {
            let position: Int
            switch preference {
            case .latestReady: position = ready.endIndex - 1
            case .leastAlive:
                let growths = ready.map { growth($0, unread) }
                position = ready.indices.min { (growths[$0], ready[$0]) < (growths[$1], ready[$1]) } ?? 0
            }
            let node = ready.remove(at: position)
            order.append(node)
            for operand in operands[node.index] { unread[operand.index] -= 1 }
            for output in graph[node].outputs {
                // Backwards, so that the first of several comes off the end first.
                for consumer in consumers[output.index].reversed() {
                    missing[consumer.index] -= 1
                    if missing[consumer.index] == 0 { ready.append(consumer) }
                }
            }
        }
        return order
    }
}
