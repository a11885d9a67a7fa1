extension Graph {
    /// The extent of the inputs' outermost axis; `nil` when they disagree or have none.
    package var batchSize: Int? {
        let extents = Set(inputs.map { self[$0].type.shape.first })
        return extents.count == 1 ? extents.first.flatMap(\.self) : nil
    }

    /// The same network for another number of images at once: all inputs' outermost extents become `batchSize`.
    ///
    /// Every activation must keep the images apart along its outermost axis; a reshape that writes out the present batch
    /// size, as exporters do, is mended.
    /// - Precondition: `batchSize` ≥ 1.
    /// - Throws: `GraphError.fixedBatchSize` naming the first node that mixes images or only takes as many as now.
    package func withBatchSize(_ batchSize: Int) throws(GraphError) -> Graph {
        precondition(batchSize >= 1, "a batch of \(batchSize) images")
        guard let present = self.batchSize else {
            throw GraphError(.fixedBatchSize, "the inputs have no outermost extent in common", at: name)
        }
        guard batchSize != present else { return self }
        var resized = self
        /// By value index: whether it depends on an input, and so holds a batch.
        var isBatch = [Bool](repeating: false, count: values.count)
        for input in inputs {
            isBatch[input.index] = true
            resized[input].type.shape = try self[input].type.shape.replacingFirst(by: batchSize, at: self[input].name)
        }
        for id in nodeIDs where self[id].inputs.contains(where: { $0.map { isBatch[$0.index] } ?? false }) {
            let node = self[id]
            guard !mixesImages(node, isBatch) else {
                throw GraphError(.fixedBatchSize, "\(node.operation.kind) mixes images of a batch", at: node.name)
            }
            resized[id].operation = node.operation.replacing(batchSize: present, by: batchSize)
            let types: [TensorType]
            do {
                types = try resized[id].operation.inferOutputTypes(
                    inputs: node.inputs.map { id in id.map { resized[$0].type } }, outputCount: node.outputs.count,
                    node: node.name)
            } catch {
                throw GraphError(
                    .fixedBatchSize, "only takes \(present) at once, not \(batchSize): \(error.message)", at: node.name)
            }
            for (output, type) in zip(node.outputs, types) {
                let old = self[output].type.shape
                guard old.first == present, type.shape.first == batchSize,
                    type.shape.dimensions.dropFirst() == old.dimensions.dropFirst()
                else {
                    throw GraphError(
                        .fixedBatchSize,
                        "\(self[output].name) is \(old) for \(present) at once and \(type.shape) for \(batchSize), "
                            + "which is not one part for each image",
                        at: node.name)
                }
                isBatch[output.index] = true
                resized[output].type = type
            }
        }
        for output in outputs where !isBatch[output.index] {
            throw GraphError(.fixedBatchSize, "does not depend on the images", at: self[output].name)
        }
        return resized
    }

    /// Whether an operator's result for one image depends on others although its shape does not tell.
    private func mixesImages(_ node: Node, _ isBatch: [Bool]) -> Bool {
        let operands = node.inputs.compactMap(\.self)
        guard let first = operands.first else { return false }
        let shape = self[first].type.shape
        let isOutermost = { (axis: Int) in isBatch[first.index] && shape.normalizedAxis(axis) == 0 }
        switch node.operation {
        case .softmax(let softmax): return isOutermost(softmax.axis)
        case .layerNormalization(let normalization): return isOutermost(normalization.axis)
        case .concat(let axis), .gather(let axis), .split(let axis, _): return isOutermost(axis)
        case .slice(let slice): return slice.axes.contains { isOutermost($0) }
        case .transpose(let permutation): return permutation.first != 0
        case .gemm(let gemm): return gemm.transposesA
        case .binary, .comparison, .select:
            // Broadcasting aligns innermost axes: the outermost of two ranks are different axes.
            return Set(operands.filter { isBatch[$0.index] }.map { self[$0].type.shape.rank }).count > 1
        case .batchNormalization(let normalization): return normalization.isTraining
        default: return false
        }
    }
}

extension Operator {
    /// This operator for another number of images where it has the present one written out.
    fileprivate func replacing(batchSize present: Int, by batchSize: Int) -> Operator {
        switch self {
        case .reshape(var extents, allowZero: false) where extents.first == present:
            extents[0] = 0
            return .reshape(extents: extents, allowZero: false)
        case .reshape(var extents, allowZero: true) where extents.first == present:
            extents[0] = batchSize
            return .reshape(extents: extents, allowZero: true)
        case .resize(var resize) where resize.extents.first == present && resize.scales.first == 1:
            resize.extents[0] = batchSize
            return .resize(resize)
        default: return self
        }
    }
}

extension Shape {
    fileprivate func replacingFirst(by extent: Int, at location: String) throws(GraphError) -> Shape {
        try Shape(validating: [extent] + dimensions.dropFirst(), context: location)
    }
}

extension QuantizedGraph {
    /// The same quantised network for another number of images at once.
    /// - Throws: as `Graph.withBatchSize(_:)`.
    /// - SeeAlso: ``Graph/withBatchSize(_:)``
    package func withBatchSize(_ batchSize: Int) throws(GraphError) -> QuantizedGraph {
        QuantizedGraph(graph: try graph.withBatchSize(batchSize), activations: activations, weights: weights)
    }
}
