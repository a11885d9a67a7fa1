internal import ModelGraph

/// An addition that the convolution computing one of its operands does on the way, saving a pass over memory.
///
/// The convolution runs when the addition would, once both operands exist. In integers the kernels round the convolution's
/// own value as if it were written out, so that fusing changes no bit, and a cut between the two none either.
struct FusedAddition {
    /// The addition.
    let node: NodeID
    let convolution: NodeID
    /// The addition's other operand.
    let residual: ValueID
}

extension Lowering {
    private enum Arithmetic {
        case integers, float
    }

    /// Additions of two images one of which a convolution computes for nobody else; of two such, the later.
    func fusibleAdditions() -> [FusedAddition] {
        let producers = graph.producers()
        let consumers = graph.consumers()
        return graph.nodeIDs.compactMap { id in
            guard let arithmetic = arithmeticOfAddition(graph[id]), let left = graph[id].inputs[0],
                let right = graph[id].inputs[1], left != right
            else { return nil }
            let candidates = [(left, right), (right, left)].compactMap { operand, other -> FusedAddition? in
                guard let producer = producers[operand.index], consumers[operand.index] == [id],
                    !graph.outputs.contains(operand), arithmeticOfConvolution(producer) == arithmetic
                else { return nil }
                return FusedAddition(node: id, convolution: producer, residual: other)
            }
            return candidates.max { $0.convolution < $1.convolution }
        }
    }

    private func arithmeticOfAddition(_ node: Node) -> Arithmetic? {
        guard case .binary(.add, _) = node.operation, let left = node.inputs[0], let right = node.inputs[1],
            graph[left].constant == nil, graph[right].constant == nil, shape(left) == shape(right),
            graph[left].type.elementType == .float32
        else { return nil }
        return quantizations(of: node) != nil ? .integers : .float
    }

    /// `nil` for nodes that are no convolution, or one that cannot add.
    private func arithmeticOfConvolution(_ id: NodeID) -> Arithmetic? {
        let node = graph[id]
        guard case .convolution(let convolution) = node.operation else { return nil }
        if integerConvolution(node, id, convolution) != nil { return .integers }
        // The one clamp of a float kernel comes after the sum.
        return convolution.activation == nil && isFloatConvolution(node, convolution) ? .float : nil
    }

    /// Emits the convolution of a fused addition.
    mutating func lower(_ addition: FusedAddition) throws {
        let node = graph[addition.convolution]
        guard case .convolution(let convolution) = node.operation,
            case .binary(_, let activation) = graph[addition.node].operation
        else { preconditionFailure("\(node.name) adds nothing") }
        let result = graph[addition.node].outputs[0]
        if let product = integerConvolution(node, addition.convolution, convolution), let output = quantized[result],
            let quantization = quantized[addition.residual]
        {
            let addend = IntegerAddend(
                value: addition.residual, quantization: quantization, target: result, output: output,
                activation: activation)
            // Converting the residual is the addition's own work.
            _ = try read(addend.value, as: TensorForm(quantization: quantization, layout: .channelsLast))
            try attributing(to: addition.convolution) { try $0.emit(product, adding: addend) }
        } else if var product = floatConvolution(node, convolution) {
            product.activation = activation
            product.target = result
            _ = try read(addition.residual, as: TensorForm(layout: .channelsLast))
            try attributing(to: addition.convolution) { try $0.emit(product, adding: addition.residual) }
        }
    }
}
