private import ModelGraph
private import Planning
internal import Testing

@Suite struct PlannerTests {
    /// An option as the definition of the cost model gives it, without indices, rows of bits or sharing.
    private struct NaiveOption {
        var strategy: SplitPlan.Strategy
        var latency: Int64
        var bottleneck: Int64
        var bytes: Int64
        var edgeTime: Int64
        var p95: Double
        /// In joules, seconds and currency.
        var energy: Double
        var coreTime: Double
        var money: Double

        func value(_ objective: Objective) -> Double {
            switch objective {
            case .latency: Double(latency)
            case .p95Latency: p95
            case .throughput: Double(bottleneck)
            case .uplinkBytes: Double(bytes)
            case .edgeTime: Double(edgeTime)
            case .energy: energy
            case .cloudTime: coreTime
            case .money: money
            }
        }
    }

    /// For every way to run the board and the server.
    private func naiveOptions(
        _ graph: Graph, _ cuts: [Cut], _ profiles: ProfileSet, _ link: LinkProfile, wait: Duration,
        _ costs: RunningCosts,
        _ constraints: PlanConstraints
    ) -> [NaiveOption] {
        var options: [NaiveOption] = []
        for (edgeWay, edge) in ([profiles.edge] + profiles.otherEdges).enumerated() {
            for (cloudWay, cloud) in ([profiles.cloud] + profiles.otherClouds).enumerated() {
                var pair = profiles
                pair.edge = edge
                pair.cloud = cloud
                options += naiveOptions(
                    graph, cuts, pair, link, wait, costs, constraints, cloudOnly: edgeWay == 0, edgeOnly: cloudWay == 0)
            }
        }
        return options
    }

