internal import ModelGraph

/// Nodes that move elements without computing: the same for all element types, quantised ones included.
extension Lowering {
    /// Where a node's result takes its elements from, in logical terms: for each axis of `shape`, a table of offsets under
    /// the strides of the operand's axes.
    private struct Source {
        /// The result's axes, or finer ones that they split into, outermost first.
        var tables: [Table]
        var fill: Double = 0
    }

    /// One axis of the result, or a part of one.
    private struct Table {
        /// Which axis of the result.
        let target: Int
        /// Which axis of the operand its entries index; its entries are in elements along that axis.
        let axis: Int
        let entries: [Int]

        init(_ target: Int, from axis: Int, _ entries: [Int]) {
            self.target = target
            self.axis = axis
            self.entries = entries
        }
    }

    mutating func lowerToMovement(_ node: Node) throws -> Bool {
        guard let input = node.inputs.first ?? nil, graph[input].constant == nil, let natural = naturalForm(input)
        else {
            return false
        }
        if case .split(let axis, let sizes) = node.operation {
            guard let axis = shape(input).normalizedAxis(axis) else { return false }
            var start = 0
            for (part, size) in zip(node.outputs, sizes) {
                var tables = identityTables(shape(input))
                tables[axis] = Table(axis, from: axis, Array(start..<start + size))
                try move(Source(tables: tables), from: input, natural, to: part)
                start += size
            }
            return true
        }
        guard let source = source(of: node, input) else { return false }
        try move(source, from: input, natural, to: node.outputs[0])
        return true
    }

    private func identityTables(_ shape: Shape) -> [Table] {
        shape.indices.map { Table($0, from: $0, Array(0..<shape[$0])) }
    }

    /// `nil` for a node that does more than move elements.
    private func source(of node: Node, _ input: ValueID) -> Source? {
        let (from, to) = (shape(input), shape(node.outputs[0]))
        switch node.operation {
        case .transpose(let permutation):
            return Source(
                tables: permutation.enumerated().map { Table($0, from: $1, Array(0..<from[$1])) })
        case .slice(let slice):
            return Source(
                tables: slice.indices(in: from).enumerated().map { axis, indices in
                    Table(axis, from: axis, (0..<indices.count).map { indices.first + $0 * indices.step })
                })
        case .expand:
            let missing = to.rank - from.rank
            return Source(
                tables: to.indices.map { axis in
                    guard axis >= missing else { return Table(axis, from: 0, Array(repeating: 0, count: to[axis])) }
                    let isSpread = from[axis - missing] == 1
                    return Table(axis, from: axis - missing, (0..<to[axis]).map { isSpread ? 0 : $0 })
                })
        case .pad(let pad):
            return Source(
                tables: to.indices.map { axis in
                    Table(axis, from: axis, pad.sources(axis, of: from[axis]).map { $0 ?? Movement.hole })
                }, fill: pad.value)
        case .gather(let axis):
            guard let indices = node.inputs[1].flatMap({ graph[$0].constant })?.integers,
                let axis = from.normalizedAxis(axis), indices.allSatisfy({ (-from[axis]..<from[axis]).contains($0) })
            else { return nil }
            // The indices' axes stand in the place of one; all but the first of them are folded into the table.
            let rank = to.rank - from.rank + 1
            guard rank <= 1 else { return nil }
            let picked = indices.map { $0 < 0 ? $0 + from[axis] : $0 }
            return Source(
                tables: from.indices.compactMap { other in
                    if other == axis { return rank == 1 ? Table(axis, from: axis, picked) : nil }
                    return Table(other > axis ? other + rank - 1 : other, from: other, Array(0..<from[other]))
                } + (rank == 0 ? [Table(-1, from: axis, picked)] : []))
        case .channelShuffle(let groups):
            var tables = identityTables(from)
            let size = from[1] / groups
            tables[1] = Table(1, from: 1, (0..<from[1]).map { $0 % groups * size + $0 / groups })
            return Source(tables: tables)
        case .depthToSpace(let size, let order):
            let channels = to[1]
            let step = order == .columnRowDepth ? (channel: size * size, block: 1) : (channel: 1, block: channels)
            let block = { (factor: Int) in (0..<size).map { $0 * factor * step.block } }
            return Source(tables: [
                Table(0, from: 0, Array(0..<from[0])),
                Table(1, from: 1, (0..<channels).map { $0 * step.channel }),
                Table(2, from: 2, Array(0..<from[2])), Table(2, from: 1, block(size)),
                Table(3, from: 3, Array(0..<from[3])), Table(3, from: 1, block(1)),
            ])
        case .spaceToDepth(let size):
            return Source(tables: [
                Table(0, from: 0, Array(0..<from[0])),
                Table(1, from: 2, Array(0..<size)), Table(1, from: 3, Array(0..<size)),
                Table(1, from: 1, Array(0..<from[1])),
                Table(2, from: 2, (0..<to[2]).map { $0 * size }), Table(3, from: 3, (0..<to[3]).map { $0 * size }),
            ])
        case .resize(let resize):
            guard case .nearest = resize.interpolation, resize.coordinates != .cropAndResize, !from.contains(0) else {
                return nil
            }
            return Source(
                tables: from.indices.map { Table($0, from: $0, resize.taps($0, extent: from[$0]).indices) })
        default:
            return nil
        }
    }

    private mutating func move(
        _ source: Source, from input: ValueID, _ natural: TensorForm, to output: ValueID
    ) throws {
        let (from, to) = (shape(input), shape(output))
        let keepsImages = from.rank == 4 && to.rank == 4 && graph[input].type.elementType == .float32
        let layout: Layout = keepsImages ? natural.layout : .rowMajor
        let form = TensorForm(quantization: natural.quantization, layout: layout)
        let operand = layout == .channelsLast ? try read(input, as: form) : try readCompact(input, as: form)
        // Strides of the operand's axes, and the order in which the result's lie.
        var strides = from.rank == 0 ? [0] : from.strides
        var order = Array(to.indices)
        if layout == .channelsLast {
            let stride = operand.stride
            strides = [from[2] * from[3] * stride, 1, from[3] * stride, stride]
            order = [0, 2, 3, 1]
        }
        let tables = ([-1] + order).flatMap { axis in
            source.tables.filter { $0.target == axis }.map { table in
                table.entries.map { $0 == Movement.hole ? $0 : $0 * strides[table.axis] }
            }
        }
        let elementBytes = natural.quantization == nil ? graph[input].type.elementType.byteCount : 1
        let movement = Movement(tables, fill: fill(source.fill, graph[input].type.elementType, natural.quantization))
        let into = define(output, as: form)
        emit(.move(movement, elementBytes: elementBytes), reads: [operand], writes: [into])
    }

    /// The bits of an element of value `value`.
    private func fill(_ value: Double, _ type: ElementType, _ quantization: ActivationQuantization?) -> UInt64 {
        if let quantization { return UInt64(quantization.quantize(Float(value))) }
        switch type {
        case .float32: return UInt64(Float(value).bitPattern)
        case .float64: return value.bitPattern
        case .float16: return UInt64(Float16(value).bitPattern)
        case .bool: return value == 0 ? 0 : 1
        default: return UInt64(bitPattern: Int64(exactly: value.rounded(.towardZero)) ?? 0)
        }
    }
}
