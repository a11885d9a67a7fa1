/// The closed set of operators a graph may contain.
///
/// Semantics follow the ONNX operator of the same name (opset 21) unless stated. All parameters that shape the result
/// (axes, pads, target extents) are attributes here: the importer resolves ONNX's run-time parameter inputs.
/// Activations are logically NCHW (batch, channel, spatial…); physical layout is the engine's business.
package enum Operator: Hashable, Sendable, Codable {
    /// Inputs: activation `[N, C, …]`, weights `[O, C/groups, k…]`, optional bias `[O]`.
    case convolution(Convolution)
    /// The gradient of a convolution, used to grow an image. Inputs: activation `[N, C, …]`, weights `[C, O/groups, k…]`,
    /// optional bias `[O]`.
    case transposedConvolution(TransposedConvolution)
    /// Inputs: A, B, optional C: `alpha·A·B + beta·C`, then the activation's clamp.
    case gemm(Gemm)
    /// Inputs: A, B; numpy's matmul.
    case matrixProduct
    /// Inputs: x, scale, bias, mean, variance; outputs y (and, in training mode, running mean and variance).
    case batchNormalization(BatchNormalization)
    case localResponseNormalization(LocalResponseNormalization)
    /// Inputs: x `[N, C, …]`, scale `[C]`, bias `[C]`.
    case groupNormalization(GroupNormalization)
    /// Inputs: x, scale, optional bias, which broadcast to the normalised axes; outputs: y and, if asked for, mean and
    /// inverse standard deviation.
    case layerNormalization(LayerNormalization)
    /// Inputs: x; outputs: y and, if asked for, int64 indices.
    case maxPool(Pooling)
    case averagePool(Pooling)
    /// Reduces all spatial axes to extent 1.
    case globalAveragePool
    case globalMaxPool
    /// One value in, one value out, element by element.
    case unary(UnaryFunction)
    /// Two operands with multidirectional broadcasting.
    case binary(BinaryFunction, activation: Clamp?)
    /// Inputs: x, optional min, optional max, the bounds being scalars of x's type. Only for bounds unknown before
    /// execution or non-float types; otherwise `unary(.clamp)`.
    case clip
    /// Two operands with multidirectional broadcasting, to bool.
    case comparison(Comparison)
    /// Inputs: bool condition, x, y with multidirectional broadcasting: x where the condition holds, else y.
    case select
    case softmax(Softmax)
    case concat(axis: Int)
    /// ONNX target extents: 0 copies the input's extent (unless `allowZero`), one −1 is inferred.
    case reshape(extents: [Int], allowZero: Bool)
    case flatten(axis: Int)
    case squeeze(axes: [Int])
    case unsqueeze(axes: [Int])
    case transpose(permutation: [Int])
    /// Channels become `blockSize` × `blockSize` pixels.
    case depthToSpace(blockSize: Int, order: DepthOrder)
    /// `blockSize` × `blockSize` pixels become channels, the blocks' rows outermost.
    case spaceToDepth(blockSize: Int)
    /// Channel `g · C/groups + c` becomes channel `c · groups + g`.
    case channelShuffle(groups: Int)
    case resize(Resize)
    case identity
    /// Inference mode: the identity; a second output, if any, is a mask of `true`.
    case dropout
    case cast(ElementType)
    /// The input's extents `start..<end` as int64.
    case shape(start: Int, end: Int?)
    /// Inputs: data, integer indices.
    case gather(axis: Int)
    case slice(Slice)
    case split(axis: Int, sizes: [Int])
    case pad(Pad)
    case expand(extents: [Int])
    case reduce(Reduction)
    case argMax(axis: Int, keepsDimensions: Bool, selectsLastIndex: Bool)
    /// Inputs: x, scale, optional zero point; `axis` for per-channel parameters.
    case quantizeLinear(axis: Int, to: ElementType)
    /// Inputs: x, scale, optional zero point.
    case dequantizeLinear(axis: Int)
}

/// The interval an activation is clamped to after the operator that produces it: ReLU is `0...∞`, ReLU6 `0...6`.
package struct Clamp: Hashable, Sendable {
    package var lower: Float
    package var upper: Float

    package init(lower: Float = -.infinity, upper: Float = .infinity) {
        self.lower = lower
        self.upper = upper
    }

    package static let relu = Clamp(lower: 0)
    package static let relu6 = Clamp(lower: 0, upper: 6)

    /// `x` limited to the interval; a NaN stays a NaN.
    package func callAsFunction(_ x: Float) -> Float {
        x < lower ? lower : (x > upper ? upper : x)
    }

    /// First `self`, then `next`.
    package func followed(by next: Clamp) -> Clamp {
        Clamp(lower: next(lower), upper: next(upper))
    }
}

