internal import CKernels
internal import ModelGraph

extension Lowering {
    /// Emits the steps of one node: in integers, else by a float kernel, else by the operator's definition.
    mutating func lower(_ id: NodeID) throws {
        let node = graph[id]
        if try lowerToAlias(node) { return }
        if try lowerStoredQuantization(node) { return }
        if try lowerToIntegers(node, id) { return }
        if try lowerToMovement(node) { return }
        if try lowerToFloat(node) { return }
        if try lowerToRarerFloat(node) { return }
        try lowerToReference(node)
    }

    /// The quantisation of every activation a node touches; `nil` when one is kept in float.
    func quantizations(of node: Node) -> (inputs: [ActivationQuantization], output: ActivationQuantization)? {
        guard node.outputs.count == 1, let output = quantized[node.outputs[0]] else { return nil }
        var inputs: [ActivationQuantization] = []
        for case let input? in node.inputs where graph[input].constant == nil {
            guard let quantization = quantized[input] else { return nil }
            inputs.append(quantization)
        }
        return (inputs, output)
    }

    /// Operators that only rename, reshape or select channels: the result is the operand's memory, or some of it.
    private mutating func lowerToAlias(_ node: Node) throws -> Bool {
        guard let input = node.inputs.first ?? nil, graph[input].constant == nil, let natural = naturalForm(input),
            let output = node.outputs.first
        else { return false }
        switch node.operation {
        case .identity where node.outputs.count == 1, .dropout where node.outputs.count == 1:
            alias(output, as: natural, to: try read(input, as: natural))
        case .reshape, .flatten, .squeeze, .unsqueeze:
            let form = TensorForm(quantization: natural.quantization, layout: .rowMajor)
            var view = try readCompact(input, as: form)
            view.stride = rows(of: shape(output)).channels
            alias(output, as: form, to: view)
        case .transpose(let permutation) where permutation == [0, 2, 3, 1] || permutation == [0, 3, 1, 2]:
            // An image whose channels lie innermost already, or are said to from now on.
            guard graph[input].type.elementType == .float32 else { return false }
            let isToLast = permutation[1] == 2
            let (before, after): (Layout, Layout) = isToLast ? (.channelsLast, .rowMajor) : (.rowMajor, .channelsLast)
            var view = try readCompact(
                input, as: TensorForm(quantization: natural.quantization, layout: before))
            view.stride = rows(of: shape(output)).channels
            alias(output, as: TensorForm(quantization: natural.quantization, layout: after), to: view)
        case .split(let axis, let sizes):
            guard isChannelAxis(axis, of: input) else { return false }
            var channel = 0
            for (part, size) in zip(node.outputs, sizes) {
                try select(part, from: channel, of: input, natural)
                channel += size
            }
        case .slice(let slice):
            guard slice.axes.count == 1, slice.steps == [1], isChannelAxis(slice.axes[0], of: input) else {
                return false
            }
            let channels = shape(input)[1]
            let start = slice.starts[0] < 0 ? slice.starts[0] + channels : slice.starts[0]
            try select(output, from: min(max(start, 0), channels), of: input, natural)
        default:
            return false
        }
        return true
    }

    /// Whether a reduction is an average over all pixels of an image.
    func isGlobalAverage(_ reduction: Reduction, of input: ValueID) -> Bool {
        let shape = shape(input)
        return shape.rank == 4 && reduction.kind == .mean && reduction.reducedAxes(of: shape) == [2, 3]
            && shape[2] * shape[3] > 0
    }

    private func isChannelAxis(_ axis: Int, of value: ValueID) -> Bool {
        let shape = shape(value)
        return shape.rank == 4 && shape.normalizedAxis(axis) == 1 && graph[value].type.elementType == .float32
    }

