extension SplitPlan {
    /// What would have to become of one condition, the others staying, for another option to be the fastest.
    package struct Threshold: Hashable, Sendable {
        package enum Condition: Hashable, Sendable {
            case uplink, roundTrip, cloudWait
        }

        package var condition: Condition
        /// In bit/s for the uplink, in seconds for the others.
        package var value: Double
        /// Whether the change comes above the value; below it otherwise.
        package var isAbove: Bool
        package var option: Option
    }

    /// The changes of fastest option nearest to the plan's own link and wait; none where the plan has no decision table.
    package var thresholds: [Threshold] {
        guard let decisions, !decisions.isEmpty else { return [] }
        var thresholds: [Threshold] = []
        let here = DecisionTable.Conditions(
            uplink: link.uplink.bitsPerSecond, roundTrip: link.roundTrip.inSeconds,
            cloudWait: chosen.cost.cloudWait.inSeconds)
        func search(_ condition: Threshold.Condition, isAbove: Bool, range: ClosedRange<Double>) {
            func option(_ value: Double) -> Int {
                var conditions = here
                switch condition {
                case .uplink: conditions.uplink = value
                case .roundTrip: conditions.roundTrip = value
                case .cloudWait: conditions.cloudWait = value
                }
                return decisions.fastest(conditions)
            }
            // By steps of an eighth to where the option changes, then by halving the step.
            let start = isAbove ? range.lowerBound : range.upperBound
            let first = option(start)
            var near = start
            var far = start
            while option(far) == first {
                near = far
                far = isAbove ? far * 1.125 : far / 1.125
                guard range.contains(far) else { return }
            }
            for _ in 0..<60 {
                let middle = (near + far) / 2
                if option(middle) == first { near = middle } else { far = middle }
            }
            thresholds.append(
                Threshold(condition: condition, value: far, isAbove: isAbove, option: decisions.options[option(far)]))
        }
        search(.uplink, isAbove: false, range: 1...here.uplink)
        search(.uplink, isAbove: true, range: here.uplink...1e13)
        // Delays begin at nothing, which no factor leaves.
        search(.roundTrip, isAbove: false, range: 1e-6...max(1e-6, here.roundTrip))
        search(.roundTrip, isAbove: true, range: max(1e-6, here.roundTrip)...3_600)
        search(.cloudWait, isAbove: true, range: max(1e-6, here.cloudWait)...3_600)
        return thresholds
    }

    /// Beyond `reasons`: the runners-up, and the delays at which the choice would change.
    package var details: [String] {
        runnerUpSentences(3)
            + (objective == .latency && goal == nil
                ? thresholds.filter { $0.condition != .uplink }.map(\.text) : [])
    }

    /// The best options beside the chosen one and the baselines, and what makes each of them slower.
    private func runnerUpSentences(_ count: Int) -> [String] {
        let others = ranking.filter { $0 != chosen && $0.strategy == .split }.prefix(count)
        return others.map { option in
            let worst = CostComponent.allCases.max {
                option.cost[$0] - chosen.cost[$0] < option.cost[$1] - chosen.cost[$1]
            }
            let ratio = objective.ratio(option, over: chosen).map { " (\(fixed($0, 2))×)" } ?? ""
            guard let worst, option.cost[worst] > chosen.cost[worst] else {
                return "Next: \(option.label), \(objective.text(option))\(ratio)."
            }
            return "Next: \(option.label), \(objective.text(option))\(ratio): its \(worst.name) takes "
                + "\((option.cost[worst] - chosen.cost[worst]).text) more."
        }
    }
}

extension SplitPlan.Threshold {
    var text: String {
        let bound =
            switch condition {
            case .uplink: BitRate(bitsPerSecond: value).text + " up"
            case .roundTrip: Duration.nanoseconds(rounding: value * 1e9).text + " of round trip"
            case .cloudWait: Duration.nanoseconds(rounding: value * 1e9).text + " of wait in the cloud"
            }
        return "\(isAbove ? "Above" : "Below") \(bound), \(option.label) would be faster."
    }
}
