extension Graph {
    /// Clips with known float32 bounds become clamps; matrix products of matrices become gemm, which takes a bias.
    func usingSimplerOperators() throws(GraphError) -> Graph {
        var editor = GraphEditor(self)
        for id in editor.nodeIDs {
            guard var node = editor[id] else { continue }
            switch node.operation {
            case .clip:
                guard let clamp = editor.constantBounds(of: node) else { continue }
                node.operation = .unary(.clamp(clamp))
                node.inputs = [node.inputs[0]]
            case .matrixProduct:
                guard node.inputs.allSatisfy({ $0.map { editor[$0].type.shape.rank == 2 } ?? false }) else { continue }
                node.operation = .gemm(Gemm())
            default: continue
            }
            editor.replace(id, by: node)
        }
        return try editor.finish()
    }
}

extension GraphEditor {
    /// The bounds of a clip, when they are constants and in order.
    fileprivate func constantBounds(of clip: Node) -> Clamp? {
        guard let operand = clip.inputs.first.flatMap(\.self), self[operand].type.elementType == .float32 else {
            return nil
        }
        var clamp = Clamp()
        if let input = clip.inputs.dropFirst().first.flatMap(\.self) {
            guard let bound = constant(input) else { return nil }
            clamp.lower = bound.array(of: Float.self)[0]
        }
        if let input = clip.inputs.dropFirst(2).first.flatMap(\.self) {
            guard let bound = constant(input) else { return nil }
            clamp.upper = bound.array(of: Float.self)[0]
        }
        return clamp.lower <= clamp.upper ? clamp : nil
    }
}
