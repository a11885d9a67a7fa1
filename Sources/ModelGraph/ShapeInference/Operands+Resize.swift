extension Operands {
    func resize(_ resize: Resize) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let operand = try required(0, "data")
        try expectNumeric(operand, "data")
        let rank = operand.shape.rank
        guard resize.extents.count == rank, resize.scales.count == rank else {
            throw failure(
                .invalidAttribute, "extents \(resize.extents) and scales \(resize.scales) must have \(rank) entries")
        }
        guard resize.scales.allSatisfy({ $0.isFinite && $0 >= .leastNormalMagnitude }) else {
            throw failure(.invalidAttribute, "scales \(resize.scales) must be > 0")
        }
        if resize.coordinates == .cropAndResize {
            guard resize.region.count == 2 * rank, resize.region.allSatisfy(\.isFinite) else {
                throw failure(.invalidAttribute, "region \(resize.region) must have \(2 * rank) entries")
            }
        }
        if case .cubic(let coefficient) = resize.interpolation, !coefficient.isFinite {
            throw failure(.invalidAttribute, "the cubic coefficient is \(coefficient)")
        }
        for axis in 0..<rank {
            guard resize.reach(axis) * 2 <= Resize.maximumTaps else {
                throw failure(.unsupported, "scale \(resize.scales[axis]) averages over too many elements")
            }
            guard operand.shape[axis] > 0 || resize.extents[axis] == 0 else {
                throw failure(.shapeMismatch, "nothing to enlarge on axis \(axis) of \(operand)")
            }
        }
        return [TensorType(operand.elementType, try shape(resize.extents))]
    }
}
