extension Operands {
    func concat(axis: Int) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...Int.max)
        let first = try required(0, "part")
        let axis = try self.axis(axis, of: first.shape)
        var extents = first.shape.dimensions
        for index in 1..<max(count, 1) {
            let part = try required(index, "part")
            try expect(part, "operand \(index)", is: first.elementType)
            guard part.shape.rank == first.shape.rank,
                part.shape.indices.allSatisfy({ $0 == axis || part.shape[$0] == first.shape[$0] })
            else {
                throw failure(.shapeMismatch, "operand \(index) \(part) differs from \(first) beyond axis \(axis)")
            }
            // Each extent is below 2⁴⁰; only operands by the million could overflow, and `shape` bounds the sum.
            extents[axis] += part.shape[axis]
            _ = try shape(extents)
        }
        return [TensorType(first.elementType, try shape(extents))]
    }

    func reshape(extents: [Int], allowZero: Bool) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let operand = try required(0, "data")
        return [
            TensorType(operand.elementType, try resolve(extents: extents, allowZero: allowZero, from: operand.shape))
        ]
    }

    private func resolve(extents: [Int], allowZero: Bool, from source: Shape) throws(GraphError) -> Shape {
        guard extents.allSatisfy({ $0 >= -1 }), extents.count(where: { $0 == -1 }) <= 1 else {
            throw failure(.invalidAttribute, "extents \(extents) must be ≥ −1, and −1 may stand once")
        }
        var resolved = extents
        for (axis, extent) in extents.enumerated() where extent == 0 && !allowZero {
            guard axis < source.rank else {
                throw failure(.invalidAttribute, "extent 0 at axis \(axis) copies an axis that \(source) lacks")
            }
            resolved[axis] = source[axis]
        }
        if let inferred = resolved.firstIndex(of: -1) {
            resolved[inferred] = 1
            let known = try shape(resolved).elementCount
            guard known > 0, source.elementCount.isMultiple(of: known) else {
                throw failure(.shapeMismatch, "\(source) has no reshape to \(extents)")
            }
            resolved[inferred] = source.elementCount / known
        }
        let result = try shape(resolved)
        guard result.elementCount == source.elementCount else {
            throw failure(
                .shapeMismatch, "\(source) has \(source.elementCount) elements, \(result) has \(result.elementCount)")
        }
        return result
    }

    func flatten(axis: Int) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let operand = try required(0, "data")
        let rank = operand.shape.rank
        guard (-rank...rank).contains(axis) else {
            throw failure(.invalidAttribute, "axis \(axis) must lie in \(-rank)...\(rank)")
        }
        let axis = axis < 0 ? axis + rank : axis
        let extents = [operand.shape.elementCount(in: 0..<axis), operand.shape.elementCount(in: axis..<rank)]
        return [TensorType(operand.elementType, try shape(extents))]
    }

    /// Empty `axes` stand for all axes of extent 1.
    func squeeze(axes: [Int]) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let operand = try required(0, "data")
        let dropped =
            axes.isEmpty
            ? operand.shape.indices.filter { operand.shape[$0] == 1 } : try self.axes(axes, rank: operand.shape.rank)
        for axis in dropped where operand.shape[axis] != 1 {
            throw failure(.shapeMismatch, "axis \(axis) of \(operand) has not extent 1")
        }
        let kept = operand.shape.indices.filter { !dropped.contains($0) }
        return [TensorType(operand.elementType, try shape(kept.map { operand.shape[$0] }))]
    }

    func unsqueeze(axes: [Int]) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let operand = try required(0, "data")
        let inserted = try self.axes(axes, rank: operand.shape.rank + axes.count)
        var extents = operand.shape.dimensions
        for axis in inserted.sorted() { extents.insert(1, at: axis) }
        return [TensorType(operand.elementType, try shape(extents))]
    }

    func transpose(permutation: [Int]) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let operand = try required(0, "data")
        guard permutation.sorted() == Array(0..<operand.shape.rank) else {
            throw failure(.invalidAttribute, "\(permutation) is no permutation of the axes of \(operand)")
        }
        return [TensorType(operand.elementType, try shape(permutation.map { operand.shape[$0] }))]
    }

    func depthToSpace(blockSize: Int) throws(GraphError) -> [TensorType] {
        let (type, square) = try blocks(of: blockSize)
        let shape = type.shape
        guard shape[1].isMultiple(of: square) else {
            throw failure(.shapeMismatch, "\(shape[1]) channels are no multiple of \(blockSize)²")
        }
        let extents = [shape[0], shape[1] / square, shape[2] * blockSize, shape[3] * blockSize]
        return [TensorType(type.elementType, try self.shape(extents))]
    }

    func spaceToDepth(blockSize: Int) throws(GraphError) -> [TensorType] {
        let (type, square) = try blocks(of: blockSize)
        let shape = type.shape
        guard shape[2].isMultiple(of: blockSize), shape[3].isMultiple(of: blockSize) else {
            throw failure(.shapeMismatch, "the pixels of \(type) do not divide into blocks of \(blockSize)")
        }
        let extents = [shape[0], shape[1] * square, shape[2] / blockSize, shape[3] / blockSize]
        return [TensorType(type.elementType, try self.shape(extents))]
    }

    /// The operand, an image, and the pixels of a block.
    private func blocks(of size: Int) throws(GraphError) -> (TensorType, square: Int) {
        try expect(operands: 1...1)
        let operand = try required(0, "data")
        try expect(operand, "data", rankIn: 4...4)
        // Its square times an extent, which is below 2⁴⁰, does not overflow.
        guard (1...1024).contains(size) else {
            throw failure(.invalidAttribute, "block size \(size) must lie in 1...1024")
        }
        return (operand, size * size)
    }

    func channelShuffle(groups: Int) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let operand = try required(0, "data")
        try expect(operand, "data", rankIn: 2...)
        guard groups >= 1, operand.shape[1].isMultiple(of: groups) else {
            throw failure(.invalidAttribute, "groups \(groups) must be ≥ 1 and divide the channels of \(operand)")
        }
        return [operand]
    }

    func shape(start: Int, end: Int?) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let axes = try required(0, "data").shape.axes(from: start, to: end)
        return [TensorType(.int64, [axes.count])]
    }

    func expand(extents: [Int]) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let operand = try required(0, "data")
        guard let result = operand.shape.broadcast(with: try shape(extents)) else {
            throw failure(.shapeMismatch, "\(operand) does not expand to \(extents)")
        }
        return [TensorType(operand.elementType, result)]
    }
}

extension Shape {
    /// The axes ONNX's Shape selects: negative bounds count from the end, all are clamped.
    func axes(from start: Int, to end: Int?) -> Range<Int> {
        let resolve = { (bound: Int) in Swift.min(Swift.max(bound < 0 ? bound + rank : bound, 0), rank) }
        let lower = resolve(start)
        return lower..<Swift.max(resolve(end ?? rank), lower)
    }
}
