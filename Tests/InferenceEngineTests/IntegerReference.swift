internal import ModelGraph

/// Runs a quantised network by the definition of its arithmetic, one element at a time: int32 sums, one multiplication
/// in float32, round half to even, clamp. What the graph keeps in float, or only moves, runs by the operators' own
/// definition.
struct IntegerReference {
    let quantized: QuantizedGraph
    private var codes: [[UInt8]?]
    private var reals: [Tensor?]

    init(_ quantized: QuantizedGraph) {
        self.quantized = quantized
        codes = quantized.graph.values.map { _ in nil }
        reals = quantized.graph.values.map(\.constant)
    }

    private var graph: Graph { quantized.graph }

    /// - Returns: float32 outputs: what an operator computed in float, else what the codes stand for.
    mutating func run(_ inputs: [Tensor]) throws -> [Tensor] {
        for (id, tensor) in zip(graph.inputs, inputs) { reals[id.index] = tensor }
        for id in graph.nodeIDs {
            let node = graph[id]
            if let result = runInIntegers(node, id) {
                codes[node.outputs[0].index] = result
            } else if let results = moveElements(node) {
                for (output, result) in zip(node.outputs, results) { codes[output.index] = result }
            } else {
                let operands = node.inputs.map { $0.map { real($0) } }
                let results = try node.operation.evaluate(operands, outputCount: node.outputs.count, node: node.name)
                for (output, tensor) in zip(node.outputs, results) { reals[output.index] = tensor }
            }
        }
        return graph.outputs.map { real($0) }
    }

    // MARK: Values

    private func real(_ value: ValueID) -> Tensor {
        if let tensor = reals[value.index] { return tensor }
        guard let codes = codes[value.index], let quantization = quantized[value] else {
            preconditionFailure("\(graph[value].name) is not computed")
        }
        return Tensor(codes.map(quantization.dequantize), shape: graph[value].type.shape)
    }

    /// A value as integers under its own quantisation.
    private func integers(_ value: ValueID) -> [UInt8] {
        if let codes = codes[value.index] { return codes }
        guard let quantization = quantized[value] else { preconditionFailure("\(graph[value].name) is not quantised") }
        return real(value).array(of: Float.self).map(quantization.quantize)
    }

    /// A value as integers under another's quantisation.
    private func integers(_ value: ValueID, as wanted: ActivationQuantization) -> [UInt8] {
        guard let present = quantized[value], present != wanted else { return integers(value) }
        // What is still float is rounded once.
        if codes[value.index] == nil { return real(value).array(of: Float.self).map(wanted.quantize) }
        return integers(value).map { requantized($0, present, wanted) }
    }

    private func requantized(
        _ code: UInt8, _ present: ActivationQuantization, _ wanted: ActivationQuantization
    ) -> UInt8 {
        let multiplier = Float(Double(present.scale) / Double(wanted.scale))
        return level(Float(Int32(code) - Int32(present.zeroPoint)) * multiplier, wanted, nil)
    }

    private func level(_ real: Float, _ output: ActivationQuantization, _ clamp: Clamp?) -> UInt8 {
        let lowest = clamp.map { $0.lower == -.infinity ? 0 : output.quantize($0.lower) } ?? 0
        let highest = clamp.map { $0.upper == .infinity ? 255 : output.quantize($0.upper) } ?? 255
        let zero = Float(output.zeroPoint)
        let clamped = min(max(real, Float(lowest) - zero), Float(highest) - zero)
        return UInt8(clamped.rounded(.toNearestOrEven) + zero)
    }

    // MARK: Nodes

