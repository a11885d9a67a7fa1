private import ModelGraph
private import Planning
internal import Testing

@Suite struct PlannerTests {
    @Test(arguments: 0..<1_000 as Range<UInt64>)
    func choosesWhatBruteForceChooses(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = Graph.random(nodes: .random(in: 1...8, using: &generator), using: &generator)
        let cuts = CutEnumerator().cuts(of: graph)
        let profiles = ProfileSet.random(graph, cuts: cuts, using: &generator)
        var link = LinkProfile(
            name: "random", roundTrip: .microseconds(Int64.random(in: 0...100_000, using: &generator)),
            uplink: .megabits(.random(in: 0.1...100, using: &generator)),
            downlink: .megabits(.random(in: 0.1...100, using: &generator)),
            radio: generator.chance(0.5) ? .wifi : nil, source: "seed \(seed)")
        if generator.chance(0.5) { link.roundTripP95 = link.roundTrip * 1.5 }
        if generator.chance(0.5) { link.uplinkP5 = BitRate(bitsPerSecond: link.uplink.bitsPerSecond * 0.3) }
        let wait = Duration.microseconds(Int64.random(in: 0...20_000, using: &generator))
        var constraints = PlanConstraints()
        if generator.chance(0.3) {
            constraints.privacy =
                generator.chance(0.5)
                ? .nodesBeforeBoundary(.random(in: 1...4, using: &generator))
                : .notBefore(node: graph.nodes.randomElement(using: &generator)!.name)
        }
        if generator.chance(0.2) { constraints.maximumAccuracyLoss = .random(in: 0...0.1, using: &generator) }
        if generator.chance(0.2) {
            constraints.maximumUplink = ByteCount(Int.random(in: 100...60_000, using: &generator))
        }
        if generator.chance(0.2) {
            constraints.maximumLatency = .milliseconds(Int64.random(in: 20...200, using: &generator))
        }
        if generator.chance(0.2) {
            constraints.maximumEdgeMemory = ByteCount(Int.random(in: 1_000...1_000_000, using: &generator))
        }
        if generator.chance(0.2) { constraints.maximumPackage = ByteCount(Int.random(in: 0...600, using: &generator)) }
        let costs = RunningCosts()
        let expected = NaivePlanner.options(graph, Array(cuts), profiles, link, wait: wait, costs, constraints)
        let planner = Planner(
            try CostModel(cuts: cuts, profiles: profiles, link: link, cloudWait: wait, costs: costs))
        for objective in Objective.allCases {
            guard let best = expected.map({ $0.value(objective) }).min() else {
                #expect(throws: PlanningError.self) { try planner.plan(objective, constraints: constraints) }
                continue
            }
            let plan = try planner.plan(objective, constraints: constraints)
            let value = try #require(objective.value(plan.chosen))
            // Nanoseconds and bytes exactly; what is computed with fractions to the last digits.
            #expect(abs(value - best) <= 1e-9 * best + (objective == .p95Latency ? 2 : 0), "seed \(seed), \(objective)")
            #expect(plan.search.allowedOptions == expected.count, "seed \(seed)")
            let bestSplit = expected.filter { $0.strategy == .split }.map { $0.value(objective) }.min()
            #expect((plan.bestSplit == nil) == (bestSplit == nil), "seed \(seed)")
            #expect(plan.ranking.first == plan.chosen)
            if plan.chosen.strategy == .split {
                let cut = try plan.cut(of: graph)
                #expect(cut.boundary.map { graph[$0].name } == plan.chosen.boundary, "seed \(seed)")
                #expect(cut.headNodes.count == plan.chosen.headNodeCount, "seed \(seed)")
            }
        }
        try goalsAgree(expected, planner, constraints, using: &generator, seed: seed)
    }

