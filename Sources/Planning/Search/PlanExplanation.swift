/// Why a plan chose as it did, for programs: what `cleave plan --explain` says in sentences, with its figures.
package struct PlanExplanation: ProfileDocument, Hashable {
    package static let schema = "cleave.plan-explanation"
    package static let version = 1

    package var model: ModelIdentity
    package var chosen: SplitPlan.Option
    package var reasons: [String]
    package var runnersUp: [SplitPlan.RunnerUp]
    /// Each with its value in bit/s (uplink) or seconds (delays).
    package var thresholds: [SplitPlan.Threshold]

    package init(_ plan: SplitPlan) {
        model = plan.model
        chosen = plan.chosen
        reasons = plan.reasons
        runnersUp = plan.runnersUp()
        thresholds = plan.thresholds
    }

    package func validate() throws(PlanningError) {}
}
