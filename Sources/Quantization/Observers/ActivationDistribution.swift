internal import Glibc
internal import ModelGraph

/// The bins of a histogram in order of value, as far as they hold anything, and the ranges that lose least of them.
struct ActivationDistribution {
    /// Middles of the bins, ascending.
    private let centers: [Double]
    /// Without exact zeros, which no range costs anything.
    private let weights: [Double]
    private let zeroCount: Double
    private let binWidth: Double
    private let range: ActivationRange

    init(_ histogram: ActivationHistogram, over range: ActivationRange, zeroCount: UInt64) {
        let bins = histogram.counts.indices.filter { histogram.counts[$0] > 0 }
            .map { (center: histogram.center(of: $0), count: histogram.counts[$0], bin: $0) }
            .sorted { $0.center < $1.center }
        centers = bins.map(\.center)
        // Exact zeros all lie in bin 0.
        weights = bins.map { Double($0.bin == 0 ? $0.count - min(zeroCount, $0.count) : $0.count) }
        self.zeroCount = Double(zeroCount)
        binWidth = histogram.binWidth
        self.range = range
    }

    // MARK: Percentile

    /// Sets aside values of a share of 1 − `share`, half of them at each end.
    func percentileRange(_ share: Double) -> ActivationRange {
        let counts = zip(centers, weights).map { $0 > 0 && $0 < binWidth ? $1 + zeroCount : $1 }
        let clipped = counts.reduce(0, +) * (1 - share) / 2
        func end(_ positions: some Sequence<Int>) -> Int? {
            var outside = 0.0
            for position in positions {
                outside += counts[position]
                if outside > clipped { return position }
            }
            return nil
        }
        guard let lowest = end(centers.indices), let highest = end(centers.indices.reversed()), lowest <= highest else {
            return range
        }
        return ActivationRange(
            lower: max(range.lower, Float(centers[lowest] - binWidth / 2)),
            upper: min(range.upper, Float(centers[highest] + binWidth / 2)))
    }

    // MARK: Least squared error

    private static let candidates = 64
    /// The smallest share of an end that is tried.
    private static let leastShare = 0.05

    private static func shares(_ end: Double) -> [Double] {
        guard end != 0 else { return [0] }
        return (0..<candidates).map { end * (1 - (1 - leastShare) * Double($0) / Double(candidates)) }
    }

    /// Tries to draw in each end and keeps what has the least expected squared error.
    func leastErrorRange(through function: UnaryFunction?) -> ActivationRange {
        let lowers = Self.shares(Double(min(range.lower, 0)))
        let uppers = Self.shares(Double(max(range.upper, 0)))
        if let function { return leastErrorRange(lowers, uppers, through: function) }
        let below = lowers.map { end in clippingError(beyond: end) { $0 < end } }
        let above = uppers.map { end in clippingError(beyond: end) { $0 > end } }
        let total = weights.reduce(0, +)
        var best = range
        var leastError = Double.infinity
        for (low, lower) in lowers.enumerated() {
            for (high, upper) in uppers.enumerated() {
                let step = (upper - lower) / 255
                let kept = total - below[low].weight - above[high].weight
                let error = below[low].error + above[high].error + kept * step * step / 12
                if error < leastError {
                    leastError = error
                    best = ActivationRange(lower: Float(lower), upper: Float(upper))
                }
            }
        }
        return best
    }

    private func clippingError(beyond end: Double, where isBeyond: (Double) -> Bool) -> (weight: Double, error: Double)
    {
        var (weight, error) = (0.0, 0.0)
        for (center, count) in zip(centers, weights) where isBeyond(center) {
            weight += count
            error += count * (center - end) * (center - end)
        }
        return (weight, error)
    }

