internal import ModelGraph

/// Every way to run the network that the constraints allow, small enough to hold by the hundred thousand.
struct Candidates {
    /// One option before it is written out.
    struct Candidate {
        var strategy: SplitPlan.Strategy
        /// A cut.
        var position: Int
        /// An index into the model's modes; -1 unless split.
        var mode = -1
        /// Which of the ways to run the board and the server.
        var edge = 0
        var cloud = 0
        var cost: CostTotals
    }

    let model: CostModel
    private(set) var all: [Candidate] = []
    /// Those that nothing but the deadline rules out.
    private(set) var late: [Candidate] = []
    /// The number of options refused, by the first reason that applies.
    private(set) var refusals: [Refusal: Int] = [:]
    private(set) var cloudOnly: (candidate: Candidate, refusal: Refusal?)
    private(set) var edgeOnly: (candidate: Candidate, refusal: Refusal?)

    /// - Throws: `PlanningError.unknownName` for a privacy floor at a node that the graph lacks.
    init(_ model: CostModel, _ constraints: PlanConstraints, goal: Objective) throws(PlanningError) {
        self.model = model
        let privacy = try PrivacyTest(constraints.privacy, graph: model.cuts.graph)
        let clouds = model.clouds.indices.map { way in
            let cost = CostTotals(model.cloudOnlyCost(cloud: way))
            let refusal: Refusal? =
                if !constraints.privacy.allowsPicture { .privacy } else { constraints.refusal(of: cost) }
            return (Candidate(strategy: .cloudOnly, position: 0, cloud: way, cost: cost), refusal)
        }
        let last = model.cuts.count - 1
        let edges = model.edges.indices.map { way in
            let cost = CostTotals(model.edgeOnlyCost(edge: way))
            return (
                Candidate(strategy: .edgeOnly, position: last, edge: way, cost: cost),
                constraints.refusalOfEdgeOnly(model, edge: way) ?? constraints.refusal(of: cost)
            )
        }
        let best = { (ways: [(candidate: Candidate, refusal: Refusal?)]) in
            let value = { (way: Candidate) in model.value(goal, of: way.cost, edge: way.edge, cloud: way.cloud) }
            let allowed = ways.filter { $0.refusal == nil }
            return (allowed.isEmpty ? ways : allowed).min { value($0.candidate) < value($1.candidate) }!
        }
        cloudOnly = best(clouds)
        edgeOnly = best(edges)
        addSplits(constraints, privacy)
        for (candidate, refusal) in clouds + edges {
            if let refusal {
                refusals[refusal, default: 0] += 1
                if refusal == .deadline { late.append(candidate) }
            } else {
                all.append(candidate)
            }
        }
    }

    /// Every allowed cut in every mode and way to run both sides, in the order of enumeration.
    private mutating func addSplits(_ constraints: PlanConstraints, _ privacy: PrivacyTest) {
        let cuts = model.cuts
        let ways = model.edges.count * model.clouds.count
        let preprocess = model.profiles.input.edgeTime.wholeNanoseconds
        let delay = (model.link.roundTrip + model.cloudWait).wholeNanoseconds
        let limitsMemory = constraints.maximumEdgeMemory
        let weights = constraints.maximumPackage.map { ($0, cuts.headSums(of: cuts.graph.integerWeightBytes)) }
        func fitsPackage(_ position: Int) -> Bool { weights.map { $0.1[position] <= $0.0.bytes } ?? true }
        var refused = [Int](repeating: 0, count: Refusal.allCases.count)
        func count(_ refusal: Refusal, _ options: Int = 1) {
            refused[Refusal.allCases.firstIndex(of: refusal)!] += options
        }
        all.reserveCapacity(cuts.count * model.modes.count * ways)
        for position in cuts.indices where !cuts.isEdgeOnly(at: position) {
            let boundary = cuts.boundary(at: position)
            let isPrivate = privacy.allows(boundary, cutAt: position, of: cuts)
            let answer = model.answerSize(at: position)
            let downlink = model.link.downlink.nanoseconds(of: answer)
            for mode in model.modes.indices {
                guard let encoding = model.encoding(of: boundary, mode: mode) else {
                    count(.notMeasured, ways)
                    continue
                }
                guard isPrivate else {
                    count(.privacy, ways)
                    continue
                }
                guard fitsPackage(position) else {
                    count(.packageSize, ways)
                    continue
                }
                let uplink = model.link.uplink.nanoseconds(of: encoding.size)
                let encode = encoding.encode.wholeNanoseconds
                let decode = encoding.decode.wholeNanoseconds
                for edge in model.edges.indices {
                    if let limitsMemory,
                        model.edgeMemory(ofCutAt: position, boundary: boundary, edge: edge).map({ $0 > limitsMemory })
                            ?? true
                    {
                        count(.edgeMemory, model.clouds.count)
                        continue
                    }
                    let head = model.edges[edge].headTime(at: position, boundary)
                    for cloud in model.clouds.indices {
                        let cost = CostTotals(
                            edge: preprocess + head + encode, uplink: uplink, delay: delay,
                            cloud: decode + model.clouds[cloud].tailTime(at: position, boundary), downlink: downlink,
                            uplinkBytes: encoding.size.bytes, downlinkBytes: answer.bytes)
                        if let limit = constraints.maximumUplink, encoding.size > limit {
                            count(.uplinkSize)
                        } else if constraints.isTooLossy(model.loss(of: encoding, cloud: cloud)) {
                            count(.accuracy)
                        } else {
                            let candidate = Candidate(
                                strategy: .split, position: position, mode: mode, edge: edge, cloud: cloud, cost: cost)
                            if let refusal = constraints.refusal(of: cost) {
                                count(refusal)
                                late.append(candidate)
                            } else {
                                all.append(candidate)
                            }
                        }
                    }
                }
            }
        }
        for (refusal, count) in zip(Refusal.allCases, refused) where count > 0 { refusals[refusal] = count }
    }

