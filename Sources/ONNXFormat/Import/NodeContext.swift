internal import ModelGraph

/// What one of the file's nodes becomes in the graph.
enum NodeTranslation {
    typealias Translator = @Sendable (inout NodeContext) throws(ONNXError) -> NodeTranslation

    case operation(Operator, inputs: [ValueID?])
    /// A tensor known now, made once its size is found acceptable.
    case constant(TensorType, () -> Tensor)
    case expansion(Expansion)

    static func constant(_ tensor: Tensor) -> NodeTranslation { .constant(tensor.type) { tensor } }
}

/// One node of the file as translations see it: operands resolved, attributes typed.
///
/// Attributes that a translation does not read are refused: an attribute not understood would change the meaning.
struct NodeContext {
    struct Operand {
        let id: ValueID
        let type: TensorType
        let constant: Tensor?
    }

    let name: String
    let type: String
    let operatorSet: Int
    /// Without trailing operands left out.
    let operands: [Operand?]
    /// How many results the node lists.
    let outputCount: Int
    /// How many results are read, counting those before a read one.
    let wantedOutputCount: Int
    private let attributes: [String: ONNXAttribute.Value]
    private var unread: Set<String>

    init(
        name: String, node: ONNXNode, operatorSet: Int, operands: [Operand?], wantedOutputCount: Int
    ) throws(ONNXError) {
        self.name = name
        self.operatorSet = operatorSet
        self.wantedOutputCount = wantedOutputCount
        type = node.type
        outputCount = node.outputs.count
        self.operands = Array(operands.prefix((operands.lastIndex { $0 != nil } ?? -1) + 1))
        var attributes: [String: ONNXAttribute.Value] = [:]
        for attribute in node.attributes where attributes.updateValue(attribute.value, forKey: attribute.name) != nil {
            throw ONNXError(
                .invalidAttribute, "the attribute is given twice",
                at: .node(name, type: node.type, attribute: attribute.name))
        }
        self.attributes = attributes
        unread = Set(attributes.keys)
    }

    func location(_ attribute: String? = nil) -> ONNXError.Location { .node(name, type: type, attribute: attribute) }

    func refuseUnreadAttributes() throws(ONNXError) {
        guard let attribute = unread.min(), let value = attributes[attribute] else { return }
        throw unsupported(attribute, got: value.description)
    }

    func unsupported(_ attribute: String, expected: String? = nil, got: String) -> ONNXError {
        ONNXError(
            .unsupportedAttribute, "the attribute or its value is not supported", at: location(attribute),
            expected: expected, got: got)
    }

    func invalid(_ attribute: String, expected: String, got: String) -> ONNXError {
        ONNXError(
            .invalidAttribute, "the attribute is out of its range", at: location(attribute), expected: expected,
            got: got)
    }
}

// MARK: Operands

extension NodeContext {
    var ids: [ValueID?] { operands.map { $0?.id } }

    func expect(operands range: ClosedRange<Int>) throws(ONNXError) {
        guard range.contains(operands.count) else {
            throw ONNXError(
                .invalidNode, "the node has too few or too many operands", at: location(),
                expected: range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)",
                got: "\(operands.count)")
        }
    }

    func optional(_ index: Int) -> Operand? { index < operands.count ? operands[index] : nil }

    func required(_ index: Int, _ role: String) throws(ONNXError) -> Operand {
        guard let operand = optional(index) else {
            throw ONNXError(.invalidNode, "operand \(index), \(role), is left out", at: location())
        }
        return operand
    }

    /// Every operand; none may be left out.
    func all() throws(ONNXError) -> [Operand] {
        guard !operands.isEmpty else { throw ONNXError(.invalidNode, "the node has no operands", at: location()) }
        return try operands.indices.map { (index) throws(ONNXError) in try required(index, "data") }
    }

    /// The value of an operand that shapes the result; `nil` when it is left out.
    func constant(_ index: Int, _ role: String) throws(ONNXError) -> Tensor? {
        guard let operand = optional(index) else { return nil }
        guard let constant = operand.constant else {
            throw ONNXError(
                .notConstant, "operand \(index), \(role), must be known before execution", at: location(),
                expected: "a constant, or the graph input fixed by the option fixedInputs", got: "\(operand.type)")
        }
        return constant
    }

    func integers(_ index: Int, _ role: String) throws(ONNXError) -> [Int]? {
        guard let constant = try constant(index, role) else { return nil }
        guard let integers = constant.integers, constant.shape.rank <= 1 else {
            throw ONNXError(
                .invalidNode, "operand \(index), \(role), is no list of integers", at: location(),
                got: "\(constant.type)")
        }
        return integers
    }

    func requiredIntegers(_ index: Int, _ role: String) throws(ONNXError) -> [Int] {
        guard let integers = try integers(index, role) else {
            throw ONNXError(.invalidNode, "operand \(index), \(role), is left out", at: location())
        }
        return integers
    }

    /// - Parameter rank: of the tensor whose axis it is; ONNX counts negative axes from the end.
    func axis(_ axis: Int, rank: Int, _ attribute: String = "axis") throws(ONNXError) -> Int {
        guard (-rank..<rank).contains(axis) else {
            throw invalid(attribute, expected: "-\(rank) to \(rank - 1)", got: "\(axis)")
        }
        return axis < 0 ? axis + rank : axis
    }

    func axes(_ axes: [Int], rank: Int) throws(ONNXError) -> [Int] {
        let resolved = try axes.map { (axis) throws(ONNXError) in try self.axis(axis, rank: rank, "axes") }
        guard Set(resolved).count == resolved.count else {
            throw invalid("axes", expected: "each axis once", got: "\(axes)")
        }
        return resolved
    }
}

