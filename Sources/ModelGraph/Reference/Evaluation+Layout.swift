extension Evaluation {
    /// The same elements under the inferred shape.
    func reshaped() -> Tensor {
        operand(0).reshaped(to: outputTypes[0].shape)
    }

    func concat(axis: Int) -> Tensor {
        let output = outputTypes[0]
        let axis = resolved(axis, in: output.shape)
        let parts = inputs.indices.map(operand)
        let outer = output.shape.elementCount(in: 0..<axis)
        let storage = TensorStorage(byteCount: output.byteCount) { target in
            var offset = 0
            for index in 0..<outer {
                for part in parts {
                    let size = part.byteCount / outer
                    part.withUnsafeBytes { source in
                        UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + size])
                            .copyMemory(
                                from: UnsafeRawBufferPointer(rebasing: source[index * size..<(index + 1) * size]))
                    }
                    offset += size
                }
            }
        }
        return Tensor(output, storage: storage)
    }

    func transpose(permutation: [Int]) -> Tensor {
        let strides = operand(0).shape.strides
        let output = outputTypes[0].shape
        return operand(0).selecting(StridedOffsets(output, strides: permutation.map { strides[$0] }), shape: output)
    }

    func expand() -> Tensor {
        let output = outputTypes[0].shape
        return operand(0).selecting(
            StridedOffsets(output, strides: operand(0).shape.strides(broadcastTo: output)), shape: output)
    }

    func depthToSpace(blockSize: Int, order: DepthOrder) -> Tensor {
        let output = outputTypes[0].shape
        let (channels, height, width) = (output[1], operand(0).shape[2], operand(0).shape[3])
        let split: Shape
        let permutation: [Int]
        switch order {
        case .depthColumnRow:
            split = [output[0], blockSize, blockSize, channels, height, width]
            permutation = [0, 3, 4, 1, 5, 2]
        case .columnRowDepth:
            split = [output[0], channels, blockSize, blockSize, height, width]
            permutation = [0, 1, 4, 2, 5, 3]
        }
        return rearranged(split, permutation)
    }

    func spaceToDepth(blockSize: Int) -> Tensor {
        let (input, output) = (operand(0).shape, outputTypes[0].shape)
        return rearranged(
            [input[0], input[1], output[2], blockSize, output[3], blockSize], [0, 3, 5, 1, 2, 4])
    }

    func channelShuffle(groups: Int) -> Tensor {
        let shape = operand(0).shape
        let pixels = shape.elementCount(in: 2..<shape.rank)
        return rearranged([shape[0], groups, shape[1] / groups, pixels], [0, 2, 1, 3])
    }

    /// The operand's axes split as `shape` says, permuted and joined again to the result's.
    private func rearranged(_ shape: Shape, _ permutation: [Int]) -> Tensor {
        let strides = shape.strides
        let permuted = Shape(permutation.map { shape[$0] })
        return operand(0).selecting(StridedOffsets(permuted, strides: permutation.map { strides[$0] }), shape: permuted)
            .reshaped(to: outputTypes[0].shape)
    }

    /// The elements of both branches in one row, and picked from there.
    func select() -> Tensor {
        let shape = outputTypes[0].shape
        let condition = operand(0).array(of: Bool.self)
        let (left, right) = (operand(1), operand(2))
        let both = left.joined(right)
        let offsets = zip(
            StridedOffsets(shape, strides: operand(0).shape.strides(broadcastTo: shape)),
            zip(
                StridedOffsets(shape, strides: left.shape.strides(broadcastTo: shape)),
                StridedOffsets(shape, strides: right.shape.strides(broadcastTo: shape)))
        ).lazy.map { condition[$0] ? $1.0 : left.shape.elementCount + $1.1 }
        return both.selecting(offsets, shape: shape)
    }

    func shape(start: Int, end: Int?) -> Tensor {
        let shape = operand(0).shape
        return Tensor(shape.axes(from: start, to: end).map { Int64(shape[$0]) }, shape: outputTypes[0].shape)
    }

    /// - Throws: `GraphError.invalidAttribute` for an index beyond the extent.
    func gather(axis: Int) throws(GraphError) -> Tensor {
        let source = operand(0)
        let axis = resolved(axis, in: source.shape)
        let extent = source.shape[axis]
        let indices = operand(1).integers ?? []
        guard indices.count == operand(1).shape.elementCount, indices.allSatisfy({ (-extent..<extent).contains($0) })
        else {
            throw GraphError(
                .invalidAttribute, "\(kind): an index is out of range for axis \(axis) of \(source.type)", at: node)
        }
        var selection = source.shape.map { Array(0..<$0) }
        selection[axis] = indices.map { $0 < 0 ? $0 + extent : $0 }
        return source.selecting(selection).reshaped(to: outputTypes[0].shape)
    }

    func slice(_ slice: Slice) -> Tensor {
        operand(0).selecting(
            slice.indices(in: operand(0).shape).map { axis in (0..<axis.count).map { axis.first + $0 * axis.step } })
    }

    func split(axis: Int, sizes: [Int]) -> [Tensor] {
        let source = operand(0)
        let axis = resolved(axis, in: source.shape)
        var start = 0
        return sizes.map { size in
            var selection = source.shape.map { Array(0..<$0) }
            selection[axis] = Array(start..<start + size)
            start += size
            return source.selecting(selection)
        }
    }

    func pad(_ pad: Pad) -> Tensor {
        let source = operand(0)
        let fill = Tensor([pad.value], type: TensorType(source.elementType, []))
        let selection = source.shape.indices.map { axis in
            pad.sources(axis, of: source.shape[axis])
        }
        return source.selecting(selection, fill: fill)
    }

    private func resolved(_ axis: Int, in shape: Shape) -> Int {
        guard let resolved = shape.normalizedAxis(axis) else {
            preconditionFailure("inference accepted axis \(axis) of \(shape)")
        }
        return resolved
    }
}

