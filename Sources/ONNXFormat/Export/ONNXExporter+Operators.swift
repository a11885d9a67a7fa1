internal import ModelGraph

extension Operator {
    /// The first operator set, from 17 on, that has this operator in the form needed.
    func firstOperatorSet(in graph: Graph, _ node: Node) -> Int {
        switch self {
        case .averagePool(let pooling) where pooling.window.dilations.contains { $0 != 1 }: 19
        case .pad(let pad) where pad.mode == .wrap: 19
        case .resize(let resize) where resize.coordinates == .halfPixelSymmetric: 19
        case .resize(let resize) where resize.antialiases: 18
        case .groupNormalization(let normalization):
            node.inputs[0].map { graph[$0].type.shape[1] } == normalization.groups ? 17 : 21
        case .quantizeLinear(_, .int16), .quantizeLinear(_, .uint16): 21
        case .dequantizeLinear:
            switch node.inputs.first?.map({ graph[$0].type.elementType }) {
            case .int16, .uint16: 21
            default: 17
            }
        default: 17
        }
    }
}

extension ONNXExporter {
    mutating func export(_ node: Node) throws(ONNXError) {
        let inputs = inputs(node)
        let outputs = outputs(node)
        let name = node.name
        switch node.operation {
        case .convolution(let convolution):
            let attributes = convolution.window.attributes + [("group", .int(convolution.groups))]
            try emit("Conv", node, attributes, activation: convolution.activation)
        case .gemm(let gemm):
            try emit(
                "Gemm", node,
                [
                    ("alpha", .float(gemm.alpha)), ("beta", .float(gemm.beta)), ("transA", .flag(gemm.transposesA)),
                    ("transB", .flag(gemm.transposesB)),
                ], activation: gemm.activation)
        case .binary(let function, let activation):
            try emit(function.onnxType, node, [], activation: activation)
        case .transposedConvolution(let convolution):
            emit(
                "ConvTranspose", name, inputs: inputs, outputs: outputs,
                convolution.window.attributes + [
                    ("group", .int(convolution.groups)), ("output_padding", .ints(convolution.outputPads)),
                ])
        case .matrixProduct: emit("MatMul", name, inputs: inputs, outputs: outputs)
        case .batchNormalization(let normalization):
            emit(
                "BatchNormalization", name, inputs: inputs, outputs: outputs,
                [
                    ("epsilon", .float(normalization.epsilon)), ("momentum", .float(normalization.momentum)),
                    ("training_mode", .flag(normalization.isTraining)),
                ])
        case .localResponseNormalization(let normalization):
            emit(
                "LRN", name, inputs: inputs, outputs: outputs,
                [
                    ("size", .int(normalization.size)), ("alpha", .float(normalization.alpha)),
                    ("beta", .float(normalization.beta)), ("bias", .float(normalization.bias)),
                ])
        case .groupNormalization(let normalization): export(normalization, node)
        case .layerNormalization(let normalization):
            emit(
                "LayerNormalization", name, inputs: inputs, outputs: outputs,
                [("axis", .int(normalization.axis)), ("epsilon", .float(normalization.epsilon))])
        case .maxPool(let pooling):
            let attributes = pooling.window.attributes + [("ceil_mode", .flag(roundsUpVisibly(pooling, node)))]
            // The order means nothing, and some runtimes refuse it, where no indices are asked for.
            let order = [("storage_order", ExportedNode.Attribute.flag(pooling.hasColumnMajorIndices))]
            emit("MaxPool", name, inputs: inputs, outputs: outputs, attributes + (outputs.count > 1 ? order : []))
        case .averagePool(let pooling):
            let window = pooling.window.attributes.filter { operatorSet >= 19 || $0.name != "dilations" }
            emit(
                "AveragePool", name, inputs: inputs, outputs: outputs,
                window + [
                    ("ceil_mode", .flag(roundsUpVisibly(pooling, node))),
                    ("count_include_pad", .flag(pooling.countsPadding)),
                ])
        case .globalAveragePool: emit("GlobalAveragePool", name, inputs: inputs, outputs: outputs)
        case .globalMaxPool: emit("GlobalMaxPool", name, inputs: inputs, outputs: outputs)
        case .unary(let function): try export(function, node)
        case .clip: emit("Clip", name, inputs: inputs, outputs: outputs)
        case .comparison(let comparison): export(comparison, node)
        case .select: emit("Where", name, inputs: inputs, outputs: outputs)
        case .softmax(let softmax): export(softmax, node)
        case .resize(let resize): export(resize, node)
        case .identity: emit("Identity", name, inputs: inputs, outputs: outputs)
        case .dropout: emit("Dropout", name, inputs: inputs, outputs: outputs)
        case .cast(let target):
            emit("Cast", name, inputs: inputs, outputs: outputs, [("to", .int(Int(target.onnxDataType)))])
        case .reduce(let reduction): export(reduction, node)
        case .argMax(let axis, let keepsDimensions, let selectsLastIndex):
            emit(
                "ArgMax", name, inputs: inputs, outputs: outputs,
                [
                    ("axis", .int(axis)), ("keepdims", .flag(keepsDimensions)),
                    ("select_last_index", .flag(selectsLastIndex)),
                ])
        case .quantizeLinear(let axis, let target):
            emit(
                "QuantizeLinear", name, inputs: withZeroPoint(node, target), outputs: outputs, [("axis", .int(axis))])
        case .dequantizeLinear(let axis):
            emit("DequantizeLinear", name, inputs: inputs, outputs: outputs, [("axis", .int(axis))])
        case .concat, .reshape, .flatten, .squeeze, .unsqueeze, .transpose, .shape, .gather, .slice, .split, .pad,
            .expand, .depthToSpace, .spaceToDepth, .channelShuffle:
            exportLayout(node)
        }
    }

