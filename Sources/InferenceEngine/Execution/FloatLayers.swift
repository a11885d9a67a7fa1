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
        case .erf: each { errorFunction($0) }
        case .softplus: each { $0 > 0 ? $0 + log1pf(expf(-$0)) : log1pf(expf($0)) }
        case .selu(let alpha, let gamma): each { gamma * ($0 < 0 ? alpha * expm1f($0) : $0) }
        case .celu(let alpha): each { $0 < 0 ? alpha * expm1f($0 / alpha) : $0 }
        case .gelu(isApproximate: false): each { 0.5 * $0 * (1 + errorFunction($0 * 0.707_106_77)) }
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

/// The error function to 5·10⁻⁷, as a quotient of polynomials without branches, which compilers turn into vector code.
///
/// Odd numerator of degree 13, even denominator of degree 8, fitted over ±4 (the coefficients are those of Eigen's
/// `erf`); beyond 3.925 the result is ±1 in float32.
@inline(__always)
private func errorFunction(_ x: Float) -> Float {
    let x = min(max(x, -3.925), 3.925)
    let square = x * x
    var numerator: Float = -2.726_142_26e-10
    numerator = numerator * square + 2.770_681_42e-8
    numerator = numerator * square - 2.101_024_02e-6
    numerator = numerator * square - 5.692_506_39e-5
    numerator = numerator * square - 7.349_906_31e-4
    numerator = numerator * square - 2.954_599_81e-3
    numerator = numerator * square - 1.609_603_34e-2
    var denominator: Float = -1.456_607_18e-5
    denominator = denominator * square - 2.133_740_55e-4
    denominator = denominator * square - 1.682_826_97e-3
    denominator = denominator * square - 7.373_329_17e-3
    denominator = denominator * square - 1.426_473_9e-2
    return x * numerator / denominator
}
