internal import ModelGraph

/// Grows valid graphs at random: every operator that an export writes, over small activations.
struct RandomGraph {
    private var generator: SeededGenerator
    private(set) var graph = Graph(name: "random")
    private var activations: [ValueID] = []
    private var count = 0

    init(seed: UInt64, nodeCount: Int) throws(GraphError) {
        generator = SeededGenerator(seed: seed)
        for name in ["a", "b"] { activations.append(graph.addInput(name, TensorType(.float32, [1, 4, 6, 6]))) }
        while graph.nodes.count < nodeCount { try grow() }
        // What nothing reads is given out, else it would be dropped.
        let consumers = graph.consumers()
        graph.outputs = graph.nodes.flatMap(\.outputs).filter { consumers[$0.index].isEmpty }
    }

    /// Operands for `graph`, drawn from the same seed.
    mutating func operands() -> [Tensor] {
        graph.inputs.map { random(graph[$0].type.shape) }
    }

    private mutating func random(_ shape: Shape, _ range: ClosedRange<Float> = -2...2) -> Tensor {
        Tensor((0..<shape.elementCount).map { _ in Float.random(in: range, using: &generator) }, shape: shape)
    }

    private mutating func constant(_ tensor: Tensor) -> ValueID {
        count += 1
        return graph.addConstant("k\(count)", tensor)
    }

    private mutating func append(_ operation: Operator, _ inputs: [ValueID?], outputs: Int = 1) throws(GraphError) {
        count += 1
        // A name that the exporter would like for itself.
        let names = (0..<outputs).map { "v\(count)" + ($0 == 0 ? "" : "/linear") }
        let results = try graph.append(operation, name: "n\(count)", inputs: inputs, outputNames: names)
        activations += results.filter { graph[$0].type.elementType == .float32 }
    }

    private mutating func clamp() -> Clamp? {
        [nil, .relu, .relu6, Clamp(lower: -1, upper: 1), Clamp(upper: 0.5), Clamp()].randomElement(using: &generator)
            ?? nil
    }