/// A sliding window over the spatial axes, outermost first. Pads are explicit: ONNX's `auto_pad` is resolved at import.
package struct Window: Hashable, Sendable, Codable {
    package var kernel: [Int]
    package var strides: [Int]
    package var dilations: [Int]
    package var padsBegin: [Int]
    package var padsEnd: [Int]

    package init(
        kernel: [Int], strides: [Int]? = nil, dilations: [Int]? = nil, padsBegin: [Int]? = nil, padsEnd: [Int]? = nil
    ) {
        self.kernel = kernel
        self.strides = strides ?? kernel.map { _ in 1 }
        self.dilations = dilations ?? kernel.map { _ in 1 }
        self.padsBegin = padsBegin ?? kernel.map { _ in 0 }
        self.padsEnd = padsEnd ?? kernel.map { _ in 0 }
    }

    package var rank: Int { kernel.count }
    package var hasPadding: Bool { padsBegin.contains { $0 != 0 } || padsEnd.contains { $0 != 0 } }
    /// A single position, step 1, no padding: a convolution with it is a matrix product.
    package var isPointwise: Bool { kernel.allSatisfy { $0 == 1 } && strides.allSatisfy { $0 == 1 } && !hasPadding }
}

package struct Convolution: Hashable, Sendable, Codable {
    package var window: Window
    package var groups: Int
    package var activation: Clamp?

    package init(window: Window, groups: Int = 1, activation: Clamp? = nil) {
        self.window = window
        self.groups = groups
        self.activation = activation
    }
}

package struct TransposedConvolution: Hashable, Sendable, Codable {
    /// Of the convolution that this is the gradient of: pads crop the result.
    package var window: Window
    package var groups: Int
    /// Elements added at the end of each spatial axis.
    package var outputPads: [Int]

    package init(window: Window, groups: Int = 1, outputPads: [Int]? = nil) {
        self.window = window
        self.groups = groups
        self.outputPads = outputPads ?? window.kernel.map { _ in 0 }
    }
}

package struct Gemm: Hashable, Sendable, Codable {
    package var alpha: Float
    package var beta: Float
    package var transposesA: Bool
    package var transposesB: Bool
    package var activation: Clamp?

    package init(
        alpha: Float = 1, beta: Float = 1, transposesA: Bool = false, transposesB: Bool = false,
        activation: Clamp? = nil
    ) {
        self.alpha = alpha
        self.beta = beta
        self.transposesA = transposesA
        self.transposesB = transposesB
        self.activation = activation
    }
}

package struct BatchNormalization: Hashable, Sendable, Codable {
    package var epsilon: Float
    package var momentum: Float
    package var isTraining: Bool

    package init(epsilon: Float = 1e-5, momentum: Float = 0.9, isTraining: Bool = false) {
        self.epsilon = epsilon
        self.momentum = momentum
        self.isTraining = isTraining
    }
}

package struct LocalResponseNormalization: Hashable, Sendable, Codable {
    package var size: Int
    package var alpha: Float
    package var beta: Float
    package var bias: Float

    package init(size: Int, alpha: Float = 1e-4, beta: Float = 0.75, bias: Float = 1) {
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.bias = bias
    }
}

/// Normalises each image's groups of channels by their own mean and variance; one channel a group is instance
/// normalisation.
package struct GroupNormalization: Hashable, Sendable, Codable {
    package var groups: Int
    package var epsilon: Float

    package init(groups: Int, epsilon: Float = 1e-5) {
        self.groups = groups
        self.epsilon = epsilon
    }
}

/// Normalises over all axes from `axis` on.
package struct LayerNormalization: Hashable, Sendable, Codable {
    package var axis: Int
    package var epsilon: Float

    package init(axis: Int = -1, epsilon: Float = 1e-5) {
        self.axis = axis
        self.epsilon = epsilon
    }
}

package struct Pooling: Hashable, Sendable, Codable {
    package var window: Window
    package var roundsUp: Bool
    /// Average pooling: padding counts as zeros in the mean.
    package var countsPadding: Bool
    /// Max pooling: flat indices are column-major (ONNX `storage_order` 1).
    package var hasColumnMajorIndices: Bool

    package init(
        window: Window, roundsUp: Bool = false, countsPadding: Bool = false, hasColumnMajorIndices: Bool = false
    ) {
        self.window = window
        self.roundsUp = roundsUp
        self.countsPadding = countsPadding
        self.hasColumnMajorIndices = hasColumnMajorIndices
    }
}

