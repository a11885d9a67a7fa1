internal import ModelGraph

extension NodeTranslation {
    /// Operators on integers that stand for reals: each becomes the operator on reals between dequantisations and, where
    /// it has one, a quantisation, which is the other form in which files keep quantised networks.
    static let integers: [String: Translator] = [
        "QLinearConv": { (node) throws(ONNXError) in try node.quantizedConvolution() },
        "QLinearMatMul": { (node) throws(ONNXError) in
            try node.expect(operands: 8...8)
            return try .expansion { (nodes) throws(ONNXError) in
                let left = try node.dequantized(0, in: &nodes, axis: -2)
                let right = try node.dequantized(3, in: &nodes, axis: -1)
                return try node.quantized(nodes.apply(.matrixProduct, left, right), scale: 6, in: &nodes)
            }
        },
        "ConvInteger": { (node) throws(ONNXError) in try node.integerConvolution() },
        "MatMulInteger": { (node) throws(ONNXError) in
            try node.expect(operands: 2...4)
            return try .expansion { (nodes) throws(ONNXError) in
                let left = try node.counted(0, zeroPoint: 2, in: &nodes, axis: -2)
                let right = try node.counted(1, zeroPoint: 3, in: &nodes, axis: -1)
                return nodes.apply(.cast(.int32), nodes.apply(.matrixProduct, left, right))
            }
        },
        "DynamicQuantizeLinear": { (node) throws(ONNXError) in try node.dynamicQuantization() },
        microsoft + "QLinearAdd": quantizedBinary(.add),
        microsoft + "QLinearMul": quantizedBinary(.multiply),
        microsoft + "QLinearSigmoid": quantizedUnary { (_) throws(ONNXError) in .unary(.sigmoid) },
        microsoft + "QLinearLeakyRelu": quantizedUnary { (node) throws(ONNXError) in
            .unary(.leakyRelu(alpha: try node.float("alpha") ?? 0.01))
        },
        microsoft + "QLinearGlobalAveragePool": quantizedUnary { (node) throws(ONNXError) in
            try node.refuseChannelsLast()
            return .globalAveragePool
        },
        microsoft + "QLinearAveragePool": quantizedUnary { (node) throws(ONNXError) in
            try node.refuseChannelsLast()
            return .averagePool(try node.averagePooling())
        },
        microsoft + "QLinearReduceMean": quantizedUnary { (node) throws(ONNXError) in
            let rank = try node.required(0, "data").type.shape.rank
            let axes = try node.axes(try node.ints("axes") ?? [], rank: rank)
            return .reduce(
                Reduction(kind: .mean, axes: axes, keepsDimensions: try node.flag("keepdims", default: true)))
        },
        microsoft + "QLinearSoftmax": quantizedUnary { (node) throws(ONNXError) in
            let shape = try node.required(0, "data").type.shape
            let flattens = try node.requiredInt("opset") < 13
            let axis = try node.axis(try node.int("axis") ?? (flattens ? 1 : -1), rank: shape.rank)
            return .softmax(
                Softmax(axis: axis, flattensTrailingAxes: flattens && shape.dropFirst(axis + 1).contains { $0 != 1 }))
        },
        microsoft + "QLinearConcat": { (node) throws(ONNXError) in try node.quantizedConcatenation() },
        microsoft + "QGemm": { (node) throws(ONNXError) in try node.quantizedGemm() },
    ]

    static let microsoft = "com.microsoft:"

    private static func quantizedUnary(
        _ operation: @escaping @Sendable (inout NodeContext) throws(ONNXError) -> Operator
    ) -> Translator {
        { (node) throws(ONNXError) in
            try node.expect(operands: 4...5)
            let operation = try operation(&node)
            return try .expansion { (nodes) throws(ONNXError) in
                let operand = try node.dequantized(0, in: &nodes)
                return try node.quantized(nodes.apply(operation, operand), scale: 3, in: &nodes)
            }
        }
    }

    private static func quantizedBinary(_ function: BinaryFunction) -> Translator {
        { (node) throws(ONNXError) in
            try node.expect(operands: 7...8)
            return try .expansion { (nodes) throws(ONNXError) in
                let left = try node.dequantized(0, in: &nodes)
                let right = try node.dequantized(3, in: &nodes)
                return try node.quantized(nodes.apply(function, left, right), scale: 6, in: &nodes)
            }
        }
    }
}

extension NodeContext {
    /// Operand `index`, followed by its scale and zero point, in reals.
    /// - Parameter axis: along which scales may differ.
    fileprivate func dequantized(
        _ index: Int, in nodes: inout Expansion, axis: Int = 0
    ) throws(ONNXError) -> Expansion.Term {
        let rank = try required(index, "data").type.shape.rank
        return nodes.apply(
            .dequantizeLinear(axis: try dequantizationAxis(axis, rank: rank, parameter: index + 1)),
            try term(index, "data"), try term(index + 1, "scale"), optionalTerm(index + 2))
    }

    /// Operand `index` less its zero point, as float32, which holds every integer up to 2²⁴ exactly.
    fileprivate func counted(
        _ index: Int, zeroPoint: Int, in nodes: inout Expansion, axis: Int = 0
    ) throws(ONNXError) -> Expansion.Term {
        let rank = try required(index, "data").type.shape.rank
        var scale = Tensor(scalar: Float(1))
        if let type = optional(zeroPoint)?.type, type.shape.rank == 1 {
            scale = Tensor([Float](repeating: 1, count: type.shape.elementCount), shape: type.shape)
        }
        return nodes.apply(
            .dequantizeLinear(axis: try dequantizationAxis(axis, rank: rank, parameter: zeroPoint)),
            try term(index, "data"), .constant(scale), optionalTerm(zeroPoint))
    }

