/// Identifies a value (tensor) within one graph.
package struct ValueID: Hashable, Sendable, Codable, Comparable {
    package let index: Int

    package init(_ index: Int) {
        self.index = index
    }

    package static func < (left: ValueID, right: ValueID) -> Bool { left.index < right.index }
}

/// Identifies a node within one graph: its position in topological order.
package struct NodeID: Hashable, Sendable, Codable, Comparable {
    package let index: Int

    package init(_ index: Int) {
        self.index = index
    }

    package static func < (left: NodeID, right: NodeID) -> Bool { left.index < right.index }
}

/// A tensor of the graph: an input, a constant or the result of a node.
package struct Value: Sendable {
    /// Unique within the graph; the ONNX name where the value came from a file.
    package var name: String
    package var type: TensorType
    /// The tensor itself, when it is known before execution.
    package var constant: Tensor?

    package init(name: String, type: TensorType, constant: Tensor? = nil) {
        self.name = name
        self.type = type
        self.constant = constant
    }
}

/// One application of an operator.
package struct Node: Hashable, Sendable {
    package var name: String
    package var operation: Operator
    /// `nil` stands for an optional operand left out.
    package var inputs: [ValueID?]
    package var outputs: [ValueID]

    package init(name: String, operation: Operator, inputs: [ValueID?], outputs: [ValueID]) {
        self.name = name
        self.operation = operation
        self.inputs = inputs
        self.outputs = outputs
    }
}

/// A typed, static-shape dataflow graph (DAG).
///
/// Rules, checked by `verify()`: nodes stand in topological order; every value has exactly one origin (graph input,
/// constant or node output); names are unique; the stored types equal what shape inference derives.
package struct Graph: Sendable {
    package var name: String
    package var values: [Value]
    package var nodes: [Node]
    package var inputs: [ValueID]
    package var outputs: [ValueID]

    package init(
        name: String, values: [Value] = [], nodes: [Node] = [], inputs: [ValueID] = [], outputs: [ValueID] = []
    ) {
        self.name = name
        self.values = values
        self.nodes = nodes
        self.inputs = inputs
        self.outputs = outputs
    }

    package subscript(value: ValueID) -> Value {
        get { values[value.index] }
        set { values[value.index] = newValue }
    }

    package subscript(node: NodeID) -> Node {
        get { nodes[node.index] }
        set { nodes[node.index] = newValue }
    }

    package var nodeIDs: some Sequence<NodeID> { nodes.indices.lazy.map(NodeID.init) }

    package func value(named name: String) -> ValueID? {
        values.firstIndex { $0.name == name }.map(ValueID.init)
    }

    /// For each value, the node that computes it; `nil` for inputs and constants.
    package func producers() -> [NodeID?] {
        var producers = [NodeID?](repeating: nil, count: values.count)
        for (index, node) in nodes.enumerated() {
            for output in node.outputs { producers[output.index] = NodeID(index) }
        }
        return producers
    }

    /// For each value, the nodes that read it, in order, each once.
    package func consumers() -> [[NodeID]] {
        var consumers = [[NodeID]](repeating: [], count: values.count)
        for (index, node) in nodes.enumerated() {
            for case let input? in node.inputs where consumers[input.index].last != NodeID(index) {
                consumers[input.index].append(NodeID(index))
            }
        }
        return consumers
    }
}

extension Graph {
    /// Adds a value; names must stay unique.
    @discardableResult
    package mutating func addValue(_ name: String, _ type: TensorType) -> ValueID {
        values.append(Value(name: name, type: type))
        return ValueID(values.count - 1)
    }

    @discardableResult
    package mutating func addConstant(_ name: String, _ tensor: Tensor) -> ValueID {
        values.append(Value(name: name, type: tensor.type, constant: tensor))
        return ValueID(values.count - 1)
    }

    @discardableResult
    package mutating func addInput(_ name: String, _ type: TensorType) -> ValueID {
        let id = addValue(name, type)
        inputs.append(id)
        return id
    }

    /// Appends a node and its output values, whose types are inferred.
    /// - Parameter outputNames: one for each output wanted; optional trailing outputs are left out by giving fewer.
    /// - Throws: `GraphError` when the operands do not fit the operator.
    @discardableResult
    package mutating func append(
        _ operation: Operator, name: String, inputs: [ValueID?], outputNames: [String]
    ) throws(GraphError) -> [ValueID] {
        let types = try operation.inferOutputTypes(
            inputs: inputs.map { id in id.map { values[$0.index].type } }, outputCount: outputNames.count, node: name)
        let outputs = zip(outputNames, types).map { addValue($0, $1) }
        nodes.append(Node(name: name, operation: operation, inputs: inputs, outputs: outputs))
        return outputs
    }
}
