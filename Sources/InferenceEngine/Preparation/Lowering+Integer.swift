internal import CKernels
internal import ModelGraph

/// Nodes in integer arithmetic: uint8 activations, int8 weights, int32 sums, one float multiplication to requantise.
extension Lowering {
    mutating func lowerToIntegers(_ node: Node, _ id: NodeID) throws -> Bool {
        guard let quantizations = quantizations(of: node), !quantizations.inputs.isEmpty else { return false }
        let output = quantizations.output
        switch node.operation {
        case .convolution(let convolution):
            guard let product = integerConvolution(node, id, convolution) else { return false }
            try emit(product)
            return true
        case .gemm(let gemm):
            return try lowerMatrixProduct(node, id, gemm.activation, quantizations.inputs[0], output)
        case .matrixProduct:
            return try lowerMatrixProduct(node, id, nil, quantizations.inputs[0], output)
        case .maxPool, .globalMaxPool, .averagePool, .globalAveragePool:
            return try lowerPooling(node, quantizations.inputs[0], output)
        case .reduce(let reduction):
            guard let input = node.inputs[0], isGlobalAverage(reduction, of: input) else { return false }
            return try lowerPooling(node, quantizations.inputs[0], output)
        case .unary(let function):
            return try lowerUnary(node, function, quantizations.inputs[0], output)
        case .binary(let function, let activation):
            return try lowerBinary(node, function, activation, output)
        case .concat(let axis):
            return try lowerConcatenation(node, axis, output)
        default:
            return false
        }
    }

    /// The integer interval of an activation clamp.
    private func outputRange(_ output: ActivationQuantization, _ clamp: Clamp?) -> ck_output_u8 {
        let clamp = clamp ?? Clamp()
        return ck_output_u8(
            zero_point: output.zeroPoint, min: clamp.lower == -.infinity ? 0 : output.quantize(clamp.lower),
            max: clamp.upper == .infinity ? 255 : output.quantize(clamp.upper))
    }

    /// A convolution or matrix product in integers, as the kernels see it.
    struct IntegerProduct {
        let source: ValueID
        let target: ValueID
        let geometry: ck_geometry
        let groups: Int
        let weights: QuantizedWeights
        let input: ActivationQuantization
        let output: ActivationQuantization
        let activation: Clamp?
        let layout: Layout
    }

    /// What a convolution adds to its own value, and what becomes of the sum.
    struct IntegerAddend {
        let value: ValueID
        let quantization: ActivationQuantization
        let target: ValueID
        let output: ActivationQuantization
        let activation: Clamp?
    }

    /// `nil` for a convolution that does not run in integers.
    func integerConvolution(_ node: Node, _ id: NodeID, _ convolution: Convolution) -> IntegerProduct? {
        guard let quantizations = quantizations(of: node), let input = quantizations.inputs.first,
            let source = node.inputs[0], graph[source].constant == nil, let weights = quantized.weights[id.index],
            let geometry = geometry(convolution.window, input: shape(source), output: shape(node.outputs[0]))
        else { return nil }
        return IntegerProduct(
            source: source, target: node.outputs[0], geometry: geometry, groups: convolution.groups, weights: weights,
            input: input, output: quantizations.output, activation: convolution.activation, layout: .channelsLast)
    }

    private mutating func lowerMatrixProduct(
        _ node: Node, _ id: NodeID, _ activation: Clamp?, _ input: ActivationQuantization,
        _ output: ActivationQuantization
    ) throws -> Bool {
        guard let source = node.inputs[0], graph[source].constant == nil, let weights = quantized.weights[id.index],
            let inner = shape(source).last, inner > 0, shape(source).rank >= 2, inner == weights.values.shape[1]
        else { return false }
        if case .gemm(let gemm) = node.operation, gemm.transposesA { return false }
        try emit(
            IntegerProduct(
                source: source, target: node.outputs[0],
                geometry: matrixGeometry(rows: shape(source).elementCount / inner), groups: 1, weights: weights,
                input: input, output: output, activation: activation, layout: .rowMajor))
        return true
    }

    /// - Parameter addend: for a convolution that does the addition after it.
    mutating func emit(_ product: IntegerProduct, adding addend: IntegerAddend? = nil) throws {
        let shape = product.weights.values.shape
        let (outChannels, groupChannels) = (shape[0], shape[1])
        let inChannels = groupChannels * product.groups
        var arguments = ck_conv_u8()
        arguments.geometry = product.geometry
        (arguments.in_channels, arguments.out_channels, arguments.groups) = (inChannels, outChannels, product.groups)
        arguments.in_zero_point = product.input.zeroPoint
        arguments.out = outputRange(product.output, product.activation)
        let packed = pack(product)
        let from = try readPixels(
            product.source, as: TensorForm(quantization: product.input, layout: product.layout), channels: inChannels)
        guard let addend else {
            let form = TensorForm(quantization: product.output, layout: product.layout)
            let into = placePixels(product.target, as: form, channels: outChannels)
            emit(.convolutionU8(arguments, packed), reads: [from], writes: [into])
            return
        }
        arguments.residual_zero_point = addend.quantization.zeroPoint
        arguments.residual_multiplier = Float(Double(addend.quantization.scale) / Double(addend.output.scale))
        arguments.own_multiplier = Float(Double(product.output.scale) / Double(addend.output.scale))
        arguments.sum = outputRange(addend.output, addend.activation)
        let residual = try read(
            addend.value, as: TensorForm(quantization: addend.quantization, layout: .channelsLast))
        let into = place(addend.target, as: TensorForm(quantization: addend.output, layout: .channelsLast))
        emit(.convolutionU8(arguments, packed), reads: [from, residual], writes: [into])
    }

