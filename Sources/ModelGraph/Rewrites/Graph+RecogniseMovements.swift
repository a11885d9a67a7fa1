extension Graph {
    /// Recognises movements of channels that files write as a reshape, a transpose and a reshape: channel shuffle, depth
    /// to space and space to depth.
    func recognisingMovements() throws(GraphError) -> Graph {
        var editor = GraphEditor(self)
        for id in editor.nodeIDs {
            guard let node = editor[id], node.operation.isReshape,
                let transpose = editor.soleProducer(of: node.inputs[0]),
                case .transpose(let permutation) = transpose.node.operation,
                let split = editor.soleProducer(of: transpose.node.inputs[0]), split.node.operation.isReshape,
                let source = split.node.inputs[0],
                let operation = Operator(
                    from: editor[source].type.shape, through: editor[split.node.outputs[0]].type.shape, permutation,
                    to: editor[node.outputs[0]].type.shape)
            else { continue }
            editor.remove(id)
            editor.remove(transpose.id)
            editor.replace(
                split.id,
                by: Node(name: split.node.name, operation: operation, inputs: [source], outputs: node.outputs))
        }
        return try editor.finish()
    }
}

extension Operator {
    fileprivate var isReshape: Bool {
        switch self {
        case .reshape, .flatten, .squeeze, .unsqueeze: true
        default: false
        }
    }

    /// The movement that a transpose of `split` is between images `source` and `result`; `nil` if it has no name.
    fileprivate init?(from source: Shape, through split: Shape, _ permutation: [Int], to result: Shape) {
        guard source.rank == 4, result.rank == 4, split.elementCount > 0, split[0] == source[0], result[0] == source[0]
        else { return nil }
        switch permutation {
        case [0, 2, 1, 3, 4], [0, 2, 1, 3]:
            guard source == result, split[1] * split[2] == source[1] else { return nil }
            self = .channelShuffle(groups: split[1])
        case [0, 3, 4, 1, 5, 2], [0, 1, 4, 2, 5, 3]:
            let isColumnFirst = permutation[1] == 1
            let size = split[2]
            guard size == split[isColumnFirst ? 3 : 1], split[4] == source[2], split[5] == source[3],
                result.dropFirst(2).elementsEqual([source[2] * size, source[3] * size])
            else { return nil }
            self = .depthToSpace(blockSize: size, order: isColumnFirst ? .columnRowDepth : .depthColumnRow)
        case [0, 3, 5, 1, 2, 4]:
            let size = split[3]
            guard split[1] == source[1], split[5] == size, split[2] * size == source[2], split[4] * size == source[3],
                result.dropFirst(2).elementsEqual([split[2], split[4]])
            else { return nil }
            self = .spaceToDepth(blockSize: size)
        default: return nil
        }
    }
}