    private mutating func grow() throws(GraphError) {
        let x = activations.randomElement(using: &generator) ?? activations[0]
        let shape = graph[x].type.shape
        let rank = shape.rank
        let axis = rank == 0 ? 0 : Int.random(in: 0..<rank, using: &generator)
        let isImage = rank == 4 && shape[2] >= 3 && shape[3] >= 3
        switch Int.random(in: 0..<32, using: &generator) {
        case 0...2 where isImage: try appendConvolution(x, shape)
        case 3 where rank == 2: try appendGemm(x, shape)
        case 4 where rank >= 2:
            let matrix = constant(random([shape[rank - 1], 3]))
            try append(.matrixProduct, [x, matrix])
        case 5 where rank >= 2:
            let parameters = (0..<4).map { _ in constant(random([shape[1]], 0.5...1.5)) }
            try append(.batchNormalization(BatchNormalization(epsilon: 1e-3)), [x] + parameters)
        case 6 where isImage: try append(.localResponseNormalization(LocalResponseNormalization(size: 3)), [x])
        case 7...8 where isImage: try appendPool(x)
        case 9 where isImage:
            try append([.globalAveragePool, .globalMaxPool].randomElement(using: &generator) ?? .identity, [x])
        case 10...12: try append(.unary(unaryFunction()), [x])
        case 13...14:
            let other = Bool.random(using: &generator) ? x : constant(random([1], 0.5...2))
            let functions: [BinaryFunction] = [.add, .subtract, .multiply, .divide, .maximum, .minimum]
            try append(.binary(functions.randomElement(using: &generator) ?? .add, activation: clamp()), [x, other])
        case 15: try append(.clip, [x, constant(Tensor(scalar: Float(-0.5))), nil])
        case 16 where rank >= 1:
            let softmax = Softmax(
                axis: axis, isLogarithmic: Bool.random(using: &generator),
                flattensTrailingAxes: Bool.random(using: &generator))
            try append(.softmax(softmax), [x])
        case 17 where rank >= 1: try append(.concat(axis: axis), [x, x])
        case 18: try append(.reshape(extents: [-1], allowZero: false), [x])
        case 19: try append(.flatten(axis: axis), [x])
        case 20:
            try append(.unsqueeze(axes: [axis]), [x])
            try append(.squeeze(axes: [axis]), [activations[activations.count - 1]])
        case 21 where rank >= 1: try append(.transpose(permutation: Array((0..<rank).reversed())), [x])
        case 22: try append([.dropout, .identity].randomElement(using: &generator) ?? .identity, [x])
        case 23 where rank >= 1: try appendSelection(x, shape, axis)
        case 24 where rank >= 1:
            let kinds: [Reduction.Kind] = [.sum, .mean, .maximum, .minimum, .l1, .l2, .sumOfSquares]
            let reduction = Reduction(
                kind: kinds.randomElement(using: &generator) ?? .sum,
                axes: Bool.random(using: &generator) ? [axis] : [],
                keepsDimensions: Bool.random(using: &generator))
            try append(.reduce(reduction), [x])
        case 25: try appendQuantization(x)
        case 26...27 where isImage: try appendEnlargement(x, shape)
        case 28 where rank >= 2:
            let groups = shape[1].isMultiple(of: 2) && Bool.random(using: &generator) ? 2 : shape[1]
            let parameters = (0..<2).map { _ in constant(random([shape[1]])) }
            try append(.groupNormalization(GroupNormalization(groups: groups)), [x] + parameters)
        case 29 where rank >= 1:
            let parameters = (0..<2).map { _ in constant(random(Shape(Array(shape[axis...])))) }
            try append(.layerNormalization(LayerNormalization(axis: axis)), [x] + parameters)
        case 30:
            let comparisons: [Comparison] = [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual]
            let threshold = constant(random([]))
            try append(.comparison(comparisons.randomElement(using: &generator) ?? .less), [x, threshold])
            try append(.select, [ValueID(graph.values.count - 1), x, threshold])
        case 31 where rank >= 2 && shape[1].isMultiple(of: 2): try append(.channelShuffle(groups: 2), [x])
        default: break
        }
    }

    private mutating func appendConvolution(_ x: ValueID, _ shape: Shape) throws(GraphError) {
        let groups = shape[1].isMultiple(of: 2) && Bool.random(using: &generator) ? 2 : 1
        let window = Window(
            kernel: [3, 2], strides: [Int.random(in: 1...2, using: &generator), 1], dilations: [1, 2],
            padsBegin: [1, 0],
            padsEnd: [0, 1])
        let weights = constant(random([4, shape[1] / groups, 3, 2], -1...1))
        let bias = Bool.random(using: &generator) ? constant(random([4])) : nil
        try append(.convolution(Convolution(window: window, groups: groups, activation: clamp())), [x, weights, bias])
    }

    private mutating func appendEnlargement(_ x: ValueID, _ shape: Shape) throws(GraphError) {
        switch Int.random(in: 0..<4, using: &generator) {
        case 0 where shape[1].isMultiple(of: 4):
            let order: DepthOrder = Bool.random(using: &generator) ? .depthColumnRow : .columnRowDepth
            try append(.depthToSpace(blockSize: 2, order: order), [x])
        case 1 where shape[2].isMultiple(of: 2) && shape[3].isMultiple(of: 2):
            try append(.spaceToDepth(blockSize: 2), [x])
        case 2:
            let window = Window(kernel: [3, 2], strides: [2, 1], padsBegin: [1, 0], padsEnd: [0, 1])
            let convolution = TransposedConvolution(window: window, outputPads: [1, 0])
            try append(
                .transposedConvolution(convolution), [x, constant(random([shape[1], 2, 3, 2])), constant(random([2]))])
        default:
            let interpolations: [Resize.Interpolation] = [.nearest(.halfDown), .linear, .cubic(coefficient: -0.75)]
            let coordinates: [Resize.Coordinates] = [.halfPixel, .alignCorners, .asymmetric, .pytorchHalfPixel]
            let scale: Float = Bool.random(using: &generator) ? 2 : 0.7
            var resize = Resize(
                extents: shape.dimensions, scales: [1, 1, scale, scale],
                interpolation: interpolations.randomElement(using: &generator) ?? .linear,
                coordinates: coordinates.randomElement(using: &generator) ?? .halfPixel,
                antialiases: Bool.random(using: &generator))
            for axis in 2...3 { resize.extents[axis] = Int(Float(shape[axis]) * scale) }
            if resize.interpolation == .nearest(.halfDown) { resize.antialiases = false }
            try append(.resize(resize), [x])
        }
    }

