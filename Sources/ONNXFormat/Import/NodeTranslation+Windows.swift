internal import ModelGraph

extension NodeTranslation {
    /// Operators that slide a window over the spatial axes, and their whole-extent forms.
    static let windows: [String: Translator] = [
        "Conv": { (node) throws(ONNXError) in
            .operation(.convolution(try node.convolution(weights: 1)), inputs: node.ids)
        },
        "ConvTranspose": { (node) throws(ONNXError) in try node.transposedConvolution() },
        "MaxPool": { (node) throws(ONNXError) in try node.maxPool() },
        "AveragePool": { (node) throws(ONNXError) in
            .operation(.averagePool(try node.averagePooling()), inputs: node.ids)
        },
        "LpPool": { (node) throws(ONNXError) in try node.normPool() },
        "GlobalAveragePool": { (node) throws(ONNXError) in .operation(.globalAveragePool, inputs: node.ids) },
        "GlobalMaxPool": { (node) throws(ONNXError) in .operation(.globalMaxPool, inputs: node.ids) },
        "GlobalLpPool": { (node) throws(ONNXError) in
            let type = try node.required(0, "activation").type
            let power = try node.int("p") ?? 2
            guard let kind = [1: Reduction.Kind.l1, 2: .l2][power] else {
                throw node.unsupported("p", expected: "1 or 2", got: "\(power)")
            }
            guard type.shape.rank >= 3 else {
                throw ONNXError(.invalidNode, "the operand has no spatial axes", at: node.location(), got: "\(type)")
            }
            return .operation(.reduce(Reduction(kind: kind, axes: Array(2..<type.shape.rank))), inputs: node.ids)
        },
    ]
}

extension NodeContext {
    /// - Parameter weights: which operand they are.
    mutating func convolution(weights: Int) throws(ONNXError) -> Convolution {
        let weights = try required(weights, "weights").type.shape
        let kernel = try ints("kernel_shape") ?? Array(weights.dimensions.dropFirst(2))
        let (window, _) = try window(kernel: kernel)
        return Convolution(window: window, groups: try int("group") ?? 1)
    }

