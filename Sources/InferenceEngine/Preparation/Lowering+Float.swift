internal import CKernels
internal import ModelGraph

/// Nodes in float32.
extension Lowering {
    private static let channelsLast = TensorForm(layout: .channelsLast)

    mutating func lowerToFloat(_ node: Node) throws -> Bool {
        guard node.outputs.count == 1, graph[node.outputs[0]].type.elementType == .float32,
            let input = node.inputs.first ?? nil, graph[input].type.elementType == .float32
        else { return false }
        let output = node.outputs[0]
        switch node.operation {
        case .convolution(let convolution):
            guard let product = floatConvolution(node, convolution) else { return false }
            try emit(product)
            return true
        case .gemm(let gemm):
            return try lowerGemm(node, gemm)
        case .matrixProduct:
            return try lowerGemm(node, Gemm())
        case .maxPool, .globalMaxPool, .averagePool, .globalAveragePool:
            return try lowerPooling(node, input, output)
        case .reduce(let reduction):
            guard isGlobalAverage(reduction, of: input) else { return false }
            return try lowerPooling(node, input, output)
        case .unary(let function):
            return try lowerUnary(function, input, output)
        case .binary(let function, let activation):
            return try lowerBinary(node, function, activation, output)
        case .concat(let axis):
            return try lowerConcatenation(node, axis, output)
        case .softmax(let softmax):
            return try lowerSoftmax(softmax, input, output)
        case .localResponseNormalization(let normalization):
            guard shape(input).rank == 4, graph[input].constant == nil else { return false }
            let from = try readCompact(input, as: Self.channelsLast)
            let into = define(output, as: Self.channelsLast)
            let (pixels, channels) = rows(of: shape(input))
            emit(
                .localResponseNormalization(normalization, pixels: pixels, channels: channels), reads: [from],
                writes: [into])
            return true
        default:
            return false
        }
    }

    /// A convolution or matrix product in float32, as the kernels see it.
    struct FloatProduct {
        let source: ValueID
        var target: ValueID
        let geometry: ck_geometry
        let weights: Tensor
        let order: ck_weight_order
        /// Weights count so many times.
        var factor: Float = 1
        let bias: [Float]?
        let shape: ck_weight_shape
        var activation: Clamp?
        let layout: Layout
    }

    /// Whether a convolution's operands are constant where the kernels want them so, and its image has two axes.
    func isFloatConvolution(_ node: Node, _ convolution: Convolution) -> Bool {
        guard let source = node.inputs[0], graph[source].constant == nil, let weights = node.inputs[1],
            graph[weights].constant?.elementType == .float32,
            geometry(convolution.window, input: shape(source), output: shape(node.outputs[0])) != nil
        else { return false }
        return node.inputs.dropFirst(2).allSatisfy { $0.map { graph[$0].constant != nil } ?? true }
    }

    /// - Precondition: `isFloatConvolution`.
    func floatConvolution(_ node: Node, _ convolution: Convolution) -> FloatProduct? {
        guard isFloatConvolution(node, convolution), let source = node.inputs[0],
            let weights = node.inputs[1].flatMap({ graph[$0].constant }),
            let geometry = geometry(convolution.window, input: shape(source), output: shape(node.outputs[0]))
        else { return nil }
        let bias = node.inputs.dropFirst(2).first.flatMap(\.self).flatMap { graph[$0].constant }
        return FloatProduct(
            source: source, target: node.outputs[0], geometry: geometry,
            weights: weights, order: CK_WEIGHTS_OUTPUT_INPUT_TAP, bias: bias?.array(of: Float.self),
            shape: ck_weight_shape(
                out_channels: weights.shape[0], taps: weights.shape.elementCount(in: 2..<weights.shape.rank),
                group_channels: weights.shape[1], groups: convolution.groups),
            activation: convolution.activation, layout: .channelsLast)
    }

