extension Evaluation {
    /// `y[n, o, p] = clamp(bias[o] + Σ weights[o, c, k] · x[n, c, p·stride + k·dilation − pad])`, summed in float64.
    /// - Complexity: O(N·O·C/groups·kernel·output positions) multiply-adds.
    func convolution(_ convolution: Convolution) -> Tensor {
        let (activation, weights) = (operand(0), operand(1))
        let output = outputTypes[0]
        let outputChannels = output.shape[1]
        let groupChannels = weights.shape[1]
        let outputsPerGroup = outputChannels / convolution.groups
        let window = SlidingWindow(
            convolution.window, inputExtents: Array(activation.shape.dropFirst(2)),
            outputExtents: Array(output.shape.dropFirst(2)))
        let bias = optional(2)?.reals ?? [Double](repeating: 0, count: outputChannels)
        let source = activation.reals
        let kernels = weights.reals
        var result = [Double](repeating: 0, count: output.shape.elementCount)
        result.withUnsafeMutableBufferPointer { result in
            source.withUnsafeBufferPointer { source in
                for batch in 0..<output.shape[0] {
                    for channel in 0..<outputChannels {
                        let outputStart = (batch * outputChannels + channel) * window.outputCount
                        for index in outputStart..<outputStart + window.outputCount { result[index] = bias[channel] }
                        let firstInput = channel / outputsPerGroup * groupChannels
                        for inputChannel in 0..<groupChannels {
                            let inputStart =
                                (batch * activation.shape[1] + firstInput + inputChannel) * window.inputCount
                            let kernelStart = (channel * groupChannels + inputChannel) * window.taps.count
                            for (tap, runs) in window.taps.enumerated() {
                                let weight = kernels[kernelStart + tap]
                                for run in runs {
                                    accumulate(
                                        weight, source.baseAddress! + inputStart + run.input, step: window.inputStep,
                                        into: result.baseAddress! + outputStart + run.output, count: run.count)
                                }
                            }
                        }
                    }
                }
            }
        }
        return Tensor(result.clamped(to: convolution.activation), type: output)
    }

    /// `y[n, o, p·stride + k·dilation − pad] += weights[c, o, k] · x[n, c, p]`, summed in float64.
    func transposedConvolution(_ convolution: TransposedConvolution) -> Tensor {
        let (activation, weights) = (operand(0), operand(1))
        let output = outputTypes[0]
        let (channels, outputChannels) = (activation.shape[1], output.shape[1])
        let (groupChannels, groupOutputs) = (channels / convolution.groups, weights.shape[1])
        // The convolution this undoes reads our result and writes our operand.
        let window = SlidingWindow(
            convolution.window, inputExtents: Array(output.shape.dropFirst(2)),
            outputExtents: Array(activation.shape.dropFirst(2)))
        let bias = optional(2)?.reals ?? [Double](repeating: 0, count: outputChannels)
        let (source, kernels) = (activation.reals, weights.reals)
        var result = (0..<output.shape[0]).flatMap { _ in
            bias.flatMap { [Double](repeating: $0, count: window.inputCount) }
        }
        for batch in 0..<output.shape[0] {
            for outputChannel in 0..<outputChannels {
                let target = (batch * outputChannels + outputChannel) * window.inputCount
                let group = outputChannel / groupOutputs
                for channel in group * groupChannels..<(group + 1) * groupChannels {
                    let start = (batch * channels + channel) * window.outputCount
                    let kernel = (channel * groupOutputs + outputChannel % groupOutputs) * window.taps.count
                    for (tap, runs) in window.taps.enumerated() {
                        let weight = kernels[kernel + tap]
                        for run in runs {
                            for index in 0..<run.count {
                                result[target + run.input + index * window.inputStep] +=
                                    weight * source[start + run.output + index]
                            }
                        }
                    }
                }
            }
        }
        return Tensor(result, type: output)
    }

