internal import ModelGraph

extension NodeTranslation {
    /// Operators whose results are known at import.
    static let constants: [String: Translator] = [
        "Constant": { (node) throws(ONNXError) in try node.constantValue() },
        "ConstantOfShape": { (node) throws(ONNXError) in try node.constantOfShape() },
        "Shape": { (node) throws(ONNXError) in
            try node.expect(operands: 1...1)
            let shape = try node.required(0, "data").type.shape
            let start = shape.axisBound(try node.int("start") ?? 0)
            let end = shape.axisBound(try node.int("end") ?? shape.rank)
            let extents = shape.dimensions[start..<max(start, end)].map(Int64.init)
            return .constant(Tensor(extents, shape: [extents.count]))
        },
        "Range": { (node) throws(ONNXError) in try node.range() },
        "Size": { (node) throws(ONNXError) in
            try node.expect(operands: 1...1)
            return .constant(Tensor(scalar: Int64(try node.required(0, "data").type.shape.elementCount)))
        },
    ]
}

extension NodeContext {
    fileprivate mutating func constantValue() throws(ONNXError) -> NodeTranslation {
        if let tensor = try tensor("value") { return .constant(tensor) }
        if let value = try float("value_float") { return .constant(Tensor(scalar: value)) }
        if let value = try int("value_int") { return .constant(Tensor(scalar: Int64(value))) }
        if let values = try floats("value_floats") { return .constant(Tensor(values, shape: [values.count])) }
        if let values = try ints("value_ints") {
            return .constant(Tensor(values.map(Int64.init), shape: [values.count]))
        }
        try refuseUnreadAttributes()
        throw missing("value")
    }

    fileprivate mutating func constantOfShape() throws(ONNXError) -> NodeTranslation {
        try expect(operands: 1...1)
        let extents = try requiredIntegers(0, "shape")
        let value = try tensor("value") ?? Tensor([Float(0)], shape: [1])
        guard value.shape.elementCount == 1 else {
            throw invalid("value", expected: "one element", got: "\(value.type)")
        }
        let type: TensorType
        do throws(GraphError) {
            type = TensorType(value.elementType, try Shape(validating: extents, context: name))
        } catch {
            throw ONNXError(.invalidGraph, "the shape is invalid", at: location(), cause: error)
        }
        return .constant(type) { Tensor(repeating: value, as: type) }
    }
}

extension NodeContext {
    /// From `start` to `limit`, which is left out, in steps of `delta`.
    fileprivate func range() throws(ONNXError) -> NodeTranslation {
        try expect(operands: 3...3)
        let bounds = try ["start", "limit", "delta"].enumerated().map { (index, role) throws(ONNXError) in
            guard let bound = try constant(index, role), let values = bound.doubles, values.count == 1 else {
                throw ONNXError(.invalidNode, "operand \(index), \(role), is no number", at: location())
            }
            return values[0]
        }
        let elementType = try required(0, "start").type.elementType
        let count = ((bounds[1] - bounds[0]) / bounds[2]).rounded(.up)
        guard bounds[2] != 0, count.isFinite, count <= Double(Shape.maximumElementCount) else {
            throw ONNXError(.invalidNode, "the range has no end", at: location(), got: "\(bounds)")
        }
        let extent = Int(max(count, 0))
        let integers = [0, 2].compactMap { optional($0)?.constant?.integers?.first }
        let type = TensorType(elementType, [extent])
        switch elementType {
        case .int64 where integers.count == 2:
            return .constant(type) {
                Tensor((0..<extent).map { Int64(integers[0] &+ $0 &* integers[1]) }, shape: type.shape)
            }
        case .int32 where integers.count == 2:
            return .constant(type) {
                Tensor(
                    (0..<extent).map { Int32(truncatingIfNeeded: integers[0] &+ $0 &* integers[1]) }, shape: type.shape)
            }
        case .float32:
            return .constant(type) {
                Tensor((0..<extent).map { Float(bounds[0] + Double($0) * bounds[2]) }, shape: type.shape)
            }
        default:
            throw ONNXError(
                .unsupportedType, "a range is of int32, int64 or float32", at: location(), got: "\(elementType)")
        }
    }
}

extension Tensor {
    /// A tensor of `type` whose elements all equal the one element of `value`.
    fileprivate init(repeating value: Tensor, as type: TensorType) {
        let size = value.byteCount
        let storage = TensorStorage(byteCount: type.byteCount) { target in
            value.withUnsafeBytes { source in
                for offset in stride(from: 0, to: target.count, by: size) {
                    UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + size]).copyMemory(from: source)
                }
            }
        }
        self.init(type, storage: storage)
    }
}

extension Shape {
    /// Resolves a bound among the axes: negative ones count from the end, all are clamped.
    fileprivate func axisBound(_ bound: Int) -> Int {
        Swift.min(Swift.max(bound < 0 ? bound + rank : bound, 0), rank)
    }
}
