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
    ]

    /// Absent or empty axes mean all, or none if the node says so.
    private static func reduction(_ kind: Reduction.Kind, axesAreOperandSince version: Int = 18) -> Translator {
        { (node) throws(ONNXError) in
            let data = try node.required(0, "data")
            let axes = try node.axesAttributeOrOperand(since: version) ?? []
            let keepsDimensions = try node.flag("keepdims", default: true)
            if try node.flag("noop_with_empty_axes"), axes.isEmpty { return .operation(.identity, inputs: [data.id]) }
            let reduction = Reduction(
                kind: kind, axes: try node.axes(axes, rank: data.type.shape.rank).sorted(),
                keepsDimensions: keepsDimensions)
            return .operation(.reduce(reduction), inputs: [data.id])
        }
    }
}