    private mutating func exportLayout(_ node: Node) {
        let inputs = inputs(node)
        let outputs = outputs(node)
        let name = node.name
        switch node.operation {
        case .concat(let axis):
            emit("Concat", name, inputs: inputs, outputs: outputs, [("axis", .int(axis))])
        case .reshape(let extents, let allowZero):
            emit(
                "Reshape", name, inputs: inputs + [initializer(name + "/shape", extents)], outputs: outputs,
                [("allowzero", .flag(allowZero))])
        case .flatten(let axis):
            emit("Flatten", name, inputs: inputs, outputs: outputs, [("axis", .int(axis))])
        case .squeeze(let axes):
            // No axes mean every axis of extent 1; a scalar stays as it is.
            let parameter = axes.isEmpty ? [] : [initializer(name + "/axes", axes)]
            emit("Squeeze", name, inputs: inputs + parameter, outputs: outputs)
        case .unsqueeze(let axes):
            emit("Unsqueeze", name, inputs: inputs + [initializer(name + "/axes", axes)], outputs: outputs)
        case .transpose(let permutation):
            emit("Transpose", name, inputs: inputs, outputs: outputs, [("perm", .ints(permutation))])
        case .depthToSpace(let blockSize, let order):
            emit(
                "DepthToSpace", name, inputs: inputs, outputs: outputs,
                [
                    ("blocksize", .int(blockSize)), ("mode", .string(order == .depthColumnRow ? "DCR" : "CRD")),
                ])
        case .spaceToDepth(let blockSize):
            emit("SpaceToDepth", name, inputs: inputs, outputs: outputs, [("blocksize", .int(blockSize))])
        case .channelShuffle(let groups): exportChannelShuffle(groups: groups, node)
        case .shape(let start, let end):
            let end = end.map { [("end", ExportedNode.Attribute.int($0))] } ?? []
            emit("Shape", name, inputs: inputs, outputs: outputs, [("start", .int(start))] + end)
        case .gather(let axis):
            emit("Gather", name, inputs: inputs, outputs: outputs, [("axis", .int(axis))])
        case .slice(let slice):
            let parameters = [
                initializer(name + "/starts", slice.starts), initializer(name + "/ends", slice.ends),
                initializer(name + "/axes", slice.axes), initializer(name + "/steps", slice.steps),
            ]
            emit("Slice", name, inputs: inputs + parameters, outputs: outputs)
        case .split(let axis, let sizes):
            emit(
                "Split", name, inputs: inputs + [initializer(name + "/split", sizes)], outputs: outputs,
                [("axis", .int(axis))])
        case .pad(let pad):
            var parameters = [initializer(name + "/pads", pad.begins + pad.ends)]
            if pad.mode == .constant, pad.value != 0, let type = node.outputs.first.map({ graph[$0].type.elementType })
            {
                parameters.append(initializer(name + "/value", Tensor(number: pad.value, as: type)))
            }
            emit("Pad", name, inputs: inputs + parameters, outputs: outputs, [("mode", .string(pad.mode.rawValue))])
        case .expand(let extents):
            emit("Expand", name, inputs: inputs + [initializer(name + "/shape", extents)], outputs: outputs)
        default: preconditionFailure("\(node.operation) does not move elements")
        }
    }
}

// MARK: Operators that become several nodes

extension ONNXExporter {
    /// An operator with a fused activation: the node, then the activation as its own.
    private mutating func emit(
        _ type: String, _ node: Node, _ attributes: [(name: String, value: ExportedNode.Attribute)], activation: Clamp?
    ) throws(ONNXError) {
        let output = outputs(node)[0]
        guard let activation else {
            return emit(type, node.name, inputs: inputs(node), outputs: [output], attributes)
        }
        let linear = freshName(output + "/linear")
        emit(type, node.name, inputs: inputs(node), outputs: [linear], attributes)
        try emit(activation, node, suffix: "/activation", input: linear)
    }

