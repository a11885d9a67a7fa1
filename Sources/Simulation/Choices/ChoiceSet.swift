internal import ModelGraph
package import Planning

/// What the policies choose from: every allowed cut in every codec mode with its measured cost, and what each policy believes.
package struct ChoiceSet: Sendable {
    /// Everything that a policy may choose.
    package let all: [Choice]
    package let edgeOnly: Int
    /// `nil` where the picture must not leave the board.
    package let cloudOnly: Int?
    /// Of all, what no other choice equals or betters in everything: the fastest choice is always among these. Ascending in the
    /// board's time.
    package let undominated: [Int]
    /// The planner's table, and the choice of each of its options.
    package let table: DecisionTable
    package let tableChoices: [Int]
    package let chain: RivalTable
    package let dads: RivalTable

    /// - Parameters:
    ///   - constraints: of privacy and accuracy; they bind every policy.
    ///   - rivalMode: the codec's mode that the rivals send in; they know no other.
    /// - Throws: `PlanningError` from the planner; `SimulationError` where the profiles lack `rivalMode`.
    package init(_ model: CostModel, constraints: PlanConstraints = PlanConstraints(), rivalMode: String) throws {
        var builder = Builder(model, constraints)
        // What the answer takes on its way back counts with the round trip that a board observes.
        let silent = try CostModel(
            cuts: model.cuts, profiles: model.profiles, link: model.link, costs: model.costs, answer: .zero)
        let plan = try Planner(silent).plan(.latency, constraints: constraints, rankingLimit: 1)
        table = plan.decisions ?? DecisionTable([])
        tableChoices = table.options.map { builder.add($0) }
        edgeOnly = builder.addEdgeOnly()
        cloudOnly = constraints.privacy.allowsPicture ? builder.addCloudOnly() : nil
        builder.addCuts()
        guard let mode = model.modes.firstIndex(of: rivalMode) else {
            throw SimulationError(
                .invalidScenario, "expected one of \(model.modes.joined(separator: ", ")), got \(rivalMode)",
                at: "codec of the rivals")
        }
        let rivals = RivalChoices(model, mode: mode, edgeOnly: edgeOnly, cloudOnly: cloudOnly)
        chain = rivals.table(&builder, prefixesOnly: true, countsWait: true)
        dads = rivals.table(&builder, prefixesOnly: false, countsWait: false)
        all = builder.all
        undominated = Self.undominated(all)
    }

    /// For choices made by hand, in tests: no table, so no adaptive policy.
    package init(_ all: [Choice]) {
        guard let edgeOnly = all.firstIndex(where: { !$0.isRemote }) else {
            preconditionFailure("one choice is edge-only")
        }
        self.all = all
        self.edgeOnly = edgeOnly
        cloudOnly = all.firstIndex { $0.strategy == .cloudOnly }
        undominated = Self.undominated(all)
        table = DecisionTable([])
        tableChoices = []
        chain = RivalTable(edgeOnly: edgeOnly)
        dads = RivalTable(edgeOnly: edgeOnly)
    }

    private static func undominated(_ all: [Choice]) -> [Int] {
        // Whatever betters a choice comes before it in this order.
        let order = all.indices.sorted {
            let (one, other) = (all[$0], all[$1])
            return (one.edge, one.uploadBytes, one.cloud, one.answerBytes, one.isRemote ? 1 : 0, $0)
                < (other.edge, other.uploadBytes, other.cloud, other.answerBytes, other.isRemote ? 1 : 0, $1)
        }
        var kept: [Int] = []
        for index in order where !kept.contains(where: { all[$0].isNoWorse(than: all[index]) }) { kept.append(index) }
        return kept
    }

    /// Collects choices, each once.
    struct Builder {
        let model: CostModel
        let constraints: PlanConstraints
        private(set) var all: [Choice] = []
        private var places: [Choice: Int] = [:]
        private let whole: CostBreakdown

        init(_ model: CostModel, _ constraints: PlanConstraints) {
            self.model = model
            self.constraints = constraints
            whole = model.edgeOnlyCost()
        }

        mutating func add(_ choice: Choice) -> Int {
            if let place = places[choice] { return place }
            places[choice] = all.count
            all.append(choice)
            return all.count - 1
        }

        mutating func addEdgeOnly() -> Int {
            add(
                Choice(
                    label: "edge-only", strategy: .edgeOnly, cost: whole, answerBytes: 0, whole: whole,
                    edgeThreads: model.profiles.edge.threads, cloudThreads: 0))
        }

        mutating func addCloudOnly() -> Int {
            let cost = model.cloudOnlyCost()
            return add(
                Choice(
                    label: "cloud-only (JPEG)", strategy: .cloudOnly, cost: cost, answerBytes: cost.downlinkBytes.bytes,
                    whole: whole, edgeThreads: 1, cloudThreads: model.profiles.cloud.threads))
        }

        /// One of the planner's own options, which may run the board or the server in another way than the usual.
        mutating func add(_ option: SplitPlan.Option) -> Int {
            switch option.strategy {
            case .edgeOnly where option.cost == whole: return addEdgeOnly()
            case .cloudOnly where option.cost.tail == model.cloudOnlyCost().tail: return addCloudOnly()
            default: break
            }
            let outputs = Set(model.cuts.headOutputs(at: option.position))
            let graph = model.cuts.graph
            let answer = graph.outputs.filter { option.strategy == .cloudOnly || !outputs.contains($0) }
                .reduce(Int64(0)) { $0 + Int64(graph[$1].type.byteCount) }
            return add(
                Choice(
                    label: option.label, strategy: option.strategy, cost: option.cost,
                    answerBytes: option.strategy == .edgeOnly ? 0 : answer, whole: whole,
                    edgeThreads: option.edgeThreads ?? 1, cloudThreads: option.cloudThreads ?? 0))
        }

        /// Every cut in every mode that the constraints allow, run in the usual ways.
        mutating func addCuts() {
            for position in model.cuts.indices where !model.cuts.isEdgeOnly(at: position) {
                for mode in model.modes.indices { _ = addCut(at: position, mode: mode) }
            }
        }

        /// `nil` where the cut is not allowed or not measured in the mode.
        mutating func addCut(at position: Int, mode: Int) -> Int? {
            let cuts = model.cuts
            let boundary = cuts.boundary(at: position)
            guard let encoding = model.encoding(of: boundary, mode: mode) else { return nil }
            if !constraints.privacy.allowsPicture, boundary.contains(where: cuts.graph.inputs.contains) { return nil }
            if let loss = constraints.maximumAccuracyLoss, encoding.top1Agreement.map({ 1 - $0 > loss }) ?? true {
                return nil
            }
            let cost = model.cost(ofCutAt: position, boundary: boundary, encoding: encoding)
            let names = boundary.map { cuts.graph[$0].name }.joined(separator: " + ")
            return add(
                Choice(
                    label: "\(names) · \(model.modes[mode])", strategy: .split, cost: cost,
                    answerBytes: cost.downlinkBytes.bytes, whole: whole, edgeThreads: model.profiles.edge.threads,
                    cloudThreads: model.profiles.cloud.threads))
        }
    }
}
