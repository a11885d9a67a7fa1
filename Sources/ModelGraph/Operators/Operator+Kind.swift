extension Operator {
    /// The operator's name without its attributes, for messages and reports.
    package var kind: String {
        switch self {
        case .convolution: "convolution"
        case .transposedConvolution: "transposedConvolution"
        case .gemm: "gemm"
        case .matrixProduct: "matrixProduct"
        case .batchNormalization: "batchNormalization"
        case .localResponseNormalization: "localResponseNormalization"
        case .groupNormalization: "groupNormalization"
        case .layerNormalization: "layerNormalization"
        case .maxPool: "maxPool"
        case .averagePool: "averagePool"
        case .globalAveragePool: "globalAveragePool"
        case .globalMaxPool: "globalMaxPool"
        case .unary(let function): function.kind
        case .binary(let function, _): function.rawValue
        case .clip: "clip"
        case .comparison(let comparison): comparison.rawValue
        case .select: "select"
        case .softmax(let softmax): softmax.isLogarithmic ? "logSoftmax" : "softmax"
        case .concat: "concat"
        case .reshape: "reshape"
        case .flatten: "flatten"
        case .squeeze: "squeeze"
        case .unsqueeze: "unsqueeze"
        case .transpose: "transpose"
        case .depthToSpace: "depthToSpace"
        case .spaceToDepth: "spaceToDepth"
        case .channelShuffle: "channelShuffle"
        case .resize: "resize"
        case .identity: "identity"
        case .dropout: "dropout"
        case .cast: "cast"
        case .shape: "shape"
        case .gather: "gather"
        case .slice: "slice"
        case .split: "split"
        case .pad: "pad"
        case .expand: "expand"
        case .reduce(let reduction): "reduce.\(reduction.kind.rawValue)"
        case .argMax: "argMax"
        case .quantizeLinear: "quantizeLinear"
        case .dequantizeLinear: "dequantizeLinear"
        }
    }
}

extension UnaryFunction {
    fileprivate var kind: String {
        switch self {
        case .clamp: "clamp"
        case .leakyRelu: "leakyRelu"
        case .elu: "elu"
        case .sigmoid: "sigmoid"
        case .hardSigmoid: "hardSigmoid"
        case .hardSwish: "hardSwish"
        case .swish: "swish"
        case .tanh: "tanh"
        case .selu: "selu"
        case .celu: "celu"
        case .gelu: "gelu"
        case .mish: "mish"
        case .softsign: "softsign"
        case .exp: "exp"
        case .log: "log"
        case .sqrt: "sqrt"
        case .reciprocal: "reciprocal"
        case .erf: "erf"
        case .softplus: "softplus"
        case .negate: "negate"
        case .absolute: "absolute"
        case .sign: "sign"
        case .floor: "floor"
        case .ceil: "ceil"
        case .round: "round"
        }
    }
}
