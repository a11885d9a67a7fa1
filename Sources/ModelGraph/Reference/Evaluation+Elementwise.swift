private import Glibc

extension Evaluation {
    func unary(_ function: UnaryFunction) -> Tensor {
        let type = outputTypes[0]
        return switch operand(0).wideElements {
        case .floating(let values): Tensor(values.map(function.definition), type: type)
        case .signed(let values): Tensor(values.map { function.applied(to: $0) }, type: type)
        case .unsigned(let values): Tensor(values.map { function.applied(to: $0) }, type: type)
        }
    }

    func binary(_ function: BinaryFunction, activation: Clamp?) -> Tensor {
        let type = outputTypes[0]
        return switch (operand(0).wideElements, operand(1).wideElements) {
        case (.floating(let left), .floating(let right)):
            Tensor(broadcast(left, right, function.definition).clamped(to: activation), type: type)
        case (.signed(let left), .signed(let right)):
            Tensor(broadcast(left, right) { function.applied($0, $1) }, type: type)
        case (.unsigned(let left), .unsigned(let right)):
            Tensor(broadcast(left, right) { function.applied($0, $1) }, type: type)
        // Only `power` admits operands of different kinds.
        case (.floating(let left), .signed), (.floating(let left), .unsigned):
            Tensor(broadcast(left, operand(1).reals, pow).clamped(to: activation), type: type)
        case (.signed, .floating), (.unsigned, .floating):
            Tensor(broadcast(operand(0).reals, operand(1).reals, pow), type: type)
        case (.signed(let left), .unsigned(let right)):
            Tensor(broadcast(left, right) { integerPower($0, $1) }, type: type)
        case (.unsigned(let left), .signed(let right)):
            Tensor(broadcast(left, right) { integerPower($0, $1) }, type: type)
        }
    }

    private func broadcast<Left, Right>(
        _ left: [Left], _ right: [Right], _ function: (Left, Right) -> Left
    ) -> [Left] {
        let shape = outputTypes[0].shape
        let (leftShape, rightShape) = (operand(0).shape, operand(1).shape)
        if leftShape == rightShape { return zip(left, right).map(function) }
        return zip(
            StridedOffsets(shape, strides: leftShape.strides(broadcastTo: shape)),
            StridedOffsets(shape, strides: rightShape.strides(broadcastTo: shape))
        ).map { function(left[$0], right[$1]) }
    }

    func comparison(_ comparison: Comparison) -> Tensor {
        func compare<Element: Comparable>(_ left: [Element], _ right: [Element]) -> Tensor {
            let shape = outputTypes[0].shape
            let pairs = zip(
                StridedOffsets(shape, strides: operand(0).shape.strides(broadcastTo: shape)),
                StridedOffsets(shape, strides: operand(1).shape.strides(broadcastTo: shape)))
            return Tensor(pairs.map { comparison.holds(left[$0], right[$1]) }, shape: shape)
        }
        switch (operand(0).wideElements, operand(1).wideElements) {
        case (.floating(let left), .floating(let right)): return compare(left, right)
        case (.signed(let left), .signed(let right)): return compare(left, right)
        case (.unsigned(let left), .unsigned(let right)): return compare(left, right)
        default: preconditionFailure("inference accepted operands of different types")
        }
    }

    /// Below the minimum the minimum, then above the maximum the maximum: the maximum wins where they cross.
    func clip() -> Tensor {
        let type = outputTypes[0]
        let (minimum, maximum) = (optional(1)?.wideElements, optional(2)?.wideElements)
        switch operand(0).wideElements {
        case .floating(var values):
            if case .floating(let bound)? = minimum { values = values.map { Double.maximumOrNaN($0, bound[0]) } }
            if case .floating(let bound)? = maximum { values = values.map { Double.minimumOrNaN($0, bound[0]) } }
            return Tensor(values, type: type)
        case .signed(var values):
            if case .signed(let bound)? = minimum { values = values.map { max($0, bound[0]) } }
            if case .signed(let bound)? = maximum { values = values.map { min($0, bound[0]) } }
            return Tensor(values, type: type)
        case .unsigned(var values):
            if case .unsigned(let bound)? = minimum { values = values.map { max($0, bound[0]) } }
            if case .unsigned(let bound)? = maximum { values = values.map { min($0, bound[0]) } }
            return Tensor(values, type: type)
        }
    }

    func dropout() -> [Tensor] {
        let mask = [Bool](repeating: true, count: outputTypes.count > 1 ? operand(0).shape.elementCount : 0)
        return outputTypes.count > 1 ? [operand(0), Tensor(mask, shape: operand(0).shape)] : [operand(0)]
    }

    func cast(to target: ElementType) -> Tensor {
        operand(0).elementType == target ? operand(0) : Tensor(operand(0).wideElements, type: outputTypes[0])
    }
}

