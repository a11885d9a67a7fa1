internal import ModelGraph

extension NodeTranslation {
    /// Operators that pick elements.
    static let selection: [String: Translator] = [
        "Gather": { (node) throws(ONNXError) in
            let rank = try node.required(0, "data").type.shape.rank
            return .operation(.gather(axis: try node.axis(try node.int("axis") ?? 0, rank: rank)), inputs: node.ids)
        },
        "Slice": { (node) throws(ONNXError) in try node.slice() },
        "Split": { (node) throws(ONNXError) in try node.split() },
        "ArgMax": { (node) throws(ONNXError) in .operation(try node.argMax(), inputs: node.ids) },
        "ArgMin": { (node) throws(ONNXError) in
            let operation = try node.argMax()
            let (data, elementType) = (try node.term(0, "data"), try node.required(0, "data").type.elementType)
            return try .expansion { (nodes) throws(ONNXError) in
                // `−1 − x` reverses the order of all signed integers without overflow; wider ones hold the unsigned.
                if elementType.isFloatingPoint { return nodes.apply(operation, nodes.apply(.negate, data)) }
                guard elementType != .uint64 else {
                    throw ONNXError(.unsupportedType, "uint64 has no least index", at: node.location())
                }
                let wide = nodes.apply(.cast(.int64), data)
                return nodes.apply(
                    operation, nodes.apply(.subtract, .constant(Tensor(scalar: Int64(-1))), wide))
            }
        },
        "Tile": { (node) throws(ONNXError) in try node.tile() },
    ]
}

extension NodeContext {
    fileprivate mutating func argMax() throws(ONNXError) -> Operator {
        let rank = try required(0, "data").type.shape.rank
        return .argMax(
            axis: try axis(try int("axis") ?? 0, rank: rank), keepsDimensions: try flag("keepdims", default: true),
            selectsLastIndex: try flag("select_last_index"))
    }

    /// An axis repeated is a new axis before it, spread out and joined with it.
    fileprivate func tile() throws(ONNXError) -> NodeTranslation {
        try expect(operands: 2...2)
        let shape = try required(0, "data").type.shape
        let repeats = try requiredIntegers(1, "repeats")
        guard repeats.count == shape.rank, repeats.allSatisfy({ (0...Shape.maximumElementCount).contains($0) }) else {
            throw ONNXError(
                .invalidNode, "there is one repeat for each axis, ≥ 0", at: location(), expected: "\(shape.rank)",
                got: "\(repeats)")
        }
        let data = try term(0, "data")
        let products = zip(repeats, shape).map { $0.multipliedReportingOverflow(by: $1) }
        guard !products.contains(where: \.overflow) else {
            throw ONNXError(.tooLarge, "the repeats are too many", at: location(), got: "\(repeats)")
        }
        return try .expansion { (nodes) throws(ONNXError) in
            let split = nodes.apply(
                .reshape(extents: shape.flatMap { [1, $0] }, allowZero: true), data)
            let spread = nodes.apply(.expand(extents: zip(repeats, shape).flatMap { [$0, $1] }), split)
            return nodes.apply(.reshape(extents: products.map(\.partialValue), allowZero: true), spread)
        }
    }

    /// Parameters are attributes before operator set 10, operands since.
    fileprivate mutating func slice() throws(ONNXError) -> NodeTranslation {
        let data = try required(0, "data")
        let rank = data.type.shape.rank
        let starts: [Int]
        let ends: [Int]
        let axes: [Int]?
        var steps: [Int]?
        if operatorSet < 10 {
            try expect(operands: 1...1)
            (starts, ends, axes) = (try requiredInts("starts"), try requiredInts("ends"), try ints("axes"))
        } else {
            try expect(operands: 3...5)
            (starts, ends) = (try requiredIntegers(1, "starts"), try requiredIntegers(2, "ends"))
            (axes, steps) = (try integers(3, "axes"), try integers(4, "steps"))
        }
        let count = starts.count
        guard count <= rank || axes != nil, ends.count == count, axes?.count ?? count == count,
            steps?.count ?? count == count, steps?.contains(0) != true
        else {
            throw ONNXError(
                .invalidNode, "starts, ends, axes and steps must be as many as sliced axes, steps not 0",
                at: location(),
                got: "\(starts), \(ends), \(axes ?? []), \(steps ?? [])")
        }
        let slice = Slice(
            starts: starts.map(Self.clamped), ends: ends.map(Self.clamped),
            axes: try self.axes(axes ?? Array(0..<count), rank: rank),
            steps: (steps ?? [Int](repeating: 1, count: count)).map(Self.clamped))
        return .operation(.slice(slice), inputs: [data.id])
    }

    /// "To the end" is written as ±2⁶³; within the largest extent such bounds mean the same and add without overflow.
    private static func clamped(_ bound: Int) -> Int {
        min(max(bound, -Shape.maximumElementCount), Shape.maximumElementCount)
    }

    fileprivate mutating func split() throws(ONNXError) -> NodeTranslation {
        let data = try required(0, "data")
        let axis = try axis(try int("axis") ?? 0, rank: data.type.shape.rank)
        let extent = data.type.shape[axis]
        try expect(operands: operatorSet < 13 ? 1...1 : 1...2)
        let given = operatorSet < 13 ? try ints("split") : try integers(1, "split")
        let parts = try int("num_outputs") ?? outputCount
        guard given?.count ?? parts == outputCount, parts == outputCount else {
            throw ONNXError(
                .invalidNode, "a split has as many results as parts", at: location(),
                expected: "\(given?.count ?? parts)",
                got: "\(outputCount)")
        }
        if let given { return .operation(.split(axis: axis, sizes: given), inputs: [data.id]) }
        // Since operator set 18 the last part may be smaller; before, parts must be equal.
        let size = (extent + parts - 1) / parts
        let last = extent - size * (parts - 1)
        guard last == size || (operatorSet >= 18 && last >= 0) else {
            throw ONNXError(
                .invalidNode, "extent \(extent) of axis \(axis) has no equal parts", at: location(),
                got: "\(parts) parts")
        }
        return .operation(
            .split(axis: axis, sizes: [Int](repeating: size, count: parts - 1) + [last]), inputs: [data.id])
    }
}
