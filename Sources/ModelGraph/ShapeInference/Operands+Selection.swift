extension Operands {
    func gather(axis: Int) throws(GraphError) -> [TensorType] {
        try expect(operands: 2...2)
        let operand = try required(0, "data")
        let indices = try required(1, "indices")
        guard !indices.elementType.isFloatingPoint, indices.elementType != .bool else {
            throw failure(.typeMismatch, "indices must be integers, are \(indices)")
        }
        let axis = try self.axis(axis, of: operand.shape)
        let extents = operand.shape.dimensions
        let result = Array(extents[..<axis]) + indices.shape.dimensions + Array(extents[(axis + 1)...])
        return [TensorType(operand.elementType, try shape(result))]
    }

    func slice(_ slice: Slice) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let operand = try required(0, "data")
        guard [slice.ends.count, slice.axes.count, slice.steps.count].allSatisfy({ $0 == slice.starts.count }) else {
            throw failure(.invalidAttribute, "starts, ends, axes and steps must be equally many")
        }
        guard !slice.steps.contains(0) else { throw failure(.invalidAttribute, "a step is 0") }
        _ = try axes(slice.axes, rank: operand.shape.rank)
        return [TensorType(operand.elementType, try shape(slice.indices(in: operand.shape).map(\.count)))]
    }

    func split(axis: Int, sizes: [Int]) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1, outputs: 1...Int.max)
        let operand = try required(0, "data")
        let axis = try self.axis(axis, of: operand.shape)
        var rest = operand.shape[axis]
        for size in sizes {
            guard size >= 0, size <= rest else {
                throw failure(.invalidAttribute, "sizes \(sizes) do not divide axis \(axis) of \(operand)")
            }
            rest -= size
        }
        guard rest == 0, sizes.count == wantedOutputs else {
            throw failure(
                .invalidAttribute,
                "sizes \(sizes) do not divide axis \(axis) of \(operand) among \(wantedOutputs) outputs")
        }
        return try sizes.map { (size) throws(GraphError) in
            var extents = operand.shape.dimensions
            extents[axis] = size
            return TensorType(operand.elementType, try shape(extents))
        }
    }

    func pad(_ pad: Pad) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let operand = try required(0, "data")
        guard pad.begins.count == operand.shape.rank, pad.ends.count == operand.shape.rank else {
            throw failure(
                .invalidAttribute, "pads \(pad.begins), \(pad.ends) must have one entry for each axis of \(operand)")
        }
        let limit = Shape.maximumElementCount
        guard (pad.begins + pad.ends).allSatisfy({ (-limit...limit).contains($0) }) else {
            throw failure(.invalidAttribute, "pads \(pad.begins), \(pad.ends) must lie within ±2^40")
        }
        let extents = try operand.shape.indices.map { (axis) throws(GraphError) in
            let kept = operand.shape[axis] + min(pad.begins[axis], 0) + min(pad.ends[axis], 0)
            let added = max(pad.begins[axis], 0) + max(pad.ends[axis], 0)
            guard kept >= 0, kept > 0 || added == 0 || pad.mode == .constant else {
                throw failure(.shapeMismatch, "nothing is left on axis \(axis) of \(operand) to pad from")
            }
            return kept + added
        }
        return [TensorType(operand.elementType, try shape(extents))]
    }

    func reduce(_ reduction: Reduction) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let operand = try required(0, "data")
        // Extrema of bool are "any" and "all".
        if reduction.kind != .maximum && reduction.kind != .minimum { try expectNumeric(operand, "data") }
        _ = try axes(reduction.axes, rank: operand.shape.rank)
        let reduced = reduction.reducedAxes(of: operand.shape)
        let result = try shape(operand.shape.removing(reduced, keepsDimensions: reduction.keepsDimensions))
        return [TensorType(operand.elementType, result)]
    }

    func argMax(axis: Int, keepsDimensions: Bool) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let operand = try required(0, "data")
        try expectNumeric(operand, "data")
        let axis = try self.axis(axis, of: operand.shape)
        guard operand.shape[axis] > 0 else {
            throw failure(.shapeMismatch, "axis \(axis) of \(operand) has no maximum")
        }
        return [TensorType(.int64, try shape(operand.shape.removing([axis], keepsDimensions: keepsDimensions)))]
    }
}

extension Shape {
    /// The extents without `axes`, or with 1 in their place.
    fileprivate func removing(_ axes: Set<Int>, keepsDimensions: Bool) -> [Int] {
        indices.compactMap { axes.contains($0) ? (keepsDimensions ? 1 : nil) : self[$0] }
    }
}

extension Reduction {
    /// The axes of `shape` that disappear.
    /// - Precondition: the axes are in range.
    package func reducedAxes(of shape: Shape) -> Set<Int> {
        guard axes.isEmpty else { return Set(axes.map { $0 < 0 ? $0 + shape.rank : $0 }) }
        return isIdentityWithoutAxes ? [] : Set(shape.indices)
    }
}

extension Slice {
    /// `count` indices of one axis from `first` on, `step` apart.
    package struct Indices {
        package var first: Int
        package var step: Int
        package var count: Int
    }

    /// For each axis of `shape`, the indices selected, bounds clamped as in ONNX.
    /// - Precondition: the axes are in range, distinct, and no step is 0.
    package func indices(in shape: Shape) -> [Indices] {
        var result = shape.map { Indices(first: 0, step: 1, count: $0) }
        for entry in axes.indices {
            let axis = axes[entry] < 0 ? axes[entry] + shape.rank : axes[entry]
            let extent = shape[axis]
            let step = steps[entry]
            // A backward slice may end before index 0, a forward one behind the last.
            let limits = step > 0 ? 0...extent : -1...extent - 1
            let resolve = { (bound: Int) in
                min(max(bound < 0 ? bound + extent : bound, limits.lowerBound), limits.upperBound)
            }
            let (start, end) = (resolve(starts[entry]), resolve(ends[entry]))
            let distance = step > 0 ? end - start : start - end
            let count = distance > 0 ? Int(UInt(distance - 1) / step.magnitude) + 1 : 0
            result[axis] = Indices(first: start, step: step, count: count)
        }
        return result
    }
}
