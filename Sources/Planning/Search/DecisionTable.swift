/// The fastest of a plan's options for every uplink, round trip and wait in the cloud: a look-up that allocates nothing.
///
/// Whatever is remote pays the round trip and the wait once, so among remote options only the uplink decides: the lower
/// envelope of A + 8·S ÷ B. Against it stands edge-only, which pays neither. The plan's downlink is taken as it is.
package struct DecisionTable: Hashable, Sendable {
    /// Remote options, from the one for the fastest uplinks on; then edge-only, if it is allowed.
    package let options: [SplitPlan.Option]
    /// Of the options, how many are remote.
    let remoteCount: Int
    /// By remote option: latency in seconds without the upload, the round trip and the wait, and bits to upload.
    let lines: [LowerEnvelope.Line]
    /// By remote option: the least 1 ÷ uplink (s/bit) at which it is the fastest.
    let starts: [Double]
    /// Latency in seconds; infinite where edge-only is not allowed.
    let edgeOnly: Double

    /// What the link and the cloud are like.
    package struct Conditions: Hashable, Sendable {
        /// In bit/s, > 0.
        package var uplink: Double
        /// In seconds.
        package var roundTrip: Double
        /// In seconds, until the cloud begins to compute.
        package var cloudWait: Double

        package init(uplink: Double, roundTrip: Double, cloudWait: Double) {
            self.uplink = uplink
            self.roundTrip = roundTrip
            self.cloudWait = cloudWait
        }
    }

    /// Of all `options` those that are the fastest somewhere are kept.
    package init(_ options: [SplitPlan.Option]) {
        let remote = options.filter { $0.strategy != .edgeOnly }
        let all = remote.map { option in
            LowerEnvelope.Line(
                intercept: (option.cost.latency - option.cost.uplink - option.cost.roundTrip - option.cost.cloudWait)
                    .inSeconds,
                slope: 8 * Double(option.cost.uplinkBytes.bytes))
        }
        let segments = LowerEnvelope(all).segments
        let edge = options.filter { $0.strategy == .edgeOnly }.min { $0.cost.latency < $1.cost.latency }
        lines = segments.map { all[$0.line] }
        starts = segments.map(\.start)
        remoteCount = segments.count
        edgeOnly = edge?.cost.latency.inSeconds ?? .infinity
        self.options = segments.map { remote[$0.line] } + (edge.map { [$0] } ?? [])
    }

    package var isEmpty: Bool { options.isEmpty }

    /// The predicted latency of an option, in seconds.
    package func latency(of option: Int, _ conditions: Conditions) -> Double {
        guard option < remoteCount else { return edgeOnly }
        return lines[option](1 / conditions.uplink) + conditions.roundTrip + conditions.cloudWait
    }

    /// The position in `options` of the fastest one.
    /// - Precondition: the table is not empty.
    /// - Complexity: O(log options).
    package func fastest(_ conditions: Conditions) -> Int {
        guard remoteCount > 0 else { return 0 }
        let inverse = 1 / conditions.uplink
        let remote = fastestRemote(inverse)
        let latency = lines[remote](inverse) + conditions.roundTrip + conditions.cloudWait
        return edgeOnly < latency ? remoteCount : remote
    }

    /// - Parameter inverse: 1 ÷ uplink, in s/bit.
    /// - Precondition: there is a remote option.
    func fastestRemote(_ inverse: Double) -> Int {
        // The first line starts at 0.
        var low = 1
        var high = remoteCount
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= inverse { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }
}

extension DecisionTable: Codable {
    package init(from decoder: any Decoder) throws {
        try self.init([SplitPlan.Option](from: decoder))
    }

    package func encode(to encoder: any Encoder) throws { try options.encode(to: encoder) }
}

extension DecisionTable {
    init(_ lines: LatencyLines, _ candidates: Candidates) {
        let edgeOnly = candidates.edgeOnly
        let isAllowed = edgeOnly.refusal == nil || edgeOnly.refusal == .deadline
        self.init(
            lines.ranges(of: .remote).map { candidates.option($0.candidate) }
                + (isAllowed ? [candidates.option(edgeOnly.candidate)] : []))
    }
}

/// Follows a table's fastest option without changing to and fro: it changes when the gain is large enough, lasts, and pays.
package struct SwitchingPolicy: Sendable {
    /// The gain that counts, as a share of the present latency.
    package var margin: Double
    /// How many decisions in a row must ask for a change. Conditions are averages already: over recorded 4G and 3G links to wait
    /// for three instead of one made the mean latency 0 to 2.3 % longer.
    package var patience: Int
    /// What a change costs, in seconds of latency, and over how many pictures it must be earned back.
    package var switchCost: Double
    package var horizon: Int

    package private(set) var current: Int?
    private var asked = 0

    /// - Precondition: `margin` and `switchCost` ≥ 0, `patience` and `horizon` ≥ 1.
    package init(margin: Double = 0.05, patience: Int = 1, switchCost: Double = 0, horizon: Int = 100) {
        precondition(margin >= 0 && patience >= 1 && switchCost >= 0 && horizon >= 1)
        self.margin = margin
        self.patience = patience
        self.switchCost = switchCost
        self.horizon = horizon
    }

    /// The option to run now.
    package mutating func decide(_ table: DecisionTable, _ conditions: DecisionTable.Conditions) -> Int {
        let best = table.fastest(conditions)
        guard let current, current != best else {
            asked = 0
            self.current = best
            return best
        }
        let now = table.latency(of: current, conditions)
        let gain = now - table.latency(of: best, conditions)
        guard gain > margin * now, gain * Double(horizon) > switchCost else {
            asked = 0
            return current
        }
        asked += 1
        guard asked >= patience else { return current }
        asked = 0
        self.current = best
        return best
    }
}
