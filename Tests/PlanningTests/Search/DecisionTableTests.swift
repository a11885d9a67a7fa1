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

    /// Tensors and nodes of random cost, without composite measurements: for thousands of cuts.
    private func profiles(_ graph: Graph, using generator: inout SeededGenerator) -> ProfileSet {
        let edge = graph.nodes.map { _ in Int64.random(in: 0...3_000_000, using: &generator) }
        let cloud = graph.nodes.map { _ in Int64.random(in: 0...300_000, using: &generator) }
        var entries: [CodecProfile.Entry] = []
        for mode in ["u2", "u4", "u8"] {
            for value in graph.values where value.constant == nil {
                entries.append(
                    CodecProfile.Entry(
                        boundary: value.name, mode: mode, elements: 128,
                        encoded: ByteCount(Int.random(in: 500...60_000, using: &generator)),
                        encode: .exactly(.random(in: 0...2_000_000, using: &generator)),
                        decode: .exactly(.random(in: 0...500_000, using: &generator)), top1Agreement: 0.99))
            }
        }
        return ProfileSet(
            edge: .test(.edge, graph, nanoseconds: { edge[$0] }),
            cloud: .test(.cloud, graph, nanoseconds: { cloud[$0] }),
            codec: CodecProfile(provenance: .test, model: .test, images: 50, entries: entries), input: .test())
    }

    /// Ten thousand links and loads, spread evenly over their logarithms, against a scan of every option.
    @Test(arguments: 0..<5) func isWhatBruteForceFindsEverywhere(network: Int) throws {
        let (name, build) = Self.networks[network]
        let graph = build()
        var generator = SeededGenerator(seed: UInt64(network) + 77)
        let cuts = CutEnumerator().cuts(of: graph)
        let profiles = profiles(graph, using: &generator)
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

    private func table() throws -> DecisionTable {
        var graph = Graph(name: "chain")
        graph.outputs = [graph.addChain("c", from: graph.addInput("input", Graph.activation), length: 6)]
        var generator = SeededGenerator(seed: 5)
        let model = try CostModel(
            cuts: CutEnumerator().cuts(of: graph), profiles: profiles(graph, using: &generator), link: .mobile4G)
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
