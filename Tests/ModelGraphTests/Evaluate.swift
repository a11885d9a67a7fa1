internal import ModelGraph
internal import Testing

/// The results of one operator on `inputs`.
func evaluate(_ operation: Operator, _ inputs: Tensor?..., outputCount: Int = 1) throws -> [Tensor] {
    try operation.evaluate(inputs, outputCount: outputCount, node: "node")
}

/// Expects a float32 tensor of these values, within a millionth of the largest.
func expect(
    _ tensor: Tensor, _ shape: Shape, _ values: [Float], sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(tensor.type == TensorType(.float32, shape), sourceLocation: sourceLocation)
    guard tensor.type == TensorType(.float32, shape), values.count == shape.elementCount else {
        Issue.record("got \(tensor.type), expected \(values.count) values", sourceLocation: sourceLocation)
        return
    }
    let tolerance = 1e-6 * max(values.filter(\.isFinite).map(abs).max() ?? 1, 1)
    let actual = tensor.array(of: Float.self)
    let agrees = zip(actual, values).allSatisfy { left, right in
        left == right || (left.isNaN && right.isNaN) || abs(left - right) <= tolerance
    }
    #expect(agrees, "got \(actual), expected \(values)", sourceLocation: sourceLocation)
}

/// Expects exactly these elements.
func expect<Element: TensorElement>(
    _ tensor: Tensor, _ shape: Shape, exactly values: [Element], sourceLocation: SourceLocation = #_sourceLocation
) {
    guard tensor.type == TensorType(Element.elementType, shape) else {
        Issue.record(
            "got \(tensor.type), expected \(TensorType(Element.elementType, shape))", sourceLocation: sourceLocation)
        return
    }
    #expect(tensor.array(of: Element.self) == values, sourceLocation: sourceLocation)
}

/// 0, 1, 2, … as float32.
func ramp(_ shape: Shape) -> Tensor {
    Tensor((0..<shape.elementCount).map(Float.init), shape: shape)
}
