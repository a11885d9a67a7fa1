extension Graph {
    /// Without the nodes that only pass their operand on; graph outputs keep their names.
    func removingIdentities() throws(GraphError) -> Graph {
        var editor = GraphEditor(self)
        for id in editor.nodeIDs {
            guard let node = editor[id], let operand = node.inputs.first.flatMap(\.self),
                let result = node.outputs.first,
                editor[operand].type == editor[result].type,
                node.operation.isIdentity(on: editor[operand].type.shape, operandCount: node.inputs.count),
                node.outputs.dropFirst().allSatisfy({ !editor.isUsed($0) })
            else { continue }
            editor.bypass(id, to: operand)
        }
        return try editor.finish()
    }
}

extension Operator {
    /// Whether the first result equals the first operand, given that their types agree.
    fileprivate func isIdentity(on shape: Shape, operandCount: Int) -> Bool {
        switch self {
        case .identity, .dropout, .cast, .reshape, .flatten, .squeeze, .unsqueeze, .expand: true
        case .concat: operandCount == 1
        // The one part of a split in one.
        case .split(_, let sizes): sizes.count == 1
        case .transpose(let permutation): permutation == Array(permutation.indices)
        case .slice(let slice): slice.steps.allSatisfy { $0 > 0 }
        case .pad(let pad): (pad.begins + pad.ends).allSatisfy { $0 == 0 }
        case .maxPool(let pooling), .averagePool(let pooling): pooling.window.isPointwise
        case .globalAveragePool, .globalMaxPool: true
        case .unary(.clamp(let clamp)): clamp == Clamp()
        case .reduce(let reduction):
            switch reduction.kind {
            // Over axes of extent 1 each of these is its only element.
            case .sum, .mean, .maximum, .minimum, .product:
                reduction.reducedAxes(of: shape).allSatisfy { shape[$0] == 1 }
            case .l1, .l2, .sumOfSquares: false
            }
        default: false
        }
    }
}
