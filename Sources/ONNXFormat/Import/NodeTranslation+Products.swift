internal import ModelGraph

extension NodeTranslation {
    /// Matrix products, normalisations and quantisation.
    static let products: [String: Translator] = [
        "Gemm": { (node) throws(ONNXError) in
            let gemm = Gemm(
                alpha: try node.float("alpha") ?? 1, beta: try node.float("beta") ?? 1,
                transposesA: try node.flag("transA"), transposesB: try node.flag("transB"))
            return .operation(.gemm(gemm), inputs: node.ids)
        },
        "MatMul": { (node) throws(ONNXError) in .operation(.matrixProduct, inputs: node.ids) },
        "BatchNormalization": { (node) throws(ONNXError) in try node.batchNormalization() },
        "LRN": { (node) throws(ONNXError) in
            let normalization = LocalResponseNormalization(
                size: try node.requiredInt("size"), alpha: try node.float("alpha") ?? 1e-4,
                beta: try node.float("beta") ?? 0.75, bias: try node.float("bias") ?? 1)
            return .operation(.localResponseNormalization(normalization), inputs: node.ids)
        },
        "Softmax": { (node) throws(ONNXError) in try node.softmax(isLogarithmic: false) },
        "LogSoftmax": { (node) throws(ONNXError) in try node.softmax(isLogarithmic: true) },
        "QuantizeLinear": { (node) throws(ONNXError) in try node.quantizeLinear() },
        "DequantizeLinear": { (node) throws(ONNXError) in try node.dequantizeLinear() },
    ]
}

extension NodeContext {
    fileprivate mutating func batchNormalization() throws(ONNXError) -> NodeTranslation {
        if operatorSet < 9, try !flag("spatial", default: true) {
            throw unsupported("spatial", expected: "1", got: "0")
        }
        let isTraining = operatorSet >= 14 ? try flag("training_mode") : false
        guard isTraining || wantedOutputCount == 1 else {
            throw ONNXError(
                .unsupportedFeature, "batch statistics are computed in training mode only", at: location(),
                expected: "one result, or training_mode 1 (operator set 14 and later)",
                got: "\(wantedOutputCount) results")
        }
        let normalization = BatchNormalization(
            epsilon: try float("epsilon") ?? 1e-5, momentum: try float("momentum") ?? 0.9, isTraining: isTraining)
        return .operation(.batchNormalization(normalization), inputs: ids)
    }

    /// Before operator set 13 the axes from `axis` on are one.
    fileprivate mutating func softmax(isLogarithmic: Bool) throws(ONNXError) -> NodeTranslation {
        let shape = try required(0, "data").type.shape
        let isFlattening = operatorSet < 13
        let axis = try axis(try int("axis") ?? (isFlattening ? 1 : -1), rank: shape.rank)
        let softmax = Softmax(
            axis: axis, isLogarithmic: isLogarithmic,
            flattensTrailingAxes: isFlattening && shape.dropFirst(axis + 1).contains { $0 != 1 })
        return .operation(.softmax(softmax), inputs: ids)
    }

    fileprivate mutating func quantizeLinear() throws(ONNXError) -> NodeTranslation {
        // It concerns 8-bit floats only.
        ignore("saturate")
        let axis = try quantizationAxis()
        let declared = try elementType("output_dtype")
        if let precision = try elementType("precision"), precision != .float32 {
            throw unsupported("precision", expected: "float32", got: "\(precision)")
        }
        let target = optional(2)?.type.elementType ?? declared ?? .uint8
        if let declared, declared != target {
            throw invalid("output_dtype", expected: "\(target), as the zero point has", got: "\(declared)")
        }
        return .operation(.quantizeLinear(axis: axis, to: target), inputs: ids)
    }

    fileprivate mutating func dequantizeLinear() throws(ONNXError) -> NodeTranslation {
        let axis = try quantizationAxis()
        let scaleType = try required(1, "scale").type.elementType
        if let declared = try elementType("output_dtype"), declared != scaleType {
            throw unsupported("output_dtype", expected: "\(scaleType), as the scale has", got: "\(declared)")
        }
        return .operation(.dequantizeLinear(axis: axis), inputs: ids)
    }

    /// The axis along which parameters differ; it means nothing, and may not exist, where there is one scale.
    private mutating func quantizationAxis() throws(ONNXError) -> Int {
        if let size = try int("block_size"), size != 0 {
            throw unsupported("block_size", expected: "0", got: "\(size)")
        }
        let axis = try int("axis") ?? 1
        let scale = try required(1, "scale").type.shape
        guard scale.rank > 0, scale != [1] else { return 0 }
        return try self.axis(axis, rank: try required(0, "data").type.shape.rank)
    }
}
