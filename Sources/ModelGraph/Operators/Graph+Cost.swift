extension Graph {
    /// Multiply-adds of a node: those of convolutions and matrix products; other operators count as none, as is usual
    /// in the field.
    package func multiplyAdds(of id: NodeID) -> Int {
        let node = self[id]
        let elements = self[node.outputs[0]].type.shape.elementCount
        switch node.operation {
        case .convolution:
            guard node.inputs.count > 1, let weights = node.inputs[1] else { return 0 }
            let shape = self[weights].type.shape
            return elements * shape.elementCount(in: 1..<shape.rank)
        case .transposedConvolution:
            guard let input = node.inputs[0], node.inputs.count > 1, let weights = node.inputs[1] else { return 0 }
            let shape = self[weights].type.shape
            return self[input].type.shape.elementCount * shape.elementCount(in: 1..<shape.rank)
        case .gemm(let gemm):
            guard let input = node.inputs[0] else { return 0 }
            let shape = self[input].type.shape
            return elements * (gemm.transposesA ? shape[0] : (shape.last ?? 0))
        case .matrixProduct:
            guard let input = node.inputs[0] else { return 0 }
            return elements * (self[input].type.shape.last ?? 0)
        default:
            return 0
        }
    }

    /// Elements of all constants: weights, biases and the like.
    package var parameterCount: Int {
        values.reduce(0) { $0 + ($1.constant?.shape.elementCount ?? 0) }
    }

    /// Elements of the constants that one node reads.
    package func parameterCount(of id: NodeID) -> Int {
        self[id].inputs.reduce(0) { $0 + ($1.flatMap { self[$0].constant }?.shape.elementCount ?? 0) }
    }
}
