internal import ModelGraph

extension NodeTranslation {
    /// Operators that slide a window over the spatial axes, and their whole-extent forms.
    static let windows: [String: Translator] = [
        "Conv": { (node) throws(ONNXError) in try node.convolution() },
        "MaxPool": { (node) throws(ONNXError) in try node.maxPool() },
        "AveragePool": { (node) throws(ONNXError) in try node.averagePool() },
        "GlobalAveragePool": { (node) throws(ONNXError) in .operation(.globalAveragePool, inputs: node.ids) },
        "GlobalMaxPool": { (node) throws(ONNXError) in .operation(.globalMaxPool, inputs: node.ids) },
    ]
}

extension NodeContext {
    fileprivate mutating func convolution() throws(ONNXError) -> NodeTranslation {
        let weights = try required(1, "weights").type.shape
        let kernel = try ints("kernel_shape") ?? Array(weights.dimensions.dropFirst(2))
        let (window, _) = try window(kernel: kernel)
        return .operation(.convolution(Convolution(window: window, groups: try int("group") ?? 1)), inputs: ids)
    }

    fileprivate mutating func maxPool() throws(ONNXError) -> NodeTranslation {
        let (window, isSame) = try window(kernel: try requiredInts("kernel_shape"))
        let roundsUp = try flag("ceil_mode") && !isSame
        let pooling = Pooling(window: window, roundsUp: roundsUp, hasColumnMajorIndices: try flag("storage_order"))
        return .operation(.maxPool(pooling), inputs: ids)
    }

    fileprivate mutating func averagePool() throws(ONNXError) -> NodeTranslation {
        let (window, isSame) = try window(kernel: try requiredInts("kernel_shape"))
        let roundsUp = try flag("ceil_mode") && !isSame
        let pooling = Pooling(window: window, roundsUp: roundsUp, countsPadding: try flag("count_include_pad"))
        return .operation(.averagePool(pooling), inputs: ids)
    }

    /// Resolves `auto_pad` to explicit pads.
    /// - Returns: the window, and whether the pads are chosen such that the result has extent ⌈input / stride⌉; then
    ///   windows fit exactly or rounding down is meant, whatever `ceil_mode` says.
    private mutating func window(kernel: [Int]) throws(ONNXError) -> (Window, isSame: Bool) {
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
