internal import ModelGraph

extension NodeTranslation {
    /// Normalisations by statistics of the activation itself.
    static let normalizations: [String: Translator] = [
        "InstanceNormalization": { (node) throws(ONNXError) in
            let normalization = GroupNormalization(
                groups: try node.channels(), epsilon: try node.float("epsilon") ?? 1e-5)
            return .operation(.groupNormalization(normalization), inputs: node.ids)
        },
        "GroupNormalization": { (node) throws(ONNXError) in try node.groupNormalization() },
        "LayerNormalization": { (node) throws(ONNXError) in
            try node.expectSinglePrecisionStash()
            let rank = try node.required(0, "data").type.shape.rank
            let normalization = LayerNormalization(
                axis: try node.axis(try node.int("axis") ?? -1, rank: rank), epsilon: try node.float("epsilon") ?? 1e-5)
            return .operation(.layerNormalization(normalization), inputs: node.ids)
        },
        "MeanVarianceNormalization": { (node) throws(ONNXError) in
            let rank = try node.required(0, "data").type.shape.rank
            let axes = try node.axes(try node.ints("axes") ?? [0, 2, 3], rank: rank)
            let (data, tiny) = (try node.term(0, "data"), try node.scalar(1e-9, like: 0))
            return try .expansion { (nodes) throws(ONNXError) in
                let mean = Operator.reduce(Reduction(kind: .mean, axes: axes))
                let centred = nodes.apply(.subtract, data, nodes.apply(mean, data))
                let variance = nodes.apply(mean, nodes.apply(.multiply, centred, centred))
                return nodes.apply(.divide, centred, nodes.apply(.add, nodes.apply(.sqrt, variance), tiny))
            }
        },
    ]
}

extension NodeContext {
    fileprivate func channels() throws(ONNXError) -> Int {
        let shape = try required(0, "data").type.shape
        guard shape.rank >= 2 else {
            throw ONNXError(.invalidNode, "the operand has no channels", at: location(), got: "\(shape)")
        }
        return shape[1]
    }

    /// Statistics are kept in float32; in what else they might be would only show in float16 and float64.
    fileprivate mutating func expectSinglePrecisionStash() throws(ONNXError) {
        if let stash = try elementType("stash_type"), stash != .float32 {
            throw unsupported("stash_type", expected: "float32", got: "\(stash)")
        }
    }

    /// Scale and bias are one a group before operator set 21, one a channel since.
    fileprivate mutating func groupNormalization() throws(ONNXError) -> NodeTranslation {
        try expect(operands: 3...3)
        try expectSinglePrecisionStash()
        let channels = try channels()
        let groups = try requiredInt("num_groups")
        guard groups >= 1, channels.isMultiple(of: groups) else {
            throw invalid("num_groups", expected: "a divisor of \(channels)", got: "\(groups)")
        }
        let operation = Operator.groupNormalization(
            GroupNormalization(groups: groups, epsilon: try float("epsilon") ?? 1e-5))
        guard operatorSet < 21, groups != channels else { return .operation(operation, inputs: ids) }
        let (data, scale, bias) = (try term(0, "data"), try term(1, "scale"), try term(2, "bias"))
        return try .expansion { (nodes) throws(ONNXError) in
            let spread = [scale, bias].map { parameter in
                let column = nodes.apply(.reshape(extents: [groups, 1], allowZero: false), parameter)
                let matrix = nodes.apply(.expand(extents: [groups, channels / groups]), column)
                return nodes.apply(.reshape(extents: [channels], allowZero: false), matrix)
            }
            return nodes.apply(operation, data, spread[0], spread[1])
        }
    }
}
