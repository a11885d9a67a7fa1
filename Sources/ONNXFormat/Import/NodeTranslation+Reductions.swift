internal import ModelGraph

extension NodeTranslation {
    static let reductions: [String: Translator] = [
        "ReduceSum": reduction(.sum, axesAreOperandSince: 13),
        "ReduceMean": reduction(.mean),
        "ReduceMax": reduction(.maximum),
        "ReduceMin": reduction(.minimum),
        "ReduceProd": reduction(.product),
        "ReduceL1": reduction(.l1),
        "ReduceL2": reduction(.l2),
        "ReduceSumSquare": reduction(.sumOfSquares),
        "ReduceLogSum": { (node) throws(ONNXError) in
            let data = try node.term(0, "data")
            guard let sum = try node.reduction(.sum, axesAreOperandSince: 18) else {
                return .operation(.unary(.log), inputs: node.ids)
            }
            return try .expansion { (nodes) throws(ONNXError) in nodes.apply(.log, nodes.apply(.reduce(sum), data)) }
        },
        "ReduceLogSumExp": { (node) throws(ONNXError) in try node.logarithmOfExponentials() },
    ]

    /// Absent or empty axes mean all, or none if the node says so.
    private static func reduction(_ kind: Reduction.Kind, axesAreOperandSince version: Int = 18) -> Translator {
        { (node) throws(ONNXError) in
            let id = try node.required(0, "data").id
            guard let reduction = try node.reduction(kind, axesAreOperandSince: version) else {
                return .operation(.identity, inputs: [id])
            }
            return .operation(.reduce(reduction), inputs: [id])
        }
    }
}

extension NodeContext {
    /// `nil` where nothing is reduced.
    fileprivate mutating func reduction(
        _ kind: Reduction.Kind, axesAreOperandSince version: Int
    ) throws(ONNXError) -> Reduction? {
        let axes = try axesAttributeOrOperand(since: version) ?? []
        let keepsDimensions = try flag("keepdims", default: true)
        if try flag("noop_with_empty_axes"), axes.isEmpty { return nil }
        let rank = try required(0, "data").type.shape.rank
        return Reduction(kind: kind, axes: try self.axes(axes, rank: rank).sorted(), keepsDimensions: keepsDimensions)
    }

    /// `max + log Σ exp(x − max)`, which does not overflow where x is finite.
    fileprivate mutating func logarithmOfExponentials() throws(ONNXError) -> NodeTranslation {
        let data = try term(0, "data")
        guard let sum = try reduction(.sum, axesAreOperandSince: 18) else {
            return .operation(.identity, inputs: [try required(0, "data").id])
        }
        var kept = sum
        (kept.kind, kept.keepsDimensions) = (.maximum, true)
        var maximum = sum
        maximum.kind = .maximum
        return try .expansion { (nodes) throws(ONNXError) in
            let shifted = nodes.apply(.subtract, data, nodes.apply(.reduce(kept), data))
            let logarithm = nodes.apply(.log, nodes.apply(.reduce(sum), nodes.apply(.exp, shifted)))
            return nodes.apply(.add, logarithm, nodes.apply(.reduce(maximum), data))
        }
    }
}