    /// One end after the other, for each pair of ends takes a look at every bin.
    private func leastErrorRange(
        _ lowers: [Double], _ uppers: [Double], through function: UnaryFunction
    ) -> ActivationRange {
        let exact = centers.map { Double(function(Float($0))) }
        func error(_ range: ActivationRange) -> Double {
            let quantization = Quantizer.quantization(of: range)
            let results = (0...255).map { Double(function(quantization.dequantize(UInt8($0)))) }
            var sum = 0.0
            for (position, center) in centers.enumerated() where weights[position] > 0 {
                let difference = exact[position] - results[Int(quantization.quantize(Float(center)))]
                sum += weights[position] * difference * difference
            }
            return sum
        }
        var best = range.withZero
        for _ in 0..<2 {
            let ranges = lowers.map { ActivationRange(lower: Float($0), upper: best.upper) }
            best = ranges.min(by: error) ?? best
            let others = uppers.map { ActivationRange(lower: best.lower, upper: Float($0)) }
            best = others.min(by: error) ?? best
        }
        return best
    }

    // MARK: Least divergence

    /// Clips both ends at a common magnitude such that 256 levels keep most of the distribution.
    func leastDivergenceRange() -> ActivationRange {
        let bins = bins()
        guard let bins, bins.counts.count > 256 else { return range }
        let longest = max(bins.zero, bins.counts.count - bins.zero)
        var best = range
        var leastDivergence = Double.infinity
        let step = max(1, longest / Self.candidates / 2)
        for length in stride(from: longest, through: 128, by: -step) {
            let first = max(0, bins.zero - length)
            let last = min(bins.counts.count, bins.zero + length)
            guard last - first >= 256 else { break }
            let divergence = Self.divergence(bins.counts, first..<last)
            if divergence < leastDivergence {
                leastDivergence = divergence
                best = ActivationRange(
                    lower: max(range.lower, Float(Double(first - bins.zero) * binWidth)),
                    upper: min(range.upper, Float(Double(last - bins.zero) * binWidth)))
            }
        }
        return best
    }

    /// All bins from the lowest to the highest value, empty ones too, and how many lie below zero.
    private func bins() -> (counts: [Double], zero: Int)? {
        guard let lowest = centers.first, let highest = centers.last else { return nil }
        let first = min(Int((lowest / binWidth).rounded(.down)), 0)
        let last = max(Int((highest / binWidth).rounded(.down)), -1)
        var counts = [Double](repeating: 0, count: last - first + 1)
        for (center, weight) in zip(centers, weights) {
            counts[Int((center / binWidth).rounded(.down)) - first] += weight
        }
        return (counts, -first)
    }

    /// From the distribution clipped to `kept` to the same in 256 levels.
    private static func divergence(_ counts: [Double], _ kept: Range<Int>) -> Double {
        var clipped = Array(counts[kept])
        clipped[0] += counts[..<kept.lowerBound].reduce(0, +)
        clipped[clipped.count - 1] += counts[kept.upperBound...].reduce(0, +)
        let total = clipped.reduce(0, +)
        guard total > 0 else { return .infinity }
        // What the levels say is that each of their bins that holds anything holds the same.
        var divergence = 0.0
        var keptTotal = 0.0
        for bin in kept { keptTotal += counts[bin] }
        guard keptTotal > 0 else { return .infinity }
        for level in 0..<256 {
            let bins = level * clipped.count / 256..<(level + 1) * clipped.count / 256
            var (mass, occupied) = (0.0, 0)
            for bin in bins {
                mass += counts[kept.lowerBound + bin]
                occupied += clipped[bin] > 0 ? 1 : 0
            }
            guard occupied > 0 else { continue }
            // An end that only clipped values have reached still needs some probability.
            let share = max(mass / Double(occupied) / keptTotal, 1e-9)
            for bin in bins where clipped[bin] > 0 {
                let probability = clipped[bin] / total
                divergence += probability * log(probability / share)
            }
        }
        return divergence
    }
}

extension Array<ActivationRange> {
    /// The first of those with the least cost, each computed once.
    fileprivate func min(by cost: (ActivationRange) -> Double) -> ActivationRange? {
        var best: (range: ActivationRange, cost: Double)?
        for range in self {
            let cost = cost(range)
            if best.map({ cost < $0.cost }) ?? true { best = (range, cost) }
        }
        return best?.range
    }
}

extension UnaryFunction {
    /// The function of one value, as the engine's tables hold it.
    fileprivate func callAsFunction(_ x: Float) -> Float {
        let results = try? Operator.unary(self).evaluate([Tensor([x], shape: [1])], outputCount: 1, node: "")
        return results?[0].array(of: Float.self)[0] ?? x
    }
}
