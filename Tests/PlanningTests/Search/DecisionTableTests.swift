private import FoundationEssentials
private import Glibc
private import ModelGraph
private import Planning
internal import Testing

@Suite struct DecisionTableTests {
    private static let networks: [(name: String, graph: @Sendable () -> Graph)] = [
        ("chain", { graph(seed: 1, nodes: 40) }), ("small", { graph(seed: 2, nodes: 9) }),
        ("random", { graph(seed: 3, nodes: 16) }), ("ResNet-50", { .resNet50Shaped() }),
        ("Inception-v3", { .inceptionV3Shaped() }),
    ]

    private static func graph(seed: UInt64, nodes: Int) -> Graph {
        var generator = SeededGenerator(seed: seed)
        if nodes == 40 {
            var graph = Graph(name: "chain")
            graph.outputs = [graph.addChain("c", from: graph.addInput("input", Graph.activation), length: nodes)]
            return graph
        }
        return .random(nodes: nodes, using: &generator)
    }

    /// Ten thousand links and loads, spread evenly over their logarithms, against a scan of every option.
    @Test(arguments: 0..<5) func isWhatBruteForceFindsEverywhere(network: Int) throws {
        let (name, build) = Self.networks[network]
        let graph = build()
        var generator = SeededGenerator(seed: UInt64(network) + 77)
        let cuts = CutEnumerator().cuts(of: graph)
        let profiles = ProfileSet.random(additive: graph, using: &generator)
        let link = LinkProfile.mobile4G
        let model = try CostModel(cuts: cuts, profiles: profiles, link: link)
        let table = try #require(try Planner(model).plan(.latency).decisions)

        // Apart, so that the scan is one of vectors.
        var fixed: [Double] = []
        var bits: [Double] = []
        func add(_ cost: CostBreakdown) {
            fixed.append((cost.latency - cost.uplink - cost.roundTrip).inSeconds)
            bits.append(8 * Double(cost.uplinkBytes.bytes))
        }
        add(model.cloudOnlyCost())
        for position in cuts.indices.dropLast() {
            let boundary = cuts.boundary(at: position)
            for mode in model.modes.indices {
                let encoding = try #require(model.encoding(of: boundary, mode: mode))
                add(model.cost(ofCutAt: position, boundary: boundary, encoding: encoding))
            }
        }
        let edgeOnly = model.edgeOnlyCost().latency.inSeconds
        func spread(_ low: Double, _ high: Double) -> Double {
            exp(.random(in: log(low)...log(high), using: &generator))
        }
        for _ in 0..<10_000 {
            let conditions = DecisionTable.Conditions(
                uplink: spread(1e4, 1e10), roundTrip: spread(1e-4, 1), cloudWait: spread(1e-5, 0.5))
            var expected = Double.infinity
            let perBit = 1 / conditions.uplink
            for index in fixed.indices { expected = min(expected, fixed[index] + bits[index] * perBit) }
            expected = min(expected + conditions.roundTrip + conditions.cloudWait, edgeOnly)
            let found = table.latency(of: table.fastest(conditions), conditions)
            #expect(abs(found - expected) <= 1e-9 * expected, "\(name): \(conditions)")
        }
    }

    @Test(arguments: 0..<50 as Range<UInt64>) func survivesJSON(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = Graph.random(nodes: 8, using: &generator)
        let cuts = CutEnumerator().cuts(of: graph)
        let model = try CostModel(
            cuts: cuts, profiles: .random(graph, cuts: cuts, using: &generator), link: .wifi)
        let plan = try Planner(model).plan(.latency)
        let read = try SplitPlan.read(try plan.json(), named: "plan.json")
        #expect(read == plan, "seed \(seed)")
    }

    /// Each change is where it is said to be, and nothing changes before it.
    @Test(arguments: 0..<200 as Range<UInt64>) func knowsWhatWouldChangeTheChoice(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = Graph.random(nodes: 8, using: &generator)
        let cuts = CutEnumerator().cuts(of: graph)
        let link = LinkProfile(
            name: "random", roundTrip: .microseconds(Int64.random(in: 0...40_000, using: &generator)),
            uplink: .megabits(exp(.random(in: -6...6, using: &generator))), downlink: .megabits(50), source: "test")
        let model = try CostModel(
            cuts: cuts, profiles: .random(additive: graph, using: &generator), link: link,
            cloudWait: .microseconds(Int64.random(in: 0...20_000, using: &generator)))
        let plan = try Planner(model).plan(.latency)
        let table = try #require(plan.decisions)
        let here = plan.plannedConditions
        let first = table.fastest(here)
        #expect(table.options[first] == plan.chosen, "seed \(seed)")
        func fastest(_ condition: DecisionTable.Condition, _ value: Double) -> Int {
            var conditions = here
            switch condition {
            case .uplink: conditions.uplink = value
            case .roundTrip: conditions.roundTrip = value
            case .cloudWait: conditions.cloudWait = value
            }
            return table.fastest(conditions)
        }
        let changes = table.changes(from: here)
        for change in changes {
            let beyond = change.isAbove ? 1 + 1e-9 : 1 - 1e-9
            #expect(fastest(change.condition, change.value / beyond) == first, "seed \(seed): \(change)")
            #expect(fastest(change.condition, change.value * beyond) == change.option, "seed \(seed): \(change)")
        }
        for condition in [DecisionTable.Condition.uplink, .roundTrip, .cloudWait] {
            let low = changes.first { $0.condition == condition && !$0.isAbove }?.value ?? 1e-7
            let high = changes.first { $0.condition == condition && $0.isAbove }?.value ?? 1e12
            for _ in 0..<100 {
                let value = exp(.random(in: log(low)...log(high), using: &generator))
                #expect(fastest(condition, value) == first, "seed \(seed): \(condition) \(value)")
            }
        }
    }

