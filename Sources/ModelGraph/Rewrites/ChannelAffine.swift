/// `y = scale[c] · x + shift[c]` for the index c of axis 1: what inference-mode batch normalisation, and arithmetic
/// with one constant a channel, amount to.
struct ChannelAffine {
    /// What is scaled and shifted.
    let operand: ValueID
    let scale: [Double]
    let shift: [Double]

    /// `nil` when the node is nothing of the kind, or its parameters are not float32 constants.
    init?(_ node: Node, in editor: GraphEditor) {
        switch node.operation {
        case .batchNormalization(let normalization):
            guard !normalization.isTraining else { return nil }
            self.init(normalization, node, in: editor)
        case .binary(let function, activation: nil):
            self.init(function, node, in: editor)
        default: return nil
        }
    }

    private init?(_ normalization: BatchNormalization, _ node: Node, in editor: GraphEditor) {
        let parameters = node.inputs.dropFirst().compactMap { editor.constant($0)?.reals }
        guard let operand = node.inputs[0], editor[operand].type.elementType == .float32, parameters.count == 4 else {
            return nil
        }
        self.operand = operand
        let (bias, mean) = (parameters[1], parameters[2])
        let scale = zip(parameters[0], parameters[3]).map { gamma, variance in
            gamma / (variance + Double(normalization.epsilon)).squareRoot()
        }
        self.scale = scale
        shift = scale.indices.map { bias[$0] - mean[$0] * scale[$0] }
    }

    private init?(_ function: BinaryFunction, _ node: Node, in editor: GraphEditor) {
        guard let left = node.inputs[0], let right = node.inputs[1] else { return nil }
        let isConstantLeft = editor.constant(left) != nil
        let operand = isConstantLeft ? right : left
        let type = editor[operand].type
        guard editor.constant(operand) == nil, let constant = editor.constant(isConstantLeft ? left : right),
            type.elementType == .float32, let values = constant.channelValues(along: type.shape)
        else { return nil }
        let ones = values.map { _ in 1.0 }
        switch function {
        case .add: (scale, shift) = (ones, values)
        case .multiply: (scale, shift) = (values, values.map { _ in 0 })
        case .subtract where isConstantLeft: (scale, shift) = (ones.map(-), values)
        case .subtract: (scale, shift) = (ones, values.map(-))
        case .divide where !isConstantLeft: (scale, shift) = (values.map { 1 / $0 }, values.map { _ in 0 })
        default: return nil
        }
        self.operand = operand
    }

    /// Whether there is only a shift.
    var isTranslation: Bool { scale.allSatisfy { $0 == 1 } }
    /// Products with infinities and NaNs would not survive folding.
    var isFinite: Bool { (scale + shift).allSatisfy { Float($0).isFinite } }
}

extension Tensor {
    /// One value for each index of axis 1 of `shape`, when the tensor broadcasts to `shape` and varies along that axis
    /// at most.
    fileprivate func channelValues(along shape: Shape) -> [Double]? {
        /// A file of some bytes may speak of channels by the billion, and a single constant stand for all of them.
        let mostChannels = 1 << 20
        guard shape.rank >= 2, shape[1] <= mostChannels, self.shape.broadcast(with: shape) == shape else { return nil }
        let missing = shape.rank - self.shape.rank
        for axis in self.shape.indices where self.shape[axis] != 1 && axis + missing != 1 { return nil }
        let values = reals
        return values.count == 1 ? [Double](repeating: values[0], count: shape[1]) : values
    }
}
