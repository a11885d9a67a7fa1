private import Glibc

extension Evaluation {
    func gemm(_ gemm: Gemm) -> Tensor {
        let output = outputTypes[0]
        let (rows, columns) = (output.shape[0], output.shape[1])
        let left = gemm.transposesA ? operand(0).transposedMatrix : operand(0).reals
        let right = gemm.transposesB ? operand(1).transposedMatrix : operand(1).reals
        let depth = gemm.transposesA ? operand(0).shape[0] : operand(0).shape[1]
        var result = product(left[...], right[...], rows: rows, depth: depth, columns: columns)
        for index in result.indices { result[index] *= Double(gemm.alpha) }
        if let addend = optional(2) {
            let values = addend.reals
            let offsets = StridedOffsets(output.shape, strides: addend.shape.strides(broadcastTo: output.shape))
            for (index, offset) in offsets.enumerated() { result[index] += Double(gemm.beta) * values[offset] }
        }
        return Tensor(result.clamped(to: gemm.activation), type: output)
    }

    func matrixProduct() -> Tensor {
        let (left, right) = (operand(0), operand(1))
        guard let extents = MatrixProductExtents(left.shape, right.shape) else {
            preconditionFailure("inference accepted \(left.shape) and \(right.shape)")
        }
        let (leftValues, rightValues) = (left.reals, right.reals)
        let (leftSize, rightSize) = (extents.rows * extents.depth, extents.depth * extents.columns)
        let batch = { (shape: Shape) in
            let leading = Shape(Array(shape.dropLast(2)))
            return StridedOffsets(extents.batch, strides: leading.strides(broadcastTo: extents.batch))
        }
        var result: [Double] = []
        for (leftIndex, rightIndex) in zip(batch(left.shape), batch(right.shape)) {
            result += product(
                leftValues[leftIndex * leftSize..<(leftIndex + 1) * leftSize],
                rightValues[rightIndex * rightSize..<(rightIndex + 1) * rightSize],
                rows: extents.rows, depth: extents.depth, columns: extents.columns)
        }
        return Tensor(result, type: outputTypes[0])
    }

    /// `[rows, depth] · [depth, columns]`, row-major.
    private func product(
        _ left: ArraySlice<Double>, _ right: ArraySlice<Double>, rows: Int, depth: Int, columns: Int
    ) -> [Double] {
        var result = [Double](repeating: 0, count: rows * columns)
        for row in 0..<rows {
            for index in 0..<depth {
                let factor = left[left.startIndex + row * depth + index]
                let rightStart = right.startIndex + index * columns
                for column in 0..<columns { result[row * columns + column] += factor * right[rightStart + column] }
            }
        }
        return result
    }

    /// Inference: `y = scale · (x − mean) / √(variance + ε) + bias` with the given statistics.
    ///
    /// Training: with those of the batch (population variance), which also update the running statistics:
    /// `running = momentum · running + (1 − momentum) · batch`.
    func batchNormalization(_ normalization: BatchNormalization) -> [Tensor] {
        let activation = operand(0)
        let (batches, channels) = (activation.shape[0], activation.shape[1])
        let size = activation.shape.elementCount(in: 2..<activation.shape.rank)
        let (scale, bias) = (operand(1).reals, operand(2).reals)
        var (mean, variance) = (operand(3).reals, operand(4).reals)
        var (runningMean, runningVariance) = (mean, variance)
        var values = activation.reals
        let momentum = Double(normalization.momentum)
        for channel in 0..<channels {
            let planes = (0..<batches).map { batch in
                (batch * channels + channel) * size..<(batch * channels + channel + 1) * size
            }
            if normalization.isTraining {
                let count = Double(batches * size)
                mean[channel] = planes.joined().reduce(0) { $0 + values[$1] } / count
                variance[channel] =
                    planes.joined().reduce(0) { sum, index in
                        let difference = values[index] - mean[channel]
                        return sum + difference * difference
                    } / count
                runningMean[channel] = momentum * runningMean[channel] + (1 - momentum) * mean[channel]
                runningVariance[channel] = momentum * runningVariance[channel] + (1 - momentum) * variance[channel]
            }
            let factor = scale[channel] / (variance[channel] + Double(normalization.epsilon)).squareRoot()
            for index in planes.joined() { values[index] = (values[index] - mean[channel]) * factor + bias[channel] }
        }
        return zip([values, runningMean, runningVariance], outputTypes).map { Tensor($0, type: $1) }
    }

