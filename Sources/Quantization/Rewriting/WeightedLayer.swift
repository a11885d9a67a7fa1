package import ModelGraph

/// A convolution or matrix product with constant weights and bias.
package struct WeightedLayer {
    /// `[O, C/groups, k…]`, or `[O, K]` for a matrix product, row-major.
    package let values: [Float]
    package let shape: Shape
    let bias: [Float]?
    let groups: Int
    /// By tap: the share of the results for which it lies inside the image.
    let coverage: [Double]

    package var rows: Int { shape[0] }
    package var columns: Int { rows == 0 ? 0 : values.count / rows }
    var taps: Int { coverage.count }
    var inputChannels: Int { shape[1] * groups }

    var isFinite: Bool { values.allSatisfy(\.isFinite) && bias?.allSatisfy(\.isFinite) ?? true }

    /// The first input channel of a row.
    package func firstChannel(of row: Int) -> Int {
        row / max(rows / groups, 1) * shape[1]
    }

    package init(values: [Float], shape: Shape, bias: [Float]?, groups: Int = 1, coverage: [Double] = [1]) {
        self.values = values
        self.shape = shape
        self.bias = bias
        self.groups = groups
        self.coverage = coverage
    }
}

extension Node {
    /// The weights of a convolution as they are, or of a matrix product as `[O, K]`, with the bias, all constant.
    func constantWeights(in graph: Graph) -> WeightedLayer? {
        guard inputs.count > 1, let weightsID = inputs[1], let weights = graph[weightsID].constant,
            weights.elementType == .float32, let source = inputs[0]
        else { return nil }
        var bias: Tensor?
        if inputs.count > 2, let biasID = inputs[2] {
            guard let constant = graph[biasID].constant else { return nil }
            bias = constant
        }
        switch operation {
        case .convolution(let convolution):
            return WeightedLayer(
                values: weights.array(of: Float.self), shape: weights.shape, bias: bias?.array(of: Float.self),
                groups: convolution.groups,
                coverage: convolution.window.coverage(of: graph[source].type.shape, by: graph[outputs[0]].type.shape))
        case .gemm(let gemm):
            return Self.matrix(weights, gemm, bias)
        case .matrixProduct:
            return Self.matrix(weights, Gemm(), nil)
        default:
            return nil
        }
    }

    private static func matrix(_ weights: Tensor, _ gemm: Gemm, _ bias: Tensor?) -> WeightedLayer? {
        guard weights.shape.rank == 2, !gemm.transposesA else { return nil }
        let source = weights.array(of: Float.self)
        let (outer, inner) = (weights.shape[0], weights.shape[1])
        let (rows, columns) = gemm.transposesB ? (outer, inner) : (inner, outer)
        var values = [Float](repeating: 0, count: source.count)
        for row in 0..<rows {
            for column in 0..<columns {
                values[row * columns + column] =
                    gemm.alpha * (gemm.transposesB ? source[row * inner + column] : source[column * inner + row])
            }
        }
        guard let bias else { return WeightedLayer(values: values, shape: [rows, columns], bias: nil) }
        // One value for all, or one for each output; a column would be one for each image.
        let terms = bias.array(of: Float.self)
        guard terms.count == 1 || (terms.count == rows && bias.shape.last == rows) else { return nil }
        return WeightedLayer(
            values: values, shape: [rows, columns],
            bias: (0..<rows).map { gemm.beta * terms[terms.count == 1 ? 0 : $0] })
    }
}

extension Window {
    /// By tap, row-major: the share of output positions for which it lies inside the input.
    fileprivate func coverage(of input: Shape, by output: Shape) -> [Double] {
        var shares = [1.0]
        for axis in 0..<rank {
            let (extent, positions) = (input[axis + 2], output[axis + 2])
            let alongAxis = (0..<kernel[axis]).map { tap in
                let inside = (0..<positions).count { position in
                    (0..<extent).contains(position * strides[axis] + tap * dilations[axis] - padsBegin[axis])
                }
                return positions == 0 ? 0 : Double(inside) / Double(positions)
            }
            shares = shares.flatMap { share in alongAxis.map { share * $0 } }
        }
        return shares
    }
}
