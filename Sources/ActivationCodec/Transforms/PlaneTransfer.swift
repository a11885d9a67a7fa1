internal import CKernels

// Planes between channels-last memory and planar memory.

extension PlaneGeometry {
    /// Bytes of planar scratch that ``planesPerStep`` aims at: a part of a second-level cache.
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
        forEachBatch(of: planes) { first, count in
            ck_transpose_u8(tensor + first, channelCount, output, planeSize, planeSize, count)
            output += count * planeSize
        }
    }

    /// Copies planes that lie one after another into a channels-last tensor.
    func scatter(
        _ planes: Range<Int>, from planar: UnsafePointer<UInt8>, toChannelsLast tensor: UnsafeMutablePointer<UInt8>
    ) {
        var input = planar
        forEachBatch(of: planes) { first, count in
            ck_transpose_u8(input, planeSize, tensor + first, channelCount, count, planeSize)
            input += count * planeSize
        }
    }

    /// Cuts a range of planes where the batch index changes, because planes interleave within a batch only.
    ///
    /// - Parameter body: gets the channels-last position of the first element of the first plane, and the number of planes.
    private func forEachBatch(of planes: Range<Int>, _ body: (_ first: Int, _ count: Int) -> Void) {
        var plane = planes.lowerBound
        while plane < planes.upperBound {
            let (batch, channel) = plane.quotientAndRemainder(dividingBy: channelCount)
            let count = min(channelCount - channel, planes.upperBound - plane)
            body(batch * channelCount * planeSize + channel, count)
            plane += count
        }
    }
}

/// Memory that grows on demand and is otherwise reused; its contents do not survive growth.
struct ScratchBuffer<Element: BitwiseCopyable>: ~Copyable {
    private var memory = UnsafeMutableBufferPointer<Element>(start: nil, count: 0)

    deinit { memory.deallocate() }

    /// The first `count` elements, at least 1 so that the address exists.
    mutating func reserve(_ count: Int) -> UnsafeMutableBufferPointer<Element> {
        let needed = max(count, 1)
        if memory.count < needed {
            memory.deallocate()
            memory = .allocate(capacity: needed)
        }
        return UnsafeMutableBufferPointer(rebasing: memory[..<count])
    }
}