    /// Declares `part` to be channels of `whole`, from `channel` on.
    private mutating func select(
        _ part: ValueID, from channel: Int, of whole: ValueID, _ natural: TensorForm
    ) throws {
        let form = TensorForm(quantization: natural.quantization, layout: .channelsLast)
        let view = try read(whole, as: form)
        alias(part, as: form, to: view.channels(from: channel, elementBytes: form.elementBytes))
    }

    private mutating func lowerToReference(_ node: Node) throws {
        var operands: [ReferenceCall.Operand] = []
        var reads: [BufferView] = []
        for input in node.inputs {
            guard let input else {
                operands.append(.absent)
                continue
            }
            if let constant = graph[input].constant {
                operands.append(.constant(constant))
            } else {
                let view = try readCompact(input, as: .plain)
                operands.append(.activation(view, graph[input].type))
                reads.append(view)
            }
        }
        let outputs = node.outputs.map { define($0, as: .plain) }
        let call = ReferenceCall(operation: node.operation, operands: operands, outputs: outputs, name: node.name)
        emit(.reference(call), reads: reads, writes: outputs)
    }

    // MARK: What both number systems share

    /// The kernel's view of a window over NCHW shapes; `nil` unless it has two spatial axes.
    func geometry(_ window: Window, input: Shape, output: Shape) -> ck_geometry? {
        guard input.rank == 4, output.rank == 4, window.rank == 2 else { return nil }
        return ck_geometry(
            batch: input[0], in_height: input[2], in_width: input[3], out_height: output[2], out_width: output[3],
            kernel_height: window.kernel[0], kernel_width: window.kernel[1],
            stride_height: window.strides[0], stride_width: window.strides[1],
            dilation_height: window.dilations[0], dilation_width: window.dilations[1],
            pad_top: window.padsBegin[0], pad_left: window.padsBegin[1],
            pad_bottom: window.padsEnd[0], pad_right: window.padsEnd[1])
    }

    /// A matrix product seen as a convolution: `rows` images of 1 × 1.
    func matrixGeometry(rows: Int) -> ck_geometry {
        ck_geometry(
            batch: rows, in_height: 1, in_width: 1, out_height: 1, out_width: 1, kernel_height: 1, kernel_width: 1,
            stride_height: 1, stride_width: 1, dilation_height: 1, dilation_width: 1,
            pad_top: 0, pad_left: 0, pad_bottom: 0, pad_right: 0)
    }

    /// What a convolution reads; the rows of a matrix product, which is row-major, are its pixels.
    mutating func readPixels(_ value: ValueID, as form: TensorForm, channels: Int) throws -> BufferView {
        guard form.layout == .rowMajor else { return try read(value, as: form) }
        var view = try readCompact(value, as: form)
        view.stride = channels
        return view
    }

    /// Where a convolution or a matrix product writes.
    mutating func placePixels(_ value: ValueID, as form: TensorForm, channels: Int) -> BufferView {
        guard form.layout == .rowMajor else { return place(value, as: form) }
        var view = define(value, as: form)
        view.stride = channels
        return view
    }

    /// The window of a pooling node, or of one over all of `input`; `nil` for anything but two spatial axes.
    func poolingGeometry(_ operation: Operator, input: Shape, output: Shape) -> ck_geometry? {
        switch operation {
        case .maxPool(let pooling), .averagePool(let pooling):
            return geometry(pooling.window, input: input, output: output)
        case .globalMaxPool, .globalAveragePool, .reduce:
            guard input.rank == 4, output.elementCount == input[0] * input[1] else { return nil }
            return geometry(
                Window(kernel: [input[2], input[3]]), input: input, output: [input[0], input[1], 1, 1])
        default:
            return nil
        }
    }

    // MARK: Pairs of operands

    /// The operands of an addition or a multiplication that the kernels know.
    struct Pair {
        /// Has the result's shape.
        let full: ValueID
        /// Of the same shape, or one pixel for each image, or for all.
        let other: ValueID
        let isBroadcast: Bool
    }