    /// - Returns: the maxima and, if wanted, the index of the first of each in the whole operand.
    func maxPool(_ pooling: Pooling) -> [Tensor] {
        let activation = operand(0)
        let output = outputTypes[0]
        let inputExtents = Array(activation.shape.dropFirst(2))
        let window = SlidingWindow(
            pooling.window, inputExtents: inputExtents, outputExtents: Array(output.shape.dropFirst(2)))
        let source = activation.reals
        var maxima = [Double](repeating: -.infinity, count: output.shape.elementCount)
        var indices = [Int64](repeating: 0, count: maxima.count)
        for plane in 0..<output.shape.elementCount(in: 0..<2) {
            let inputStart = plane * window.inputCount
            let outputStart = plane * window.outputCount
            for run in window.taps.joined() {
                for position in 0..<run.count {
                    let inPlane = run.input + position * window.inputStep
                    let target = outputStart + run.output + position
                    let value = source[inputStart + inPlane]
                    // A NaN, once seen, stays.
                    guard value > maxima[target] || value.isNaN else { continue }
                    maxima[target] = value
                    let index =
                        pooling.hasColumnMajorIndices
                        ? columnMajorIndex(of: inPlane, extents: inputExtents) : inPlane
                    indices[target] = Int64(inputStart + index)
                }
            }
        }
        let results = [Tensor(maxima, type: output), Tensor(indices, shape: output.shape)]
        return Array(results.prefix(outputTypes.count))
    }

    /// The mean over the taps inside; padding counts too if asked for, what lies beyond the padding never does.
    func averagePool(_ pooling: Pooling) -> Tensor {
        let activation = operand(0)
        let output = outputTypes[0]
        let inputExtents = Array(activation.shape.dropFirst(2))
        let outputExtents = Array(output.shape.dropFirst(2))
        let window = SlidingWindow(pooling.window, inputExtents: inputExtents, outputExtents: outputExtents)
        var counts = window.tapCounts
        if pooling.countsPadding {
            var padded = pooling.window
            let extents = inputExtents.indices.map { inputExtents[$0] + padded.padsBegin[$0] + padded.padsEnd[$0] }
            padded.padsBegin = extents.map { _ in 0 }
            padded.padsEnd = padded.padsBegin
            counts = SlidingWindow(padded, inputExtents: extents, outputExtents: outputExtents).tapCounts
        }
        let source = activation.reals
        var result = [Double](repeating: 0, count: output.shape.elementCount)
        for plane in 0..<output.shape.elementCount(in: 0..<2) {
            let outputStart = plane * window.outputCount
            for run in window.taps.joined() {
                for position in 0..<run.count {
                    result[outputStart + run.output + position] +=
                        source[plane * window.inputCount + run.input + position * window.inputStep]
                }
            }
            for index in 0..<window.outputCount { result[outputStart + index] /= Double(max(counts[index], 1)) }
        }
        return Tensor(result, type: output)
    }

    func globalAveragePool() -> Tensor {
        pooledPlanes { plane in plane.reduce(0, +) / Double(plane.count) }
    }

    func globalMaxPool() -> Tensor {
        pooledPlanes { plane in plane.reduce(-.infinity, Double.maximumOrNaN) }
    }

    private func pooledPlanes(_ reduce: (ArraySlice<Double>) -> Double) -> Tensor {
        let source = operand(0).reals
        let planeCount = operand(0).shape.elementCount(in: 0..<2)
        let size = source.count / max(planeCount, 1)
        return Tensor((0..<planeCount).map { reduce(source[$0 * size..<($0 + 1) * size]) }, type: outputTypes[0])
    }
}

/// `target[i] += weight · source[i · step]`, the one loop that convolution spends its time in.
private func accumulate(
    _ weight: Double, _ source: UnsafePointer<Double>, step: Int, into target: UnsafeMutablePointer<Double>, count: Int
) {
    if step == 1 {
        for index in 0..<count { target[index] += weight * source[index] }
    } else {
        for index in 0..<count { target[index] += weight * source[index * step] }
    }
}

private func columnMajorIndex(of index: Int, extents: [Int]) -> Int {
    var rest = index
    var position = extents
    for axis in extents.indices.reversed() {
        position[axis] = rest % extents[axis]
        rest /= extents[axis]
    }
    return extents.indices.reversed().reduce(0) { $0 * extents[$1] + position[$1] }
}

extension [Double] {
    /// Each element limited to `clamp`, if there is one.
    func clamped(to clamp: Clamp?) -> [Double] {
        guard let clamp else { return self }
        return map(clamp.limit)
    }
}

extension Clamp {
    /// `x` limited to the interval; a NaN stays a NaN.
    func limit(_ x: Double) -> Double {
        x < Double(lower) ? Double(lower) : (x > Double(upper) ? Double(upper) : x)
    }
}

extension Double {
    /// The larger one, or NaN when either is, as in numpy.
    static func maximumOrNaN(_ left: Double, _ right: Double) -> Double {
        left.isNaN || left > right ? left : right
    }

    static func minimumOrNaN(_ left: Double, _ right: Double) -> Double {
        left.isNaN || left < right ? left : right
    }
}