extension UnaryFunction {
    /// The function on real numbers.
    fileprivate var definition: (Double) -> Double {
        switch self {
        case .clamp(let clamp): clamp.limit
        case .leakyRelu(let alpha): { $0 < 0 ? Double(alpha) * $0 : $0 }
        case .elu(let alpha): { $0 < 0 ? Double(alpha) * expm1($0) : $0 }
        case .sigmoid: logistic
        case .hardSigmoid(let alpha, let beta): { Clamp(lower: 0, upper: 1).limit(Double(alpha) * $0 + Double(beta)) }
        case .hardSwish: { $0 * Clamp(lower: 0, upper: 1).limit($0 / 6 + 0.5) }
        case .swish(let alpha): { $0 * logistic(Double(alpha) * $0) }
        case .tanh: Glibc.tanh
        case .selu(let alpha, let gamma): { Double(gamma) * ($0 < 0 ? Double(alpha) * expm1($0) : $0) }
        case .celu(let alpha): { $0 < 0 ? Double(alpha) * expm1($0 / Double(alpha)) : $0 }
        case .gelu(isApproximate: false): { 0.5 * $0 * (1 + Glibc.erf($0 * 0.5.squareRoot())) }
        case .gelu(isApproximate: true):
            { 0.5 * $0 * (1 + Glibc.tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }
        case .mish: { $0 * Glibc.tanh(logOnePlusExp($0)) }
        case .softsign: { $0 / (1 + Swift.abs($0)) }
        case .exp: Glibc.exp
        case .log: Glibc.log
        case .sqrt: { $0.squareRoot() }
        case .reciprocal: { 1 / $0 }
        case .erf: Glibc.erf
        case .softplus: logOnePlusExp
        case .negate: { -$0 }
        case .absolute: { Swift.abs($0) }
        case .sign: { $0 > 0 ? 1 : ($0 < 0 ? -1 : $0) }
        case .floor: { $0.rounded(.down) }
        case .ceil: { $0.rounded(.up) }
        case .round: { $0.rounded(.toNearestOrEven) }
        }
    }

    /// The functions that are defined on integers, wrapping around.
    fileprivate func applied<Integer: FixedWidthInteger>(to value: Integer) -> Integer {
        switch self {
        case .clamp(let clamp):
            if Double(value) < Double(clamp.lower) { return Integer(saturating: Double(clamp.lower)) }
            if Double(value) > Double(clamp.upper) { return Integer(saturating: Double(clamp.upper)) }
            return value
        case .negate: return 0 &- value
        case .absolute: return value < 0 ? 0 &- value : value
        case .sign: return value < 0 ? 0 &- 1 : value.signum()
        default: preconditionFailure("inference admits \(self) for floating-point operands only")
        }
    }
}

private func logOnePlusExp(_ x: Double) -> Double { x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)) }

private func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

extension Comparison {
    fileprivate func holds<Element: Comparable>(_ left: Element, _ right: Element) -> Bool {
        switch self {
        case .equal: left == right
        case .notEqual: left != right
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        }
    }
}

extension BinaryFunction {
    /// The function on real numbers.
    fileprivate var definition: (Double, Double) -> Double {
        switch self {
        case .add: (+)
        case .subtract: (-)
        case .multiply: (*)
        case .divide: (/)
        case .power: pow
        case .maximum: Double.maximumOrNaN
        case .minimum: Double.minimumOrNaN
        case .prelu: { $0 < 0 ? $1 * $0 : $0 }
        }
    }

    /// The function on integers, wrapping around; division truncates, and by 0 gives 0.
    fileprivate func applied<Integer: FixedWidthInteger>(_ left: Integer, _ right: Integer) -> Integer {
        switch self {
        case .add: left &+ right
        case .subtract: left &- right
        case .multiply: left &* right
        case .divide: right == 0 ? 0 : left.dividedReportingOverflow(by: right).partialValue
        case .power: integerPower(left, right)
        case .maximum: max(left, right)
        case .minimum: min(left, right)
        case .prelu: left < 0 ? left &* right : left
        }
    }
}

/// `base` to the `exponent`, wrapping around; the fraction of a negative power is dropped.
private func integerPower<Base: FixedWidthInteger>(_ base: Base, _ exponent: some FixedWidthInteger) -> Base {
    guard exponent >= 0 else {
        if base == 1 { return 1 }
        return base < 0 && base == 0 &- 1 ? (exponent.isMultiple(of: 2) ? 1 : base) : 0
    }
    var (result, square, rest) = (1 as Base, base, exponent)
    while rest > 0 {
        if !rest.isMultiple(of: 2) { result &*= square }
        square &*= square
        rest /= 2
    }
    return result
}
