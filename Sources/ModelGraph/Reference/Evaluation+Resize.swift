extension Evaluation {
    /// Axis after axis in float64.
    func resize(_ resize: Resize) -> Tensor {
        var values = operand(0).reals
        var shape = operand(0).shape
        var isOutside = [Bool](repeating: false, count: 1)
        for axis in shape.indices {
            let taps = shape[axis] > 0 ? resize.taps(axis, extent: shape[axis]) : nil
            // Whether any coordinate of an element lies outside: the cross product of the axes'.
            isOutside = isOutside.flatMap { outer in
                taps?.isOutside.map { outer || $0 } ?? []
            }
            guard let taps, !taps.isIdentity(over: shape[axis]) else { continue }
            let inner = shape.elementCount(in: axis + 1..<shape.rank)
            let outer = shape.elementCount(in: 0..<axis)
            let extents = (source: shape[axis], result: resize.extents[axis])
            var resized = [Double](repeating: 0, count: outer * extents.result * inner)
            for row in 0..<outer {
                for index in 0..<extents.result {
                    let target = (row * extents.result + index) * inner
                    for tap in index * taps.count..<(index + 1) * taps.count {
                        let source = (row * extents.source + taps.indices[tap]) * inner
                        let weight = taps.weights[tap]
                        for position in 0..<inner { resized[target + position] += weight * values[source + position] }
                    }
                }
            }
            values = resized
            shape = Shape(shape.indices.map { $0 == axis ? extents.result : shape[$0] })
        }
        for index in values.indices where isOutside[index] { values[index] = Double(resize.extrapolation) }
        return Tensor(values, type: outputTypes[0])
    }
}