    /// `alpha · A · B + beta · C` with constant B and a constant C that is one row.
    private mutating func lowerGemm(_ node: Node, _ gemm: Gemm) throws -> Bool {
        guard let source = node.inputs[0], graph[source].constant == nil, let weightsID = node.inputs[1],
            let weights = graph[weightsID].constant, weights.elementType == .float32, weights.shape.rank == 2,
            !gemm.transposesA,
            shape(source).rank >= 2, let inner = shape(source).last, inner > 0
        else { return false }
        let columns = gemm.transposesB ? weights.shape[0] : weights.shape[1]
        guard columns > 0 else { return false }
        var bias: [Float]?
        if node.inputs.count > 2, let biasID = node.inputs[2] {
            guard let constant = graph[biasID].constant else { return false }
            let row = constant.array(of: Float.self)
            guard row.count == 1 || (row.count == columns && constant.shape.last == columns) else { return false }
            bias = (0..<columns).map { gemm.beta * (row.count == 1 ? row[0] : row[$0]) }
        }
        try emit(
            FloatProduct(
                source: source, target: node.outputs[0],
                geometry: matrixGeometry(rows: shape(source).elementCount / inner),
                weights: weights,
                order: gemm.transposesB ? CK_WEIGHTS_OUTPUT_INPUT_TAP : CK_WEIGHTS_INPUT_OUTPUT, factor: gemm.alpha,
                bias: bias,
                shape: ck_weight_shape(out_channels: columns, taps: 1, group_channels: inner, groups: 1),
                activation: gemm.activation, layout: .rowMajor))
        return true
    }

    /// - Parameter addend: of a convolution that does the addition after it.
    mutating func emit(_ product: FloatProduct, adding addend: ValueID? = nil) throws {
        let inChannels = product.shape.group_channels * product.shape.groups
        let form = TensorForm(layout: product.layout)
        var arguments = ck_conv_f32()
        arguments.geometry = product.geometry
        (arguments.in_channels, arguments.out_channels, arguments.groups) = (
            inChannels, product.shape.out_channels, product.shape.groups
        )
        let clamp = product.activation ?? Clamp()
        (arguments.min, arguments.max) = (clamp.lower, clamp.upper)
        let packed = weights.packed(
            WeightSource(
                product.weights, order: product.order, shape: product.shape,
                .float(factor: product.factor, bias: product.bias),
                for: method(for: arguments, product.shape)))
        var reads = [try readPixels(product.source, as: form, channels: inChannels)]
        if let addend { reads.append(try read(addend, as: form)) }
        let into = placePixels(product.target, as: form, channels: product.shape.out_channels)
        emit(.convolutionF32(arguments, packed), reads: reads, writes: [into])
    }

    /// Winograd's algorithm comes before bfloat16: it saves as much time or more, and is more precise.
    private func method(for arguments: ck_conv_f32, _ shape: ck_weight_shape) -> ConvolutionMethod {
        if shape.groups > 1 && shape.groups == shape.out_channels && shape.group_channels == 1 { return .depthwise }
        if allowsWinograd, let fastestTile = kernels.winograd_f32_tile {
            let tile = withUnsafePointer(to: arguments) { fastestTile($0) }
            if tile > 0 { return .winograd(tile: tile) }
        }
        return kernels.bfloat16 != nil && shape.gainsFromBFloat16 ? .bfloat16 : .indirect
    }

    private mutating func lowerPooling(_ node: Node, _ input: ValueID, _ output: ValueID) throws -> Bool {
        guard graph[input].constant == nil,
            let geometry = poolingGeometry(node.operation, input: shape(input), output: shape(output))
        else { return false }
        let channels = shape(input)[1]
        let from = try read(input, as: Self.channelsLast)
        let into = place(output, as: Self.channelsLast)
        switch node.operation {
        case .maxPool, .globalMaxPool:
            var arguments = ck_maxpool_f32()
            arguments.geometry = geometry
            arguments.channels = channels
            emit(.maxPoolF32(arguments), reads: [from], writes: [into])
        default:
            var arguments = ck_avgpool_f32()
            arguments.geometry = geometry
            arguments.channels = channels
            if case .averagePool(let pooling) = node.operation { arguments.count_include_pad = pooling.countsPadding }
            emit(.averagePoolF32(arguments), reads: [from], writes: [into])
        }
        return true
    }

