extension Graph {
    /// Recognises functions of one value that files write as several nodes: swish as `x · sigmoid(x)`, hard-swish as
    /// `x · hardSigmoid(x)`, hard-sigmoid as `clamp(x + 3, 0...6) / 6`, mish as `x · tanh(softplus(x))`, and gelu as
    /// `x · (erf(x / √2) + 1) · 0.5` in any order of its factors.
    ///
    /// - SeeAlso: Howard et al., "Searching for MobileNetV3", 2019, §5.2
    func fusingGates() throws(GraphError) -> Graph {
        var editor = GraphEditor(self)
        for id in editor.nodeIDs {
            guard let node = editor[id], node.outputs.count == 1,
                editor[node.outputs[0]].type.elementType == .float32
            else { continue }
            if let (operand, gate, function) = editor.gatedOperand(of: node) {
                editor.absorb(id, into: gate, operation: .unary(function), inputs: [operand])
            } else if let (error, operand) = editor.operandOfGelu(node) {
                editor.absorb(id, into: error, operation: .unary(.gelu(isApproximate: false)), inputs: [operand])
            } else if let (softplus, operand) = editor.operandOfMish(node) {
                editor.absorb(id, into: softplus, operation: .unary(.mish), inputs: [operand])
            } else if let (sum, operand) = editor.operandOfHardSigmoid(node) {
                editor.absorb(
                    id, into: sum, operation: .unary(.hardSigmoid(alpha: 1 / 6, beta: 0.5)), inputs: [operand])
            }
        }
        return try editor.finish()
    }
}

extension GraphEditor {
    /// What a product multiplies by a function of itself, the function's node, and what the two are together.
    fileprivate func gatedOperand(of product: Node) -> (operand: ValueID, gate: NodeID, function: UnaryFunction)? {
        guard case .binary(.multiply, activation: nil) = product.operation, let left = product.inputs[0],
            let right = product.inputs[1]
        else { return nil }
        for (operand, factor) in [(left, right), (right, left)] {
            guard let gate = soleProducer(of: factor), gate.node.inputs.first == operand,
                case .unary(let function) = gate.node.operation, let gated = function.gated
            else { continue }
            return (operand, gate.id, gated)
        }
        return nil
    }

    /// The addition in `clamp(x + 3, 0...6) / 6`, and x.
    fileprivate func operandOfHardSigmoid(_ quotient: Node) -> (sum: NodeID, operand: ValueID)? {
        let divisor: Double
        switch quotient.operation {
        case .binary(.divide, activation: nil):
            guard let value = uniformConstant(quotient.inputs[1]) else { return nil }
            divisor = value
        case .binary(.multiply, activation: nil):
            guard let value = uniformConstant(quotient.inputs[1]) ?? uniformConstant(quotient.inputs[0]) else {
                return nil
            }
            divisor = 1 / value
        default: return nil
        }
        guard abs(divisor - 6) < 1e-4, let dividend = quotient.inputs.first(where: { constant($0) == nil }),
            let sum = soleProducer(of: dividend), case .binary(.add, activation: .relu6) = sum.node.operation,
            let operand = sum.node.inputs.first(where: { constant($0) == nil }) ?? nil,
            let shift = sum.node.inputs.first(where: { constant($0) != nil }), uniformConstant(shift) == 3,
            self[operand].type == self[quotient.outputs[0]].type
        else { return nil }
        return (sum.id, operand)
    }

    /// The node before the error function in a product of x, `1 + erf(x / √2)` and ½, and x.
    fileprivate func operandOfGelu(_ product: Node) -> (argument: NodeID, operand: ValueID)? {
        var factors: [ValueID] = []
        var scale = 1.0
        // Products of products are one, as long as nobody else reads the inner ones.
        func collect(_ node: Node) -> Bool {
            guard case .binary(.multiply, activation: nil) = node.operation else { return false }
            for case let factor? in node.inputs {
                if let value = uniformConstant(factor) {
                    scale *= value
                } else if let inner = soleProducer(of: factor), collect(inner.node) {
                    continue
                } else {
                    factors.append(factor)
                }
            }
            return true
        }
        guard collect(product), factors.count == 2, abs(scale - 0.5) < 1e-6 else { return nil }
        for (operand, risen) in [(factors[0], factors[1]), (factors[1], factors[0])] {
            guard let sum = soleProducer(of: risen), case .binary(.add, activation: nil) = sum.node.operation,
                sum.node.inputs.contains(where: { uniformConstant($0) == 1 }),
                let curve = sum.node.inputs.first(where: { constant($0) == nil }).flatMap({ soleProducer(of: $0) }),
                case .unary(.erf) = curve.node.operation, let argument = soleProducer(of: curve.node.inputs[0]),
                argument.node.inputs.contains(operand)
            else { continue }
            switch argument.node.operation {
            case .binary(.divide, activation: nil):
                guard argument.node.inputs[0] == operand, let divisor = uniformConstant(argument.node.inputs[1]),
                    abs(divisor - 2.0.squareRoot()) < 1e-6
                else { continue }
            case .binary(.multiply, activation: nil):
                guard let factor = argument.node.inputs.lazy.compactMap({ self.uniformConstant($0) }).first,
                    abs(factor - 0.5.squareRoot()) < 1e-6
                else { continue }
            default: continue
            }
            return (argument.id, operand)
        }
        return nil
    }

    /// The softplus in `x · tanh(softplus(x))`, and x.
    fileprivate func operandOfMish(_ product: Node) -> (softplus: NodeID, operand: ValueID)? {
        guard case .binary(.multiply, activation: nil) = product.operation, let left = product.inputs[0],
            let right = product.inputs[1]
        else { return nil }
        for (operand, factor) in [(left, right), (right, left)] {
            guard let curve = soleProducer(of: factor), case .unary(.tanh) = curve.node.operation,
                let softplus = soleProducer(of: curve.node.inputs[0]),
                case .unary(.softplus) = softplus.node.operation, softplus.node.inputs[0] == operand
            else { continue }
            return (softplus.id, operand)
        }
        return nil
    }

    /// The value of a constant whose elements are all the same.
    private func uniformConstant(_ value: ValueID?) -> Double? {
        guard let tensor = constant(value), tensor.elementType == .float32 else { return nil }
        // Longer constants are weights.
        let values = tensor.shape.elementCount <= 1 << 16 ? tensor.reals : []
        return values.allSatisfy { $0 == values[0] } ? values.first : nil
    }
}

extension UnaryFunction {
    /// The function `x · self(x)`; `nil` when it has no name.
    fileprivate var gated: UnaryFunction? {
        switch self {
        case .sigmoid: .swish(alpha: 1)
        case .hardSigmoid(let alpha, let beta): abs(alpha * 6 - 1) < 1e-5 && beta == 0.5 ? .hardSwish : nil
        default: nil
        }
    }
}