    /// `nil` for what does not run in integers.
    private func runInIntegers(_ node: Node, _ id: NodeID) -> [UInt8]? {
        guard node.outputs.count == 1, let output = quantized[node.outputs[0]],
            node.inputs.allSatisfy({ $0.map { graph[$0].constant != nil || quantized[$0] != nil } ?? true }),
            let first = node.inputs.first ?? nil, graph[first].constant == nil, let input = quantized[first]
        else { return nil }
        let shape = graph[first].type.shape
        let outputShape = graph[node.outputs[0]].type.shape
        switch node.operation {
        case .convolution(let convolution):
            guard let weights = quantized.weights[id.index], shape.rank == 4 else { return nil }
            return products(
                integers(first), shape, outputShape, convolution.window, groups: convolution.groups, weights,
                input: input, output: output, convolution.activation)
        case .gemm, .matrixProduct:
            guard let weights = quantized.weights[id.index], let inner = shape.last else { return nil }
            let activation: Clamp? = if case .gemm(let gemm) = node.operation { gemm.activation } else { nil }
            let rows = shape.elementCount / inner
            return products(
                integers(first), [rows, inner, 1, 1], [rows, weights.scales.count, 1, 1], Window(kernel: [1, 1]),
                groups: 1, weights, input: input, output: output, activation)
        case .maxPool, .globalMaxPool, .averagePool, .globalAveragePool:
            guard shape.rank == 4 else { return nil }
            return pooled(node.operation, integers(first), shape, outputShape, input, output)
        case .reduce(let reduction):
            guard shape.rank == 4, reduction.kind == .mean, reduction.reducedAxes(of: shape) == [2, 3] else {
                return nil
            }
            return pooled(.globalAveragePool, integers(first), shape, [shape[0], shape[1], 1, 1], input, output)
        case .unary(let function):
            let reals = Tensor(integers(first).map(input.dequantize), shape: shape)
            return try? Operator.unary(function).evaluate([reals], outputCount: 1, node: node.name)[0]
                .array(of: Float.self).map(output.quantize)
        case .binary(let function, let activation):
            return binary(node, function, activation, output)
        case .concat(let axis):
            guard node.inputs.allSatisfy({ $0.map { graph[$0].constant == nil } ?? false }) else { return nil }
            let operands = node.inputs.compactMap(\.self).map { operand in
                Tensor(integers(operand, as: output), shape: graph[operand].type.shape)
            }
            return try? Operator.concat(axis: axis).evaluate(operands, outputCount: 1, node: node.name)[0]
                .array(of: UInt8.self)
        case .identity, .dropout, .reshape, .flatten, .squeeze, .unsqueeze:
            // A value still in float only changes its name.
            return codes[first.index].map { $0.map { requantizedIfNeeded($0, input, output) } }
        default:
            return nil
        }
    }

    /// Some channels of images that are integers already, or the same with the channels elsewhere; `nil` for other nodes.
    private func moveElements(_ node: Node) -> [[UInt8]]? {
        guard let input = node.inputs.first ?? nil, let codes = codes[input.index], let present = quantized[input]
        else { return nil }
        let whole = Tensor(codes, shape: graph[input].type.shape)
        var operation = node.operation
        switch operation {
        case .split, .slice, .transpose, .expand, .channelShuffle, .depthToSpace, .spaceToDepth: break
        case .gather: break
        case .pad(var pad):
            pad.value = Double(present.quantize(Float(pad.value)))
            operation = .pad(pad)
        case .resize(let resize):
            guard case .nearest = resize.interpolation else { return nil }
        default: return nil
        }
        let others = node.inputs.dropFirst().map { $0.flatMap { graph[$0].constant } }
        guard let parts = try? operation.evaluate([whole] + others, outputCount: node.outputs.count, node: node.name)
        else { return nil }
        return zip(parts, node.outputs).map { part, output in
            let codes = part.array(of: UInt8.self)
            guard let wanted = quantized[output] else { preconditionFailure("\(graph[output].name) is not quantised") }
            return codes.map { requantizedIfNeeded($0, present, wanted) }
        }
    }

    private func requantizedIfNeeded(
        _ code: UInt8, _ present: ActivationQuantization, _ wanted: ActivationQuantization
    ) -> UInt8 {
        present == wanted ? code : requantized(code, present, wanted)
    }

    /// Calls `body` with the input pixel under each tap of one output pixel; taps in the padding are left out.
    private func taps(
        _ window: Window, _ input: Shape, y: Int, x: Int, _ body: (_ tap: Int, _ pixel: Int) -> Void
    ) {
        for ky in 0..<window.kernel[0] {
            let row = y * window.strides[0] - window.padsBegin[0] + ky * window.dilations[0]
            guard (0..<input[2]).contains(row) else { continue }
            for kx in 0..<window.kernel[1] {
                let column = x * window.strides[1] - window.padsBegin[1] + kx * window.dilations[1]
                guard (0..<input[3]).contains(column) else { continue }
                body(ky * window.kernel[1] + kx, row * input[3] + column)
            }
        }
    }

    /// One code for each element of `output`, row-major.
    private func forEachElement(of output: Shape, _ body: (_ n: Int, _ c: Int, _ y: Int, _ x: Int) -> UInt8) -> [UInt8]
    {
        var result: [UInt8] = []
        result.reserveCapacity(output.elementCount)
        for n in 0..<output[0] {
            for c in 0..<output[1] {
                for y in 0..<output[2] {
                    for x in 0..<output[3] { result.append(body(n, c, y, x)) }
                }
            }
        }
        return result
    }

