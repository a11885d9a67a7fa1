internal import Glibc
internal import ModelGraph

// Layers that are too rare, or too small a part of any CNN, to have kernels in C.

/// `exp(x − max) / Σ`, or its logarithm, over `columns` contiguous elements.
func softmaxRow(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ columns: Int, _ isLogarithmic: Bool
) {
    var maximum = -Float.infinity
    for column in 0..<columns { maximum = max(maximum, source[column]) }
    var sum: Float = 0
    for column in 0..<columns {
        let power = expf(source[column] - maximum)
        target[column] = power
        sum += power
    }
    if isLogarithmic {
        let offset = maximum + logf(sum)
        for column in 0..<columns { target[column] = source[column] - offset }
    } else {
        for column in 0..<columns { target[column] /= sum }
    }
}

extension LocalResponseNormalization {
    /// `x / (bias + alpha / size · Σ x²)^beta`, the sum over `size` neighbouring channels.
    /// - SeeAlso: Krizhevsky et al. 2012, §3.3
    func normalizePixel(_ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ channels: Int) {
        let before = (size - 1) / 2
        let after = size - 1 - before
        for channel in 0..<channels {
            var sum: Float = 0
            for neighbour in max(0, channel - before)...min(channels - 1, channel + after) {
                sum += source[neighbour] * source[neighbour]
            }
            target[channel] = source[channel] / powf(bias + alpha / Float(size) * sum, beta)
        }
    }
}

extension UnaryFunction {
    /// `target[i] = f(source[i])` in float32; the two may be the same memory.
    func apply(_ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int) {
        @inline(__always)
        func each(_ function: (Float) -> Float) {
            for index in 0..<count { target[index] = function(source[index]) }
        }
        switch self {
        case .clamp, .leakyRelu, .elu, .sigmoid, .hardSigmoid, .hardSwish, .swish, .tanh, .exp:
            preconditionFailure("\(self) has a kernel")
        case .log: each { logf($0) }
        case .sqrt: each { $0.squareRoot() }
        case .reciprocal: each { 1 / $0 }
        case .erf: each { erff($0) }
        case .softplus: each { $0 > 0 ? $0 + log1pf(expf(-$0)) : log1pf(expf($0)) }
        case .selu(let alpha, let gamma): each { gamma * ($0 < 0 ? alpha * expm1f($0) : $0) }
        case .celu(let alpha): each { $0 < 0 ? alpha * expm1f($0 / alpha) : $0 }
        case .gelu(isApproximate: false): each { 0.5 * $0 * (1 + erff($0 * 0.707_106_77)) }
        case .gelu(isApproximate: true): each { 0.5 * $0 * (1 + tanhf(0.797_884_6 * ($0 + 0.044_715 * $0 * $0 * $0))) }
        case .mish: each { $0 * tanhf($0 > 0 ? $0 + log1pf(expf(-$0)) : log1pf(expf($0))) }
        case .softsign: each { $0 / (1 + Swift.abs($0)) }
        case .sign: each { $0 > 0 ? 1 : ($0 < 0 ? -1 : $0) }
        case .negate: each { -$0 }
        case .absolute: each { Swift.abs($0) }
        case .floor: each { $0.rounded(.down) }
        case .ceil: each { $0.rounded(.up) }
        case .round: each { $0.rounded(.toNearestOrEven) }
        }
    }
}
