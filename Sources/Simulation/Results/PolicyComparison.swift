/// All policies in one scenario.
package struct PolicyComparison: Sendable {
    /// Which policies to run; the names are those of tables and of the command line.
    package enum Contestant: String, Hashable, Sendable, CaseIterable {
        case edgeOnly = "edge-only"
        case cloudOnly = "cloud-only"
        case bestStatic = "static"
        case chain = "neurosurgeon"
        case dads
        case cleave
        case clairvoyant

        package var title: String {
            switch self {
            case .edgeOnly: "edge-only"
            case .cloudOnly: "cloud-only (JPEG)"
            case .bestStatic: "best static choice"
            case .chain: "Neurosurgeon-style"
            case .dads: "DADS-style"
            case .cleave: "Cleave"
            case .clairvoyant: "clairvoyant"
            }
        }
    }

    package struct Run: Sendable {
        package var contestant: Contestant
        package var outcome: Outcome
        package var result: PolicyResult
    }

    package let scenario: Scenario
    package let choices: ChoiceSet
    package private(set) var runs: [Run] = []
    /// The mean over pictures of the least latency that any choice has with nothing else in its way: no policy does better.
    package let boundMilliseconds: Double
    /// When the pictures come, board after board.
    package let arrivals: [Int64]
    /// By board, where its pictures begin; one more for the end.
    package let boardStarts: [Int]

    /// - Parameters:
    ///   - staticCandidates: how many choices are run whole to find the best static one, after all were compared on sampled pictures.
    /// - Throws: `SimulationError.invalidScenario`.
    package init(
        _ scenario: Scenario, choices: ChoiceSet, contestants: [Contestant] = Contestant.allCases,
        rules: Simulator.CleaveRules = Simulator.CleaveRules(), power: BoardPowers = BoardPowers(),
        staticCandidates: Int = 4
    ) throws(SimulationError) {
        try scenario.validate()
        self.scenario = scenario
        self.choices = choices
        let plan = ArrivalPlan(scenario)
        arrivals = plan.times
        boardStarts = plan.starts
        let bounds = PathTimes(scenario, choices, plan)
        boundMilliseconds = bounds.leastSum / Double(max(1, plan.times.count)) / 1e6
        func run(_ contestant: Contestant, _ policy: Policy, choice: Int?) -> Run {
            var simulator = Simulator(scenario, choices, policy, rules, plan)
            let outcome = simulator.run()
            return Run(
                contestant: contestant, outcome: outcome,
                result: PolicyResult(
                    contestant.title, choice: choice.map { choices.all[$0].label }, outcome, scenario,
                    bound: bounds.leastSum, power: power))
        }
        for contestant in contestants {
            switch contestant {
            case .edgeOnly: runs.append(run(contestant, .edgeOnly, choice: choices.edgeOnly))
            case .cloudOnly:
                guard let cloudOnly = choices.cloudOnly else { continue }
                runs.append(run(contestant, .cloudOnly, choice: cloudOnly))
            case .bestStatic:
                let candidates = bounds.bestStatic(staticCandidates).map { run(contestant, .fixed($0), choice: $0) }
                if let best = candidates.min(by: { $0.cost < $1.cost }) { runs.append(best) }
            case .chain: runs.append(run(contestant, .chain, choice: nil))
            case .dads: runs.append(run(contestant, .dads, choice: nil))
            case .cleave: runs.append(run(contestant, .cleave, choice: nil))
            case .clairvoyant: runs.append(run(contestant, .clairvoyant, choice: nil))
            }
        }
    }

    package func result(_ contestant: Contestant) -> PolicyResult? {
        runs.first { $0.contestant == contestant }?.result
    }
}

extension PolicyComparison.Run {
    /// Dropped pictures first, then the mean.
    fileprivate var cost: (Int, Double) { (result.dropped, result.meanMilliseconds) }
}

/// What pictures take with nothing else in their way.
struct PathTimes {
    /// The sum over pictures of the least latency, in nanoseconds.
    private(set) var leastSum = 0.0
    private let scenario: Scenario
    private let choices: ChoiceSet
    private let plan: ArrivalPlan

    init(_ scenario: Scenario, _ choices: ChoiceSet, _ plan: ArrivalPlan) {
        self.scenario = scenario
        self.choices = choices
        self.plan = plan
        var sum = 0.0
        forEachPicture(stride: 1) { path, arrival in
            let best = path.fastest(
                of: choices, from: arrival, uplinkFree: arrival, deadline: nil, including: choices.edgeOnly)
            sum += Double(best.end - arrival)
        }
        leastSum = sum
    }

    private func forEachPicture(stride: Int, _ body: (Path, _ arrival: Int64) -> Void) {
        let downlinks = scenario.downlinks
        let places = scenario.uplinkPlaces
        for board in 0..<scenario.boards {
            let (trace, offset) = places[board / scenario.camerasPerUplink]
            let pictures = plan.starts[board]..<plan.starts[board + 1]
            for picture in pictures where picture % stride == 0 {
                let path = Path(
                    up: scenario.uplinks[trace], down: downlinks[trace], offset: offset,
                    factors: scenario.factors(of: picture))
                body(path, plan.times[picture])
            }
        }
    }

    /// The choices that are the fastest in the mean, best first, over at most 5,000 pictures and with the servers' queues taken for M/D/1.
    func bestStatic(_ count: Int) -> [Int] {
        let candidates = choices.undominated
        var sums = [Double](repeating: 0, count: candidates.count)
        let deadline = scenario.agent.deadline
        var pictures = 0
        forEachPicture(stride: max(1, plan.times.count / 5_000)) { path, arrival in
            pictures += 1
            for (place, index) in candidates.enumerated() {
                let choice = choices.all[index]
                let head = (choice.edge - choice.encode).scaled(by: path.factors.edge)
                let end =
                    path.answer(to: choice, from: arrival, uplinkFree: arrival, deadline: deadline)
                    ?? arrival + head + deadline + choice.remainder.scaled(by: path.factors.edge)
                sums[place] += Double(end - arrival)
            }
        }
        let perSecond = Double(plan.times.count) / Double(scenario.duration)
        let means = candidates.indices.map { place in
            let cloud = Double(choices.all[candidates[place]].cloud)
            let load = perSecond * cloud / Double(scenario.pool.servers * scenario.pool.workers)
            let wait = load < 1 ? load * cloud / (2 * (1 - load)) : Double(deadline)
            return sums[place] / Double(max(1, pictures)) + min(wait, Double(deadline))
        }
        return candidates.indices.sorted { (means[$0], $0) < (means[$1], $1) }.prefix(count).map { candidates[$0] }
    }
}