extension Pad {
    /// For each index along an axis of the result, the operand's, whose extent is `extent`; `nil` for the fill.
    ///
    /// Negative pads crop first; then the other pads extend what is left.
    package func sources(_ axis: Int, of extent: Int) -> [Int?] {
        let first = max(0, -begins[axis])
        let kept = extent - first + min(ends[axis], 0)
        return (0..<kept + max(begins[axis], 0) + max(ends[axis], 0)).map { index in
            mode.source(of: index - max(begins[axis], 0), extent: kept).map { $0 + first }
        }
    }
}

extension Pad.Mode {
    /// Where the element at `index` comes from; `nil` for the fill.
    fileprivate func source(of index: Int, extent: Int) -> Int? {
        if (0..<extent).contains(index) { return index }
        switch self {
        case .constant: return nil
        case .edge: return min(max(index, 0), extent - 1)
        case .wrap: return index.positiveRemainder(by: extent)
        case .reflect:
            let period = max(2 * (extent - 1), 1)
            let phase = index.positiveRemainder(by: period)
            return min(phase, period - phase)
        }
    }
}

extension Int {
    fileprivate func positiveRemainder(by divisor: Int) -> Int {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}

extension Tensor {
    /// The elements at `offsets`, row-major under `shape`.
    fileprivate func selecting(_ offsets: some Sequence<Int>, shape: Shape) -> Tensor {
        func select<Element: TensorElement>(_: Element.Type) -> TensorStorage {
            withUnsafeBytes { source in
                TensorStorage(byteCount: shape.elementCount * MemoryLayout<Element>.size) { target in
                    for (index, offset) in offsets.enumerated() {
                        target.storeBytes(
                            of: source.loadUnaligned(
                                fromByteOffset: offset * MemoryLayout<Element>.size, as: Element.self),
                            toByteOffset: index * MemoryLayout<Element>.size, as: Element.self)
                    }
                }
            }
        }
        let storage =
            switch elementType.byteCount {
            case 1: select(UInt8.self)
            case 2: select(UInt16.self)
            case 4: select(UInt32.self)
            default: select(UInt64.self)
            }
        return Tensor(TensorType(elementType, shape), storage: storage)
    }

    /// The sub-tensor whose index along each axis runs through that axis's selection.
    fileprivate func selecting(_ selection: [[Int]]) -> Tensor {
        let strides = shape.strides
        let offsets = selection.indices.map { axis in selection[axis].map { $0 * strides[axis] } }
        let result = Shape(selection.map(\.count))
        var all = [0]
        all.reserveCapacity(result.elementCount)
        for axisOffsets in offsets { all = all.flatMap { base in axisOffsets.map { base + $0 } } }
        return selecting(all, shape: result)
    }

    /// The elements of this tensor, then those of `other`, which is of the same type, in one row.
    fileprivate func joined(_ other: Tensor) -> Tensor {
        let storage = TensorStorage(byteCount: byteCount + other.byteCount) { target in
            withUnsafeBytes { target.copyMemory(from: $0) }
            other.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: target[byteCount...]).copyMemory(from: $0) }
        }
        return Tensor(
            TensorType(elementType, [shape.elementCount + other.shape.elementCount]), storage: storage)
    }

    /// As without `fill`, which stands wherever a selection is `nil`.
    fileprivate func selecting(_ selection: [[Int?]], fill: Tensor) -> Tensor {
        // The fill is appended to the elements and every hole refers to it.
        let hole = shape.elementCount
        let extended = joined(fill)
        let strides = shape.strides
        var all = [0]
        for (axis, indices) in selection.enumerated() {
            all = all.flatMap { base in
                indices.map { index in index.map { base == hole ? hole : base + $0 * strides[axis] } ?? hole }
            }
        }
        return extended.selecting(all, shape: Shape(selection.map(\.count)))
    }
}