    /// A weighted and a lexicographic goal against their definitions.
    private func goalsAgree(
        _ expected: [NaivePlanner.Option], _ planner: Planner, _ constraints: PlanConstraints,
        using generator: inout SeededGenerator, seed: UInt64
    ) throws {
        guard !expected.isEmpty else { return }
        let objectives = Array(Objective.allCases.shuffled(using: &generator).prefix(3))
        let least = objectives.map { objective in expected.map { $0.value(objective) }.min()! }
        let weights = objectives.map { _ in Double.random(in: 0.1...3, using: &generator) }
        func sum(_ value: (Objective) -> Double) -> Double {
            zip(objectives, zip(weights, least)).reduce(0) { $0 + $1.1.0 * value($1.0) / ($1.1.1 > 0 ? $1.1.1 : 1) }
        }
        let weighted = try planner.plan(
            .weighted(zip(objectives, weights).map { Goal.Term($0, weight: $1) }), constraints: constraints)
        let best = try #require(expected.map { option in sum { option.value($0) } }.min())
        let chosen = sum { $0.value(weighted.chosen) ?? .nan }
        #expect(abs(chosen - best) <= 1e-6 * best, "seed \(seed), weighted \(objectives)")

        let tolerance = Double.random(in: 0.001...0.3, using: &generator)
        let ordered = try planner.plan(.lexicographic(objectives, tolerance: tolerance), constraints: constraints)
        var kept = expected
        for objective in objectives.dropLast() {
            let least = kept.map { $0.value(objective) }.min()!
            kept.removeAll { $0.value(objective) > least * (1 + tolerance) }
        }
        let last = objectives[objectives.count - 1]
        let least3 = kept.map { $0.value(last) }.min()!
        let value = try #require(last.value(ordered.chosen))
        #expect(abs(value - least3) <= 1e-6 * least3 + 2e-6, "seed \(seed), ordered \(objectives)")
    }

