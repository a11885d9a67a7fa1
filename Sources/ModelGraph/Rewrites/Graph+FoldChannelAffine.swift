extension Graph {
    /// Multiplies scales by channel into the weights of the convolution or gemm before them, and adds shifts to its
    /// bias, in float64 rounded once.
    func foldingChannelAffine() throws(GraphError) -> Graph {
        var editor = GraphEditor(self)
        for id in editor.nodeIDs {
            guard let node = editor[id], let affine = ChannelAffine(node, in: editor), affine.isFinite,
                let producer = editor.soleProducer(of: affine.operand),
                editor[affine.operand].type == editor[node.outputs[0]].type
            else { continue }
            switch producer.node.operation {
            case .convolution(let convolution) where convolution.activation == nil:
                editor.fold(affine, of: id, intoConvolution: producer)
            case .gemm(let gemm) where gemm.activation == nil:
                editor.fold(affine, of: id, into: gemm, producer)
            default: continue
            }
        }
        return try editor.finish()
    }

    /// A batch normalisation, or arithmetic with one constant a channel, without weights before it becomes a depthwise
    /// 1×1 convolution, which the engines know.
    func loweringChannelAffine() throws(GraphError) -> Graph {
        var editor = GraphEditor(self)
        for id in editor.nodeIDs {
            guard var node = editor[id], let affine = ChannelAffine(node, in: editor), affine.isFinite,
                editor[affine.operand].type.shape.rank >= 3,
                // No window fits an empty plane, and no convolution is without channels.
                !editor[affine.operand].type.shape.dropFirst().contains(0),
                editor[affine.operand].type == editor[node.outputs[0]].type
            else { continue }
            // The next round folds it into the convolution before it.
            if case .convolution(let convolution) = editor.soleProducer(of: affine.operand)?.node.operation,
                convolution.activation == nil, case .binary = node.operation
            {
                continue
            }
            let channels = affine.scale.count
            let kernel = editor[affine.operand].type.shape.dropFirst(2).map { _ in 1 }
            let weights = Tensor(affine.scale.map(Float.init), shape: Shape([channels, 1] + kernel))
            let bias = Tensor(affine.shift.map(Float.init), shape: [channels])
            node.operation = .convolution(Convolution(window: Window(kernel: kernel), groups: channels))
            node.inputs = [
                affine.operand, editor.addConstant("\(node.name).weights", weights),
                editor.addConstant("\(node.name).bias", bias),
            ]
            editor.replace(id, by: node)
        }
        return try editor.finish()
    }
}

extension GraphEditor {
    fileprivate mutating func fold(
        _ affine: ChannelAffine, of id: NodeID, intoConvolution producer: (id: NodeID, node: Node)
    ) {
        let node = producer.node
        let oldBias = node.inputs.dropFirst(2).first.flatMap(\.self)
        guard var weights = node.inputs[1], oldBias == nil || constant(oldBias) != nil else { return }
        if !affine.isTranslation {
            guard let tensor = constant(weights) else { return }
            let size = tensor.shape.elementCount(in: 1..<tensor.shape.rank)
            let scaled = tensor.reals.enumerated().map { Float($1 * affine.scale[$0 / size]) }
            weights = addConstant("\(node.name).weights", Tensor(scaled, shape: tensor.shape))
        }
        let bias = addConstant("\(node.name).bias", affine.applied(toBias: constant(oldBias)?.reals))
        absorb(id, into: producer.id, operation: node.operation, inputs: [node.inputs[0], weights, bias])
    }

    fileprivate mutating func fold(
        _ affine: ChannelAffine, of id: NodeID, into gemm: Gemm, _ producer: (id: NodeID, node: Node)
    ) {
        let node = producer.node
        let columns = affine.scale.count
        var bias: [Double]?
        if let addend = node.inputs.dropFirst(2).first.flatMap(\.self) {
            guard let tensor = constant(addend), let values = tensor.rowValues(columns: columns) else { return }
            bias = values.map { $0 * Double(gemm.beta) }
        }
        guard var weights = node.inputs[1] else { return }
        if !affine.isTranslation {
            guard let tensor = constant(weights) else { return }
            let depth = tensor.shape[1]
            let scaled = tensor.reals.enumerated().map { index, weight in
                Float(weight * affine.scale[gemm.transposesB ? index / depth : index % columns])
            }
            weights = addConstant("\(node.name).weights", Tensor(scaled, shape: tensor.shape))
        }
        var folded = gemm
        folded.beta = 1
        let addend = addConstant("\(node.name).bias", affine.applied(toBias: bias))
        absorb(id, into: producer.id, operation: .gemm(folded), inputs: [node.inputs[0], weights, addend])
    }
}

extension ChannelAffine {
    /// The bias after folding, from the one before (zero if there was none).
    fileprivate func applied(toBias bias: [Double]?) -> Tensor {
        let folded = scale.indices.map { Float((bias?[$0] ?? 0) * scale[$0] + shift[$0]) }
        return Tensor(folded, shape: [folded.count])
    }
}

extension Tensor {
    /// One value a column, when all rows that this tensor broadcasts to are alike.
    fileprivate func rowValues(columns: Int) -> [Double]? {
        let values = reals
        if values.count == 1 { return [Double](repeating: values[0], count: columns) }
        return shape.last == columns && values.count == columns ? values : nil
    }
}
