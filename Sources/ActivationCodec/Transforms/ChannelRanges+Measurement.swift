extension ChannelRanges {
    /// Below this many elements a channel, a pair of bounds per channel costs more than it saves: one pair serves all.
    static let smallestMeasuredChannel = 16

    /// Measures the bounds of a tensor.
    ///
    /// - Parameters:
    ///   - codes: the tensor, `geometry.elementCount` bytes.
    ///   - clipped: fraction of a channel's elements that may lie outside its bounds, at either end; 0 ..< 0.5.
    /// - Complexity: O(elements), plus O(256 · channels) when `clipped` is positive.
    package static func measuring(
        _ codes: UnsafeBufferPointer<UInt8>, geometry: PlaneGeometry, layout: TensorLayout, clipped: Double = 0
    ) throws(CodecError) -> ChannelRanges {
        guard clipped >= 0, clipped < 0.5 else {
            throw CodecError(.invalidArgument, "clipped fraction", expected: "0 ..< 0.5", got: "\(clipped)")
        }
        precondition(codes.count == geometry.elementCount, "the tensor does not match its shape")
        let channels = geometry.channelCount
        let elementsPerChannel = geometry.elementCount / channels
        let isShared = channels == 1 || elementsPerChannel < smallestMeasuredChannel
        // As a matrix: rows of `columns` interleaved channels, or one run of codes per plane.
        let interleaved = layout == .channelsLast && channels > 1
        if clipped == 0 {
            var lower = [UInt8](repeating: .max, count: channels)
            var upper = [UInt8](repeating: .min, count: channels)
            if interleaved {
                widen(&lower, &upper, overRowsOf: codes)
            } else {
                widen(&lower, &upper, overPlanesOf: codes, planeSize: geometry.planeSize)
            }
            if isShared {
                return try ChannelRanges(lower: [lower.min()!], upper: [upper.max()!])
            }
            return try ChannelRanges(lower: lower, upper: upper)
        }
        var histogram = [UInt32](repeating: 0, count: 256 * (isShared ? 1 : channels))
        for (index, code) in codes.enumerated() {
            let channel =
                isShared ? 0 : interleaved ? index % channels : index / geometry.planeSize % channels
            histogram[channel &* 256 &+ Int(code)] &+= 1
        }
        let population = isShared ? geometry.elementCount : elementsPerChannel
        let allowance = Int(clipped * Double(population))
        var lower: [UInt8] = []
        var upper: [UInt8] = []
        for channel in 0..<(isShared ? 1 : channels) {
            let bins = histogram[channel * 256..<channel * 256 + 256]
            lower.append(UInt8(firstBin(of: bins, beyond: allowance)))
            upper.append(UInt8(255 - firstBin(of: bins.reversed(), beyond: allowance)))
        }
        return try ChannelRanges(lower: lower, upper: upper)
    }

    private static func firstBin(of bins: some Sequence<UInt32>, beyond allowance: Int) -> Int {
        var sum = 0
        for (index, count) in bins.enumerated() {
            sum += Int(count)
            if sum > allowance { return index }
        }
        return 255
    }

    private static func widen(
        _ lower: inout [UInt8], _ upper: inout [UInt8], overRowsOf codes: UnsafeBufferPointer<UInt8>
    ) {
        let channels = lower.count
        lower.withUnsafeMutableBufferPointer { lower in
            upper.withUnsafeMutableBufferPointer { upper in
                var start = 0
                while start < codes.count {
                    for channel in 0..<channels {
                        let code = codes[start &+ channel]
                        lower[channel] = min(lower[channel], code)
                        upper[channel] = max(upper[channel], code)
                    }
                    start &+= channels
                }
            }
        }
    }

    private static func widen(
        _ lower: inout [UInt8], _ upper: inout [UInt8], overPlanesOf codes: UnsafeBufferPointer<UInt8>, planeSize: Int
    ) {
        for plane in 0..<codes.count / planeSize {
            let channel = plane % lower.count
            var least = lower[channel]
            var greatest = upper[channel]
            for index in plane &* planeSize..<(plane &+ 1) &* planeSize {
                least = min(least, codes[index])
                greatest = max(greatest, codes[index])
            }
            lower[channel] = least
            upper[channel] = greatest
        }
    }
}
