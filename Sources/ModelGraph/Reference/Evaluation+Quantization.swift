extension Evaluation {
    /// `saturate(round(x / scale) + zeroPoint)`, ties to even, the quotient in float32 as on every machine; a NaN
    /// becomes the zero point.
    func quantizeLinear(axis: Int) -> Tensor {
        let limits = Self.limits(of: outputTypes[0].elementType)
        let parameters = quantizationParameters(axis: axis)
        let values = zip(operand(0).reals, parameters.indices).map { value, index in
            let level = (Float(value) / parameters.scales[index]).rounded(.toNearestOrEven)
            let shifted = (level.isNaN ? 0 : Double(level)) + parameters.zeroPoints[index]
            return min(max(shifted, limits.lowerBound), limits.upperBound)
        }
        return Tensor(values, type: outputTypes[0])
    }

    /// `(x − zeroPoint) · scale`, the product in float32.
    func dequantizeLinear(axis: Int) -> Tensor {
        let parameters = quantizationParameters(axis: axis)
        let values = zip(operand(0).reals, parameters.indices).map { level, index in
            Double(Float(level - parameters.zeroPoints[index]) * parameters.scales[index])
        }
        return Tensor(values, type: outputTypes[0])
    }

    private struct QuantizationParameters {
        var scales: [Float]
        var zeroPoints: [Double]
        /// Which of them each element takes.
        var indices: StridedOffsets
    }

    private func quantizationParameters(axis: Int) -> QuantizationParameters {
        let shape = operand(0).shape
        let scales = operand(1).reals.map(Float.init)
        var strides = [Int](repeating: 0, count: shape.rank)
        if scales.count > 1, let axis = shape.normalizedAxis(axis) { strides[axis] = 1 }
        return QuantizationParameters(
            scales: scales, zeroPoints: optional(2)?.reals ?? scales.map { _ in 0 },
            indices: StridedOffsets(shape, strides: strides))
    }

    private static func limits(of elementType: ElementType) -> ClosedRange<Double> {
        switch elementType {
        case .int8: -128...127
        case .uint8: 0...255
        case .int16: -32_768...32_767
        case .uint16: 0...65_535
        default: preconditionFailure("inference admits no quantisation to \(elementType)")
        }
    }
}
