internal import ModelGraph

extension NodeTranslation {
    static let elementwise: [String: Translator] = [
        "Relu": { (node) throws(ONNXError) in try node.relu() },
        "LeakyRelu": { (node) throws(ONNXError) in
            .operation(.unary(.leakyRelu(alpha: try node.float("alpha") ?? 0.01)), inputs: node.ids)
        },
        "Elu": { (node) throws(ONNXError) in
            .operation(.unary(.elu(alpha: try node.float("alpha") ?? 1)), inputs: node.ids)
        },
        "Sigmoid": unary(.sigmoid),
        "HardSigmoid": { (node) throws(ONNXError) in
            let function = UnaryFunction.hardSigmoid(
                alpha: try node.float("alpha") ?? 0.2, beta: try node.float("beta") ?? 0.5)
            return .operation(.unary(function), inputs: node.ids)
        },
        "HardSwish": unary(.hardSwish),
        "Swish": { (node) throws(ONNXError) in
            .operation(.unary(.swish(alpha: try node.float("alpha") ?? 1)), inputs: node.ids)
        },
        "Tanh": unary(.tanh),
        "Exp": unary(.exp),
        "Log": unary(.log),
        "Sqrt": unary(.sqrt),
        "Reciprocal": unary(.reciprocal),
        "Erf": unary(.erf),
        "Softplus": unary(.softplus),
        "Selu": { (node) throws(ONNXError) in
            let function = UnaryFunction.selu(
                alpha: try node.float("alpha") ?? 1.673_263_2, gamma: try node.float("gamma") ?? 1.050_701)
            return .operation(.unary(function), inputs: node.ids)
        },
        "Celu": { (node) throws(ONNXError) in
            let alpha = try node.float("alpha") ?? 1
            guard alpha != 0 else { throw node.invalid("alpha", expected: "not 0", got: "0") }
            return .operation(.unary(.celu(alpha: alpha)), inputs: node.ids)
        },
        "Gelu": { (node) throws(ONNXError) in
            let approximation = try node.string("approximate") ?? "none"
            guard ["none", "tanh"].contains(approximation) else {
                throw node.invalid("approximate", expected: "none or tanh", got: approximation)
            }
            return .operation(.unary(.gelu(isApproximate: approximation == "tanh")), inputs: node.ids)
        },
        microsoft + "Gelu": unary(.gelu(isApproximate: false)),
        "Mish": unary(.mish),
        "Softsign": unary(.softsign),
        "ThresholdedRelu": { (node) throws(ONNXError) in
            let threshold = Double(try node.float("alpha") ?? 1)
            let (data, zero) = (try node.term(0, "data"), try node.scalar(0, like: 0))
            let bound = try node.scalar(threshold, like: 0)
            return try .expansion { (nodes) throws(ONNXError) in
                nodes.apply(.select, nodes.apply(.comparison(.greater), data, bound), data, zero)
            }
        },
        "Sign": unary(.sign),
        "Neg": unary(.negate),
        "Abs": unary(.absolute),
        "Floor": unary(.floor),
        "Ceil": unary(.ceil),
        "Round": unary(.round),
        "Clip": { (node) throws(ONNXError) in try node.clip() },
        "Add": binary(.add),
        "Sub": binary(.subtract),
        "Mul": binary(.multiply),
        "Div": binary(.divide),
        "Pow": binary(.power),
        "PRelu": binary(.prelu),
        "Equal": comparison(.equal),
        "Less": comparison(.less),
        "LessOrEqual": comparison(.lessOrEqual),
        "Greater": comparison(.greater),
        "GreaterOrEqual": comparison(.greaterOrEqual),
        "Where": { (node) throws(ONNXError) in .operation(.select, inputs: node.ids) },
        "Not": { (node) throws(ONNXError) in
            let (data, no) = (try node.boolean(0), Expansion.Term.constant(Tensor(scalar: false)))
            return try .expansion { (nodes) throws(ONNXError) in nodes.apply(.comparison(.equal), data, no) }
        },
        "And": { (node) throws(ONNXError) in
            let (left, right) = (try node.boolean(0), try node.boolean(1))
            return try .expansion { (nodes) throws(ONNXError) in
                nodes.apply(.select, left, right, .constant(Tensor(scalar: false)))
            }
        },
        "Or": { (node) throws(ONNXError) in
            let (left, right) = (try node.boolean(0), try node.boolean(1))
            return try .expansion { (nodes) throws(ONNXError) in
                nodes.apply(.select, left, .constant(Tensor(scalar: true)), right)
            }
        },
        "Xor": { (node) throws(ONNXError) in
            let (left, right) = (try node.boolean(0), try node.boolean(1))
            return try .expansion { (nodes) throws(ONNXError) in nodes.apply(.comparison(.notEqual), left, right) }
        },
        "Max": chain(.maximum),
        "Min": chain(.minimum),
        "Sum": chain(.add),
        "Mean": { (node) throws(ONNXError) in
            let operands = try node.all()
            guard let count = Tensor(Double(operands.count), as: operands[0].type.elementType) else {
                throw ONNXError(
                    .unsupportedType, "the mean of non-float tensors is not supported", at: node.location(),
                    got: "\(operands[0].type)")
            }
            return .chain(.add, operands.map(\.id), divisor: count)
        },
        "Identity": { (node) throws(ONNXError) in .operation(.identity, inputs: node.ids) },
        "Dropout": { (node) throws(ONNXError) in try node.dropout() },
        "Cast": { (node) throws(ONNXError) in
            node.ignore("saturate")
            node.ignore("round_mode")
            guard let target = try node.elementType("to") else { throw node.missing("to") }
            return .operation(.cast(target), inputs: node.ids)
        },
        "CastLike": { (node) throws(ONNXError) in
            node.ignore("saturate")
            node.ignore("round_mode")
            try node.expect(operands: 2...2)
            let target = try node.required(1, "target").type.elementType
            return .operation(.cast(target), inputs: [try node.required(0, "data").id])
        },
    ]

