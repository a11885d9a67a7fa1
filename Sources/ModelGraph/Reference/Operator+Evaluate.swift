extension Operator {
    /// Computes the outputs by the operator's definition: the executable specification of the operator set.
    ///
    /// Floating-point results are computed in float64 and rounded once to the element type; integer arithmetic wraps.
    /// - Parameters:
    ///   - inputs: `nil` for an optional operand left out.
    ///   - outputCount: how many outputs are wanted, in the operator's order.
    ///   - node: names the place in errors.
    /// - Throws: what `inferOutputTypes` throws; `GraphError.invalidAttribute` for an index out of range.
    package func evaluate(_ inputs: [Tensor?], outputCount: Int, node: String) throws(GraphError) -> [Tensor] {
        let types = try inferOutputTypes(inputs: inputs.map { $0?.type }, outputCount: outputCount, node: node)
        let evaluation = Evaluation(inputs: inputs, outputTypes: types, kind: kind, node: node)
        return switch self {
        case .convolution(let convolution): [evaluation.convolution(convolution)]
        case .transposedConvolution(let convolution): [evaluation.transposedConvolution(convolution)]
        case .gemm(let gemm): [evaluation.gemm(gemm)]
        case .matrixProduct: [evaluation.matrixProduct()]
        case .batchNormalization(let normalization): evaluation.batchNormalization(normalization)
        case .localResponseNormalization(let normalization): [evaluation.localResponseNormalization(normalization)]
        case .groupNormalization(let normalization): [evaluation.groupNormalization(normalization)]
        case .layerNormalization(let normalization): evaluation.layerNormalization(normalization)
        case .maxPool(let pooling): evaluation.maxPool(pooling)
        case .averagePool(let pooling): [evaluation.averagePool(pooling)]
        case .globalAveragePool: [evaluation.globalAveragePool()]
        case .globalMaxPool: [evaluation.globalMaxPool()]
        case .unary(let function): [evaluation.unary(function)]
        case .binary(let function, let activation): [evaluation.binary(function, activation: activation)]
        case .clip: [evaluation.clip()]
        case .comparison(let comparison): [evaluation.comparison(comparison)]
        case .select: [evaluation.select()]
        case .softmax(let softmax): [evaluation.softmax(softmax)]
        case .concat(let axis): [evaluation.concat(axis: axis)]
        case .reshape, .flatten, .squeeze, .unsqueeze: [evaluation.reshaped()]
        case .transpose(let permutation): [evaluation.transpose(permutation: permutation)]
        case .depthToSpace(let blockSize, let order): [evaluation.depthToSpace(blockSize: blockSize, order: order)]
        case .spaceToDepth(let blockSize): [evaluation.spaceToDepth(blockSize: blockSize)]
        case .channelShuffle(let groups): [evaluation.channelShuffle(groups: groups)]
        case .resize(let resize): [evaluation.resize(resize)]
        case .identity: [evaluation.operand(0)]
        case .dropout: evaluation.dropout()
        case .cast(let target): [evaluation.cast(to: target)]
        case .shape(let start, let end): [evaluation.shape(start: start, end: end)]
        case .gather(let axis): [try evaluation.gather(axis: axis)]
        case .slice(let slice): [evaluation.slice(slice)]
        case .split(let axis, let sizes): evaluation.split(axis: axis, sizes: sizes)
        case .pad(let pad): [evaluation.pad(pad)]
        case .expand: [evaluation.expand()]
        case .reduce(let reduction): [evaluation.reduce(reduction)]
        case .argMax(let axis, _, let selectsLastIndex):
            [evaluation.argMax(axis: axis, selectsLastIndex: selectsLastIndex)]
        case .quantizeLinear(let axis, _): [evaluation.quantizeLinear(axis: axis)]
        case .dequantizeLinear(let axis): [evaluation.dequantizeLinear(axis: axis)]
        }
    }
}

/// The operands of one node and the types of its results; extended by one file for each family of operators.
///
/// Shape inference has accepted the operands before, so the families index without checks of their own.
struct Evaluation {
    let inputs: [Tensor?]
    let outputTypes: [TensorType]
    let kind: String
    let node: String

    /// Operand `index`, which inference found to be there.
    func operand(_ index: Int) -> Tensor {
        guard let tensor = optional(index) else { preconditionFailure("\(kind) \(node) lacks operand \(index)") }
        return tensor
    }

    func optional(_ index: Int) -> Tensor? {
        inputs.indices.contains(index) ? inputs[index] : nil
    }
}