    /// Extents asked for, or `auto_pad`, say what to crop.
    fileprivate mutating func transposedConvolution() throws(ONNXError) -> NodeTranslation {
        let weights = try required(1, "weights").type.shape
        let spatial = Array(try required(0, "activation").type.shape.dimensions.dropFirst(2))
        let kernel = try ints("kernel_shape") ?? Array(weights.dimensions.dropFirst(2))
        // The other attributes are those of a convolution, pads aside.
        let mode = try string("auto_pad") ?? "NOTSET"
        var (window, _) = try window(kernel: kernel, isTransposed: true)
        var outputPads = try bounded(
            ints("output_padding") ?? spatial.map { _ in 0 }, "output_padding", from: 0, count: spatial.count)
        var wanted: [Int]?
        if let shape = try ints("output_shape") {
            wanted = try bounded(shape, "output_shape", from: 1, count: spatial.count)
        } else if mode.hasPrefix("SAME") {
            wanted = try bounded(
                zip(spatial, window.strides).map { $0.multipliedReportingOverflow(by: $1) }
                    .map { $0.overflow ? 0 : $0.partialValue }, "strides", from: 1, count: spatial.count)
        }
        if let wanted {
            for axis in spatial.indices {
                let reach = (kernel[axis] - 1) * window.dilations[axis] + 1
                let (span, overflow) = window.strides[axis].multipliedReportingOverflow(by: max(spatial[axis] - 1, 0))
                guard !overflow, span <= Shape.maximumElementCount else {
                    throw invalid("strides", expected: "a result of up to 2^40 elements", got: "\(window.strides)")
                }
                let full = span + outputPads[axis] + reach
                let total = max(full - wanted[axis], 0)
                outputPads[axis] += max(wanted[axis] - full, 0)
                window.padsBegin[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
                window.padsEnd[axis] = total - window.padsBegin[axis]
            }
        }
        let convolution = TransposedConvolution(
            window: window, groups: try int("group") ?? 1, outputPads: outputPads)
        return .operation(.transposedConvolution(convolution), inputs: ids)
    }

    private static let largestKernelOfOnes = 1 << 20

    /// `(Σ |x|^p)^(1/p)` over a window: a depthwise convolution by ones between the powers.
    fileprivate mutating func normPool() throws(ONNXError) -> NodeTranslation {
        let data = try required(0, "activation")
        let power = try int("p") ?? 2
        guard power >= 1 else { throw invalid("p", expected: "1 or more", got: "\(power)") }
        let (window, isSame) = try window(kernel: try requiredInts("kernel_shape"))
        let pooling = Pooling(window: window, roundsUp: try flag("ceil_mode") && !isSame)
        let pooled: TensorType
        do throws(GraphError) {
            pooled = try Operator.averagePool(pooling).inferOutputTypes(
                inputs: [data.type], outputCount: 1, node: name)[0]
        } catch {
            throw ONNXError(.invalidGraph, "the operator refuses its operands", at: location(), cause: error)
        }
        let kernelSize = window.kernel.reduce(into: data.type.shape[1]) { size, extent in
            size = size.multipliedReportingOverflow(by: extent).overflow ? .max : size * extent
        }
        guard kernelSize <= Self.largestKernelOfOnes else {
            throw unsupported(
                "kernel_shape", expected: "\(Self.largestKernelOfOnes) elements in all channels",
                got: "\(window.kernel)")
        }
        guard data.type.elementType == .float32 else {
            throw ONNXError(
                .unsupportedType, "the operand must be float32", at: location(), got: "\(data.type)")
        }
        var padded = window
        for axis in 0..<window.rank {
            // Rounding up, the last window reaches beyond the padding.
            let reach = (window.kernel[axis] - 1) * window.dilations[axis] + 1
            let last = (pooled.shape[axis + 2] - 1) * window.strides[axis] + reach
            let present = data.type.shape[axis + 2] + window.padsBegin[axis] + window.padsEnd[axis]
            padded.padsEnd[axis] += max(last - present, 0)
        }
        let channels = data.type.shape[1]
        let shape = Shape([channels, 1] + window.kernel)
        let ones = Expansion.Term.constant(Tensor([Float](repeating: 1, count: shape.elementCount), shape: shape))
        let sum = Operator.convolution(Convolution(window: padded, groups: channels))
        let (x, exponent, root) = (
            try term(0, "activation"), try scalar(Double(power), like: 0), try scalar(1 / Double(power), like: 0)
        )
        return try .expansion { (nodes) throws(ONNXError) in
            let magnitudes = nodes.apply(.absolute, x)
            let sums = nodes.apply(sum, power == 1 ? magnitudes : nodes.apply(.power, magnitudes, exponent), ones)
            return power == 1 ? sums : nodes.apply(.power, sums, root)
        }
    }

    fileprivate mutating func maxPool() throws(ONNXError) -> NodeTranslation {
        let (window, isSame) = try window(kernel: try requiredInts("kernel_shape"))
        let roundsUp = try flag("ceil_mode") && !isSame
        let pooling = Pooling(window: window, roundsUp: roundsUp, hasColumnMajorIndices: try flag("storage_order"))
        return .operation(.maxPool(pooling), inputs: ids)
    }

    mutating func averagePooling() throws(ONNXError) -> Pooling {
        let (window, isSame) = try window(kernel: try requiredInts("kernel_shape"))
        let roundsUp = try flag("ceil_mode") && !isSame
        return Pooling(window: window, roundsUp: roundsUp, countsPadding: try flag("count_include_pad"))
    }

    /// Resolves `auto_pad` to explicit pads.
    /// - Returns: the window, and whether the pads are chosen such that the result has extent ⌈input / stride⌉; then
    ///   windows fit exactly or rounding down is meant, whatever `ceil_mode` says.
    /// - Parameter isTransposed: leaves `auto_pad` to the caller.
    private mutating func window(
        kernel: [Int], isTransposed: Bool = false
    ) throws(ONNXError) -> (Window, isSame: Bool) {
        let spatial = Array(try required(0, "activation").type.shape.dimensions.dropFirst(2))
        let ones = spatial.map { _ in 1 }
        let kernel = try bounded(kernel, "kernel_shape", from: 1, count: spatial.count)
        let strides = try bounded(ints("strides") ?? ones, "strides", from: 1, count: spatial.count)
        let dilations = try bounded(ints("dilations") ?? ones, "dilations", from: 1, count: spatial.count)
        var window = Window(kernel: kernel, strides: strides, dilations: dilations)
        let pads = try ints("pads")
        let mode = try string("auto_pad") ?? "NOTSET"
        switch mode {
        case "NOTSET", "":
            guard let pads else { return (window, false) }
            let both = try bounded(pads, "pads", from: 0, count: 2 * spatial.count)
            window.padsBegin = Array(both.prefix(spatial.count))
            window.padsEnd = Array(both.suffix(spatial.count))
            return (window, false)
        case "VALID":
            return (window, false)
        case "SAME_UPPER", "SAME_LOWER":
            if isTransposed { return (window, true) }
            for axis in spatial.indices {
                let last = (spatial[axis] + strides[axis] - 1) / strides[axis] - 1
                let reach = (kernel[axis] - 1) * dilations[axis] + 1
                let total = max(last * strides[axis] + reach - spatial[axis], 0)
                window.padsBegin[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
                window.padsEnd[axis] = total - window.padsBegin[axis]
            }
            return (window, true)
        default:
            throw invalid("auto_pad", expected: "NOTSET, SAME_UPPER, SAME_LOWER or VALID", got: mode)
        }
    }

    /// Bounds that keep sums and products of two such values from overflowing.
    private func bounded(_ values: [Int], _ attribute: String, from minimum: Int, count: Int) throws(ONNXError) -> [Int]
    {
        guard values.count == count, values.allSatisfy({ (minimum...Int(Int32.max)).contains($0) }) else {
            throw invalid(attribute, expected: "\(count) integers from \(minimum) to \(Int32.max)", got: "\(values)")
        }
        return values
    }
}
