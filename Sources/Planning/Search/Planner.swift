internal import ModelGraph

/// Chooses where to cut: costs every cut in every codec mode and way to run the two sides, so any objective is met exactly.
///
/// Of a graph with too many cuts to list, minimum cuts stand for the rest (`CostModel.addingMinimumCuts`).
package struct Planner: Sendable {
    private let model: CostModel

    package init(_ model: CostModel) {
        self.model = model
    }

    package func plan(
        _ objective: Objective, constraints: PlanConstraints = PlanConstraints(), rankingLimit: Int = 1_000
    ) throws(PlanningError) -> SplitPlan {
        try plan(.one(objective), constraints: constraints, rankingLimit: rankingLimit)
    }

    /// - Parameter rankingLimit: how many of the ranking's options the plan keeps.
    /// - Throws: `PlanningError.infeasible` when nothing satisfies the constraints, `PlanningError.unknownName` for a
    ///   privacy floor at a node that the graph lacks.
    /// - Complexity: O(cuts · modes + options) and O(cuts · log cuts).
    package func plan(
        _ goal: Goal, constraints: PlanConstraints = PlanConstraints(), rankingLimit: Int = 1_000
    ) throws(PlanningError) -> SplitPlan {
        let model = model.cuts.isExhaustive ? model : try model.addingMinimumCuts(constraints)
        let candidates = try Candidates(model, constraints, goal: goal.main)
        let values = candidates.values(of: goal)
        let ranking = ranked(candidates, values)
        guard let best = ranking.first else {
            let counts = Refusal.allCases.compactMap { refusal in
                candidates.refusals[refusal].map { "\(refusal): \($0)" }
            }
            throw PlanningError(
                .infeasible, "no option satisfies the constraints; refused by \(counts.joined(separator: ", "))",
                at: model.cuts.graph.name)
        }
        let option = { (index: Int) in candidates.option(candidates.all[index]) }
        let lines = LatencyLines(candidates)
        var plan = SplitPlan(
            model: model.profiles.edge.model, objective: goal.main, goal: goal.terms.count > 1 ? goal : nil,
            constraints: constraints, link: model.link, costs: model.costs,
            chosen: option(best),
            cloudOnly: candidates.baseline(candidates.cloudOnly),
            edgeOnly: candidates.baseline(candidates.edgeOnly),
            bestSplit: ranking.first { candidates.all[$0].strategy == .split }.map(option), reasons: [],
            byUplink: lines.ranges(of: .everything).map(candidates.range),
            splitsByUplink: lines.ranges(of: .splits).map(candidates.range),
            decisions: DecisionTable(lines, candidates),
            ranking: ranking.prefix(rankingLimit).map(option),
            search: SplitPlan.Search(
                cuts: model.cuts.count, isExhaustive: model.cuts.isExhaustive,
                withheldCuts: model.cuts.withheldCount, allowedOptions: candidates.all.count,
                refusals: Refusal.allCases.compactMap { refusal in
                    candidates.refusals[refusal].map { SplitPlan.RefusalCount(refusal: refusal, count: $0) }
                }),
            sources: sources)
        let chosen = candidates.all[best]
        plan.reasons = plan.explanation(
            edge: model.profiles.edges[chosen.edge], cloud: model.profiles.clouds[chosen.cloud],
            images: model.profiles.codec.images)
        return plan
    }

    private var sources: [SplitPlan.Source] {
        model.profiles.edges.map { SplitPlan.Source(title: "edge device", provenance: $0.provenance) }
            + model.profiles.clouds.map { SplitPlan.Source(title: "cloud device", provenance: $0.provenance) }
            + [
                SplitPlan.Source(title: "activation codec", provenance: model.profiles.codec.provenance),
                SplitPlan.Source(title: "input", provenance: model.profiles.input.provenance),
            ]
    }

    /// Of each cut and each baseline the best candidate, best first: by the value, then latency, bytes, edge time, place.
    private func ranked(_ candidates: Candidates, _ values: [Double]) -> [Int] {
        let all = candidates.all
        func precedes(_ left: Int, _ right: Int) -> Bool {
            if values[left] != values[right] { return values[left] < values[right] }
            let (one, other) = (all[left], all[right])
            return (one.cost.latency, one.cost.uplinkBytes, one.cost.edge, one.position, one.mode, left)
                < (other.cost.latency, other.cost.uplinkBytes, other.cost.edge, other.position, other.mode, right)
        }
        // Cuts stand together; the baselines, which stand last, have places of their own.
        var best: [Int] = []
        var placeOfLast = -1
        for index in all.indices {
            let place =
                switch all[index].strategy {
                case .split: all[index].position
                case .cloudOnly: model.cuts.count
                case .edgeOnly: model.cuts.count + 1
                }
            if place == placeOfLast {
                if precedes(index, best[best.count - 1]) { best[best.count - 1] = index }
            } else {
                best.append(index)
                placeOfLast = place
            }
        }
        return best.sorted(by: precedes)
    }
}