package enum UnaryFunction: Hashable, Sendable, Codable {
    case clamp(Clamp)
    case leakyRelu(alpha: Float)
    case elu(alpha: Float)
    case sigmoid
    case hardSigmoid(alpha: Float, beta: Float)
    case hardSwish
    /// `x · sigmoid(alpha · x)`
    case swish(alpha: Float)
    case tanh
    /// `gamma · x`, below 0 `gamma · alpha · (exp(x) − 1)`
    case selu(alpha: Float, gamma: Float)
    /// `x`, below 0 `alpha · (exp(x / alpha) − 1)`
    case celu(alpha: Float)
    /// `x · Φ(x)`, Φ the normal distribution's, or its approximation by a hyperbolic tangent.
    case gelu(isApproximate: Bool)
    /// `x · tanh(softplus(x))`
    case mish
    /// `x / (1 + |x|)`
    case softsign
    case exp, log, sqrt, reciprocal, erf, softplus
    case negate, absolute, sign, floor, ceil, round
}

package enum BinaryFunction: String, Hashable, Sendable, Codable {
    case add, subtract, multiply, divide, power, maximum, minimum
    /// Inputs: x, slope (broadcast to x only).
    case prelu
}

package enum Comparison: String, Hashable, Sendable, Codable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
}

/// Which part of a channel's index says where in its block the channel goes.
package enum DepthOrder: String, Hashable, Sendable, Codable {
    /// The outer part (ONNX "DCR").
    case depthColumnRow
    /// The inner part (ONNX "CRD", PyTorch's pixel shuffle).
    case columnRowDepth
}

package struct Softmax: Hashable, Sendable, Codable {
    package var axis: Int
    package var isLogarithmic: Bool
    /// Opsets before 13: the axes from `axis` on are one.
    package var flattensTrailingAxes: Bool

    package init(axis: Int, isLogarithmic: Bool = false, flattensTrailingAxes: Bool = false) {
        self.axis = axis
        self.isLogarithmic = isLogarithmic
        self.flattensTrailingAxes = flattensTrailingAxes
    }
}

/// One entry per sliced axis; ends and starts may be negative or beyond the extent, as in ONNX.
package struct Slice: Hashable, Sendable, Codable {
    package var starts: [Int]
    package var ends: [Int]
    package var axes: [Int]
    package var steps: [Int]

    package init(starts: [Int], ends: [Int], axes: [Int], steps: [Int]) {
        self.starts = starts
        self.ends = ends
        self.axes = axes
        self.steps = steps
    }
}

/// Pads (or, when negative, crops) every axis.
package struct Pad: Hashable, Sendable, Codable {
    package enum Mode: String, Hashable, Sendable, Codable {
        case constant, reflect, edge, wrap
    }

    package var mode: Mode
    package var begins: [Int]
    package var ends: [Int]
    /// The fill of constant mode.
    package var value: Double

    package init(mode: Mode, begins: [Int], ends: [Int], value: Double = 0) {
        self.mode = mode
        self.begins = begins
        self.ends = ends
        self.value = value
    }
}

package struct Reduction: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable {
        case sum, mean, maximum, minimum, product, l1, l2, sumOfSquares
    }

    package var kind: Kind
    /// Empty means all axes, or none when `isIdentityWithoutAxes`.
    package var axes: [Int]
    package var keepsDimensions: Bool
    package var isIdentityWithoutAxes: Bool

    package init(kind: Kind, axes: [Int], keepsDimensions: Bool = true, isIdentityWithoutAxes: Bool = false) {
        self.kind = kind
        self.axes = axes
        self.keepsDimensions = keepsDimensions
        self.isIdentityWithoutAxes = isIdentityWithoutAxes
    }
}

extension Clamp: Codable {
    private enum CodingKeys: String, CodingKey {
        case lower, upper
    }

    /// JSON has no infinities: an absent bound is unbounded.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        lower = try container.decodeIfPresent(Float.self, forKey: .lower) ?? -.infinity
        upper = try container.decodeIfPresent(Float.self, forKey: .upper) ?? .infinity
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        if lower.isFinite { try container.encode(lower, forKey: .lower) }
        if upper.isFinite { try container.encode(upper, forKey: .upper) }
    }
}