    private mutating func pack(_ product: IntegerProduct) -> PackedWeights {
        let (weights, shape) = (product.weights, product.weights.values.shape)
        let isDepthwise = product.groups > 1 && product.groups == shape[0] && shape[1] == 1
        let scale = { (weight: Float) in
            Float(Double(product.input.scale) * Double(weight) / Double(product.output.scale))
        }
        return self.weights.packed(
            WeightSource(
                weights.values, order: CK_WEIGHTS_OUTPUT_INPUT_TAP,
                shape: ck_weight_shape(
                    out_channels: shape[0], taps: shape.elementCount(in: 2..<shape.rank), group_channels: shape[1],
                    groups: product.groups),
                .integer(
                    bias: weights.bias.array(), multipliers: weights.scales.map(scale),
                    zeroPoint: product.input.zeroPoint),
                for: isDepthwise ? .depthwise : .indirect))
    }

    private mutating func lowerPooling(
        _ node: Node, _ input: ActivationQuantization, _ output: ActivationQuantization
    ) throws -> Bool {
        guard let source = node.inputs[0],
            let geometry = poolingGeometry(node.operation, input: shape(source), output: shape(node.outputs[0]))
        else { return false }
        let channels = shape(source)[1]
        let from = try read(source, as: TensorForm(quantization: input, layout: .channelsLast))
        switch node.operation {
        case .maxPool, .globalMaxPool:
            var arguments = ck_maxpool_u8()
            arguments.geometry = geometry
            arguments.channels = channels
            // A maximum does not change the scale.
            let into = place(node.outputs[0], as: TensorForm(quantization: input, layout: .channelsLast))
            emit(.maxPoolU8(arguments), reads: [from], writes: [into])
        default:
            var arguments = ck_avgpool_u8()
            arguments.geometry = geometry
            arguments.channels = channels
            arguments.in_zero_point = input.zeroPoint
            arguments.out = outputRange(output, nil)
            arguments.multiplier = Float(Double(input.scale) / Double(output.scale))
            if case .averagePool(let pooling) = node.operation { arguments.count_include_pad = pooling.countsPadding }
            let into = place(node.outputs[0], as: TensorForm(quantization: output, layout: .channelsLast))
            emit(.averagePoolU8(arguments), reads: [from], writes: [into])
        }
        return true
    }

    /// Any function of one uint8 operand is a table of 256.
    private mutating func lowerUnary(
        _ node: Node, _ function: UnaryFunction, _ input: ActivationQuantization, _ output: ActivationQuantization
    ) throws -> Bool {
        guard let source = node.inputs[0] else { return false }
        let operands = Tensor((0...255).map { input.dequantize(UInt8($0)) }, shape: [256])
        let results = try Operator.unary(function).evaluate([operands], outputCount: 1, node: node.name)[0]
        let table = results.array(of: Float.self).map(output.quantize)
        let storage = TensorStorage(byteCount: 256) { target in
            table.withUnsafeBytes { target.copyMemory(from: $0) }
        }
        let layout = naturalForm(source)?.layout ?? .rowMajor
        let (pixels, channels) = rows(of: shape(source))
        var arguments = ck_lut_u8()
        arguments.channels = channels
        let from = try read(source, as: TensorForm(quantization: input, layout: layout))
        let into = place(node.outputs[0], as: TensorForm(quantization: output, layout: layout))
        emit(.lookupU8(arguments, storage, pixels: pixels), reads: [from], writes: [into])
        return true
    }

    private mutating func lowerBinary(
        _ node: Node, _ function: BinaryFunction, _ activation: Clamp?, _ output: ActivationQuantization
    ) throws -> Bool {
        guard function == .add || function == .multiply, let pair = pair(node), let a = quantized[pair.full],
            let b = quantized[pair.other]
        else { return false }
        let layout = layout(of: pair)
        let channels = rows(of: shape(pair.full)).channels
        let full = try read(pair.full, as: TensorForm(quantization: a, layout: layout))
        let other = try read(pair.other, as: TensorForm(quantization: b, layout: layout))
        let into = place(node.outputs[0], as: TensorForm(quantization: output, layout: layout))
        if function == .add {
            var arguments = ck_add_u8()
            arguments.channels = channels
            (arguments.a_zero_point, arguments.b_zero_point) = (a.zeroPoint, b.zeroPoint)
            arguments.a_multiplier = Float(Double(a.scale) / Double(output.scale))
            arguments.b_multiplier = Float(Double(b.scale) / Double(output.scale))
            arguments.out = outputRange(output, activation)
            emit(pair, full, other, into: into, elementBytes: 1) { .addU8(arguments, pixels: $0) }
        } else {
            var arguments = ck_mul_u8()
            arguments.channels = channels
            (arguments.a_zero_point, arguments.b_zero_point) = (a.zeroPoint, b.zeroPoint)
            arguments.multiplier = Float(Double(a.scale) * Double(b.scale) / Double(output.scale))
            arguments.out = outputRange(output, activation)
            emit(pair, full, other, into: into, elementBytes: 1) { .multiplyU8(arguments, pixels: $0) }
        }
        return true
    }

    private mutating func lowerConcatenation(_ node: Node, _ axis: Int, _ output: ActivationQuantization) throws -> Bool
    {
        if let form = quantized.formOfChannelConcatenation(node) {
            try lowerChannelConcatenation(node, as: form)
            return true
        }
        let operands = node.inputs.compactMap(\.self)
        guard operands.allSatisfy({ graph[$0].constant == nil }),
            let axis = shape(node.outputs[0]).normalizedAxis(axis)
        else { return false }
        try lowerRowMajorConcatenation(node, axis: axis, as: TensorForm(quantization: output))
        return true
    }
}