    private mutating func appendGemm(_ x: ValueID, _ shape: Shape) throws(GraphError) {
        let isTransposed = Bool.random(using: &generator)
        let gemm = Gemm(alpha: 0.5, beta: 2, transposesB: isTransposed, activation: clamp())
        let weights = constant(random(isTransposed ? [3, shape[1]] : [shape[1], 3], -1...1))
        try append(.gemm(gemm), [x, weights, constant(random([3]))])
    }

    private mutating func appendPool(_ x: ValueID) throws(GraphError) {
        let window = Window(
            kernel: [2, 3], strides: [2, 1], dilations: [1, Int.random(in: 1...2, using: &generator)],
            padsBegin: [0, 1], padsEnd: [1, 1])
        guard Bool.random(using: &generator) else {
            return try append(
                .averagePool(Pooling(window: window, roundsUp: true, countsPadding: Bool.random(using: &generator))),
                [x])
        }
        try append(.maxPool(Pooling(window: window)), [x], outputs: Int.random(in: 1...2, using: &generator))
    }

    private mutating func unaryFunction() -> UnaryFunction {
        let clamp = clamp() ?? Clamp(lower: 0.25)
        let functions: [UnaryFunction] = [
            .clamp(clamp), .leakyRelu(alpha: 0.1), .elu(alpha: 0.5), .sigmoid, .hardSigmoid(alpha: 0.3, beta: 0.4),
            .hardSwish,
            .tanh, .exp, .erf, .softplus, .negate, .absolute, .sign, .floor, .ceil, .round, .softsign,
            .selu(alpha: 1.5, gamma: 1.1), .celu(alpha: 0.5),
        ]
        return functions.randomElement(using: &generator) ?? .tanh
    }

    private mutating func appendSelection(_ x: ValueID, _ shape: Shape, _ axis: Int) throws(GraphError) {
        let zeros = shape.map { _ in 0 }
        var ends = zeros
        ends[axis] = 2
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: try append(.gather(axis: axis), [x, constant(Tensor([Int64(0), -1], shape: [2]))])
        case 1: try append(.slice(Slice(starts: [-1], ends: [-99], axes: [axis], steps: [-1])), [x])
        case 2 where shape[axis] > 1: try append(.split(axis: axis, sizes: [1, shape[axis] - 1]), [x], outputs: 2)
        case 3: try append(.pad(Pad(mode: .constant, begins: zeros, ends: ends, value: 1.5)), [x])
        case 4: try append(.expand(extents: [2] + shape.dimensions), [x])
        default: try append(.argMax(axis: axis, keepsDimensions: false, selectsLastIndex: true), [x])
        }
    }

    private mutating func appendQuantization(_ x: ValueID) throws(GraphError) {
        let target = [ElementType.uint8, .int8, .int16].randomElement(using: &generator) ?? .uint8
        let scale = constant(Tensor(scalar: Float(0.05)))
        try append(.quantizeLinear(axis: 0, to: target), [x, scale, nil])
        try append(.dequantizeLinear(axis: 0), [ValueID(graph.values.count - 1), scale, nil])
    }
}
