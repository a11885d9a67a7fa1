package import ModelGraph

/// What calibration saw of one activation.
package struct ActivationStatistics: Sendable {
    package private(set) var channels: ChannelMoments
    package private(set) var histogram = ActivationHistogram()
    /// The extremes of each input, in order.
    private var inputRanges: [ActivationRange] = []

    package init(channels: Int) {
        self.channels = ChannelMoments(channels: channels)
    }

    /// Of an activation of which only the extremes are known.
    package init(_ range: ActivationRange) {
        self.init(channels: 1)
        [range.lower, range.upper].withUnsafeBufferPointer { values in
            var moments = ChannelMoments(channels: 1)
            moments.observe(values, batch: 1)
            add(moments)
            if range.isFinite { histogram.observe(values, within: range) }
        }
    }

    /// Everything seen; empty when nothing was.
    package var range: ActivationRange { channels.range }

    /// Adds what one input showed; the order of inputs counts.
    mutating func add(_ input: ChannelMoments) {
        channels.merge(input)
        inputRanges.append(input.range)
    }

    /// Adds the values of any number of inputs, in any order.
    mutating func add(_ values: ActivationHistogram) {
        histogram.merge(values)
    }

    /// The range that `method` chooses; it always contains zero.
    /// - Parameter function: the only thing that is done with the activation, if there is one thing only: the least error
    ///   is then that of its results.
    package func range(by method: CalibrationMethod, through function: UnaryFunction? = nil) -> ActivationRange {
        guard range.isFinite else { return ActivationRange(lower: 0, upper: 0) }
        let distribution = ActivationDistribution(histogram, over: range, zeroCount: UInt64(channels.zeroCount))
        let chosen: ActivationRange
        switch method {
        case .minMax: chosen = range
        case .movingAverage(let decay): chosen = movingAverage(decay)
        case .percentile(let share): chosen = distribution.percentileRange(share)
        case .meanSquaredError: chosen = distribution.leastErrorRange(through: function)
        case .entropy: chosen = distribution.leastDivergenceRange()
        }
        return chosen.withZero
    }

    private func movingAverage(_ decay: Double) -> ActivationRange {
        guard let first = inputRanges.first else { return range }
        var (lower, upper) = (Double(first.lower), Double(first.upper))
        for input in inputRanges.dropFirst() {
            lower = decay * lower + (1 - decay) * Double(input.lower)
            upper = decay * upper + (1 - decay) * Double(input.upper)
        }
        return ActivationRange(lower: Float(lower), upper: Float(upper))
    }
}