    private mutating func emit(
        _ clamp: Clamp, _ node: Node, suffix: String = "", input: String
    ) throws(ONNXError) {
        let name = node.name + suffix
        let elementType = graph[node.outputs[0]].type.elementType
        let bounds = [clamp.lower, clamp.upper]
        if clamp == .relu { return emit("Relu", name, inputs: [input], outputs: outputs(node)) }
        guard bounds.contains(where: \.isFinite) else {
            return emit("Identity", name, inputs: [input], outputs: outputs(node))
        }
        var parameters: [String] = []
        for (bound, role) in zip(bounds, ["/min", "/max"]) {
            guard bound.isFinite else { parameters.append(""); continue }
            guard let scalar = Tensor(Double(bound), as: elementType) else {
                throw ONNXError(
                    .notExportable, "a clamp of \(elementType) has float bounds", at: .node(node.name, type: "Clip"))
            }
            parameters.append(initializer(name + role, scalar))
        }
        if parameters.last == "" { parameters.removeLast() }
        emit("Clip", name, inputs: [input] + parameters, outputs: outputs(node))
    }

    /// Rounding up is written only where it shows: shape inference of older operator sets counts a last window that
    /// starts in the padding, which later ones and we do not.
    private func roundsUpVisibly(_ pooling: Pooling, _ node: Node) -> Bool {
        guard pooling.roundsUp, let input = node.inputs[0] else { return false }
        var roundingDown = pooling
        roundingDown.roundsUp = false
        let types = try? Operator.maxPool(roundingDown).inferOutputTypes(
            inputs: [graph[input].type], outputCount: 1, node: node.name)
        return types?.first?.shape != graph[node.outputs[0]].type.shape
    }

    private mutating func export(_ function: UnaryFunction, _ node: Node) throws(ONNXError) {
        let inputs = inputs(node)
        var attributes: [(name: String, value: ExportedNode.Attribute)] = []
        let type: String
        switch function {
        case .clamp(let clamp): return try emit(clamp, node, input: inputs[0])
        case .swish(let alpha): return exportSwish(alpha: alpha, node)
        case .gelu(let isApproximate): return exportGelu(isApproximate: isApproximate, node)
        case .mish: return exportMish(node)
        case .selu(let alpha, let gamma):
            (type, attributes) = ("Selu", [("alpha", .float(alpha)), ("gamma", .float(gamma))])
        case .celu(let alpha): (type, attributes) = ("Celu", [("alpha", .float(alpha))])
        case .softsign: type = "Softsign"
        case .sign: type = "Sign"
        case .leakyRelu(let alpha): (type, attributes) = ("LeakyRelu", [("alpha", .float(alpha))])
        case .elu(let alpha): (type, attributes) = ("Elu", [("alpha", .float(alpha))])
        case .hardSigmoid(let alpha, let beta):
            (type, attributes) = ("HardSigmoid", [("alpha", .float(alpha)), ("beta", .float(beta))])
        case .sigmoid: type = "Sigmoid"
        case .hardSwish: type = "HardSwish"
        case .tanh: type = "Tanh"
        case .exp: type = "Exp"
        case .log: type = "Log"
        case .sqrt: type = "Sqrt"
        case .reciprocal: type = "Reciprocal"
        case .erf: type = "Erf"
        case .softplus: type = "Softplus"
        case .negate: type = "Neg"
        case .absolute: type = "Abs"
        case .floor: type = "Floor"
        case .ceil: type = "Ceil"
        case .round: type = "Round"
        }
        emit(type, node.name, inputs: inputs, outputs: outputs(node), attributes)
    }

    /// ONNX has Swish only since operator set 24: `x · sigmoid(alpha · x)`.
    private mutating func exportSwish(alpha: Float, _ node: Node) {
        let input = inputs(node)[0]
        let output = outputs(node)[0]
        let elementType = graph[node.outputs[0]].type.elementType
        var scaled = input
        if alpha != 1 {
            scaled = freshName(output + "/scaled")
            let factor = initializer(node.name + "/alpha", Tensor(number: Double(alpha), as: elementType))
            emit("Mul", node.name + "/scale", inputs: [input, factor], outputs: [scaled])
        }
        let gate = freshName(output + "/gate")
        emit("Sigmoid", node.name + "/gate", inputs: [scaled], outputs: [gate])
        emit("Mul", node.name, inputs: [input, gate], outputs: [output])
    }

