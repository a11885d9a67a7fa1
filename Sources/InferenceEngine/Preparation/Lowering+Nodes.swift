internal import CKernels
internal import ModelGraph

extension Lowering {
    /// Emits the steps of one node: in integers, else by a float kernel, else by the operator's definition.
    mutating func lower(_ id: NodeID) throws {
        let node = graph[id]
        if try lowerToAlias(node) { return }
        if try lowerToIntegers(node, id) { return }
        if try lowerToFloat(node) { return }
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

    /// Operators that only rename or reshape: the result is the operand's memory.
    private mutating func lowerToAlias(_ node: Node) throws -> Bool {
        guard let input = node.inputs.first ?? nil, node.outputs.count == 1, graph[input].constant == nil,
            let natural = naturalForm(input)
        else { return false }
        let output = node.outputs[0]
        switch node.operation {
        case .identity, .dropout:
            alias(output, as: natural, to: try read(input, as: natural))
        case .reshape, .flatten, .squeeze, .unsqueeze:
            let form = TensorForm(quantization: natural.quantization, layout: .rowMajor)
            alias(output, as: form, to: try read(input, as: form))
        default:
            return false
        }
        return true
    }

    private mutating func lowerToReference(_ node: Node) throws {
        var operands: [ReferenceCall.Operand] = []
        var reads: [BufferID] = []
        for input in node.inputs {
            guard let input else {
                operands.append(.absent)
                continue
            }
            if let constant = graph[input].constant {
                operands.append(.constant(constant))
            } else {
                let buffer = try read(input, as: .plain)
                operands.append(.activation(buffer, graph[input].type))
                reads.append(buffer)
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

    /// The window of a pooling node, or of a global pooling over `input`; `nil` for anything but two spatial axes.
    func poolingGeometry(_ operation: Operator, input: Shape, output: Shape) -> ck_geometry? {
        switch operation {
        case .maxPool(let pooling), .averagePool(let pooling):
            return geometry(pooling.window, input: input, output: output)
        case .globalMaxPool, .globalAveragePool:
            guard input.rank == 4 else { return nil }
            return geometry(Window(kernel: [input[2], input[3]]), input: input, output: output)
        default:
            return nil
        }
    }

    /// Reorders `[O, I, spatial…]` to `[O, spatial…, I]`, as the kernels pack weights.
    static func channelsLastWeights<Element: TensorElement>(_ weights: [Element], shape: Shape) -> [Element] {
        let taps = shape.elementCount(in: 2..<shape.rank)
        let (outputs, inputs) = (shape[0], shape[1])
        guard taps > 1, inputs > 1 else { return weights }
        return [Element](unsafeUninitializedCapacity: weights.count) { target, count in
            for output in 0..<outputs {
                let base = output * inputs * taps
                for input in 0..<inputs {
                    for tap in 0..<taps {
                        target[base + tap * inputs + input] = weights[base + input * taps + tap]
                    }
                }
            }
            count = weights.count
        }
    }

    /// The copies that lay the operands of a concatenation side by side, in bytes; `nil` where blocks are not whole.
    ///
    /// - Parameter layout: of all operands and of the result.
    func concatenation(
        _ sources: [(buffer: BufferID, shape: Shape)], axis: Int, output: Shape, layout: Layout, elementBytes: Int
    ) -> [BlockCopy] {
        let isChannelsLast = layout == .channelsLast
        let count = isChannelsLast ? output[0] * output[2] * output[3] : output.elementCount(in: 0..<axis)
        let block = { (shape: Shape) in
            (isChannelsLast ? shape[1] : shape.elementCount(in: axis..<shape.rank)) * elementBytes
        }
        var offset = 0
        return sources.map { source in
            defer { offset += block(source.shape) }
            return BlockCopy(
                source: source.buffer, blockBytes: block(source.shape), sourceStride: block(source.shape),
                targetOffset: offset, targetStride: block(output), count: count)
        }
    }
}
