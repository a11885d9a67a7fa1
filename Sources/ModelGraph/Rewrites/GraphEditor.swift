/// A graph being rewritten: nodes disappear and change operands while their neighbours stay known.
///
/// Between edits a value may be left without reader or origin; `finish()` clears such values away.
struct GraphEditor {
    private var graph: Graph
    /// `nil` once removed.
    private var nodes: [Node?]
    private var producers: [NodeID?]
    /// How often nodes or the graph's outputs refer to each value.
    private var useCounts: [Int]
    private var valueNames: Set<String>
    private var nodeNames: Set<String>

    init(_ graph: Graph) {
        self.graph = graph
        nodes = graph.nodes
        producers = graph.producers()
        useCounts = [Int](repeating: 0, count: graph.values.count)
        for use in graph.outputs + graph.nodes.flatMap({ $0.inputs.compactMap(\.self) }) { useCounts[use.index] += 1 }
        valueNames = Set(graph.values.map(\.name))
        nodeNames = Set(graph.nodes.map(\.name))
    }

    var nodeIDs: some Sequence<NodeID> { nodes.indices.lazy.map(NodeID.init) }

    /// `nil` once removed.
    subscript(node: NodeID) -> Node? { nodes[node.index] }
    subscript(value: ValueID) -> Value { graph[value] }

    /// The tensor of a constant operand.
    func constant(_ value: ValueID?) -> Tensor? {
        value.flatMap { graph[$0].constant }
    }

    /// The node that computes `value`.
    func producer(of value: ValueID?) -> (id: NodeID, node: Node)? {
        guard let value, let id = producers[value.index], let node = nodes[id.index] else { return nil }
        return (id, node)
    }

    /// The node that computes `value`, when that is its only result and nothing but one operand refers to it.
    func soleProducer(of value: ValueID?) -> (id: NodeID, node: Node)? {
        guard let value, useCounts[value.index] == 1, let producer = producer(of: value),
            producer.node.outputs == [value]
        else { return nil }
        return producer
    }

    func isOutput(_ value: ValueID) -> Bool { graph.outputs.contains(value) }
    func isUsed(_ value: ValueID) -> Bool { useCounts[value.index] > 0 }

    /// Adds a constant under `name`, or a variation of it where that is taken.
    mutating func addConstant(_ name: String, _ tensor: Tensor) -> ValueID {
        producers.append(nil)
        useCounts.append(0)
        return graph.addConstant(Self.unique(name, &valueNames), tensor)
    }

    private static func unique(_ name: String, _ taken: inout Set<String>) -> String {
        var unique = name
        var suffix = 2
        while !taken.insert(unique).inserted {
            unique = "\(name).\(suffix)"
            suffix += 1
        }
        return unique
    }

    /// Puts `replacement` in the place of a node; it must compute the same values.
    mutating func replace(_ id: NodeID, by replacement: Node) {
        remove(id)
        nodes[id.index] = replacement
        for case let input? in replacement.inputs { useCounts[input.index] += 1 }
        for output in replacement.outputs { producers[output.index] = id }
    }

    /// Puts a chain of operators in the place of a node; the first takes `operands`, each other the result before it.
    mutating func replace(_ id: NodeID, by chain: [Operator], operands: [ValueID?]) throws(GraphError) {
        guard let node = nodes[id.index] else { return }
        var inputs = operands
        for (index, operation) in chain.dropLast().enumerated() {
            let type = try operation.inferOutputTypes(
                inputs: inputs.map { id in id.map { graph[$0].type } }, outputCount: 1, node: node.name)[0]
            let result = graph.addValue(Self.unique("\(node.name).\(index)", &valueNames), type)
            useCounts.append(0)
            producers.append(NodeID(nodes.count))
            nodes.append(
                Node(
                    name: Self.unique("\(node.name).\(index)", &nodeNames), operation: operation, inputs: inputs,
                    outputs: [result]))
            for case let input? in inputs { useCounts[input.index] += 1 }
            inputs = [result]
        }
        guard let last = chain.last else { return }
        replace(id, by: Node(name: node.name, operation: last, inputs: inputs, outputs: node.outputs))
    }

    mutating func remove(_ id: NodeID) {
        guard let node = nodes[id.index] else { return }
        for case let input? in node.inputs { useCounts[input.index] -= 1 }
        for output in node.outputs where producers[output.index] == id { producers[output.index] = nil }
        nodes[id.index] = nil
    }

    /// Makes `producer`, under a new operation and operands, compute what its successor `consumer` did, which goes.
    mutating func absorb(_ consumer: NodeID, into producer: NodeID, operation: Operator, inputs: [ValueID?]) {
        guard let absorbed = nodes[consumer.index], let absorbing = nodes[producer.index] else { return }
        remove(consumer)
        replace(
            producer,
            by: Node(name: absorbing.name, operation: operation, inputs: inputs, outputs: absorbed.outputs))
    }

    /// Gives the results of a node as constants instead.
    mutating func replace(_ id: NodeID, by constants: [Tensor]) {
        guard let node = nodes[id.index] else { return }
        remove(id)
        for (output, constant) in zip(node.outputs, constants) { graph[output].constant = constant }
    }

    /// Removes a node whose first result equals `operand`, of the same type, and whose other results are unused.
    ///
    /// A graph output keeps its name: it is then `operand` that takes the result's place. A node between a graph input
    /// or another output and an output has to stay.
    /// - Returns: whether the node was removed.
    @discardableResult
    mutating func bypass(_ id: NodeID, to operand: ValueID) -> Bool {
        guard let result = nodes[id.index]?.outputs.first else { return false }
        guard isOutput(result) else {
            remove(id)
            redirectUses(of: result, to: operand)
            return true
        }
        guard let producer = producer(of: operand), !isOutput(operand) else { return false }
        remove(id)
        redirectUses(of: operand, to: result)
        var node = producer.node
        node.outputs = node.outputs.map { $0 == operand ? result : $0 }
        replace(producer.id, by: node)
        return true
    }

    private mutating func redirectUses(of old: ValueID, to new: ValueID) {
        for index in nodes.indices {
            guard let inputs = nodes[index]?.inputs, inputs.contains(old) else { continue }
            nodes[index]?.inputs = inputs.map { $0 == old ? new : $0 }
        }
        useCounts[new.index] += useCounts[old.index]
        useCounts[old.index] = 0
    }

    /// The edited graph without what no output depends on.
    /// - Throws: `GraphError.malformed` when the nodes form a cycle.
    consuming func finish() throws(GraphError) -> Graph {
        graph.nodes = nodes.compactMap(\.self)
        return try graph.removingDeadNodes()
    }
}