    func pair(_ node: Node) -> Pair? {
        guard let left = node.inputs[0], let right = node.inputs[1], graph[left].constant == nil,
            graph[right].constant == nil
        else { return nil }
        if shape(left) == shape(right) { return Pair(full: left, other: right, isBroadcast: false) }
        for (full, other) in [(left, right), (right, left)] {
            let (image, pixel) = (shape(full), shape(other))
            if image.rank == 4, pixel.rank == 4, [1, image[0]].contains(pixel[0]), pixel[1] == image[1],
                pixel[2] == 1, pixel[3] == 1
            {
                return Pair(full: full, other: other, isBroadcast: true)
            }
        }
        return nil
    }

    /// The layout in which a pair is combined.
    func layout(of pair: Pair) -> Layout {
        pair.isBroadcast ? .channelsLast : naturalForm(pair.full)?.layout ?? .rowMajor
    }

    /// Emits what combines a pair: one step, or one for each image.
    /// - Parameters:
    ///   - elementBytes: of operands and result.
    ///   - work: for so many pixels; its first operand is `pair.full`.
    mutating func emit(
        _ pair: Pair, _ full: BufferView, _ other: BufferView, into: BufferView, elementBytes: Int,
        work: (_ pixels: Int) -> Work
    ) {
        let pixels = rows(of: shape(pair.full)).pixels
        guard pair.isBroadcast, pixels > 0 else {
            emit(work(pixels), reads: [full, other], writes: [into])
            return
        }
        let images = shape(pair.full)[0]
        let share = pixels / images
        for image in 0..<images {
            let pixel = shape(pair.other)[0] == 1 ? 0 : image
            emit(
                work(share),
                reads: [
                    full.pixels(from: image * share, elementBytes: elementBytes),
                    other.pixels(from: pixel, elementBytes: elementBytes).repeated,
                ], writes: [into.pixels(from: image * share, elementBytes: elementBytes)])
        }
    }

    // MARK: Concatenation

    /// Over channels, in the kernels' layout: copies what has not been computed in place.
    mutating func lowerChannelConcatenation(_ node: Node, as form: TensorForm) throws {
        let result = node.outputs[0]
        let whole = place(result, as: form)
        let bytes = form.elementBytes
        let pixels = rows(of: shape(result)).pixels
        var channel = 0
        var copies: [BlockCopy] = []
        for operand in node.inputs.compactMap(\.self) {
            let source = try read(operand, as: form)
            let target = whole.channels(from: channel, elementBytes: bytes)
            let channels = shape(operand)[1]
            if source.buffer != target.buffer || source.byteOffset != target.byteOffset {
                copies.append(
                    BlockCopy(
                        source: source, blockBytes: channels * bytes, sourceStride: source.stride * bytes,
                        targetOffset: channel * bytes, targetStride: whole.stride * bytes, count: pixels))
            }
            channel += channels
        }
        if !copies.isEmpty { emit(.copyBlocks(copies), reads: copies.map(\.source), writes: [whole]) }
    }

    /// Of row-major operands along any axis: each is as many blocks as the axes before it count.
    mutating func lowerRowMajorConcatenation(_ node: Node, axis: Int, as form: TensorForm) throws {
        let result = node.outputs[0]
        let output = shape(result)
        let block = { (shape: Shape) in shape.elementCount(in: axis..<shape.rank) * form.elementBytes }
        var offset = 0
        var copies: [BlockCopy] = []
        for operand in node.inputs.compactMap(\.self) {
            let size = block(shape(operand))
            copies.append(
                BlockCopy(
                    source: try readCompact(operand, as: form), blockBytes: size, sourceStride: size,
                    targetOffset: offset, targetStride: block(output), count: output.elementCount(in: 0..<axis)))
            offset += size
        }
        emit(.copyBlocks(copies), reads: copies.map(\.source), writes: [define(result, as: form)])
    }
}
