internal import ModelGraph

/// Chooses where to cut: costs every cut in every codec mode, so any objective is met exactly.
package struct Planner: Sendable {
    private let model: CostModel

    package init(_ model: CostModel) {
        self.model = model
    }

    /// One option before it is written out.
    private struct Candidate {
        var strategy: SplitPlan.Strategy
        var position: Int
        /// An index into the model's modes.
        var mode: Int?
        var cost: CostBreakdown
        var top1Agreement: Double?
        var isComposed = false
    }

    /// What candidates are compared by: the objective, then latency, bytes, edge time, place and mode.
    private struct Rank {
        var values: (Int64, Int64, Int64, Int64, Int, Int)
        var candidate: Int

        static func < (left: Rank, right: Rank) -> Bool { left.values < right.values }
    }

    /// - Parameter rankingLimit: how many of the ranking's options the plan keeps.
    /// - Throws: `PlanningError.infeasible` when nothing satisfies the constraints, `PlanningError.unknownName` for a
    ///   privacy floor at a node that the graph lacks.
    /// - Complexity: O(cuts · (nodes + modes) + options · log options).
    package func plan(
        _ objective: Objective, constraints: PlanConstraints = PlanConstraints(), rankingLimit: Int = 1_000
    ) throws(PlanningError) -> SplitPlan {
        let cuts = model.cuts
        var (candidates, refusals) = try splitCandidates(constraints)
        let cloudOnly = Candidate(strategy: .cloudOnly, position: 0, cost: model.cloudOnlyCost())
        let edgeAgreement = model.profiles.codec.edgeOnlyTop1Agreement
        var edgeOnly = Candidate(strategy: .edgeOnly, position: cuts.count - 1, cost: model.edgeOnlyCost())
        edgeOnly.top1Agreement = edgeAgreement
        let cloudRefusal: Refusal? =
            if !constraints.privacy.allowsPicture {
                .privacy
            } else if let limit = constraints.maximumUplink, cloudOnly.cost.uplinkBytes > limit {
                .uplinkSize
            } else { nil }
        let edgeRefusal: Refusal? =
            if let limit = constraints.maximumEdgeMemory,
                model.profiles.edge.wholeNetworkPeakMemory.map({ $0 > limit }) ?? true
            {
                .edgeMemory
            } else if let limit = constraints.maximumAccuracyLoss, edgeAgreement.map({ 1 - $0 > limit }) ?? true {
                .accuracy
            } else { nil }
        for refusal in [cloudRefusal, edgeRefusal] {
            if let refusal { refusals[refusal, default: 0] += 1 }
        }

        let splitCount = candidates.count
        if cloudRefusal == nil { candidates.append(cloudOnly) }
        if edgeRefusal == nil { candidates.append(edgeOnly) }
        let order = ranked(candidates, by: objective)
        guard let best = order.first else {
            let counts = Refusal.allCases.compactMap { refusal in refusals[refusal].map { "\(refusal): \($0)" } }
            throw PlanningError(
                .infeasible, "no option satisfies the constraints; refused by \(counts.joined(separator: ", "))",
                at: cuts.graph.name)
        }
        var rankedPositions: Set<Int> = []
        let ranking = order.filter { index in
            candidates[index].strategy != .split || rankedPositions.insert(candidates[index].position).inserted
        }

        var plan = SplitPlan(
            model: model.profiles.edge.model, objective: objective, constraints: constraints, link: model.link,
            chosen: option(candidates[best]),
            cloudOnly: SplitPlan.Baseline(option: option(cloudOnly), refusal: cloudRefusal),
            edgeOnly: SplitPlan.Baseline(option: option(edgeOnly), refusal: edgeRefusal),
            bestSplit: order.first { $0 < splitCount }.map { option(candidates[$0]) }, reasons: [],
            byUplink: ranges(candidates[...]), splitsByUplink: ranges(candidates[..<splitCount]),
            ranking: ranking.prefix(rankingLimit).map { option(candidates[$0]) },
            search: SplitPlan.Search(
                cuts: cuts.count, isExhaustive: cuts.isExhaustive, withheldCuts: cuts.withheldCount,
                allowedOptions: candidates.count,
                refusals: Refusal.allCases.compactMap { refusal in
                    refusals[refusal].map { SplitPlan.RefusalCount(refusal: refusal, count: $0) }
                }),
            sources: [
                SplitPlan.Source(title: "edge device", provenance: model.profiles.edge.provenance),
                SplitPlan.Source(title: "cloud device", provenance: model.profiles.cloud.provenance),
                SplitPlan.Source(title: "activation codec", provenance: model.profiles.codec.provenance),
                SplitPlan.Source(title: "input", provenance: model.profiles.input.provenance),
            ])
        plan.reasons = plan.explanation(
            edge: model.profiles.edge, cloud: model.profiles.cloud, images: model.profiles.codec.images)
        return plan
    }

    /// Every allowed pair of a cut and a mode, in the order of enumeration, and how many were refused for what.
    private func splitCandidates(
        _ constraints: PlanConstraints
    ) throws(PlanningError) -> (candidates: [Candidate], refusals: [Refusal: Int]) {
        let cuts = model.cuts
        let privacy = try PrivacyTest(constraints.privacy, graph: cuts.graph)
        var candidates: [Candidate] = []
        var refusals: [Refusal: Int] = [:]
        for position in cuts.indices where !cuts.isEdgeOnly(at: position) {
            let boundary = cuts.boundary(at: position)
            let cutRefusal: Refusal? =
                if !privacy.allows(boundary, cutAt: position, of: cuts) {
                    .privacy
                } else if let limit = constraints.maximumEdgeMemory,
                    model.edgeMemory(ofCutAt: position, boundary: boundary).map({ $0 > limit }) ?? true
                {
                    .edgeMemory
                } else { nil }
            for mode in model.modes.indices {
                guard let encoding = model.encoding(of: boundary, mode: mode) else {
                    refusals[.notMeasured, default: 0] += 1
                    continue
                }
                if let refusal = cutRefusal ?? constraints.refusal(of: encoding) {
                    refusals[refusal, default: 0] += 1
                    continue
                }
                candidates.append(
                    Candidate(
                        strategy: .split, position: position, mode: mode,
                        cost: model.cost(ofCutAt: position, boundary: boundary, encoding: encoding),
                        top1Agreement: encoding.top1Agreement, isComposed: encoding.isComposed))
            }
        }
        return (candidates, refusals)
    }

    /// The candidates' indices, best first; a strict total order.
    private func ranked(_ candidates: [Candidate], by objective: Objective) -> [Int] {
        candidates.enumerated().map { index, candidate in
            let cost = candidate.cost
            return Rank(
                values: (
                    objective.value(cost), cost.latency.wholeNanoseconds, cost.uplinkBytes.bytes,
                    cost.edgeTime.wholeNanoseconds, candidate.position, candidate.mode ?? -1
                ), candidate: index)
        }
        .sorted { $0 < $1 }
        .map(\.candidate)
    }

    private func option(_ candidate: Candidate) -> SplitPlan.Option {
        let graph = model.cuts.graph
        let cut = candidate.strategy == .split ? model.cuts[candidate.position] : nil
        return SplitPlan.Option(
            strategy: candidate.strategy,
            boundary: cut?.boundary.map { graph[$0].name } ?? [],
            headOutputs: cut?.headOutputs.map { graph[$0].name } ?? [],
            mode: candidate.mode.map { model.modes[$0] },
            headNodeCount: candidate.strategy == .cloudOnly ? 0 : model.cuts.headNodeCount(at: candidate.position),
            position: candidate.position, cost: candidate.cost, top1Agreement: candidate.top1Agreement,
            isComposed: candidate.isComposed)
    }

    /// The lowest latency for every uplink: the envelope of A + 8·S ÷ B over 1 ÷ B, turned around.
    private func ranges(_ candidates: ArraySlice<Candidate>) -> [SplitPlan.Range] {
        let envelope = LowerEnvelope(
            candidates.map { candidate in
                LowerEnvelope.Line(
                    intercept: (candidate.cost.latency - candidate.cost.uplink).inSeconds,
                    slope: 8 * Double(candidate.cost.uplinkBytes.bytes))
            })
        let segments = envelope.segments
        return segments.indices.reversed().map { index in
            SplitPlan.Range(
                option: option(candidates[segments[index].line]),
                fromUplink: index + 1 < segments.count ? BitRate(bitsPerSecond: 1 / segments[index + 1].start) : nil,
                toUplink: index > 0 ? BitRate(bitsPerSecond: 1 / segments[index].start) : nil)
        }
    }
}

extension PlanConstraints {
    fileprivate func refusal(of encoding: CostModel.Encoding) -> Refusal? {
        if let maximumUplink, encoding.size > maximumUplink { return .uplinkSize }
        if let maximumAccuracyLoss {
            guard let agreement = encoding.top1Agreement, 1 - agreement <= maximumAccuracyLoss else { return .accuracy }
        }
        return nil
    }
}

extension Objective {
    /// What the objective makes small, in nanoseconds or bytes.
    func value(_ cost: CostBreakdown) -> Int64 {
        switch self {
        case .latency: cost.latency.wholeNanoseconds
        case .throughput: cost.bottleneck.wholeNanoseconds
        case .uplinkBytes: cost.uplinkBytes.bytes
        case .edgeTime: cost.edgeTime.wholeNanoseconds
        }
    }
}
