extension Operator {
    /// The types of the outputs, from the types of the operands; also the check that the operands fit.
    ///
    /// Attributes may come from an untrusted file: any value throws or yields a valid type, none traps.
    /// - Parameters:
    ///   - inputs: `nil` for an optional operand left out; trailing ones may be missing altogether.
    ///   - outputCount: how many outputs are wanted, in the operator's order.
    ///   - node: names the place in errors.
    /// - Throws: `GraphError` naming the operand or attribute, what was expected and what was found.
    package func inferOutputTypes(
        inputs: [TensorType?], outputCount: Int, node: String
    ) throws(GraphError) -> [TensorType] {
        let operands = Operands(inputs, outputCount: outputCount, kind: kind, node: node)
        return switch self {
        case .convolution(let convolution): try operands.convolution(convolution)
        case .transposedConvolution(let convolution): try operands.transposedConvolution(convolution)
        case .gemm(let gemm): try operands.gemm(gemm)
        case .matrixProduct: try operands.matrixProduct()
        case .batchNormalization(let normalization): try operands.batchNormalization(normalization)
        case .localResponseNormalization(let normalization): try operands.localResponseNormalization(normalization)
        case .groupNormalization(let normalization): try operands.groupNormalization(normalization)
        case .layerNormalization(let normalization): try operands.layerNormalization(normalization)
        case .maxPool(let pooling): try operands.maxPool(pooling)
        case .averagePool(let pooling): try operands.averagePool(pooling)
        case .globalAveragePool, .globalMaxPool: try operands.globalPool()
        case .unary(let function): try operands.unary(function)
        case .binary(let function, let activation): try operands.binary(function, activation: activation)
        case .clip: try operands.clip()
        case .comparison: try operands.comparison()
        case .select: try operands.select()
        case .softmax(let softmax): try operands.softmax(softmax)
        case .concat(let axis): try operands.concat(axis: axis)
        case .reshape(let extents, let allowZero): try operands.reshape(extents: extents, allowZero: allowZero)
        case .flatten(let axis): try operands.flatten(axis: axis)
        case .squeeze(let axes): try operands.squeeze(axes: axes)
        case .unsqueeze(let axes): try operands.unsqueeze(axes: axes)
        case .transpose(let permutation): try operands.transpose(permutation: permutation)
        case .depthToSpace(let blockSize, _): try operands.depthToSpace(blockSize: blockSize)
        case .spaceToDepth(let blockSize): try operands.spaceToDepth(blockSize: blockSize)
        case .channelShuffle(let groups): try operands.channelShuffle(groups: groups)
        case .resize(let resize): try operands.resize(resize)
        case .identity: try operands.identity()
        case .dropout: try operands.dropout()
        case .cast(let target): try operands.cast(to: target)
        case .shape(let start, let end): try operands.shape(start: start, end: end)
        case .gather(let axis): try operands.gather(axis: axis)
        case .slice(let slice): try operands.slice(slice)
        case .split(let axis, let sizes): try operands.split(axis: axis, sizes: sizes)
        case .pad(let pad): try operands.pad(pad)
        case .expand(let extents): try operands.expand(extents: extents)
        case .reduce(let reduction): try operands.reduce(reduction)
        case .argMax(let axis, let keepsDimensions, _):
            try operands.argMax(axis: axis, keepsDimensions: keepsDimensions)
        case .quantizeLinear(let axis, let target): try operands.quantizeLinear(axis: axis, to: target)
        case .dequantizeLinear(let axis): try operands.dequantizeLinear(axis: axis)
        }
    }
}
