extension Graph {
    /// Constants may grow by this factor when folded (int8 weights become float32) …
    private static let maximumGrowth = 8
    /// … or up to this many bytes whatever they grew from.
    private static let freeByteCount = 1 << 20

    /// Replaces nodes by their results where all operands are constants, and shape queries always.
    ///
    /// A node whose evaluation fails, such as a gather out of range, stays to fail at execution.
    func foldingConstants() throws(GraphError) -> Graph {
        var editor = GraphEditor(self)
        for id in editor.nodeIDs {
            guard let node = editor[id], node.operation.isCheapToFold else { continue }
            if case .shape(let start, let end) = node.operation, let input = node.inputs.first.flatMap(\.self) {
                let shape = editor[input].type.shape
                let extents = shape.axes(from: start, to: end).map { Int64(shape[$0]) }
                editor.replace(id, by: [Tensor(extents, shape: [extents.count])])
                continue
            }
            let operands = node.inputs.map(editor.constant)
            guard zip(node.inputs, operands).allSatisfy({ $0 == nil || $1 != nil }) else { continue }
            let operandBytes = operands.reduce(0) { $0 + ($1?.byteCount ?? 0) }
            let resultBytes = node.outputs.reduce(0) { $0 + editor[$1].type.byteCount }
            guard resultBytes <= max(Self.freeByteCount, Self.maximumGrowth * operandBytes) else { continue }
            guard
                let results = try? node.operation.evaluate(operands, outputCount: node.outputs.count, node: node.name)
            else { continue }
            editor.replace(id, by: results)
        }
        return try editor.finish()
    }
}

extension Operator {
    /// False where the work is not bounded by the sizes of operands and results.
    fileprivate var isCheapToFold: Bool {
        switch self {
        case .convolution, .transposedConvolution, .maxPool, .averagePool, .localResponseNormalization, .resize: false
        default: true
        }
    }
}
