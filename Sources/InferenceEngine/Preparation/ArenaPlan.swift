package import ModelGraph

/// A run of memory that steps read and write.
package struct BufferPlan: Sendable {
    package var byteCount: Int
    /// Set for memory that exists before execution: it takes no room in the arena.
    let constant: TensorStorage?
    /// The steps, inclusive, between which the contents must survive.
    package var firstStep: Int
    package var lastStep: Int
    /// An earlier buffer of the same size whose place this one takes in the step that reads it last.
    var predecessor: BufferID?

    package init(
        byteCount: Int, constant: TensorStorage?, firstStep: Int, lastStep: Int, predecessor: Int? = nil
    ) {
        self.byteCount = byteCount
        self.constant = constant
        self.firstStep = firstStep
        self.lastStep = lastStep
        self.predecessor = predecessor.map(BufferID.init)
    }
}

/// Offsets of all buffers in one arena, such that buffers alive at the same step never overlap.
///
/// Greedy by size: the largest buffer first, each at the lowest offset free during its life. A buffer and those that take
/// its place, one after the other, count as one.
/// - SeeAlso: Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, §4.2
/// - Complexity: O(n²) in the number of buffers.
package struct ArenaPlan: Sendable {
    /// By buffer index; meaningless for constants.
    package let offsets: [Int]
    package let byteCount: Int

    package init(_ buffers: [BufferPlan]) {
        let alignment = TensorStorage.alignment
        var offsets = [Int](repeating: 0, count: buffers.count)
        var buffers = buffers
        /// By buffer index: the first of those that share a place.
        var owners = Array(buffers.indices)
        for index in buffers.indices.sorted(by: { buffers[$0].firstStep < buffers[$1].firstStep }) {
            guard let predecessor = buffers[index].predecessor?.index else { continue }
            owners[index] = owners[predecessor]
            buffers[owners[index]].lastStep = buffers[index].lastStep
        }
        var placed: [(first: Int, last: Int, offset: Int, end: Int)] = []
        var total = 0
        let bySize = buffers.indices.filter { buffers[$0].constant == nil && owners[$0] == $0 }.sorted {
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
        for index in buffers.indices { offsets[index] = offsets[owners[index]] }
        self.offsets = offsets
        byteCount = total
    }
}
