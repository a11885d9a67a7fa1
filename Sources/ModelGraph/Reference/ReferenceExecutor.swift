/// Runs a graph one operator at a time by its definition: slow, obviously right, the yardstick for every fast path.
package struct ReferenceExecutor: Sendable {
    package let graph: Graph

    package init(_ graph: Graph) {
        self.graph = graph
    }

    /// - Parameters:
    ///   - inputs: one tensor for each graph input, in order, of exactly its type.
    ///   - observe: called with each activation as soon as it is known, inputs included.
    /// - Returns: one tensor for each graph output.
    /// - Throws: `GraphError.shapeMismatch` for an input of another type, and what an operator throws.
    package func run(
        _ inputs: [Tensor], observe: (ValueID, Tensor) throws -> Void = { _, _ in }
    ) throws -> [Tensor] {
        guard inputs.count == graph.inputs.count else {
            throw GraphError(
                .shapeMismatch, "expected \(graph.inputs.count) inputs, got \(inputs.count)", at: graph.name)
        }
        var tensors = graph.values.map(\.constant)
        for (id, tensor) in zip(graph.inputs, inputs) {
            guard tensor.type == graph[id].type else {
                throw GraphError(.shapeMismatch, "expected \(graph[id].type), got \(tensor.type)", at: graph[id].name)
            }
            tensors[id.index] = tensor
            try observe(id, tensor)
        }
        var readersLeft = graph.consumers().map(\.count)
        for output in graph.outputs { readersLeft[output.index] += 1 }
        for node in graph.nodes {
            let results = try node.operation.evaluate(
                node.inputs.map { $0.flatMap { tensors[$0.index] } }, outputCount: node.outputs.count, node: node.name)
            for (id, tensor) in zip(node.outputs, results) {
                tensors[id.index] = tensor
                try observe(id, tensor)
            }
            for input in Set(node.inputs.compactMap(\.self)) {
                readersLeft[input.index] -= 1
                if readersLeft[input.index] == 0 && graph[input].constant == nil { tensors[input.index] = nil }
            }
        }
        return try graph.outputs.map { output in
            guard let tensor = tensors[output.index] else {
                throw GraphError(.malformed, "output was never computed", at: graph[output].name)
            }
            return tensor
        }
    }
}
