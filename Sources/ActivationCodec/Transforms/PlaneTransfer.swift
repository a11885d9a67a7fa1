/// Planes between channels-last memory and planar memory.
extension PlaneGeometry {
    /// Bytes of planar scratch that ``planesPerStep`` aims at: half of a small first-level cache's successor.
    private static var stepBytes: Int { 128 << 10 }

    /// How many planes to move at a time so that scratch memory stays in cache: a multiple of 8 where there are as many.
    var planesPerStep: Int {
        max(8, Self.stepBytes / planeSize & ~7)
    }

    /// Copies planes out of a channels-last tensor: `planar` receives them one after another.
    func gather(
        _ planes: Range<Int>, fromChannelsLast tensor: UnsafePointer<UInt8>, to planar: UnsafeMutablePointer<UInt8>
    ) {
        var output = planar
        for (batch, channels) in batches(of: planes) {
            transposeBytes(
                tensor + batch * channelCount * planeSize + channels.lowerBound, stride: channelCount,
                rows: planeSize, columns: channels.count, to: output, stride: planeSize)
            output += channels.count * planeSize
        }
    }

    /// Copies planes that lie one after another into a channels-last tensor.
    func scatter(
        _ planes: Range<Int>, from planar: UnsafePointer<UInt8>, toChannelsLast tensor: UnsafeMutablePointer<UInt8>
    ) {
        var input = planar
        for (batch, channels) in batches(of: planes) {
            transposeBytes(
                input, stride: planeSize, rows: channels.count, columns: planeSize,
                to: tensor + batch * channelCount * planeSize + channels.lowerBound, stride: channelCount)
            input += channels.count * planeSize
        }
    }
}

/// Memory that grows on demand and is otherwise reused; its contents do not survive growth.
struct ScratchBuffer: ~Copyable {
    private var memory = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)

    deinit { memory.deallocate() }

    /// The first `count` bytes, at least 1 so that the address exists.
    mutating func reserve(_ count: Int) -> UnsafeMutableBufferPointer<UInt8> {
        let needed = max(count, 1)
        if memory.count < needed {
            memory.deallocate()
            memory = .allocate(capacity: needed)
        }
        return UnsafeMutableBufferPointer(rebasing: memory[..<count])
    }
}
