/// The offsets that the elements of a shape have under given strides, in row-major order.
///
/// Stride 0 repeats an element (broadcasting), permuted strides transpose.
struct StridedOffsets: Sequence, IteratorProtocol {
    private let extents: [Int]
    private let strides: [Int]
    private var position: [Int]
    private var offset = 0
    private var remaining: Int

    init(_ shape: Shape, strides: [Int]) {
        precondition(strides.count == shape.rank)
        extents = shape.dimensions
        self.strides = strides
        position = [Int](repeating: 0, count: shape.rank)
        remaining = shape.elementCount
    }

    mutating func next() -> Int? {
        guard remaining > 0 else { return nil }
        remaining -= 1
        let current = offset
        var axis = extents.count - 1
        while axis >= 0 {
            position[axis] += 1
            offset += strides[axis]
            if position[axis] < extents[axis] { break }
            offset -= strides[axis] * extents[axis]
            position[axis] = 0
            axis -= 1
        }
        return current
    }
}

extension Shape {
    /// Strides that repeat this shape's elements over `target`.
    /// - Precondition: this shape broadcasts to `target`.
    func strides(broadcastTo target: Shape) -> [Int] {
        let own = strides
        let missing = target.rank - rank
        return target.indices.map { $0 < missing || self[$0 - missing] == 1 ? 0 : own[$0 - missing] }
    }
}