    private mutating func lowerUnary(_ function: UnaryFunction, _ input: ValueID, _ output: ValueID) throws -> Bool {
        let form = TensorForm(layout: naturalForm(input)?.layout ?? .rowMajor)
        if case .clamp(let clamp) = function {
            let (pixels, channels) = rows(of: shape(input))
            var arguments = ck_binary_f32()
            arguments.channels = channels
            (arguments.min, arguments.max) = (clamp.lower, clamp.upper)
            emit(
                .clampF32(arguments, pixels: pixels), reads: [try read(input, as: form)],
                writes: [place(output, as: form)])
        } else {
            let from = try readCompact(input, as: form)
            emit(
                .unaryF32(function, count: shape(input).elementCount), reads: [from],
                writes: [define(output, as: form)])
        }
        return true
    }

    private mutating func lowerBinary(
        _ node: Node, _ function: BinaryFunction, _ activation: Clamp?, _ output: ValueID
    ) throws -> Bool {
        guard function == .add || function == .multiply, let pair = pair(node) else { return false }
        let form = TensorForm(layout: layout(of: pair))
        var arguments = ck_binary_f32()
        arguments.channels = rows(of: shape(pair.full)).channels
        let clamp = activation ?? Clamp()
        (arguments.min, arguments.max) = (clamp.lower, clamp.upper)
        let full = try read(pair.full, as: form)
        let other = try read(pair.other, as: form)
        emit(pair, full, other, into: place(output, as: form), elementBytes: 4) {
            function == .add ? .addF32(arguments, pixels: $0) : .multiplyF32(arguments, pixels: $0)
        }
        return true
    }

    private mutating func lowerConcatenation(_ node: Node, _ axis: Int, _ output: ValueID) throws -> Bool {
        if let form = quantized.formOfChannelConcatenation(node) {
            try lowerChannelConcatenation(node, as: form)
            return true
        }
        guard let axis = shape(output).normalizedAxis(axis) else { return false }
        try lowerRowMajorConcatenation(node, axis: axis, as: .plain)
        return true
    }

    private mutating func lowerSoftmax(_ softmax: Softmax, _ input: ValueID, _ output: ValueID) throws -> Bool {
        let shape = shape(input)
        guard let axis = shape.normalizedAxis(softmax.axis) else { return false }
        let columns = softmax.flattensTrailingAxes ? shape.elementCount(in: axis..<shape.rank) : shape[axis]
        let isInnermost = softmax.flattensTrailingAxes || shape.elementCount(in: (axis + 1)..<shape.rank) == 1
        // The channels of an image are innermost, too, in the other layout.
        let layout: Layout = isInnermost ? .rowMajor : .channelsLast
        guard isInnermost || (shape.rank == 4 && axis == 1), columns > 0, graph[input].constant == nil else {
            return false
        }
        let from = try readCompact(input, as: TensorForm(layout: layout))
        let into = define(output, as: TensorForm(layout: layout))
        emit(
            .softmax(rows: shape.elementCount / columns, columns: columns, isLogarithmic: softmax.isLogarithmic),
            reads: [from], writes: [into])
        return true
    }
}

extension ck_weight_shape {
    /// Whether products in bfloat16 save more time than rounding the activations costs.
    ///
    /// One core of Zen 4, 10⁹ multiply-adds a second, bfloat16 against float32: 32 → 16 channels 1×1 32:54, 16 → 96 44:46,
    /// 24 → 144 63:50, 96 → 24 43:38, 64 → 384 105:54, 3 → 64 7×7 40:42, 16 → 64 3×3 81:52.
    fileprivate var gainsFromBFloat16: Bool {
        taps * group_channels >= 24 && out_channels / groups >= 24 && group_channels > 3
    }
}
