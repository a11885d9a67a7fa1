/// Extremes and power sums of an activation, by channel.
package struct ChannelMoments: Hashable, Sendable {
    package private(set) var ranges: [ActivationRange]
    private var sums: [Double]
    private var squareSums: [Double]
    /// Elements of one channel seen so far.
    private var elementCount = 0
    /// Elements of all channels that are exactly zero.
    package private(set) var zeroCount = 0

    package init(channels: Int) {
        ranges = Array(repeating: ActivationRange(), count: channels)
        sums = Array(repeating: 0, count: channels)
        squareSums = sums
    }

    package var channelCount: Int { ranges.count }

    /// By channel; 0 while nothing was seen.
    package var means: [Double] { sums.map { elementCount == 0 ? 0 : $0 / Double(elementCount) } }

    /// Means of the squares, by channel.
    package var powers: [Double] { squareSums.map { elementCount == 0 ? 0 : $0 / Double(elementCount) } }

    /// Of all channels together.
    package var range: ActivationRange { ranges.reduce(ActivationRange()) { $0.union($1) } }

    /// Adds the elements of one input, row-major `[batch, channels, …]`.
    package mutating func observe(_ values: UnsafeBufferPointer<Float>, batch: Int) {
        let channels = channelCount
        guard channels > 0, batch > 0, let base = values.baseAddress else { return }
        let plane = values.count / (channels * batch)
        for index in 0..<channels * batch {
            let channel = index % channels
            let sum = PlaneSums(UnsafeBufferPointer(start: base + index * plane, count: plane))
            ranges[channel] = ranges[channel].union(sum.range)
            sums[channel] += sum.sum
            squareSums[channel] += sum.squareSum
            zeroCount += sum.zeroCount
        }
        elementCount += plane * batch
    }

    /// Adds what another saw of the same activation.
    package mutating func merge(_ other: ChannelMoments) {
        for channel in ranges.indices {
            ranges[channel] = ranges[channel].union(other.ranges[channel])
            sums[channel] += other.sums[channel]
            squareSums[channel] += other.squareSums[channel]
        }
        elementCount += other.elementCount
        zeroCount += other.zeroCount
    }
}

/// One channel of one image: eight lanes that are added up in a fixed order, so that every machine finds the same.
private struct PlaneSums {
    var range = ActivationRange()
    var sum = 0.0
    var squareSum = 0.0
    var zeroCount = 0

    /// Float sums of so many vectors go into a double before they lose digits.
    private static let stretch = 64

    init(_ values: UnsafeBufferPointer<Float>) {
        typealias Lanes = SIMD8<Float>
        let bytes = UnsafeRawPointer(values.baseAddress)
        let vectors = values.count / Lanes.scalarCount
        var lower = Lanes(repeating: .infinity)
        var upper = -lower
        var zeros = SIMD8<Int32>.zero
        // A NaN makes a sum of zero times each value NaN; comparisons would pass over it.
        var poison = Lanes.zero
        var vector = 0
        while vector < vectors {
            var (part, squares) = (Lanes.zero, Lanes.zero)
            let end = min(vector + Self.stretch, vectors)
            while vector < end, let bytes {
                let lanes = bytes.loadUnaligned(fromByteOffset: vector * MemoryLayout<Lanes>.size, as: Lanes.self)
                lower.replace(with: lanes, where: lanes .< lower)
                upper.replace(with: lanes, where: lanes .> upper)
                zeros.replace(with: zeros &+ 1, where: lanes .== 0)
                part += lanes
                squares += lanes * lanes
                poison += lanes * 0
                vector += 1
            }
            sum += Double(part.sum())
            squareSum += Double(squares.sum())
        }
        range = ActivationRange(lower: lower.min(), upper: upper.max())
        zeroCount = Int(zeros.wrappedSum())
        var hasNaN = poison.sum().isNaN
        for value in values[(vectors * Lanes.scalarCount)...] {
            range = ActivationRange(
                lower: value < range.lower ? value : range.lower, upper: value > range.upper ? value : range.upper)
            sum += Double(value)
            squareSum += Double(value) * Double(value)
            zeroCount += value == 0 ? 1 : 0
            hasNaN = hasNaN || !value.isFinite
        }
        // An infinity has made the poison NaN, too: either is refused alike.
        if hasNaN { range = ActivationRange(lower: .nan, upper: .nan) }
    }
}
