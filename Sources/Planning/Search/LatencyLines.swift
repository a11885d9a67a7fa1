/// The latencies of all candidates as lines over 1 ÷ uplink, of which only those lowest somewhere are of interest.
///
/// Those that miss the deadline are among them: on another link they may keep it, or be the least late.
struct LatencyLines {
    enum Kind {
        case everything, splits, remote
    }

    /// From slow to fast uplinks.
    struct Range {
        var candidate: Candidates.Candidate
        /// `nil`: however slow the uplink.
        var from: BitRate?
        /// `nil`: however fast the uplink.
        var to: BitRate?
    }

    private let all: [Candidates.Candidate]

    init(_ candidates: Candidates) {
        all = candidates.late.isEmpty ? candidates.all : candidates.all + candidates.late
    }

    /// A + 8·S ÷ B in seconds, where B is in bit/s.
    func line(_ index: Int) -> LowerEnvelope.Line {
        let cost = all[index].cost
        return LowerEnvelope.Line(
            intercept: Double(cost.latency - cost.uplink) / 1e9, slope: 8 * Double(cost.uplinkBytes))
    }

    /// Where each candidate of the kind is the fastest.
    func ranges(of kind: Kind) -> [Range] {
        let chosen = undominated(kind)
        let segments = LowerEnvelope(chosen.map(line)).segments
        return segments.indices.reversed().map { index in
            Range(
                candidate: all[chosen[segments[index].line]],
                from: index + 1 < segments.count ? BitRate(bitsPerSecond: 1 / segments[index + 1].start) : nil,
                to: index > 0 ? BitRate(bitsPerSecond: 1 / segments[index].start) : nil)
        }
    }

    /// The candidates of the kind but for most of those that another beats both in bytes and in the rest of the latency.
    ///
    /// Sizes are sorted into powers of 2^⅛; one pass finds the best of each, another drops what is slower than the best of
    /// the sizes below. It saves sorting hundreds of thousands of lines of which a few dozen count.
    private func undominated(_ kind: Kind) -> [Int] {
        func bucket(_ bytes: Int64) -> Int {
            let floor = 63 - max(1, bytes).leadingZeroBitCount
            let eighths = floor >= 3 ? Int(bytes >> (floor - 3)) & 7 : Int(bytes << (3 - floor)) & 7
            return 8 * floor + eighths
        }
        var best = [Int64](repeating: .max, count: 8 * 64)
        func isWanted(_ strategy: SplitPlan.Strategy) -> Bool {
            switch kind {
            case .everything: true
            case .splits: strategy == .split
            case .remote: strategy != .edgeOnly
            }
        }
        for candidate in all where isWanted(candidate.strategy) {
            let index = bucket(candidate.cost.uplinkBytes)
            best[index] = min(best[index], candidate.cost.latency - candidate.cost.uplink)
        }
        var bestBelow = [Int64](repeating: .max, count: best.count)
        for index in best.indices.dropFirst() { bestBelow[index] = min(bestBelow[index - 1], best[index - 1]) }
        return all.indices.filter { index in
            guard isWanted(all[index].strategy) else { return false }
            let cost = all[index].cost
            let place = bucket(cost.uplinkBytes)
            // Of equal lines the first counts, so the best of a candidate's own size must stay.
            return cost.latency - cost.uplink < bestBelow[place]
        }
    }
}
