extension Operands {
    func gemm(_ gemm: Gemm) throws(GraphError) -> [TensorType] {
        try expect(operands: 2...3)
        let left = try required(0, "A")
        let right = try required(1, "B")
        try expectFloatingPoint(left, "A")
        try expect(left, "A", rankIn: 2...2)
        try expect(right, "B", is: left.elementType)
        try expect(right, "B", rankIn: 2...2)
        let (rows, depth) = gemm.transposesA ? (left.shape[1], left.shape[0]) : (left.shape[0], left.shape[1])
        let (rightDepth, columns) =
            gemm.transposesB ? (right.shape[1], right.shape[0]) : (right.shape[0], right.shape[1])
        guard depth == rightDepth else {
            throw failure(
                .shapeMismatch, "A \(left) and B \(right) disagree on the summed axis: \(depth), \(rightDepth)")
        }
        let output = try shape([rows, columns])
        if let addend = optional(2) {
            try expect(addend, "C", is: left.elementType)
            guard addend.shape.broadcast(with: output) == output else {
                throw failure(.shapeMismatch, "C \(addend) does not broadcast to \(output)")
            }
        }
        return [TensorType(left.elementType, output)]
    }

    func matrixProduct() throws(GraphError) -> [TensorType] {
        try expect(operands: 2...2)
        let left = try required(0, "A")
        let right = try required(1, "B")
        try expectFloatingPoint(left, "A")
        try expect(left, "A", rankIn: 1...)
        try expect(right, "B", is: left.elementType)
        try expect(right, "B", rankIn: 1...)
        guard let extents = MatrixProductExtents(left.shape, right.shape) else {
            throw failure(.shapeMismatch, "A \(left) and B \(right) do not multiply")
        }
        return [TensorType(left.elementType, try shape(extents.output))]
    }

    func batchNormalization(_ normalization: BatchNormalization) throws(GraphError) -> [TensorType] {
        try expect(operands: 5...5, outputs: normalization.isTraining ? 1...3 : 1...1)
        let activation = try required(0, "activation")
        try expectFloatingPoint(activation, "activation")
        try expect(activation, "activation", rankIn: 2...)
        for (index, role) in [(1, "scale"), (2, "bias"), (3, "mean"), (4, "variance")] {
            let parameter = try required(index, role)
            try expectFloatingPoint(parameter, role)
            try expect(parameter, role, shape: [activation.shape[1]])
        }
        return [activation, try required(3, "mean"), try required(4, "variance")].dropLast(3 - wantedOutputs)
    }

    func localResponseNormalization(_ normalization: LocalResponseNormalization) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let activation = try required(0, "activation")
        try expectFloatingPoint(activation, "activation")
        try expect(activation, "activation", rankIn: 2...)
        guard normalization.size >= 1 else {
            throw failure(.invalidAttribute, "size must be ≥ 1, is \(normalization.size)")
        }
        return [activation]
    }

    func groupNormalization(_ normalization: GroupNormalization) throws(GraphError) -> [TensorType] {
        try expect(operands: 3...3)
        let activation = try required(0, "activation")
        try expectFloatingPoint(activation, "activation")
        try expect(activation, "activation", rankIn: 2...)
        let channels = activation.shape[1]
        guard normalization.groups >= 1, channels.isMultiple(of: normalization.groups) else {
            throw failure(
                .invalidAttribute, "groups \(normalization.groups) must be ≥ 1 and divide the \(channels) channels")
        }
        for (index, role) in [(1, "scale"), (2, "bias")] {
            let parameter = try required(index, role)
            try expect(parameter, role, is: activation.elementType)
            try expect(parameter, role, shape: [channels])
        }
        return [activation]
    }

    func layerNormalization(_ normalization: LayerNormalization) throws(GraphError) -> [TensorType] {
        try expect(operands: 2...3, outputs: 1...3)
        let activation = try required(0, "activation")
        try expectFloatingPoint(activation, "activation")
        let axis = try axis(normalization.axis, of: activation.shape)
        let normalized = try shape(Array(activation.shape[axis...]))
        for (index, role) in [(1, "scale"), (2, "bias")] {
            guard let parameter = index == 1 ? try required(index, role) : optional(index) else { continue }
            try expect(parameter, role, is: activation.elementType)
            guard parameter.shape.broadcast(with: normalized) == normalized else {
                throw failure(.shapeMismatch, "\(role) \(parameter) does not broadcast to \(normalized)")
            }
        }
        let kept = activation.shape.indices.map { $0 < axis ? activation.shape[$0] : 1 }
        let statistics = TensorType(.float32, try shape(kept))
        return [activation, statistics, statistics].dropLast(3 - wantedOutputs)
    }

    func softmax(_ softmax: Softmax) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let activation = try required(0, "activation")
        try expectFloatingPoint(activation, "activation")
        _ = try axis(softmax.axis, of: activation.shape)
        return [activation]
    }
}

/// The extents of numpy's matmul: stacks of matrices whose leading axes broadcast.
struct MatrixProductExtents {
    let batch: Shape
    let rows: Int
    let depth: Int
    let columns: Int
    /// The result's extents: an operand of rank 1 contributes no axis.
    let output: [Int]

    /// `nil` when the operands do not multiply.
    init?(_ left: Shape, _ right: Shape) {
        guard left.rank >= 1, right.rank >= 1 else { return nil }
        let leftBatch = Shape(Array(left.dimensions.dropLast(2)))
        let rightBatch = Shape(Array(right.dimensions.dropLast(2)))
        guard let batch = leftBatch.broadcast(with: rightBatch) else { return nil }
        let isRow = left.rank == 1
        let isColumn = right.rank == 1
        self.batch = batch
        rows = isRow ? 1 : left[left.rank - 2]
        depth = left[left.rank - 1]
        columns = isColumn ? 1 : right[right.rank - 1]
        guard depth == (isColumn ? right[0] : right[right.rank - 2]) else { return nil }
        output = batch.dimensions + (isRow ? [] : [rows]) + (isColumn ? [] : [columns])
    }
}
