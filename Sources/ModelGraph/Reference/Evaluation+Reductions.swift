extension Evaluation {
    /// Floating-point operands are reduced in float64; integers wrap around and their mean truncates.
    func reduce(_ reduction: Reduction) -> Tensor {
        let type = outputTypes[0]
        let reduced = reduction.reducedAxes(of: operand(0).shape)
        return switch operand(0).wideElements {
        case .floating(let values): Tensor(lanes(of: values, along: reduced).map(reduction.kind.definition), type: type)
        case .signed(let values): Tensor(lanes(of: values, along: reduced).map(reduction.kind.applied), type: type)
        case .unsigned(let values): Tensor(lanes(of: values, along: reduced).map(reduction.kind.applied), type: type)
        }
    }

    func argMax(axis: Int, selectsLastIndex: Bool) -> Tensor {
        guard let axis = operand(0).shape.normalizedAxis(axis) else {
            preconditionFailure("inference accepted axis \(axis) of \(operand(0).shape)")
        }
        func indices<Scalar: Comparable>(of values: [Scalar]) -> Tensor {
            let indices = lanes(of: values, along: [axis]).map { lane in
                lane.indices.dropFirst().reduce(0) { best, index in
                    lane[index] > lane[best] || (selectsLastIndex && lane[index] == lane[best]) ? index : best
                }
            }
            return Tensor(indices.map(Int64.init), shape: outputTypes[0].shape)
        }
        return switch operand(0).wideElements {
        case .floating(let values): indices(of: values)
        case .signed(let values): indices(of: values)
        case .unsigned(let values): indices(of: values)
        }
    }

    /// For each element of the result, row-major, what is reduced to it.
    private func lanes<Scalar>(of values: [Scalar], along reduced: Set<Int>) -> [[Scalar]] {
        let shape = operand(0).shape
        let strides = shape.strides
        let part = { (axes: [Int]) in
            Array(StridedOffsets(Shape(axes.map { shape[$0] }), strides: axes.map { strides[$0] }))
        }
        let within = part(shape.indices.filter { reduced.contains($0) })
        return part(shape.indices.filter { !reduced.contains($0) }).map { base in within.map { values[base + $0] } }
    }
}

extension Reduction.Kind {
    /// Of no elements: the neutral one (mean: NaN).
    fileprivate func definition(_ values: [Double]) -> Double {
        switch self {
        case .sum: values.reduce(0, +)
        case .mean: values.reduce(0, +) / Double(values.count)
        case .maximum: values.reduce(-.infinity, Double.maximumOrNaN)
        case .minimum: values.reduce(.infinity, Double.minimumOrNaN)
        case .product: values.reduce(1, *)
        case .l1: values.reduce(0) { $0 + abs($1) }
        case .l2: values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        case .sumOfSquares: values.reduce(0) { $0 + $1 * $1 }
        }
    }

    /// Of no elements: the neutral one (mean: 0).
    fileprivate func applied<Integer: FixedWidthInteger>(_ values: [Integer]) -> Integer {
        switch self {
        case .sum: values.reduce(0, &+)
        case .mean: values.isEmpty ? 0 : values.reduce(0, &+) / Integer(values.count)
        case .maximum: values.max() ?? .min
        case .minimum: values.min() ?? .max
        case .product: values.reduce(1, &*)
        case .l1: values.reduce(0) { $0 &+ ($1 < 0 ? 0 &- $1 : $1) }
        case .l2: Integer(saturating: Double(values.reduce(0) { $0 &+ $1 &* $1 }).squareRoot())
        case .sumOfSquares: values.reduce(0) { $0 &+ $1 &* $1 }
        }
    }
}