// MARK: Attributes

extension NodeContext {
    mutating func int(_ attribute: String) throws(ONNXError) -> Int? {
        guard let value = take(attribute) else { return nil }
        guard case .int(let int) = value else { throw mistyped(attribute, "an integer", value) }
        return Int(int)
    }

    mutating func requiredInt(_ attribute: String) throws(ONNXError) -> Int {
        guard let value = try int(attribute) else { throw missing(attribute) }
        return value
    }

    mutating func flag(_ attribute: String, default fallback: Bool = false) throws(ONNXError) -> Bool {
        switch try int(attribute) {
        case nil: return fallback
        case 0: return false
        case 1: return true
        case let other?: throw invalid(attribute, expected: "0 or 1", got: "\(other)")
        }
    }

    mutating func float(_ attribute: String) throws(ONNXError) -> Float? {
        guard let value = take(attribute) else { return nil }
        guard case .float(let float) = value else { throw mistyped(attribute, "a float", value) }
        return float
    }

    mutating func floats(_ attribute: String) throws(ONNXError) -> [Float]? {
        guard let value = take(attribute) else { return nil }
        guard case .floats(let floats) = value else { throw mistyped(attribute, "floats", value) }
        return floats
    }

    mutating func string(_ attribute: String) throws(ONNXError) -> String? {
        guard let value = take(attribute) else { return nil }
        guard case .string(let string) = value else { throw mistyped(attribute, "a string", value) }
        return string
    }

    mutating func ints(_ attribute: String) throws(ONNXError) -> [Int]? {
        guard let value = take(attribute) else { return nil }
        guard case .ints(let ints) = value else { throw mistyped(attribute, "integers", value) }
        return ints.map(Int.init)
    }

    mutating func requiredInts(_ attribute: String) throws(ONNXError) -> [Int] {
        guard let value = try ints(attribute) else { throw missing(attribute) }
        return value
    }

    mutating func tensor(_ attribute: String) throws(ONNXError) -> Tensor? {
        guard let value = take(attribute) else { return nil }
        guard case .tensor(let tensor) = value else { throw mistyped(attribute, "a tensor", value) }
        // ONNX keeps external data to initialisers.
        var externalData = ExternalData(besides: nil)
        return try tensor.tensor(externalData: &externalData)
    }

    /// Reads an attribute that changes nothing here, such as a hint to trainers.
    mutating func ignore(_ attribute: String) {
        unread.remove(attribute)
    }

    func has(_ attribute: String) -> Bool { attributes[attribute] != nil }

    /// The element type an attribute names by ONNX's number; `nil` when absent or 0.
    mutating func elementType(_ attribute: String) throws(ONNXError) -> ElementType? {
        guard let code = try int(attribute), code != 0 else { return nil }
        guard let type = ElementType(onnxDataType: Int64(code)) else {
            throw ONNXError.unsupported(dataType: Int64(code), at: location(attribute))
        }
        return type
    }

    private mutating func take(_ attribute: String) -> ONNXAttribute.Value? {
        unread.remove(attribute)
        return attributes[attribute]
    }

    func missing(_ attribute: String) -> ONNXError {
        ONNXError(.invalidAttribute, "the attribute is required", at: location(attribute))
    }

    private func mistyped(_ attribute: String, _ expected: String, _ value: ONNXAttribute.Value) -> ONNXError {
        ONNXError(
            .invalidAttribute, "the attribute has another type", at: location(attribute), expected: expected,
            got: value.description)
    }
}

extension ONNXAttribute.Value {
    /// Enough of the value to recognise it.
    fileprivate var description: String {
        switch self {
        case .int(let value): "\(value)"
        case .float(let value): "\(value)"
        case .string(let value): "\"\(value.prefix(80))\""
        case .tensor(let value): "tensor \(value.name)"
        case .ints(let values): "\(values.prefix(16))"
        case .floats(let values): "\(values.prefix(16))"
        case .strings(let values): "\(values.prefix(16))"
        case .other(let kind): kind
        }
    }
}