    private func naiveOptions(
        _ graph: Graph, _ cuts: [Cut], _ profiles: ProfileSet, _ link: LinkProfile, _ wait: Duration,
        _ costs: RunningCosts, _ constraints: PlanConstraints, cloudOnly: Bool, edgeOnly: Bool
    ) -> [NaiveOption] {
        func transfer(_ bytes: Int64, _ rate: BitRate) -> Int64 {
            Int64((Double(bytes) * 8e9 / rate.bitsPerSecond).rounded())
        }
        func nodeTimes(_ device: DeviceProfile) -> [String: Int64] {
            let sum = device.nodes.reduce(0.0) { $0 + Double($1.timing.median.wholeNanoseconds) }
            let scale = sum > 0 ? Double(device.wholeNetwork.median.wholeNanoseconds) / sum : 1
            return Dictionary(
                uniqueKeysWithValues: device.nodes.map {
                    ($0.name, Int64((Double($0.timing.median.wholeNanoseconds) * scale).rounded()))
                })
        }
        let (edgeTimes, cloudTimes) = (nodeTimes(profiles.edge), nodeTimes(profiles.cloud))
        let input = profiles.input
        func outputBytes(_ outputs: [ValueID]) -> Int64 { outputs.reduce(0) { $0 + Int64(graph[$1].type.byteCount) } }

        func option(
            _ strategy: SplitPlan.Strategy, edge: Int64, cloud: Int64, bytes: Int64, answer: Int64
        ) -> NaiveOption {
            let (up, down) = (transfer(bytes, link.uplink), transfer(answer, link.downlink))
            let isRemote = strategy != .edgeOnly
            let latency = edge + cloud + (isRemote ? up + down + (link.roundTrip + wait).wholeNanoseconds : 0)
            func excess(_ time: Int64, _ whole: Timing) -> Double {
                whole.median == .zero
                    ? 0 : Double(time) * (whole.p90 / whole.median - 1) * 1.645 / 1.282
            }
            var squares = 0.0
            for part in [excess(edge, profiles.edge.wholeNetwork), excess(cloud, profiles.cloud.wholeNetwork)] {
                squares += part * part
            }
            if bytes > 0, let slow = link.uplinkP5 {
                let part = Double(bytes) * 8e9 * (1 / slow.bitsPerSecond - 1 / link.uplink.bitsPerSecond)
                squares += part * part
            }
            if bytes > 0, let late = link.roundTripP95 {
                let part = Double((late - link.roundTrip).wholeNanoseconds)
                squares += part * part
            }
            let seconds = { (nanoseconds: Int64) in Double(nanoseconds) / 1e9 }
            var energy =
                costs.board.idle * seconds(latency)
                + costs.board.perBusyThread * Double(profiles.edge.threads) * seconds(edge)
            if let radio = link.radio {
                energy += (radio.base + radio.perMegabit * link.uplink.bitsPerSecond / 1e6) * seconds(up)
                energy += radio.base * seconds(isRemote ? down : 0)
            }
            let coreTime = seconds(cloud) * Double(profiles.cloud.threads)
            let money =
                Double(bytes + answer) / 1e9 * costs.prices.perGigabyte + coreTime / 3600 * costs.prices.perCoreHour
            return NaiveOption(
                strategy: strategy, latency: latency, bottleneck: [edge, cloud, up, down].max()!, bytes: bytes,
                edgeTime: edge, p95: Double(latency) + squares.squareRoot(), energy: energy, coreTime: coreTime,
                money: money)
        }
        var options: [NaiveOption] = []
        if cloudOnly, constraints.privacy == .none, constraints.maximumUplink.map({ input.jpeg <= $0 }) ?? true {
            options.append(
                option(
                    .cloudOnly, edge: input.jpegEncode.median.wholeNanoseconds,
                    cloud: [input.jpegDecode, input.cloudPreprocess, profiles.cloud.wholeNetwork]
                        .reduce(0) { $0 + $1.median.wholeNanoseconds },
                    bytes: input.jpeg.bytes, answer: outputBytes(graph.outputs)))
        }
        for cut in cuts {
            let name = cut.name(in: graph)
            let part = profiles.edge.parts.first { $0.cut == name }
            if let limit = constraints.maximumEdgeMemory {
                let memory =
                    cut.headNodes.count == graph.nodes.count
                    ? profiles.edge.wholeNetworkPeakMemory : cut.isCloudOnly ? .zero : part?.peakMemory
                guard let memory, memory <= limit else { continue }
            }
            if cut.headNodes.count == graph.nodes.count {
                guard edgeOnly else { continue }
                if let loss = constraints.maximumAccuracyLoss {
                    guard let agreement = profiles.codec.edgeOnlyTop1Agreement, 1 - agreement <= loss else { continue }
                }
                options.append(
                    option(
                        .edgeOnly,
                        edge: (input.edgePreprocess.median + profiles.edge.wholeNetwork.median).wholeNanoseconds,
                        cloud: 0,
                        bytes: 0, answer: 0))
                continue
            }
            guard isPrivate(cut, constraints.privacy, graph) else { continue }
            for mode in Set(profiles.codec.entries.map(\.mode)) {
                let find = { (name: String) in
                    profiles.codec.entries.first { $0.boundary == name && $0.mode == mode }
                }
                let tensors = cut.boundary.map { find(graph[$0].name) }
                let entries: [CodecProfile.Entry]
                var agreement: Double?
                if let entry = find(name) {
                    entries = [entry]
                    agreement = entry.top1Agreement
                } else if cut.boundary.count > 1, tensors.allSatisfy({ $0 != nil }) {
                    entries = tensors.map { $0! }
                } else {
                    continue
                }
                if profiles.cloud.precision != .float32 { agreement = nil }
                if let loss = constraints.maximumAccuracyLoss {
                    guard let agreement, 1 - agreement <= loss else { continue }
                }
                let bytes = entries.reduce(0) { $0 + $1.encoded.bytes }
                if let limit = constraints.maximumUplink, bytes > limit.bytes { continue }
                let isInHead = Set(cut.headNodes)
                let head =
                    part?.timing.median.wholeNanoseconds
                    ?? cut.headNodes.reduce(0) { $0 + edgeTimes[graph[$1].name]! }
                let tail =
                    profiles.cloud.parts.first { $0.cut == name }?.timing.median.wholeNanoseconds
                    ?? graph.nodeIDs.filter { !isInHead.contains($0) }.reduce(0) { $0 + cloudTimes[graph[$1].name]! }
                options.append(
                    option(
                        .split,
                        edge: input.edgePreprocess.median.wholeNanoseconds + head
                            + entries.reduce(0) { $0 + $1.encode.median.wholeNanoseconds },
                        cloud: entries.reduce(0) { $0 + $1.decode.median.wholeNanoseconds } + tail,
                        bytes: bytes, answer: outputBytes(cut.tailOutputs)))
            }
        }
        return options.filter { option in
            constraints.maximumLatency.map { option.latency <= $0.wholeNanoseconds } ?? true
        }
    }

    private func ancestors(of value: ValueID, _ graph: Graph) -> Set<Int> {
        guard let producer = graph.producers()[value.index] else { return [] }
        return graph[producer].inputs.reduce(into: [producer.index]) { $0.formUnion(ancestors(of: $1!, graph)) }
    }

    private func isPrivate(_ cut: Cut, _ floor: PrivacyFloor, _ graph: Graph) -> Bool {
        switch floor {
        case .none: return true
        case .nodesBeforeBoundary(let count): return cut.boundary.allSatisfy { ancestors(of: $0, graph).count >= count }
        case .notBefore(let name):
            let node = graph.nodes.firstIndex { $0.name == name }!
            guard cut.headNodes.contains(NodeID(node)) else { return false }
            var sources: Set<ValueID> = []
            var pending = graph.nodes[node].inputs.map { $0! }
            while let value = pending.popLast() {
                guard sources.insert(value).inserted else { continue }
                if let producer = graph.producers()[value.index] { pending += graph[producer].inputs.map { $0! } }
            }
            return cut.boundary.allSatisfy { !sources.contains($0) }
        }
    }

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
        let costs = RunningCosts()
        let expected = naiveOptions(graph, Array(cuts), profiles, link, wait: wait, costs, constraints)
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
        _ expected: [NaiveOption], _ planner: Planner, _ constraints: PlanConstraints,
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