    /// What a goal makes small, for every candidate.
    func values(of goal: Goal) -> [Double] {
        let columns = goal.terms.map { term in
            all.map { model.value(term.objective, of: $0.cost, edge: $0.edge, cloud: $0.cloud) }
        }
        guard columns.count > 1 else { return columns[0] }
        if let tolerance = goal.tolerance { return lexicographic(columns, tolerance) }
        var sums = [Double](repeating: 0, count: all.count)
        for (column, term) in zip(columns, goal.terms) {
            let least = column.min() ?? 0
            // What can be had for nothing counts in its own unit.
            let unit = least > 0 ? least : 1
            for index in column.indices { sums[index] += term.weight * column[index] / unit }
        }
        return sums
    }

    /// The last objective's values, infinite for what an earlier objective rules out.
    private func lexicographic(_ columns: [[Double]], _ tolerance: Double) -> [Double] {
        var values = columns[columns.count - 1]
        for column in columns.dropLast() {
            let least = zip(column, values).lazy.filter { $1.isFinite }.map(\.0).min() ?? 0
            for index in column.indices where column[index] > least * (1 + tolerance) { values[index] = .infinity }
        }
        return values
    }
}

extension CostModel {
    /// The top-1 agreement measured for the encoding holds for a tail in float32 alone.
    func agreement(of encoding: Encoding, cloud: Int) -> Double? {
        clouds[cloud].precision == .float32 ? encoding.top1Agreement : nil
    }

    /// The share of images lost: of top-1 accuracy where labels told, else of images whose top-1 class changes.
    func loss(of encoding: Encoding, cloud: Int) -> Double? {
        guard clouds[cloud].precision == .float32 else { return nil }
        return encoding.accuracyLoss ?? encoding.top1Agreement.map { 1 - $0 }
    }

    /// The same of the whole network in int8.
    var edgeOnlyLoss: Double? {
        profiles.codec.edgeOnlyAccuracyLoss ?? profiles.codec.edgeOnlyTop1Agreement.map { 1 - $0 }
    }
}

extension PlanConstraints {
    fileprivate func isTooLossy(_ loss: Double?) -> Bool {
        guard let maximumAccuracyLoss else { return false }
        return loss.map { $0 > maximumAccuracyLoss } ?? true
    }

    fileprivate func refusalOfEdgeOnly(_ model: CostModel, edge: Int) -> Refusal? {
        if let maximumPackage, model.cuts.graph.integerWeightBytes.reduce(0, +) > maximumPackage.bytes {
            return .packageSize
        }
        let memory = model.profiles.edges[edge].wholeNetworkPeakMemory
        if let maximumEdgeMemory, memory.map({ $0 > maximumEdgeMemory }) ?? true { return .edgeMemory }
        return isTooLossy(model.edgeOnlyLoss) ? .accuracy : nil
    }

    fileprivate func refusal(of cost: CostTotals) -> Refusal? {
        if let maximumUplink, cost.uplinkBytes > maximumUplink.bytes { return .uplinkSize }
        if let maximumLatency, cost.latency > maximumLatency.wholeNanoseconds { return .deadline }
        return nil
    }
}
