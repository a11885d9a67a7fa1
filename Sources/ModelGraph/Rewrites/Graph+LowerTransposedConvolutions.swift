extension Graph {
    /// Transposed convolutions become convolutions, which the engines are quick at and which can be quantised.
    ///
    /// An output position p reads the taps k with `k ≡ p (mod stride)` only: each residue is a convolution of stride 1 with
    /// every stride-th tap, reversed. All residues together are one convolution with `stride²` as many channels, whose
    /// blocks then become pixels; what the pads crop is sliced off.
    /// - SeeAlso: Shi et al., "Is the deconvolution layer the same as a convolutional layer?", 2016
    func loweringTransposedConvolutions() throws(GraphError) -> Graph {
        var editor = GraphEditor(self)
        for id in editor.nodeIDs {
            guard let node = editor[id], case .transposedConvolution(let convolution) = node.operation,
                convolution.window.rank == 2, convolution.window.dilations == [1, 1],
                let stride = convolution.window.strides.first, convolution.window.strides == [stride, stride],
                (1...8).contains(stride), let weights = editor.constant(node.inputs[1]), weights.elementType == .float32
            else { continue }
            let biasID = node.inputs.dropFirst(2).first.flatMap(\.self)
            guard biasID == nil || editor.constant(biasID) != nil else { continue }
            try editor.lower(
                id, node, convolution, stride: stride, weights: weights, bias: editor.constant(biasID))
        }
        return try editor.finish()
    }
}

extension GraphEditor {
    fileprivate mutating func lower(
        _ id: NodeID, _ node: Node, _ convolution: TransposedConvolution, stride: Int, weights: Tensor, bias: Tensor?
    ) throws(GraphError) {
        let window = convolution.window
        // Taps of each residue.
        let taps = window.kernel.map { ($0 + stride - 1) / stride }
        let lowered = Convolution(
            window: Window(kernel: taps, padsBegin: taps.map { $0 - 1 }, padsEnd: taps.map { $0 - 1 }),
            groups: convolution.groups)
        var operands = [
            node.inputs[0],
            addConstant("\(node.name).weights", weights.residues(convolution.groups, stride: stride, taps: taps)),
        ]
        if let bias {
            let spread = bias.array(of: Float.self).flatMap { [Float](repeating: $0, count: stride * stride) }
            operands.append(addConstant("\(node.name).bias", Tensor(spread, shape: [spread.count])))
        }
        var steps: [Operator] = [.convolution(lowered)]
        if stride > 1 { steps.append(.depthToSpace(blockSize: stride, order: .columnRowDepth)) }
        var shape = self[node.outputs[0]].type.shape.dimensions
        let (height, width) = (shape[2], shape[3])
        guard let source = node.inputs[0].map({ self[$0].type.shape }) else { return }
        (shape[2], shape[3]) = ((source[2] + taps[0] - 1) * stride, (source[3] + taps[1] - 1) * stride)
        // Crops where the pads do, and grows by zeros, or the bias, where the output pads reach beyond all taps.
        let wanted = [window.padsBegin[0] + height, window.padsBegin[1] + width]
        guard wanted[0] <= shape[2], wanted[1] <= shape[3] else { return }
        if shape[2] != height || shape[3] != width {
            steps.append(.slice(Slice(starts: window.padsBegin, ends: wanted, axes: [2, 3], steps: [1, 1])))
        }
        try replace(id, by: steps, operands: operands)
    }
}

extension Tensor {
    /// `[C, O/groups, k, k]` as the weights `[O · stride², C/groups, taps, taps]` of a convolution that gives each
    /// residue a channel.
    fileprivate func residues(_ groups: Int, stride: Int, taps: [Int]) -> Tensor {
        let (channels, outputs) = (shape[0] / groups, shape[1])
        let values = array(of: Float.self)
        let result = Shape([groups * outputs * stride * stride, channels] + taps)
        return Tensor(shape: result, of: Float.self) { target in
            var index = 0
            for (output, row, column) in product(groups * outputs, stride, stride) {
                for (channel, tapRow, tapColumn) in product(channels, taps[0], taps[1]) {
                    let y = (taps[0] - 1 - tapRow) * stride + row
                    let x = (taps[1] - 1 - tapColumn) * stride + column
                    let plane = (output / outputs * channels + channel) * outputs + output % outputs
                    target[index] =
                        y < shape[2] && x < shape[3] ? values[(plane * shape[2] + y) * shape[3] + x] : 0
                    index += 1
                }
            }
        }
    }

    private func product(_ first: Int, _ second: Int, _ third: Int) -> some Sequence<(Int, Int, Int)> {
        (0..<first * second * third).lazy.map { ($0 / third / second, $0 / third % second, $0 % third) }
    }
}
