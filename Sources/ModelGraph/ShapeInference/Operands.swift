/// The operand types of one node, checked as an operator's rules take them; extended by one file for each family.
struct Operands {
    private let types: [TensorType?]
    private let outputCount: Int
    private let kind: String
    private let node: String

    init(_ types: [TensorType?], outputCount: Int, kind: String, node: String) {
        self.types = types
        self.outputCount = outputCount
        self.kind = kind
        self.node = node
    }

    var count: Int { types.count }
    var wantedOutputs: Int { outputCount }

    func failure(_ code: GraphError.Code, _ message: String) -> GraphError {
        GraphError(code, "\(kind): \(message)", at: node)
    }

    /// Operand `index`, `nil` when it is left out.
    func optional(_ index: Int) -> TensorType? {
        types.indices.contains(index) ? types[index] : nil
    }

    func required(_ index: Int, _ role: String) throws(GraphError) -> TensorType {
        guard let type = optional(index) else {
            throw failure(.shapeMismatch, "operand \(index) (\(role)) is missing")
        }
        return type
    }

    /// Checks how many operands were given and how many outputs are wanted.
    func expect(operands: ClosedRange<Int>, outputs: ClosedRange<Int> = 1...1) throws(GraphError) {
        guard operands.contains(types.count) else {
            throw failure(.shapeMismatch, "takes \(operands.text) operands, got \(types.count)")
        }
        guard outputs.contains(outputCount) else {
            throw failure(.shapeMismatch, "has \(outputs.text) outputs, \(outputCount) are wanted")
        }
    }

    func expectFloatingPoint(_ type: TensorType, _ role: String) throws(GraphError) {
        guard type.elementType.isFloatingPoint else {
            throw failure(.typeMismatch, "\(role) must be floating-point, is \(type)")
        }
    }

    func expectNumeric(_ type: TensorType, _ role: String) throws(GraphError) {
        guard type.elementType != .bool else { throw failure(.typeMismatch, "\(role) must be numeric, is \(type)") }
    }

    func expect(_ type: TensorType, _ role: String, is elementType: ElementType) throws(GraphError) {
        guard type.elementType == elementType else {
            throw failure(.typeMismatch, "\(role) must be \(elementType), is \(type)")
        }
    }

    func expect(_ type: TensorType, _ role: String, shape: Shape) throws(GraphError) {
        guard type.shape == shape else { throw failure(.shapeMismatch, "\(role) must have shape \(shape), is \(type)") }
    }

    func expect(_ type: TensorType, _ role: String, rankIn ranks: some RangeExpression<Int>) throws(GraphError) {
        guard ranks.contains(type.shape.rank) else {
            throw failure(.shapeMismatch, "\(role) must have rank \(ranks), is \(type)")
        }
    }

    /// A shape from computed extents.
    func shape(_ extents: [Int]) throws(GraphError) -> Shape {
        try Shape(validating: extents, context: "\(node) (\(kind))")
    }

    func axis(_ axis: Int, of shape: Shape) throws(GraphError) -> Int {
        guard let resolved = shape.normalizedAxis(axis) else {
            throw failure(.invalidAttribute, "axis \(axis) is out of range for shape \(shape)")
        }
        return resolved
    }

    /// Axes in 0..<rank, in the given order, none twice.
    func axes(_ axes: [Int], rank: Int) throws(GraphError) -> [Int] {
        var seen: Set<Int> = []
        return try axes.map { (axis) throws(GraphError) in
            let resolved = axis < 0 ? axis + rank : axis
            guard (0..<rank).contains(resolved) else {
                throw failure(.invalidAttribute, "axis \(axis) is out of range for rank \(rank)")
            }
            guard seen.insert(resolved).inserted else {
                throw failure(.invalidAttribute, "axes \(axes) name an axis twice")
            }
            return resolved
        }
    }
}

extension ClosedRange<Int> {
    fileprivate var text: String {
        if upperBound == Int.max { return "at least \(lowerBound)" }
        return lowerBound == upperBound ? "\(lowerBound)" : "\(lowerBound) to \(upperBound)"
    }
}