    /// The axis means nothing, and may not exist, where there is one parameter.
    private func dequantizationAxis(_ axis: Int, rank: Int, parameter: Int) throws(ONNXError) -> Int {
        let count = optional(parameter)?.type.shape.elementCount ?? 1
        return count == 1 ? 0 : try self.axis(axis, rank: rank)
    }

    /// `term` quantised by operands `scale` and the one after it.
    fileprivate func quantized(
        _ term: Expansion.Term, scale: Int, in nodes: inout Expansion
    ) throws(ONNXError) -> Expansion.Term {
        let zeroPoint = optional(scale + 1)
        return nodes.apply(
            .quantizeLinear(axis: 0, to: zeroPoint?.type.elementType ?? .uint8), term, try self.term(scale, "scale"),
            zeroPoint.map { .value($0.id) })
    }

    fileprivate mutating func quantizedConvolution() throws(ONNXError) -> NodeTranslation {
        try expect(operands: 8...9)
        let convolution = try convolution(weights: 3)
        return try .expansion { (nodes) throws(ONNXError) in
            let activation = try dequantized(0, in: &nodes)
            let weights = try dequantized(3, in: &nodes)
            var bias: Expansion.Term?
            if let integers = optionalTerm(8) {
                let scale = nodes.apply(.multiply, try term(1, "scale"), try term(4, "scale"))
                bias = nodes.apply(.dequantizeLinear(axis: 0), integers, scale)
            }
            return try quantized(
                nodes.apply(.convolution(convolution), activation, weights, bias), scale: 6, in: &nodes)
        }
    }

    fileprivate mutating func integerConvolution() throws(ONNXError) -> NodeTranslation {
        try expect(operands: 2...4)
        let convolution = try convolution(weights: 1)
        return try .expansion { (nodes) throws(ONNXError) in
            let activation = try counted(0, zeroPoint: 2, in: &nodes)
            let weights = try counted(1, zeroPoint: 3, in: &nodes)
            return nodes.apply(.cast(.int32), nodes.apply(.convolution(convolution), activation, weights))
        }
    }

    /// uint8 by the range of the operand and 0; results: y, scale, zero point.
    fileprivate func dynamicQuantization() throws(ONNXError) -> NodeTranslation {
        try expect(operands: 1...1)
        let data = try term(0, "data")
        var nodes = Expansion()
        let constant = { (value: Float) in Expansion.Term.constant(Tensor(scalar: value)) }
        let extremum = { (kind: Reduction.Kind) in
            Operator.reduce(Reduction(kind: kind, axes: [], keepsDimensions: false))
        }
        let lowest = nodes.apply(.minimum, nodes.apply(extremum(.minimum), data), constant(0))
        let highest = nodes.apply(.maximum, nodes.apply(extremum(.maximum), data), constant(0))
        let scale = nodes.apply(.divide, nodes.apply(.subtract, highest, lowest), constant(255))
        let zero = nodes.apply(.round, nodes.apply(.negate, nodes.apply(.divide, lowest, scale)))
        let zeroPoint = nodes.apply(.cast(.uint8), nodes.apply(.clamp(Clamp(lower: 0, upper: 255)), zero))
        nodes.results = [
            nodes.apply(.quantizeLinear(axis: 0, to: .uint8), data, scale, zeroPoint), scale, zeroPoint,
        ]
        return .expansion(nodes)
    }

    /// Operands: the result's scale and zero point, then triples of data, scale and zero point.
    fileprivate mutating func quantizedConcatenation() throws(ONNXError) -> NodeTranslation {
        guard operands.count >= 5, operands.count % 3 == 2 else { try expect(operands: 5...5); return .chain(.add, []) }
        let axis = try axis(try requiredInt("axis"), rank: try required(2, "data").type.shape.rank)
        return try .expansion { (nodes) throws(ONNXError) in
            var parts: [Expansion.Term] = []
            for index in stride(from: 2, to: operands.count, by: 3) {
                parts.append(try dequantized(index, in: &nodes))
            }
            let whole = nodes.apply(.concat(axis: axis), parts, outputCount: 1)[0]
            return try quantized(whole, scale: 0, in: &nodes)
        }
    }

    /// Without a scale for the result, that stays real.
    fileprivate mutating func quantizedGemm() throws(ONNXError) -> NodeTranslation {
        try expect(operands: 6...9)
        let gemm = Gemm(
            alpha: try float("alpha") ?? 1, transposesA: try flag("transA"), transposesB: try flag("transB"))
        return try .expansion { (nodes) throws(ONNXError) in
            let left = try dequantized(0, in: &nodes)
            let right = try dequantized(3, in: &nodes, axis: gemm.transposesB ? 0 : 1)
            var bias: Expansion.Term?
            if let integers = optionalTerm(6) {
                let scale = nodes.apply(.multiply, try term(1, "scale"), try term(4, "scale"))
                let scaled = nodes.apply(.multiply, scale, .constant(Tensor(scalar: gemm.alpha)))
                let rank = try required(6, "bias").type.shape.rank
                bias = nodes.apply(.dequantizeLinear(axis: max(rank - 1, 0)), integers, scaled)
            }
            let product = nodes.apply(.gemm(gemm), left, right, bias)
            return optional(7) == nil ? product : try quantized(product, scale: 7, in: &nodes)
        }
    }

    fileprivate mutating func refuseChannelsLast() throws(ONNXError) {
        if try flag("channels_last") { throw unsupported("channels_last", expected: "0", got: "1") }
    }
}