    @Test(arguments: 0..<120 as Range<UInt64>)
    func knowsTheFastestOptionForEveryUplink(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = Graph.random(nodes: 7, using: &generator)
        let cuts = CutEnumerator().cuts(of: graph)
        let profiles = ProfileSet.random(graph, cuts: cuts, using: &generator)
        var link = LinkProfile.mobile4G
        let plan = try Planner(CostModel(cuts: cuts, profiles: profiles, link: link)).plan(.latency)
        let boundaries = plan.byUplink.map { ($0.fromUplink, $0.toUplink) }
        #expect(boundaries.first?.0 == nil && boundaries.last?.1 == nil)
        #expect(zip(boundaries, boundaries.dropFirst()).allSatisfy { $0.1 == $1.0 }, "seed \(seed)")
        for _ in 0..<20 {
            link.uplink = .megabits(.random(in: 0.05...200, using: &generator))
            let best = try Planner(CostModel(cuts: cuts, profiles: profiles, link: link)).plan(.latency)
            let range = try #require(plan.byUplink.first { $0.contains(link.uplink) })
            var cost = range.option.cost
            cost.uplink = link.uplink.transferTime(of: cost.uplinkBytes)
            #expect(
                abs((cost.latency - best.chosen.cost.latency).wholeNanoseconds) <= 1, "seed \(seed), \(link.uplink)")
        }
    }

    /// Two nodes: a fast first one that shrinks the data, a slow second one.
    private func shrinkingChain(edgeFactor: Int64, jpeg: Int) throws -> (Graph, ProfileSet) {
        var graph = Graph(name: "chain")
        graph.outputs = [graph.addChain("c", from: graph.addInput("input", Graph.activation), length: 2)]
        let entries = [
            CodecProfile.Entry(
                boundary: "c.0", mode: "u8", elements: 4_000, encoded: ByteCount(2_000), encode: .exactly(100_000),
                decode: .exactly(100_000), top1Agreement: 0.995)
        ]
        let times: [Int64] = [2_000_000, 20_000_000]
        return (
            graph,
            ProfileSet(
                edge: .test(.edge, graph, nanoseconds: { times[$0] * edgeFactor }),
                cloud: .test(.cloud, graph, nanoseconds: { times[$0] / 4 }),
                codec: CodecProfile(provenance: .test, model: .test, images: 50, entries: entries),
                input: .test(jpeg: jpeg))
        )
    }

    private func plan(
        _ graph: Graph, _ profiles: ProfileSet, over link: LinkProfile, _ objective: Objective = .latency,
        _ constraints: PlanConstraints = PlanConstraints()
    ) throws -> SplitPlan {
        let model = try CostModel(cuts: CutEnumerator().cuts(of: graph), profiles: profiles, link: link)
        return try Planner(model).plan(objective, constraints: constraints)
    }

    @Test func splitsWhereASplitWins() throws {
        let (graph, profiles) = try shrinkingChain(edgeFactor: 8, jpeg: 60_000)
        let plan = try plan(graph, profiles, over: .mobile4G)
        #expect(plan.chosen.strategy == .split)
        #expect(plan.chosen.boundary == ["c.0"])
        #expect(try plan.cut(of: graph).headNodes == [NodeID(0)])
        #expect(plan.reasons.contains { $0.hasPrefix("It beats cloud-only with a JPEG") })
        #expect(plan.reasons.contains { $0.hasPrefix("Below ") && $0.contains("edge-only would be faster") })
        #expect(plan.reasons.contains { $0.hasPrefix("Above ") && $0.contains("cloud-only (JPEG) would be faster") })
    }

    @Test func saysSoWhenEdgeOnlyWins() throws {
        let (graph, profiles) = try shrinkingChain(edgeFactor: 1, jpeg: 60_000)
        let plan = try plan(graph, profiles, over: .mobile3G)
        #expect(plan.chosen.strategy == .edgeOnly)
        #expect(plan.chosen.cost.roundTrip == .zero && plan.chosen.cost.uplinkBytes == .zero)
        #expect(plan.bestSplit?.boundary == ["c.0"])
        #expect(plan.reasons.contains { $0.hasPrefix("No cut pays here") })
        #expect(try plan.cut(of: graph) == .edgeOnly(of: graph))
    }

    @Test func saysSoWhenCloudOnlyWinsUnlessThePictureMustStay() throws {
        let (graph, profiles) = try shrinkingChain(edgeFactor: 8, jpeg: 4_000)
        let free = try plan(graph, profiles, over: .ethernet)
        #expect(free.chosen.strategy == .cloudOnly)
        #expect(try free.cut(of: graph) == .cloudOnly(of: graph))
        let confined = try plan(
            graph, profiles, over: .ethernet, .latency, PlanConstraints(privacy: .nodesBeforeBoundary(1)))
        #expect(confined.chosen.strategy == .split)
        #expect(confined.cloudOnly.refusal == .privacy)
        #expect(confined.reasons.contains { $0.hasPrefix("Not allowed: cloud-only") })
    }

    @Test func refusesWhatCannotBe() throws {
        let (graph, profiles) = try shrinkingChain(edgeFactor: 8, jpeg: 4_000)
        #expect(
            code { try plan(graph, profiles, over: .wifi, .latency, PlanConstraints(privacy: .notBefore(node: "?"))) }
                == .unknownName)
        let impossible = PlanConstraints(
            privacy: .nodesBeforeBoundary(9), maximumEdgeMemory: ByteCount(1))
        #expect(code { try plan(graph, profiles, over: .wifi, .latency, impossible) } == .infeasible)
    }

    @Test func refusesProfilesThatDoNotBelongTogether() throws {
        let (graph, profiles) = try shrinkingChain(edgeFactor: 8, jpeg: 4_000)
        var others = profiles
        others.codec.model.digest = "sha256:ff"
        #expect(code { try plan(graph, others, over: .wifi) } == .mismatchedProfiles)
        others = profiles
        others.edge.role = .cloud
        #expect(code { try plan(graph, others, over: .wifi) } == .mismatchedProfiles)
        others = profiles
        others.cloud.nodes.removeLast()
        #expect(code { try plan(graph, others, over: .wifi) } == .missingNode)
    }

    private func code(_ body: () throws -> SplitPlan) -> PlanningError.Code? {
        do {
            _ = try body()
            return nil
        } catch {
            return (error as? PlanningError)?.code
        }
    }
}