    private func products(
        _ codes: [UInt8], _ shape: Shape, _ outputShape: Shape, _ window: Window, groups: Int,
        _ weights: QuantizedWeights, input: ActivationQuantization, output: ActivationQuantization, _ activation: Clamp?
    ) -> [UInt8] {
        let groupChannels = shape[1] / groups
        let groupOutputs = outputShape[1] / groups
        let pixels = shape[2] * shape[3]
        let tapCount = window.kernel[0] * window.kernel[1]
        let values = weights.values.array(of: Int8.self)
        let bias = weights.bias.array(of: Int32.self)
        return forEachElement(of: outputShape) { n, o, y, x in
            var sum = bias[o]
            taps(window, shape, y: y, x: x) { tap, pixel in
                for channel in 0..<groupChannels {
                    let code = codes[(n * shape[1] + o / groupOutputs * groupChannels + channel) * pixels + pixel]
                    let weight = values[(o * groupChannels + channel) * tapCount + tap]
                    sum &+= (Int32(code) - Int32(input.zeroPoint)) * Int32(weight)
                }
            }
            let multiplier = Float(Double(input.scale) * Double(weights.scales[o]) / Double(output.scale))
            return level(Float(sum) * multiplier, output, activation)
        }
    }

    private func pooled(
        _ operation: Operator, _ codes: [UInt8], _ shape: Shape, _ outputShape: Shape, _ input: ActivationQuantization,
        _ output: ActivationQuantization
    ) -> [UInt8] {
        let pooling: Pooling
        switch operation {
        case .maxPool(let given), .averagePool(let given): pooling = given
        default: pooling = Pooling(window: Window(kernel: [shape[2], shape[3]]))
        }
        let pixels = shape[2] * shape[3]
        let isMaximum = operation == .globalMaxPool || { if case .maxPool = operation { true } else { false } }()
        return forEachElement(of: outputShape) { n, c, y, x in
            var (sum, count, largest) = (Int32(0), 0, UInt8(0))
            taps(pooling.window, shape, y: y, x: x) { _, pixel in
                let code = codes[(n * shape[1] + c) * pixels + pixel]
                sum += Int32(code) - Int32(input.zeroPoint)
                count += 1
                largest = max(largest, code)
            }
            if isMaximum { return requantizedIfNeeded(largest, input, output) }
            if pooling.countsPadding { count = paddedTaps(pooling.window, shape, y: y, x: x) }
            let multiplier = Float(Double(input.scale) / Double(output.scale)) / Float(max(count, 1))
            return level(Float(sum) * multiplier, output, nil)
        }
    }

    /// Taps that lie in the image or its padding: with rounded-up extents a window may reach beyond both.
    private func paddedTaps(_ window: Window, _ shape: Shape, y: Int, x: Int) -> Int {
        [y, x].enumerated().reduce(1) { count, position in
            let (axis, index) = position
            let end = shape[2 + axis] + window.padsBegin[axis] + window.padsEnd[axis]
            return count
                * (0..<window.kernel[axis]).count { index * window.strides[axis] + $0 * window.dilations[axis] < end }
        }
    }

    private func binary(
        _ node: Node, _ function: BinaryFunction, _ activation: Clamp?, _ output: ActivationQuantization
    ) -> [UInt8]? {
        guard function == .add || function == .multiply, let left = node.inputs[0], let right = node.inputs[1],
            let a = quantized[left], let b = quantized[right],
            let (leftCodes, rightCodes) = paired(left, right, graph[node.outputs[0]].type.shape)
        else { return nil }
        return zip(leftCodes, rightCodes).map { x, y in
            let (x, y) = (Int32(x) - Int32(a.zeroPoint), Int32(y) - Int32(b.zeroPoint))
            let real: Float
            if function == .add {
                let left = Float(x) * Float(Double(a.scale) / Double(output.scale))
                let right = Float(y) * Float(Double(b.scale) / Double(output.scale))
                real = left + right
            } else {
                real = Float(x * y) * Float(Double(a.scale) * Double(b.scale) / Double(output.scale))
            }
            return level(real, output, activation)
        }
    }

    /// The codes of two operands, each broadcast to `shape`; `nil` unless they are alike, or one has a pixel an image.
    private func paired(_ left: ValueID, _ right: ValueID, _ shape: Shape) -> ([UInt8], [UInt8])? {
        guard graph[left].constant == nil, graph[right].constant == nil else { return nil }
        func broadcast(_ value: ValueID) -> [UInt8]? {
            let own = graph[value].type.shape
            let codes = integers(value)
            if own == shape { return codes }
            guard own.rank == 4, shape.rank == 4, own[0] == 1 || own[0] == shape[0], own[1] == shape[1],
                own[2] * own[3] == 1
            else { return nil }
            let (channels, pixels) = (shape[1], shape[2] * shape[3])
            return (0..<shape.elementCount).map { index in
                let (image, channel) = (index / (channels * pixels), index / pixels % channels)
                return codes[(own[0] == 1 ? 0 : image) * channels + channel]
            }
        }
        guard graph[left].type.shape == shape || graph[right].type.shape == shape, let x = broadcast(left),
            let y = broadcast(right)
        else { return nil }
        return (x, y)
    }
}
