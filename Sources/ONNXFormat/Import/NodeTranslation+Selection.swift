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
        "ArgMax": { (node) throws(ONNXError) in
            let rank = try node.required(0, "data").type.shape.rank
            return .operation(
                .argMax(
                    axis: try node.axis(try node.int("axis") ?? 0, rank: rank),
                    keepsDimensions: try node.flag("keepdims", default: true),
                    selectsLastIndex: try node.flag("select_last_index")), inputs: node.ids)
        },
    ]
}

extension NodeContext {
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
