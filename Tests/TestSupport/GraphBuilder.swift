package import ModelGraph

/// Writes down small float32 networks with seeded weights; every node's one output has the node's name.
///
/// Shapes are the builder's to get right: an operand that does not fit is a mistake in the test and stops it.
package struct GraphBuilder {
    package private(set) var graph: Graph
    private var generator: SplitMix64

    package init(name: String, seed: UInt64) {
        graph = Graph(name: name)
        generator = SplitMix64(seed: seed)
    }

    package func shape(_ value: ValueID) -> Shape { graph[value].type.shape }

    package mutating func input(_ name: String, _ shape: Shape) -> ValueID {
        graph.addInput(name, TensorType(.float32, shape))
    }

    package mutating func constant(_ name: String, _ shape: Shape, in range: ClosedRange<Float> = -1...1) -> ValueID {
        graph.addConstant(name, .random(shape, in: range, using: &generator))
    }

    package mutating func constant(_ name: String, _ tensor: Tensor) -> ValueID {
        graph.addConstant(name, tensor)
    }

    package mutating func node(_ name: String, _ operation: Operator, _ inputs: ValueID...) -> ValueID {
        node(name, operation, inputs)
    }

    package mutating func node(_ name: String, _ operation: Operator, _ inputs: [ValueID]) -> ValueID {
        do {
            return try graph.append(operation, name: name, inputs: inputs, outputNames: [name])[0]
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// One value for each size, named after the node and numbered.
    package mutating func split(_ name: String, _ input: ValueID, axis: Int, sizes: [Int]) -> [ValueID] {
        do {
            return try graph.append(
                .split(axis: axis, sizes: sizes), name: name, inputs: [input],
                outputNames: sizes.indices.map { "\(name).\($0)" })
        } catch {
            preconditionFailure("\(error)")
        }
    }

    package mutating func convolution(
        _ name: String, _ input: ValueID, outputs: Int, kernel: Int = 3, stride: Int = 1, groups: Int = 1,
        hasBias: Bool = true, activation: Clamp? = nil
    ) -> ValueID {
        let channels = shape(input)[1]
        let spatialRank = shape(input).rank - 2
        let kernels = [Int](repeating: kernel, count: spatialRank)
        let pads = kernels.map { $0 / 2 }
        // Weights of this size keep activations near 1 whatever the depth.
        let limit = (3 / Float(max(channels / groups * kernels.reduce(1, *), 1))).squareRoot()
        let weights = constant("\(name).w", Shape([outputs, channels / groups] + kernels), in: -limit...limit)
        let bias = hasBias ? [constant("\(name).b", [outputs])] : []
        let window = Window(
            kernel: kernels, strides: kernels.map { _ in stride }, padsBegin: pads, padsEnd: pads)
        let convolution = Convolution(window: window, groups: groups, activation: activation)
        return node(name, .convolution(convolution), [input, weights] + bias)
    }

    package mutating func batchNormalization(_ name: String, _ input: ValueID) -> ValueID {
        let channels: Shape = [shape(input)[1]]
        return node(
            name, .batchNormalization(BatchNormalization()), input, constant("\(name).scale", channels, in: 0.5...1.5),
            constant("\(name).bias", channels), constant("\(name).mean", channels),
            constant("\(name).variance", channels, in: 0.5...1.5))
    }

    package mutating func relu(_ name: String, _ input: ValueID) -> ValueID {
        node(name, .unary(.clamp(.relu)), input)
    }

    /// Global average, then a fully connected layer to `outputs` classes.
    package mutating func classifier(_ name: String, _ input: ValueID, outputs: Int) -> ValueID {
        let pooled = node("\(name).pool", .globalAveragePool, input)
        let flat = node("\(name).flat", .flatten(axis: 1), pooled)
        let weights = constant("\(name).w", [outputs, shape(flat)[1]])
        return node(name, .gemm(Gemm(transposesB: true)), flat, weights, constant("\(name).b", [outputs]))
    }

    package mutating func output(_ value: ValueID) {
        graph.outputs.append(value)
    }
}
