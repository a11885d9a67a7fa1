extension Graph {
    /// Moves clamps into the convolution, gemm or addition whose only reader they are.
    func fusingActivations() throws(GraphError) -> Graph {
        var editor = GraphEditor(self)
        for id in editor.nodeIDs {
            guard let node = editor[id], case .unary(.clamp(let clamp)) = node.operation,
                let producer = editor.soleProducer(of: node.inputs[0]),
                let fused = producer.node.operation.followed(by: clamp)
            else { continue }
            guard editor[node.outputs[0]].type.elementType.isFloatingPoint else { continue }
            editor.absorb(id, into: producer.id, operation: fused, inputs: producer.node.inputs)
        }
        return try editor.finish()
    }
}

extension Operator {
    /// This operator with its activation extended by `clamp`; `nil` when it takes none.
    fileprivate func followed(by clamp: Clamp) -> Operator? {
        switch self {
        case .convolution(var convolution):
            convolution.activation = convolution.activation?.followed(by: clamp) ?? clamp
            return .convolution(convolution)
        case .gemm(var gemm):
            gemm.activation = gemm.activation?.followed(by: clamp) ?? clamp
            return .gemm(gemm)
        case .binary(.add, let activation):
            return .binary(.add, activation: activation?.followed(by: clamp) ?? clamp)
        default: return nil
        }
    }
}
