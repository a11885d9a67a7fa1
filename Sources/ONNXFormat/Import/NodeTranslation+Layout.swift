internal import ModelGraph

extension NodeTranslation {
    /// Operators that move elements or rename axes.
    static let layout: [String: Translator] = [
        "Concat": { (node) throws(ONNXError) in
            let parts = try node.all()
            let axis = try node.axis(try node.requiredInt("axis"), rank: parts[0].type.shape.rank)
            return .operation(parts.count == 1 ? .identity : .concat(axis: axis), inputs: node.ids)
        },
        "Reshape": { (node) throws(ONNXError) in
            try node.expect(operands: 2...2)
            let extents = try node.requiredIntegers(1, "shape")
            return .operation(
                .reshape(extents: extents, allowZero: try node.flag("allowzero")),
                inputs: [try node.required(0, "data").id])
        },
        "Flatten": { (node) throws(ONNXError) in
            let rank = try node.required(0, "data").type.shape.rank
            let axis = try node.int("axis") ?? 1
            guard (-rank...rank).contains(axis) else {
                throw node.invalid("axis", expected: "-\(rank) to \(rank)", got: "\(axis)")
            }
            return .operation(.flatten(axis: axis < 0 ? axis + rank : axis), inputs: node.ids)
        },
        "Squeeze": { (node) throws(ONNXError) in
            let data = try node.required(0, "data")
            let axes =
                try node.axesAttributeOrOperand(since: 13)
                ?? data.type.shape.indices.filter { data.type.shape[$0] == 1 }
            return .operation(
                .squeeze(axes: try node.axes(axes, rank: data.type.shape.rank).sorted()), inputs: [data.id])
        },
        "Unsqueeze": { (node) throws(ONNXError) in
            let data = try node.required(0, "data")
            guard let axes = try node.axesAttributeOrOperand(since: 13) else { throw node.missing("axes") }
            let rank = data.type.shape.rank + axes.count
            return .operation(.unsqueeze(axes: try node.axes(axes, rank: rank).sorted()), inputs: [data.id])
        },
        "Transpose": { (node) throws(ONNXError) in
            let rank = try node.required(0, "data").type.shape.rank
            return .operation(
                .transpose(permutation: try node.ints("perm") ?? Array((0..<rank).reversed())), inputs: node.ids)
        },
        "Expand": { (node) throws(ONNXError) in
            try node.expect(operands: 2...2)
            return .operation(
                .expand(extents: try node.requiredIntegers(1, "shape")), inputs: [try node.required(0, "data").id])
        },
        "Pad": { (node) throws(ONNXError) in try node.pad() },
    ]
}

extension NodeContext {
    /// Axes, an attribute at first, became operand 1 with operator set `version`.
    mutating func axesAttributeOrOperand(since version: Int) throws(ONNXError) -> [Int]? {
        try expect(operands: operatorSet < version ? 1...1 : 1...2)
        return operatorSet < version ? try ints("axes") : try integers(1, "axes")
    }

    fileprivate mutating func pad() throws(ONNXError) -> NodeTranslation {
        let data = try required(0, "data")
        let rank = data.type.shape.rank
        let modeName = try string("mode") ?? "constant"
        guard let mode = Pad.Mode(rawValue: modeName) else {
            throw unsupported("mode", expected: "constant, reflect, edge or wrap", got: modeName)
        }
        var pads: [Int]
        var value = 0.0
        var axes = Array(0..<rank)
        if operatorSet < 11 {
            try expect(operands: 1...1)
            pads = try requiredInts("pads")
            value = Double(try float("value") ?? 0)
        } else {
            try expect(operands: 2...4)
            pads = try requiredIntegers(1, "pads")
            if let fill = try constant(2, "constant_value") {
                guard let scalar = fill.doubles, scalar.count == 1 else {
                    throw ONNXError(
                        .unsupportedType, "operand 2, constant_value, is no number", at: location(), got: "\(fill.type)"
                    )
                }
                value = scalar[0]
            }
            if let given = try integers(3, "axes") { axes = try self.axes(given, rank: rank) }
        }
        guard pads.count == 2 * axes.count, pads.allSatisfy({ $0.magnitude <= Shape.maximumElementCount }) else {
            throw invalid("pads", expected: "\(2 * axes.count) integers up to 2^40", got: "\(pads)")
        }
        var pad = Pad(
            mode: mode, begins: [Int](repeating: 0, count: rank), ends: [Int](repeating: 0, count: rank), value: value)
        for (index, axis) in axes.enumerated() {
            pad.begins[axis] = pads[index]
            pad.ends[axis] = pads[index + axes.count]
        }
        return .operation(.pad(pad), inputs: [data.id])
    }
}
