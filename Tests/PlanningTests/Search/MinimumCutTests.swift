private import ModelGraph
private import Planning
internal import Testing

@Suite struct MinimumCutTests {
    /// Costs that are sums over nodes and tensors, as a minimum cut assumes.
    private func additiveProfiles(_ graph: Graph, using generator: inout SeededGenerator) -> ProfileSet {
        let edge = graph.nodes.map { _ in Int64.random(in: 0...20_000_000, using: &generator) }
        // What depends on constants alone costs nothing in the cloud: else the search would move it where no reader is.
        let cloud = graph.nodes.map { node in
            node.name.hasPrefix("node p") ? 0 : Int64.random(in: 0...6_000_000, using: &generator)
        }
        var entries: [CodecProfile.Entry] = []
        for mode in ["u4", "u8"] {
            for value in graph.values where value.constant == nil && generator.chance(0.95) {
                entries.append(
                    CodecProfile.Entry(
                        boundary: value.name, mode: mode, elements: 128,
                        encoded: ByteCount(Int.random(in: 10...60_000, using: &generator)),
                        encode: .exactly(.random(in: 0...3_000_000, using: &generator)),
                        decode: .exactly(.random(in: 0...1_000_000, using: &generator)), top1Agreement: 0.99))
            }
        }
        return ProfileSet(
            edge: .test(.edge, graph, nanoseconds: { edge[$0] }),
            cloud: .test(.cloud, graph, nanoseconds: { cloud[$0] }),
            codec: CodecProfile(provenance: .test, model: .test, images: 50, entries: entries), input: .test())
    }

    @Test(arguments: 0..<1_000 as Range<UInt64>)
    func findsTheCutOfLeastLatency(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = Graph.random(
            nodes: .random(in: 2...13, using: &generator), using: &generator,
            passiveShare: seed % 4 == 0 ? 0.15 : 0)
        let all = CutEnumerator().cuts(of: graph)
        guard all.count > 4 else { return }
        let profiles = additiveProfiles(graph, using: &generator)
        let link = LinkProfile(
            name: "random", roundTrip: .milliseconds(Int64.random(in: 0...30, using: &generator)),
            uplink: .megabits(.random(in: 0.5...100, using: &generator)), downlink: .megabits(50),
            source: "seed \(seed)")
        var constraints = PlanConstraints()
        if generator.chance(0.4) { constraints.privacy = .nodesBeforeBoundary(.random(in: 1...4, using: &generator)) }
        // Of nodes that read no activation the search does not know which of their readers should bring them along.
        if generator.chance(0.2),
            let node = graph.nodes.filter({ $0.name.hasPrefix("node v") }).randomElement(using: &generator)
        {
            constraints.privacy = .notBefore(node: node.name)
        }
        func plan(_ cuts: CutSet) throws -> SplitPlan {
            try Planner(CostModel(cuts: cuts, profiles: profiles, link: link)).plan(.latency, constraints: constraints)
        }
        let exact = try plan(all)
        let searched = try plan(CutEnumerator(limit: 3).cuts(of: graph))
        #expect(exact.search.isExhaustive && !searched.search.isExhaustive)
        #expect(exact.chosen.cost.latency == searched.chosen.cost.latency, "seed \(seed)")
    }

    @Test func findsTheCutInAGraphThatCannotBeEnumerated() throws {
        // Sixty branches: 4^60 cuts. Cutting each branch at its small tensor is best; no order's prefix is that cut.
        var graph = Graph(name: "wide")
        let input = graph.addInput("input", Graph.activation)
        let branches = (0..<60).map { graph.addChain("b\($0)", from: input, length: 3) }
        graph.outputs = [graph.add("concat", branches)]
        let entries = graph.values.filter { $0.constant == nil }.map { value in
            let isSmall = value.name.hasSuffix(".1")
            return CodecProfile.Entry(
                boundary: value.name, mode: "u8", elements: 128, encoded: ByteCount(isSmall ? 10 : 50_000),
                encode: .exactly(0), decode: .exactly(0), top1Agreement: 1)
        }
        let profiles = ProfileSet(
            edge: .test(.edge, graph, nanoseconds: { $0 % 3 == 2 ? 50_000_000 : 100_000 }),
            cloud: .test(.cloud, graph, nanoseconds: { _ in 100_000 }),
            codec: CodecProfile(provenance: .test, model: .test, images: 50, entries: entries), input: .test())
        let model = try CostModel(cuts: CutEnumerator().cuts(of: graph), profiles: profiles, link: .mobile4G)
        let plan = try Planner(model).plan(.latency, constraints: PlanConstraints(privacy: .nodesBeforeBoundary(1)))
        #expect(plan.chosen.strategy == .split)
        #expect(Set(plan.chosen.boundary) == Set((0..<60).map { "b\($0).1" }))
    }
}