    private static func unary(_ function: UnaryFunction) -> Translator {
        { (node) throws(ONNXError) in .operation(.unary(function), inputs: node.ids) }
    }

    private static func binary(_ function: BinaryFunction) -> Translator {
        { (node) throws(ONNXError) in .operation(.binary(function, activation: nil), inputs: node.ids) }
    }

    private static func comparison(_ comparison: Comparison) -> Translator {
        { (node) throws(ONNXError) in .operation(.comparison(comparison), inputs: node.ids) }
    }

    private static func chain(_ function: BinaryFunction) -> Translator {
        { (node) throws(ONNXError) in .chain(function, try node.all().map(\.id)) }
    }
}

extension NodeContext {
    fileprivate func boolean(_ index: Int) throws(ONNXError) -> Expansion.Term {
        let type = try required(index, "condition").type
        guard type.elementType == .bool else {
            throw ONNXError(.invalidNode, "operand \(index) must be boolean", at: location(), got: "\(type)")
        }
        return try term(index, "condition")
    }

    fileprivate func relu() throws(ONNXError) -> NodeTranslation {
        .operation(.unary(.clamp(.relu)), inputs: ids)
    }

    /// Bounds are attributes before operator set 11, operands since. Known float bounds become a clamp.
    fileprivate mutating func clip() throws(ONNXError) -> NodeTranslation {
        let data = try required(0, "data")
        guard operatorSet >= 11 else {
            let clamp = Clamp(lower: try float("min") ?? -.infinity, upper: try float("max") ?? .infinity)
            return .operation(.unary(.clamp(clamp.ordered)), inputs: ids)
        }
        try expect(operands: 1...3)
        let bounds = [optional(1), optional(2)]
        guard bounds.contains(where: { $0 != nil }) else { return .operation(.identity, inputs: [data.id]) }
        let areKnown = bounds.allSatisfy { $0 == nil || $0?.constant != nil }
        guard areKnown, data.type.elementType == .float32 else { return .operation(.clip, inputs: ids) }
        let lower = try bound(1, "minimum") ?? -.infinity
        let upper = try bound(2, "maximum") ?? .infinity
        return .operation(.unary(.clamp(Clamp(lower: lower, upper: upper).ordered)), inputs: [data.id])
    }

    private func bound(_ index: Int, _ role: String) throws(ONNXError) -> Float? {
        guard let tensor = try constant(index, role) else { return nil }
        guard tensor.elementType == .float32, tensor.shape.elementCount == 1 else {
            throw ONNXError(
                .invalidNode, "operand \(index), \(role), is no scalar of the data's type", at: location(),
                expected: "float32", got: "\(tensor.type)")
        }
        return tensor.array(of: Float.self)[0]
    }

    /// Inference only: in training mode the mask would be random, unless nothing is dropped.
    fileprivate mutating func dropout() throws(ONNXError) -> NodeTranslation {
        ignore("seed")
        if operatorSet < 12 { ignore("ratio") }
        try expect(operands: 1...3)
        if let mode = try constant(2, "training_mode"), mode.elementType == .bool,
            mode.array(of: Bool.self).contains(true)
        {
            let ratio = try constant(1, "ratio").flatMap(\.doubles) ?? [0.5]
            guard ratio == [0] else {
                throw ONNXError(
                    .unsupportedFeature, "dropout in training mode is random", at: location(),
                    expected: "training_mode false, or ratio 0", got: "training_mode true, ratio \(ratio)")
            }
        }
        guard wantedOutputCount == 1 || operatorSet >= 10 else {
            throw ONNXError(
                .unsupportedFeature, "before operator set 10 the mask is not boolean", at: location(),
                expected: "the mask left out or unread", got: "a mask that is read")
        }
        return .operation(.dropout, inputs: [try required(0, "data").id])
    }
}

extension Clamp {
    /// ONNX applies the upper bound last: where the bounds cross, everything becomes the upper one.
    fileprivate var ordered: Clamp { Clamp(lower: min(lower, upper), upper: upper) }
}

extension Tensor {
    /// A floating-point scalar; `nil` for other element types.
    init?(_ value: Double, as elementType: ElementType) {
        switch elementType {
        case .float16: self.init(scalar: Float16(value))
        case .float32: self.init(scalar: Float(value))
        case .float64: self.init(scalar: value)
        default: return nil
        }
    }

    /// The elements as `Double`, whatever the number type; `nil` for booleans and inexact integers.
    var doubles: [Double]? {
        switch elementType {
        case .float16: array(of: Float16.self).map(Double.init)
        case .float32: array(of: Float.self).map(Double.init)
        case .float64: array(of: Double.self)
        default: integers?.map(Double.init)
        }
    }
}
