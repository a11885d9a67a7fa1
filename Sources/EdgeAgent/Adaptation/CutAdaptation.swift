package import Planning

/// Chooses the cut and the codec of each picture: a plan's decision table, asked with what is known of the link and the cloud.
///
/// Holds to its choice until another one pays (`SwitchingPolicy`). Without sockets and clocks.
package struct CutAdaptation: Sendable {
    /// What a picture is computed by.
    package struct Decision: Sendable {
        package var choice: CutChoice
        package var record: InferenceRecord.Decision
    }

    private let table: DecisionTable
    /// By option of the table.
    private let choices: [CutChoice]
    /// Until the link is known.
    private let planned: DecisionTable.Conditions
    private var policy: SwitchingPolicy
    package var estimator: LinkEstimator

    /// - Throws: `EdgeError.unusablePlan` for a plan whose table has no option that this agent can take: it sends boundaries, not
    ///   JPEGs, and cannot keep outputs of the network to itself.
    package init(
        _ plan: SplitPlan, policy: SwitchingPolicy = SwitchingPolicy(), estimator: LinkEstimator = LinkEstimator()
    ) throws(EdgeError) {
        guard plan.objective == .latency, plan.goal == nil else {
            throw EdgeError(.unusablePlan, "only a plan for least latency can be followed", at: plan.objective.rawValue)
        }
        // Among all ways the JPEG may have hidden cuts that are the fastest for an agent without it.
        let splits = plan.splitsByUplink.map(\.option).filter(\.headOutputs.isEmpty)
        let edgeOnly = plan.decisions?.options.filter { $0.strategy == .edgeOnly } ?? []
        table = DecisionTable(splits + edgeOnly)
        guard !table.isEmpty else {
            throw EdgeError(
                .unusablePlan, "the plan has no cut that can be served and may not run all on the edge", at: "plan")
        }
        choices = table.options.map { CutChoice(boundary: $0.boundary, codec: $0.mode) }
        planned = plan.plannedConditions
        self.policy = policy
        self.estimator = estimator
    }

    /// Every boundary that may be chosen, to be opened ahead.
    package var boundaries: [[String]] {
        var seen: Set<[String]> = []
        return choices.map(\.boundary).filter { !$0.isEmpty && seen.insert($0).inserted }
    }

    /// A picture divided as the choice says was not answered in time.
    package mutating func observeTimeout(
        of choice: CutChoice, within time: Duration, at now: ContinuousClock.Instant
    ) {
        guard let option = choices.firstIndex(of: choice) else { return }
        estimator.observeTimeout(bytes: Int(table.options[option].cost.uplinkBytes.bytes), within: time, at: now)
    }

    /// The choice for the next picture.
    package mutating func decide() -> Decision {
        let conditions = DecisionTable.Conditions(
            uplink: max(1, estimator.uplink ?? planned.uplink), roundTrip: estimator.roundTrip ?? planned.roundTrip,
            cloudWait: estimator.cloudWait ?? planned.cloudWait)
        let previous = policy.current
        let option = policy.decide(table, conditions)
        func milliseconds(_ seconds: Double) -> Double { (seconds * 1e6).rounded() / 1e3 }
        return Decision(
            choice: choices[option],
            record: InferenceRecord.Decision(
                uplinkMbps: (conditions.uplink / 1e3).rounded() / 1e3, roundTripMs: milliseconds(conditions.roundTrip),
                jitterMs: estimator.jitter.map(milliseconds), cloudWaitMs: milliseconds(conditions.cloudWait),
                predictedMs: milliseconds(table.latency(of: option, conditions)),
                isSwitch: previous != nil && previous != option))
    }
}
