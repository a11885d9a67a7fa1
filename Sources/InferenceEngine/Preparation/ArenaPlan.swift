package import ModelGraph

/// A run of memory that steps read and write.
package struct BufferPlan: Sendable {
    package let byteCount: Int
    /// Set for memory that exists before execution: it takes no room in the arena.
    let constant: TensorStorage?
    /// The steps, inclusive, between which the contents must survive.
    package var firstStep: Int
    package var lastStep: Int

    package init(byteCount: Int, constant: TensorStorage?, firstStep: Int, lastStep: Int) {
        self.byteCount = byteCount
        self.constant = constant
        self.firstStep = firstStep
        self.lastStep = lastStep
    }
}

struct BufferID: Hashable, Sendable {
    let index: Int
}

/// Offsets of all buffers in one arena, such that buffers alive at the same step never overlap.
///
/// Greedy by size: the largest buffer first, each at the lowest offset free during its life.
/// - SeeAlso: Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, §4.2
/// - Complexity: O(n²) in the number of buffers.
package struct ArenaPlan: Sendable {
    /// By buffer index; meaningless for constants.
    package let offsets: [Int]
    package let byteCount: Int

    package init(_ buffers: [BufferPlan]) {
        let alignment = TensorStorage.alignment
        var offsets = [Int](repeating: 0, count: buffers.count)
        var placed: [(first: Int, last: Int, offset: Int, end: Int)] = []
        var total = 0
        let bySize = buffers.indices.filter { buffers[$0].constant == nil }.sorted {
            (buffers[$0].byteCount, $1) > (buffers[$1].byteCount, $0)
        }
        for index in bySize {
            let buffer = buffers[index]
            let size = (max(buffer.byteCount, 1) + alignment - 1) / alignment * alignment
            var offset = 0
            // `placed` is kept in order of offset, so the first gap that fits is the lowest.
            for other in placed where other.first <= buffer.lastStep && buffer.firstStep <= other.last {
                if other.offset >= offset + size { break }
                offset = max(offset, other.end)
            }
            offsets[index] = offset
            total = max(total, offset + size)
            let position = placed.firstIndex { $0.offset > offset } ?? placed.endIndex
            placed.insert((buffer.firstStep, buffer.lastStep, offset, offset + size), at: position)
        }
        self.offsets = offsets
        byteCount = total
    }
}