    @Test func explainsAnExtremeLinkWithoutTrapping() throws {
        var graph = Graph(name: "chain")
        graph.outputs = [graph.addChain("c", from: graph.addInput("input", Graph.activation), length: 3)]
        var generator = SeededGenerator(seed: 1)
        let profiles = ProfileSet.random(additive: graph, using: &generator)
        for (uplink, roundTrip) in [(10, Duration.seconds(90_000)), (1e300, .zero)] {
            let link = LinkProfile(
                name: "extreme", roundTrip: roundTrip, uplink: BitRate(bitsPerSecond: uplink), downlink: .megabits(1),
                source: "test")
            let model = try CostModel(cuts: CutEnumerator().cuts(of: graph), profiles: profiles, link: link)
            let plan = try Planner(model).plan(.latency)
            let explanation = PlanExplanation(plan)
            #expect(try PlanExplanation.read(explanation.json(), named: "e.json") == explanation)
        }
    }

    /// A deadline that the planned link cannot keep for an option does not keep it from the table: other links can.
    @Test func holdsWhatMissesTheDeadlineOnThePlannedLinkOnly() throws {
        var graph = Graph(name: "chain")
        graph.outputs = [graph.addChain("c", from: graph.addInput("input", Graph.activation), length: 6)]
        var generator = SeededGenerator(seed: 5)
        let profiles = ProfileSet.random(additive: graph, using: &generator)
        let model = try CostModel(cuts: CutEnumerator().cuts(of: graph), profiles: profiles, link: .mobile3G)
        let free = try Planner(model).plan(.latency)
        let slowest = try #require(free.decisions?.options.map(\.cost.latency).max())
        try #require(free.chosen.cost.latency < slowest)
        let bound = try Planner(model).plan(
            .latency, constraints: PlanConstraints(maximumLatency: free.chosen.cost.latency))
        #expect(bound.decisions == free.decisions)
        #expect(bound.search.allowedOptions < free.search.allowedOptions)
    }

    private func table() throws -> DecisionTable {
        var graph = Graph(name: "chain")
        graph.outputs = [graph.addChain("c", from: graph.addInput("input", Graph.activation), length: 6)]
        var generator = SeededGenerator(seed: 5)
        let model = try CostModel(
            cuts: CutEnumerator().cuts(of: graph), profiles: .random(additive: graph, using: &generator),
            link: .mobile4G)
        return try #require(try Planner(model).plan(.latency).decisions)
    }

    @Test func switchesOnlyForAGainThatLasts() throws {
        let table = try table()
        let fast = DecisionTable.Conditions(uplink: 1e9, roundTrip: 0.001, cloudWait: 0)
        let slow = DecisionTable.Conditions(uplink: 1e4, roundTrip: 0.001, cloudWait: 0)
        let (first, second) = (table.fastest(fast), table.fastest(slow))
        try #require(first != second)
        var policy = SwitchingPolicy(patience: 3)
        #expect(policy.decide(table, fast) == first)
        #expect(policy.decide(table, slow) == first && policy.decide(table, slow) == first)
        // A good moment in between starts the count anew.
        #expect(policy.decide(table, fast) == first)
        #expect(policy.decide(table, slow) == first && policy.decide(table, slow) == first)
        #expect(policy.decide(table, slow) == second)
        #expect(policy.decide(table, slow) == second)
    }

    @Test func staysWhereASwitchDoesNotPay() throws {
        let table = try table()
        let fast = DecisionTable.Conditions(uplink: 1e9, roundTrip: 0.001, cloudWait: 0)
        let slow = DecisionTable.Conditions(uplink: 1e4, roundTrip: 0.001, cloudWait: 0)
        let gain = table.latency(of: table.fastest(fast), slow) - table.latency(of: table.fastest(slow), slow)
        for (cost, switches) in [(gain * 10 * 0.9, true), (gain * 10 * 1.1, false)] {
            var policy = SwitchingPolicy(margin: 0, patience: 1, switchCost: cost, horizon: 10)
            let first = policy.decide(table, fast)
            #expect((policy.decide(table, slow) != first) == switches)
        }
        var policy = SwitchingPolicy(margin: 1, patience: 1)
        let first = policy.decide(table, fast)
        #expect(policy.decide(table, slow) == first)
    }
}
