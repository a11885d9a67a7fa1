internal import Quantization
internal import TestSupport
internal import Testing

@Suite struct ChannelMomentsTests {
    private func moments(_ values: [Float], channels: Int, batch: Int = 1) -> ChannelMoments {
        var moments = ChannelMoments(channels: channels)
        values.withUnsafeBufferPointer { moments.observe($0, batch: batch) }
        return moments
    }

    @Test(arguments: [1, 7, 8, 9, 600, 1031])
    func momentsAreThoseOfEachChannel(plane: Int) {
        var generator = SplitMix64(seed: UInt64(plane))
        let (channels, batch) = (3, 2)
        let values = (0..<channels * batch * plane).map { index -> Float in
            Bool.random(using: &generator) ? 0 : Float.random(in: -1...2, using: &generator) * Float(index % 5)
        }
        let moments = moments(values, channels: channels, batch: batch)
        for channel in 0..<channels {
            let own = values.indices.filter { $0 / plane % channels == channel }.map { Double(values[$0]) }
            #expect(Double(moments.ranges[channel].lower) == own.min())
            #expect(Double(moments.ranges[channel].upper) == own.max())
            #expect(abs(moments.means[channel] - own.reduce(0, +) / Double(own.count)) < 1e-5)
            #expect(abs(moments.powers[channel] - own.reduce(0) { $0 + $1 * $1 } / Double(own.count)) < 1e-4)
        }
        #expect(moments.zeroCount == values.count { $0 == 0 })
        #expect(moments.range.lower == values.min() && moments.range.upper == values.max())
    }

    /// Wherever it stands among vectors and what is left, and whatever comes later.
    @Test(arguments: [Float.nan, .infinity, -.infinity], [0, 3, 8, 17])
    func oneOddValueMakesTheRangeOdd(odd: Float, position: Int) {
        var values = (0..<18).map { Float($0 % 5) - 2 }
        values[position] = odd
        var moments = moments(values, channels: 1)
        #expect(!moments.range.isFinite)
        [Float](repeating: 1, count: 20).withUnsafeBufferPointer { moments.observe($0, batch: 1) }
        #expect(!moments.range.isFinite)
    }

    @Test func nothingSeenIsEmpty() {
        let moments = ChannelMoments(channels: 2)
        #expect(moments.range.isEmpty && moments.means == [0, 0] && moments.powers == [0, 0])
    }
}