    /// `y[c] = x[c] / (bias + alpha / size · Σ x[j]²)^beta` over the `size` channels around `c`.
    func localResponseNormalization(_ normalization: LocalResponseNormalization) -> Tensor {
        let activation = operand(0)
        let (batches, channels) = (activation.shape[0], activation.shape[1])
        let size = activation.shape.elementCount(in: 2..<activation.shape.rank)
        let values = activation.reals
        var result = values
        for batch in 0..<batches {
            for channel in 0..<channels {
                let neighbours =
                    max(
                        channel - (normalization.size - 1) / 2, 0)...min(
                        channel + min(normalization.size / 2, channels), channels - 1)
                for position in 0..<size {
                    let squares = neighbours.reduce(0.0) { sum, neighbour in
                        let value = values[(batch * channels + neighbour) * size + position]
                        return sum + value * value
                    }
                    let base =
                        Double(normalization.bias) + Double(normalization.alpha) / Double(normalization.size) * squares
                    result[(batch * channels + channel) * size + position] /= pow(base, Double(normalization.beta))
                }
            }
        }
        return Tensor(result, type: outputTypes[0])
    }

    /// `y = scale[c] · (x − mean) / √(variance + ε) + bias[c]` with the mean and population variance of c's group.
    func groupNormalization(_ normalization: GroupNormalization) -> Tensor {
        let shape = operand(0).shape
        let (scale, bias) = (operand(1).reals, operand(2).reals)
        var values = operand(0).reals
        let pixels = shape.elementCount(in: 2..<shape.rank)
        let size = shape[1] / normalization.groups * pixels
        for start in size == 0 ? stride(from: 0, to: 0, by: 1) : stride(from: 0, to: values.count, by: size) {
            let (mean, factor) = values[start..<start + size].statistics(epsilon: normalization.epsilon)
            for index in start..<start + size {
                let channel = index / pixels % shape[1]
                values[index] = (values[index] - mean) * factor * scale[channel] + bias[channel]
            }
        }
        return Tensor(values, type: outputTypes[0])
    }

    /// As group normalisation, over the axes from `axis` on; scale and bias differ from element to element.
    func layerNormalization(_ normalization: LayerNormalization) -> [Tensor] {
        let shape = operand(0).shape
        guard let axis = shape.normalizedAxis(normalization.axis) else {
            preconditionFailure("inference accepted axis \(normalization.axis) of \(shape)")
        }
        let row = Shape(Array(shape[axis...]))
        let size = row.elementCount
        let spread = { (tensor: Tensor) in
            let values = tensor.reals
            return StridedOffsets(row, strides: tensor.shape.strides(broadcastTo: row)).map { values[$0] }
        }
        let scale = spread(operand(1))
        let bias = optional(2).map(spread) ?? [Double](repeating: 0, count: size)
        var values = operand(0).reals
        var (means, factors): ([Double], [Double]) = ([], [])
        for rowIndex in 0..<shape.elementCount(in: 0..<axis) {
            let start = rowIndex * size
            let (mean, factor) = values[start..<start + size].statistics(epsilon: normalization.epsilon)
            means.append(mean)
            factors.append(factor)
            for index in 0..<size {
                values[start + index] = (values[start + index] - mean) * factor * scale[index] + bias[index]
            }
        }
        return zip([values, means, factors], outputTypes).map { Tensor($0, type: $1) }
    }

    /// `exp(x) / Σ exp(x)` along the axis, computed from differences to the maximum.
    func softmax(_ softmax: Softmax) -> Tensor {
        let shape = operand(0).shape
        guard let axis = shape.normalizedAxis(softmax.axis) else {
            preconditionFailure("inference accepted axis \(softmax.axis) of \(shape)")
        }
        let extent = softmax.flattensTrailingAxes ? shape.elementCount(in: axis..<shape.rank) : shape[axis]
        let step = softmax.flattensTrailingAxes ? 1 : shape.elementCount(in: axis + 1..<shape.rank)
        var values = operand(0).reals
        for lane in 0..<(extent == 0 ? 0 : values.count / extent) {
            let start = lane / step * step * extent + lane % step
            let indices = stride(from: start, to: start + extent * step, by: step)
            let maximum = indices.reduce(-Double.infinity) { Double.maximumOrNaN($0, values[$1]) }
            let sum = indices.reduce(0.0) { $0 + exp(values[$1] - maximum) }
            for index in indices {
                let difference = values[index] - maximum
                values[index] = softmax.isLogarithmic ? difference - log(sum) : exp(difference) / sum
            }
        }
        return Tensor(values, type: outputTypes[0])
    }
}

extension ArraySlice<Double> {
    /// The mean, and the inverse of `√(variance + ε)`.
    fileprivate func statistics(epsilon: Float) -> (mean: Double, factor: Double) {
        let mean = reduce(0, +) / Double(count)
        let variance = reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
        return (mean, 1 / (variance + Double(epsilon)).squareRoot())
    }
}

extension Tensor {
    /// A matrix's elements, column by column.
    fileprivate var transposedMatrix: [Double] {
        let values = reals
        return (0..<shape[1]).flatMap { column in (0..<shape[0]).map { row in values[row * shape[1] + column] } }
    }
}
