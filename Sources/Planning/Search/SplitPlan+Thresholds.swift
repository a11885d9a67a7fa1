extension SplitPlan {
    /// What would have to become of one condition, the others staying, for another option to be the fastest.
    package struct Threshold: Hashable, Sendable, Codable {
        package var condition: DecisionTable.Condition
        /// In bit/s for the uplink, in seconds for the others.
        package var value: Double
        /// Whether the change comes above the value; below it otherwise.
        package var isAbove: Bool
        package var option: Option
    }

    /// The changes of fastest option nearest to the plan's own link and wait; none where the plan has no decision table.
    package var thresholds: [Threshold] {
        guard let decisions, !decisions.isEmpty else { return [] }
        return decisions.changes(from: plannedConditions).map { change in
            Threshold(
                condition: change.condition, value: change.value, isAbove: change.isAbove,
                option: decisions.options[change.option])
        }
    }

    /// The link and the wait that the plan was made for; whatever runs all on the edge pays no wait, so cloud-only tells it.
    package var plannedConditions: DecisionTable.Conditions {
        DecisionTable.Conditions(
            uplink: link.uplink.bitsPerSecond, roundTrip: link.roundTrip.inSeconds,
            cloudWait: cloudOnly.option.cost.cloudWait.inSeconds)
    }

    /// Beyond `reasons`: the runners-up, and the delays at which the choice would change.
    package var details: [String] {
        runnersUp().map(\.text)
            + (objective == .latency && goal == nil
                ? thresholds.filter { $0.condition != .uplink }.map(\.text) : [])
    }

    /// An option that comes close to the chosen one.
    package struct RunnerUp: Hashable, Sendable, Codable {
        package var option: Option
        /// How many times worse it is; `nil` where the chosen one is free.
        package var ratio: Double?
        /// The step that takes most more than the chosen option's; `nil` where none does.
        package var worstStep: CostComponent?
        package var text: String
    }

    /// The best cuts beside the chosen option, and what makes each of them slower.
    package func runnersUp(_ count: Int = 3) -> [RunnerUp] {
        ranking.filter { $0 != chosen && $0.strategy == .split }.prefix(count).map { option in
            let excess = { (component: CostComponent) in option.cost[component] - chosen.cost[component] }
            let worst = CostComponent.allCases.max { excess($0) < excess($1) }.flatMap { excess($0) > .zero ? $0 : nil }
            let ratio = objective.ratio(option, over: chosen)
            let text =
                "Next: \(option.label), \(objective.text(option))\(ratio.map { " (\(fixed($0, 2))×)" } ?? "")"
                + (worst.map { ": its \($0.name) takes \(excess($0).text) more." } ?? ".")
            return RunnerUp(option: option, ratio: ratio, worstStep: worst, text: text)
        }
    }
}

extension SplitPlan.Threshold {
    package var text: String {
        let bound =
            switch condition {
            case .uplink: BitRate(bitsPerSecond: value).text + " up"
            case .roundTrip: Duration.nanoseconds(rounding: value * 1e9).text + " of round trip"
            case .cloudWait: Duration.nanoseconds(rounding: value * 1e9).text + " of wait in the cloud"
            }
        return "\(isAbove ? "Above" : "Below") \(bound), \(option.label) would be faster."
    }
}