extension Candidates {
    func option(_ candidate: Candidate) -> SplitPlan.Option {
        let graph = model.cuts.graph
        let position = candidate.position
        let boundary = model.cuts.boundary(at: position)
        let resources = model.resources(of: candidate.cost, edge: candidate.edge, cloud: candidate.cloud)
        var option = SplitPlan.Option(
            strategy: candidate.strategy, boundary: [], headOutputs: [], mode: nil, headNodeCount: 0,
            position: position, cost: CostBreakdown(), top1Agreement: nil, accuracyLoss: nil,
            accuracyImages: nil, isComposed: false,
            edgeThreads: model.edges[candidate.edge].threads, cloudThreads: model.clouds[candidate.cloud].threads,
            cloudPrecision: model.clouds[candidate.cloud].precision, resources: resources,
            p95Nanoseconds: Int64(
                model.p95Latency(of: candidate.cost, edge: candidate.edge, cloud: candidate.cloud)))
        switch candidate.strategy {
        case .cloudOnly:
            option.cost = model.cloudOnlyCost(cloud: candidate.cloud)
            option.edgeThreads = nil
        case .edgeOnly:
            option.cost = model.edgeOnlyCost(edge: candidate.edge)
            option.headNodeCount = model.cuts.headNodeCount(at: position)
            option.top1Agreement = model.profiles.codec.edgeOnlyTop1Agreement
            option.accuracyLoss = model.profiles.codec.edgeOnlyAccuracyLoss
            option.cloudThreads = nil
            option.cloudPrecision = nil
        case .split:
            guard let encoding = model.encoding(of: boundary, mode: candidate.mode) else {
                preconditionFailure("a candidate's boundary was measured")
            }
            option.boundary = boundary.map { graph[$0].name }
            option.headOutputs = model.cuts.headOutputs(at: position).map { graph[$0].name }
            option.mode = model.modes[candidate.mode]
            option.headNodeCount = model.cuts.headNodeCount(at: position)
            option.cost = model.cost(
                ofCutAt: position, boundary: boundary, encoding: encoding, edge: candidate.edge, cloud: candidate.cloud)
            option.top1Agreement = model.agreement(of: encoding, cloud: candidate.cloud)
            if option.top1Agreement != nil {
                option.accuracyLoss = encoding.accuracyLoss
                option.accuracyImages = encoding.accuracyImages
            }
            option.isComposed = encoding.isComposed
        }
        return option
    }

    fileprivate func baseline(_ baseline: (candidate: Candidate, refusal: Refusal?)) -> SplitPlan.Baseline {
        SplitPlan.Baseline(option: option(baseline.candidate), refusal: baseline.refusal)
    }

    fileprivate func range(_ range: LatencyLines.Range) -> SplitPlan.Range {
        SplitPlan.Range(option: option(range.candidate), fromUplink: range.from, toUplink: range.to)
    }
}
