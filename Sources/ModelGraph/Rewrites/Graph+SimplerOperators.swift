extension Graph {
    /// Clips with known float32 bounds become clamps; matrix products of matrices become gemm, which takes a bias;
    /// windows and means over whole planes become global pools.
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
            case .maxPool(let pooling) where pooling.window.covers(editor.spatialExtents(of: node.inputs[0])):
                guard node.outputs.count == 1, editor.isFloatingPoint(node.inputs[0]) else { continue }
                node.operation = .globalMaxPool
            case .averagePool(let pooling) where pooling.window.covers(editor.spatialExtents(of: node.inputs[0])):
                node.operation = .globalAveragePool
            case .reduce(let reduction):
                guard reduction.kind == .mean, reduction.keepsDimensions, editor.isFloatingPoint(node.inputs[0]),
                    let operand = node.inputs[0], case let shape = editor[operand].type.shape, shape.rank >= 3,
                    !shape.dropFirst(2).contains(0), reduction.reducedAxes(of: shape) == Set(2..<shape.rank)
                else { continue }
                node.operation = .globalAveragePool
            default: continue
            }
            editor.replace(id, by: node)
        }
        return try editor.finish()
    }
}

extension Window {
    /// Whether the one position it takes is the whole plane.
    fileprivate func covers(_ extents: [Int]) -> Bool {
        kernel == extents && dilations.allSatisfy { $0 == 1 } && !hasPadding
    }
}

extension GraphEditor {
    fileprivate func spatialExtents(of value: ValueID?) -> [Int] {
        value.map { Array(self[$0].type.shape.dropFirst(2)) } ?? []
    }

    fileprivate func isFloatingPoint(_ value: ValueID?) -> Bool {
        value.map { self[$0].type.elementType.isFloatingPoint } ?? false
    }

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
