internal import ModelGraph

/// A network with the layers of well-known families in random widths, to characterise a machine by: layers run among others, as
/// in real networks, find their weights and inputs in the caches where real ones would.
struct CharacterizationNetwork {
    private(set) var graph: Graph
    private var value: ValueID
    private var generator: Generator
    private var count = 0
    private var multiplyAddsLeft: Int

    /// SplitMix64 (Steele, Lea, Flood, 2014): the same networks everywhere.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private enum Family: CaseIterable {
        case plain, separable, inverted, residual, bottleneck, fire, inception
    }

    /// Twenty-eight networks, four of each family, from 32 to 224 pixels wide.
    /// - Parameter multiplyAdds: the most that one network may take, about.
    static func all(multiplyAdds: Int) -> [Graph] {
        (0..<4).flatMap { round in
            Family.allCases.enumerated().map { index, family in
                CharacterizationNetwork(
                    family, seed: UInt64(round * 16 + index), side: [32, 96, 160, 224][round],
                    multiplyAdds: multiplyAdds
                ).graph
            }
        }
    }

    private init(_ family: Family, seed: UInt64, side: Int, multiplyAdds: Int) {
        graph = Graph(name: "\(family) \(seed)")
        generator = Generator(state: seed)
        multiplyAddsLeft = multiplyAdds
        value = graph.addInput("image", TensorType(.float32, [1, 3, side, side]))
        // A first layer that leaves the image as it is costs most networks too much.
        let stride = side > 64 || family == .residual ? 2 : 1
        convolution(width(8, 64), kernel: [3, 3, 5, 7].randomElement(using: &generator)!, stride: stride)
        if side > 64 && Bool.random(using: &generator) { maxPool(kernel: 3, stride: 2) }
        for block in 0..<12 where multiplyAddsLeft > 0 {
            let halves = block % 3 == 2 && image > 4
            add(family, stride: halves ? 2 : 1)
        }
        if Bool.random(using: &generator) {
            append(.globalAveragePool, [value])
        } else {
            append(.averagePool(Pooling(window: Window(kernel: [image, image]))), [value])
        }
        append(.flatten(axis: 1), [value])
        for outputs in family == .plain ? [512, 1_000] : [[10, 100, 1_000].randomElement(using: &generator)!] {
            gemm(outputs)
        }
        if Bool.random(using: &generator) { append(.softmax(Softmax(axis: 1)), [value]) }
        graph.outputs = [value]
    }

    private var channels: Int { graph[value].type.shape[1] }
    private var image: Int { graph[value].type.shape[2] }

    private mutating func width(_ low: Int, _ high: Int) -> Int {
        // Evenly over the logarithm, in eighths as networks have them.
        let share = Double.random(in: 0...1, using: &generator)
        var width = Double(low)
        for _ in 0..<Int(share * 16) where width < Double(high) { width *= 1.1892 }
        return max(8, min(high, Int(width / 8) * 8))
    }

    private mutating func add(_ family: Family, stride: Int) {
        let wide = min(1_024, stride == 2 ? channels * 2 : width(max(16, channels / 2), channels * 2))
        switch family {
        case .plain:
            convolution(
                wide, kernel: [3, 3, 1].randomElement(using: &generator)!, leaky: Bool.random(using: &generator))
            if stride == 2 { maxPool(kernel: 2, stride: 2) }
        case .separable:
            depthwise(kernel: 3, stride: stride)
            convolution(wide, kernel: 1)
        case .inverted:
            let start = value
            let thin = stride == 2 ? width(16, 160) : channels
            convolution(min(1_024, channels * [3, 4, 6].randomElement(using: &generator)!), kernel: 1)
            depthwise(kernel: [3, 3, 5].randomElement(using: &generator)!, stride: stride)
            convolution(thin, kernel: 1, activation: nil)
            if stride == 1 { append(.binary(.add, activation: nil), [value, start]) }
        case .residual, .bottleneck:
            let start = value
            let narrow = family == .bottleneck ? max(8, wide / 4) : wide
            if family == .bottleneck {
                convolution(narrow, kernel: 1)
                convolution(narrow, kernel: 3, stride: stride)
                convolution(wide, kernel: 1, activation: nil)
            } else {
                convolution(narrow, kernel: 3, stride: stride)
                convolution(wide, kernel: 3, activation: nil)
            }
            let end = value
            value = start
            if stride == 2 || channels != wide { convolution(wide, kernel: 1, stride: stride, activation: nil) }
            append(.binary(.add, activation: .relu), [end, value])
        case .fire:
            if stride == 2 { maxPool(kernel: 3, stride: 2) }
            convolution(max(8, wide / 8), kernel: 1)
            let squeezed = value
            convolution(wide / 2, kernel: 1)
            let left = value
            value = squeezed
            convolution(wide / 2, kernel: 3)
            append(.concat(axis: 1), [left, value])
        case .inception:
            let start = value
            var branches: [ValueID] = []
            for kernel in [1, 3, 5] {
                value = start
                if kernel > 1 { convolution(max(8, wide / 8), kernel: 1) }
                convolution(max(8, wide / 4), kernel: kernel, stride: stride)
                branches.append(value)
            }
            value = start
            maxPool(kernel: 3, stride: stride)
            convolution(max(8, wide / 4), kernel: 1)
            append(.concat(axis: 1), branches + [value])
        }
    }

    private mutating func convolution(
        _ outputs: Int, kernel: Int, stride: Int = 1, groups: Int = 1, activation: Clamp? = .relu, leaky: Bool = false
    ) {
        let window = Window(
            kernel: [kernel, kernel], strides: [stride, stride], padsBegin: [kernel / 2, kernel / 2],
            padsEnd: [kernel / 2, kernel / 2])
        let weights = constant([outputs, channels / groups, kernel, kernel])
        let bias = constant([outputs])
        append(
            .convolution(Convolution(window: window, groups: groups, activation: leaky ? nil : activation)),
            [value, weights, bias])
        multiplyAddsLeft -= graph.multiplyAdds(of: NodeID(graph.nodes.count - 1))
        if leaky { append(.unary(.leakyRelu(alpha: 0.1)), [value]) }
    }

    private mutating func depthwise(kernel: Int, stride: Int) {
        convolution(channels, kernel: kernel, stride: stride, groups: channels)
    }

    private mutating func maxPool(kernel: Int, stride: Int) {
        let pad = kernel / 2
        let window = Window(
            kernel: [kernel, kernel], strides: [stride, stride], padsBegin: [pad, pad], padsEnd: [pad, pad])
        append(.maxPool(Pooling(window: window)), [value])
    }

    private mutating func gemm(_ outputs: Int) {
        let weights = constant([outputs, channels])
        let bias = constant([outputs])
        append(.gemm(Gemm(transposesB: true)), [value, weights, bias])
    }

    private mutating func constant(_ shape: Shape) -> ValueID {
        // Of a size that keeps activations near 1 whatever the depth.
        let limit = (3 / Float(max(1, shape.elementCount / shape[0]))).squareRoot()
        var values = [Float](repeating: 0, count: shape.elementCount)
        for index in values.indices {
            values[index] = (Float(generator.next() >> 40) / 8_388_608 - 1) * limit
        }
        count += 1
        return graph.addConstant("constant \(count)", Tensor(values, shape: shape))
    }

    private mutating func append(_ operation: Operator, _ inputs: [ValueID]) {
        count += 1
        do {
            value = try graph.append(
                operation, name: "layer \(count)", inputs: inputs, outputNames: ["value \(count)"])[0]
        } catch {
            preconditionFailure("a characterisation network is well formed: \(error)")
        }
    }
}
