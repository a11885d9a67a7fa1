internal import ModelGraph

/// What a node becomes that the graph has no operator of its own for: several nodes.
struct Expansion {
    enum Term {
        case value(ValueID)
        case constant(Tensor)
        case result(step: Int, index: Int)
    }

    struct Step {
        let operation: Operator
        let inputs: [Term?]
        let outputCount: Int
    }

    private(set) var steps: [Step] = []
    /// What the file's node gives, in its order; each the result of a step.
    var results: [Term] = []

    /// Appends a node; gives its first result.
    mutating func apply(_ operation: Operator, _ inputs: Term?...) -> Term {
        apply(operation, inputs, outputCount: 1)[0]
    }

    mutating func apply(_ operation: Operator, _ inputs: [Term?], outputCount: Int) -> [Term] {
        steps.append(Step(operation: operation, inputs: inputs, outputCount: outputCount))
        return (0..<outputCount).map { .result(step: steps.count - 1, index: $0) }
    }

    mutating func apply(_ function: UnaryFunction, _ operand: Term) -> Term {
        apply(.unary(function), operand)
    }

    mutating func apply(_ function: BinaryFunction, _ left: Term, _ right: Term) -> Term {
        apply(.binary(function, activation: nil), left, right)
    }
}

extension NodeTranslation {
    /// Nodes that `body` appends, of which it gives the result.
    static func expansion(
        _ body: (inout Expansion) throws(ONNXError) -> Expansion.Term
    ) throws(ONNXError) -> NodeTranslation {
        var expansion = Expansion()
        expansion.results = [try body(&expansion)]
        return .expansion(expansion)
    }

    /// A function of two operands folded over many, then divided.
    static func chain(_ function: BinaryFunction, _ operands: [ValueID], divisor: Tensor? = nil) -> NodeTranslation {
        guard operands.count > 1 else { return .operation(.identity, inputs: operands) }
        var expansion = Expansion()
        var accumulated = Expansion.Term.value(operands[0])
        for operand in operands.dropFirst() { accumulated = expansion.apply(function, accumulated, .value(operand)) }
        if let divisor { accumulated = expansion.apply(.divide, accumulated, .constant(divisor)) }
        expansion.results = [accumulated]
        return .expansion(expansion)
    }
}

extension NodeContext {
    /// Operand `index` as a term of an expansion.
    func term(_ index: Int, _ role: String) throws(ONNXError) -> Expansion.Term {
        .value(try required(index, role).id)
    }

    func optionalTerm(_ index: Int) -> Expansion.Term? {
        optional(index).map { .value($0.id) }
    }

    /// A scalar of the float type of operand `index`.
    func scalar(_ value: Double, like index: Int) throws(ONNXError) -> Expansion.Term {
        let type = try required(index, "data").type
        guard let tensor = Tensor(value, as: type.elementType) else {
            throw ONNXError(
                .unsupportedType, "the operand must be floating-point", at: location(), got: "\(type)")
        }
        return .constant(tensor)
    }
}
