internal import ModelGraph

/// Nodes in float32 that are computed by plain loops.
extension Lowering {
    mutating func lowerToRarerFloat(_ node: Node) throws -> Bool {
        guard node.outputs.count == 1, graph[node.outputs[0]].type.elementType == .float32,
            node.inputs.allSatisfy({ $0.map { graph[$0].type.elementType == .float32 } ?? true }),
            let input = node.inputs.first ?? nil
        else { return false }
        let output = node.outputs[0]
        switch node.operation {
        case .binary(let function, let activation):
            return try lowerBroadcast(function, activation, node)
        case .reduce(let reduction):
            return try lowerReduction(reduction, input, output)
        case .resize(let resize):
            return try lowerResize(resize, input, output)
        case .layerNormalization(let normalization):
            return try lowerLayerNormalization(normalization, node, input)
        case .groupNormalization(let normalization):
            return try lowerGroupNormalization(normalization, node, input)
        default:
            return false
        }
    }

    /// In the layout that an operand of the result's shape has; constants lie as their shape says, which strides undo.
    private mutating func lowerBroadcast(
        _ function: BinaryFunction, _ activation: Clamp?, _ node: Node
    ) throws -> Bool {
        guard let left = node.inputs[0], let right = node.inputs[1] else { return false }
        let result = shape(node.outputs[0])
        let full = [left, right].first { graph[$0].constant == nil && shape($0) == result }
        let layout = full.flatMap { naturalForm($0)?.layout } ?? .rowMajor
        let isLast = layout == .channelsLast && result.rank == 4
        let form = TensorForm(layout: isLast ? .channelsLast : .rowMajor)
        // What has one image's channels only, or fewer axes, lies the same way in both layouts.
        func operand(_ id: ValueID) throws -> (view: BufferView, strides: [Int]) {
            let own = shape(id)
            let isImage = isLast && own.rank == 4 && graph[id].constant == nil
            let view = try readCompact(id, as: isImage ? form : .plain)
            var strides = own.strides
            if isImage { strides = [own[1] * own[2] * own[3], 1, own[1] * own[3], own[1]] }
            let missing = result.rank - own.rank
            return (view, result.indices.map { $0 < missing || own[$0 - missing] == 1 ? 0 : strides[$0 - missing] })
        }
        let (a, b) = (try operand(left), try operand(right))
        let order = isLast ? [0, 2, 3, 1] : Array(result.indices)
        let operation = BroadcastOperation(
            function, clamp: activation,
            axes: order.map { (extent: result[$0], left: a.strides[$0], right: b.strides[$0]) })
        emit(.binaryF32(operation), reads: [a.view, b.view], writes: [define(node.outputs[0], as: form)])
        return true
    }

    /// Over neighbouring axes, or those of an image in either layout.
    private mutating func lowerReduction(_ reduction: Reduction, _ input: ValueID, _ output: ValueID) throws -> Bool {
        let shape = shape(input)
        let reduced = reduction.reducedAxes(of: shape)
        guard graph[input].constant == nil, shape.elementCount > 0, let first = reduced.min(), let last = reduced.max()
        else { return false }
        let isLast = naturalForm(input)?.layout == .channelsLast
        if isLast, reduced == [1], reduction.keepsDimensions {
            // Of channels, which lie innermost.
            let from = try readCompact(input, as: TensorForm(layout: .channelsLast))
            let plan = ReductionPlan(
                kind: reduction.kind, outer: shape.elementCount / shape[1], reduced: shape[1], inner: 1)
            emit(.reduceF32(plan), reads: [from], writes: [define(output, as: .plain)])
            return true
        }
        guard reduced.count == last - first + 1 else { return false }
        let plan = ReductionPlan(
            kind: reduction.kind, outer: shape.elementCount(in: 0..<first),
            reduced: shape.elementCount(in: first...last), inner: shape.elementCount(in: last + 1..<shape.rank))
        emit(.reduceF32(plan), reads: [try readCompact(input, as: .plain)], writes: [define(output, as: .plain)])
        return true
    }

    private mutating func lowerResize(_ resize: Resize, _ input: ValueID, _ output: ValueID) throws -> Bool {
        let (from, to) = (shape(input), shape(output))
        guard from.rank == 4, to.elementCount > 0, from.elementCount > 0,
            (0..<2).allSatisfy({ resize.taps($0, extent: from[$0]).isIdentity(over: from[$0]) })
        else { return false }
        let form = TensorForm(layout: .channelsLast)
        let operand = try read(input, as: form)
        let plan = ResizePlan(
            images: from[0], sourceRows: from[2], sourceColumns: from[3], channels: from[1],
            pixelStride: operand.stride, rows: resize.taps(2, extent: from[2]),
            columns: resize.taps(3, extent: from[3]),
            extrapolation: resize.extrapolation)
        emit(.resizeF32(plan), reads: [operand], writes: [define(output, as: form)])
        return true
    }

    private mutating func lowerLayerNormalization(
        _ normalization: LayerNormalization, _ node: Node, _ input: ValueID
    ) throws -> Bool {
        let shape = shape(input)
        guard graph[input].constant == nil, let axis = shape.normalizedAxis(normalization.axis) else { return false }
        let columns = shape.elementCount(in: axis..<shape.rank)
        func parameter(_ index: Int, _ fallback: Float) -> [Float]? {
            guard node.inputs.count > index, let id = node.inputs[index] else {
                return [Float](repeating: fallback, count: columns)
            }
            guard let values = graph[id].constant?.array(of: Float.self) else { return nil }
            if values.count == 1 { return [Float](repeating: values[0], count: columns) }
            return values.count == columns ? values : nil
        }
        guard columns > 0, let scale = parameter(1, 1), let bias = parameter(2, 0) else { return false }
        let plan = NormalizationPlan(
            rows: shape.elementCount / columns, columns: columns, epsilon: normalization.epsilon, share: 1, period: 1,
            scale: scale, bias: bias)
        emit(
            .normalizeF32(plan), reads: [try readCompact(input, as: .plain)],
            writes: [define(node.outputs[0], as: .plain)])
        return true
    }

    private mutating func lowerGroupNormalization(
        _ normalization: GroupNormalization, _ node: Node, _ input: ValueID
    ) throws -> Bool {
        let shape = shape(input)
        let pixels = shape.elementCount(in: 2..<shape.rank)
        guard graph[input].constant == nil, shape.elementCount > 0,
            let scale = node.inputs[1].flatMap({ graph[$0].constant }),
            let bias = node.inputs[2].flatMap({ graph[$0].constant })
        else { return false }
        let plan = NormalizationPlan(
            rows: shape[0] * normalization.groups, columns: shape[1] / normalization.groups * pixels,
            epsilon: normalization.epsilon, share: pixels, period: normalization.groups, scale: scale.array(),
            bias: bias.array())
        emit(
            .normalizeF32(plan), reads: [try readCompact(input, as: .plain)],
            writes: [define(node.outputs[0], as: .plain)])
        return true
    }
}
