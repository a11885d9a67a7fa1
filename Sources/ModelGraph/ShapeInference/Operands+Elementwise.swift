extension Operands {
    func unary(_ function: UnaryFunction) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let operand = try required(0, "x")
        switch function {
        case .clamp, .negate, .absolute, .sign: try expectNumeric(operand, "x")
        default: try expectFloatingPoint(operand, "x")
        }
        return [operand]
    }

    func binary(_ function: BinaryFunction, activation: Clamp?) throws(GraphError) -> [TensorType] {
        try expect(operands: 2...2)
        let left = try required(0, "left operand")
        let right = try required(1, "right operand")
        try expectNumeric(left, "left operand")
        try expectNumeric(right, "right operand")
        if function != .power { try expect(right, "right operand", is: left.elementType) }
        if activation != nil { try expectFloatingPoint(left, "left operand, having an activation,") }
        guard let shape = left.shape.broadcast(with: right.shape) else {
            throw failure(.shapeMismatch, "\(left) and \(right) do not broadcast")
        }
        guard function != .prelu || shape == left.shape else {
            throw failure(.shapeMismatch, "slope \(right) does not broadcast to \(left)")
        }
        return [TensorType(left.elementType, shape)]
    }

    func comparison() throws(GraphError) -> [TensorType] {
        try expect(operands: 2...2)
        let left = try required(0, "left operand")
        let right = try required(1, "right operand")
        try expect(right, "right operand", is: left.elementType)
        guard let shape = left.shape.broadcast(with: right.shape) else {
            throw failure(.shapeMismatch, "\(left) and \(right) do not broadcast")
        }
        return [TensorType(.bool, shape)]
    }

    func select() throws(GraphError) -> [TensorType] {
        try expect(operands: 3...3)
        let condition = try required(0, "condition")
        try expect(condition, "condition", is: .bool)
        let left = try required(1, "x")
        let right = try required(2, "y")
        try expect(right, "y", is: left.elementType)
        guard let shape = left.shape.broadcast(with: right.shape)?.broadcast(with: condition.shape) else {
            throw failure(.shapeMismatch, "\(condition), \(left) and \(right) do not broadcast")
        }
        return [TensorType(left.elementType, shape)]
    }

    func clip() throws(GraphError) -> [TensorType] {
        try expect(operands: 1...3)
        let operand = try required(0, "x")
        try expectNumeric(operand, "x")
        for (index, role) in [(1, "minimum"), (2, "maximum")] {
            guard let bound = optional(index) else { continue }
            try expect(bound, role, is: operand.elementType)
            guard bound.shape.elementCount == 1 else {
                throw failure(.shapeMismatch, "\(role) must be a scalar, is \(bound)")
            }
        }
        return [operand]
    }

    func identity() throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        return [try required(0, "x")]
    }

    func dropout() throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1, outputs: 1...2)
        let operand = try required(0, "x")
        return wantedOutputs == 1 ? [operand] : [operand, TensorType(.bool, operand.shape)]
    }

    func cast(to target: ElementType) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        return [TensorType(target, try required(0, "x").shape)]
    }

    func quantizeLinear(axis: Int, to target: ElementType) throws(GraphError) -> [TensorType] {
        try expect(operands: 2...3)
        let operand = try required(0, "x")
        guard operand.elementType.isFloatingPoint || operand.elementType == .int32 else {
            throw failure(.typeMismatch, "x must be floating-point or int32, is \(operand)")
        }
        switch target {
        case .uint8, .int8, .uint16, .int16: break
        default: throw failure(.unsupported, "quantises to 8- or 16-bit integers, not to \(target)")
        }
        try expectQuantizationParameters(of: operand, axis: axis, quantizedType: target)
        return [TensorType(target, operand.shape)]
    }

    func dequantizeLinear(axis: Int) throws(GraphError) -> [TensorType] {
        try expect(operands: 2...3)
        let operand = try required(0, "x")
        switch operand.elementType {
        case .uint8, .int8, .uint16, .int16, .int32: break
        default: throw failure(.typeMismatch, "x must be an 8- or 16-bit integer or int32, is \(operand)")
        }
        try expectQuantizationParameters(of: operand, axis: axis, quantizedType: operand.elementType)
        return [TensorType(try required(1, "scale").elementType, operand.shape)]
    }

    /// One scale for all of `operand`, or one for each index along `axis`; likewise the zero point.
    private func expectQuantizationParameters(
        of operand: TensorType, axis: Int, quantizedType: ElementType
    ) throws(GraphError) {
        let scale = try required(1, "scale")
        try expectFloatingPoint(scale, "scale")
        if scale.shape.rank != 0 && scale.shape != [1] {
            try expect(scale, "scale", shape: [operand.shape[try self.axis(axis, of: operand.shape)]])
        }
        guard let zeroPoint = optional(2) else { return }
        try expect(zeroPoint, "zero point", is: quantizedType)
        guard zeroPoint.shape.elementCount == scale.shape.elementCount, zeroPoint.shape.rank <= 1 else {
            throw failure(.shapeMismatch, "zero point must have the scale's shape \(scale.shape), is \(zeroPoint)")
        }
    }
}
