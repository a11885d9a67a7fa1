extension Graph {
    /// Lets convolutions and averages that count padding read the operand of an explicit zero padding, padding it
    /// themselves.
    func foldingPadding() throws(GraphError) -> Graph {
        var editor = GraphEditor(self)
        for id in editor.nodeIDs {
            guard var node = editor[id], let padded = node.inputs.first.flatMap(\.self),
                let padding = editor.producer(of: padded), case .pad(let pad) = padding.node.operation,
                pad.isZeroPaddingOfSpatialAxes, let operation = node.operation.padding(by: pad)
            else { continue }
            node.operation = operation
            node.inputs[0] = padding.node.inputs[0]
            // The windows know limits on pads; where they refuse, the explicit padding stays.
            guard
                let types = try? operation.inferOutputTypes(
                    inputs: node.inputs.map { id in id.map { editor[$0].type } }, outputCount: 1, node: node.name),
                types[0] == editor[node.outputs[0]].type
            else { continue }
            editor.replace(id, by: node)
        }
        return try editor.finish()
    }
}

extension Pad {
    fileprivate var isZeroPaddingOfSpatialAxes: Bool {
        mode == .constant && value == 0 && begins.count >= 3
            && (begins.prefix(2) + ends.prefix(2)).allSatisfy { $0 == 0 }
            && (begins + ends).allSatisfy { $0 >= 0 }
    }
}

extension Operator {
    /// This operator on the unpadded operand, if it can do the padding itself.
    fileprivate func padding(by pad: Pad) -> Operator? {
        switch self {
        case .convolution(var convolution):
            convolution.window.addPadding(of: pad)
            return .convolution(convolution)
        case .averagePool(var pooling):
            // Rounding up depends on where the padding ends, so only exact windows qualify.
            guard !pooling.roundsUp, pooling.countsPadding || !pooling.window.hasPadding else { return nil }
            pooling.window.addPadding(of: pad)
            pooling.countsPadding = true
            return .averagePool(pooling)
        default: return nil
        }
    }
}

extension Window {
    fileprivate mutating func addPadding(of pad: Pad) {
        padsBegin = zip(padsBegin, pad.begins.dropFirst(2)).map(+)
        padsEnd = zip(padsEnd, pad.ends.dropFirst(2)).map(+)
    }
}