    /// Since operator set 13 a softmax is over one axis: trailing axes that are one are made one, and split again.
    private mutating func export(_ softmax: Softmax, _ node: Node) {
        let type = softmax.isLogarithmic ? "LogSoftmax" : "Softmax"
        let input = inputs(node)[0]
        let output = outputs(node)[0]
        guard softmax.flattensTrailingAxes else {
            return emit(type, node.name, inputs: [input], outputs: [output], [("axis", .int(softmax.axis))])
        }
        let shape = graph[node.outputs[0]].type.shape
        let axis = shape.normalizedAxis(softmax.axis) ?? 0
        let matrix = freshName(output + "/matrix")
        let normalized = freshName(output + "/normalized")
        emit("Flatten", node.name + "/flatten", inputs: [input], outputs: [matrix], [("axis", .int(axis))])
        emit(type, node.name, inputs: [matrix], outputs: [normalized], [("axis", .int(1))])
        emit(
            "Reshape", node.name + "/restore",
            inputs: [normalized, initializer(node.name + "/shape", shape.dimensions)], outputs: [output],
            [("allowzero", .int(1))])
    }

    private mutating func export(_ reduction: Reduction, _ node: Node) {
        var inputs = inputs(node)
        guard !(reduction.axes.isEmpty && reduction.isIdentityWithoutAxes) else {
            return emit("Identity", node.name, inputs: inputs, outputs: outputs(node))
        }
        var attributes = [("keepdims", ExportedNode.Attribute.flag(reduction.keepsDimensions))]
        // No axes mean all of them.
        if !reduction.axes.isEmpty {
            if reduction.kind == .sum || operatorSet >= 18 {
                inputs.append(initializer(node.name + "/axes", reduction.axes))
            } else {
                attributes.append(("axes", .ints(reduction.axes)))
            }
        }
        emit(reduction.kind.onnxType, node.name, inputs: inputs, outputs: outputs(node), attributes)
    }

    /// Without a zero point ONNX quantises to uint8; another type is told by a zero point of zeros.
    private mutating func withZeroPoint(_ node: Node, _ target: ElementType) -> [String] {
        let inputs = inputs(node)
        let isGiven = node.inputs.count > 2 && node.inputs[2] != nil
        guard !isGiven, target != .uint8, let scale = node.inputs[1] else { return inputs }
        let zeros = Tensor(number: 0, as: target)
        let shape = graph[scale].type.shape
        let zeroPoint = Tensor(
            TensorType(target, shape),
            storage: TensorStorage(byteCount: shape.elementCount * zeros.byteCount) {
                $0.initializeMemory(as: UInt8.self, repeating: 0)
            })
        return Array(inputs.prefix(2)) + [initializer(node.name + "/zero_point", zeroPoint)]
    }
}

// MARK: Names and attributes

extension ONNXExporter.ExportedNode.Attribute {
    fileprivate static func flag(_ value: Bool) -> Self { .int(value ? 1 : 0) }
}

extension Window {
    fileprivate var attributes: [(name: String, value: ONNXExporter.ExportedNode.Attribute)] {
        [
            ("kernel_shape", .ints(kernel)), ("strides", .ints(strides)), ("dilations", .ints(dilations)),
            ("pads", .ints(padsBegin + padsEnd)),
        ]
    }
}

extension BinaryFunction {
    fileprivate var onnxType: String {
        switch self {
        case .add: "Add"
        case .subtract: "Sub"
        case .multiply: "Mul"
        case .divide: "Div"
        case .power: "Pow"
        case .maximum: "Max"
        case .minimum: "Min"
        case .prelu: "PRelu"
        }
    }
}

extension Reduction.Kind {
    fileprivate var onnxType: String {
        switch self {
        case .sum: "ReduceSum"
        case .mean: "ReduceMean"
        case .maximum: "ReduceMax"
        case .minimum: "ReduceMin"
        case .product: "ReduceProd"
        case .l1: "ReduceL1"
        case .l2: "ReduceL2"
        case .sumOfSquares: "ReduceSumSquare"
        }
    }
}

extension Tensor {
    /// A scalar of any element type; integers drop the fraction and saturate.
    init(number value: Double, as elementType: ElementType) {
        switch elementType {
        case .float16: self.init(scalar: Float16(value))
        case .float32: self.init(scalar: Float(value))
        case .float64: self.init(scalar: value)
        case .bool: self.init(scalar: value != 0)
        case .int8: self.init(scalar: Int8(saturating: value))
        case .int16: self.init(scalar: Int16(saturating: value))
        case .int32: self.init(scalar: Int32(saturating: value))
        case .int64: self.init(scalar: Int64(saturating: value))
        case .uint8: self.init(scalar: UInt8(saturating: value))
        case .uint16: self.init(scalar: UInt16(saturating: value))
        case .uint32: self.init(scalar: UInt32(saturating: value))
        case .uint64: self.init(scalar: UInt64(saturating: value))
        }
    }
}

extension FixedWidthInteger {
    fileprivate init(saturating value: Double) {
        self = Self(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : value > 0 ? .max : 0)
    }
}
