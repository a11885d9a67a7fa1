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

        func value(_ objective: Objective) -> Int64 {
            switch objective {
            case .latency: latency
            case .throughput: bottleneck
            case .uplinkBytes: bytes
            case .edgeTime: edgeTime
            }
        }
    }

    private func naiveOptions(
        _ graph: Graph, _ cuts: [Cut], _ profiles: ProfileSet, _ link: LinkProfile, _ constraints: PlanConstraints
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
            return NaiveOption(
                strategy: strategy,
                latency: edge + cloud + (isRemote ? up + down + link.roundTrip.wholeNanoseconds : 0),
                bottleneck: [edge, cloud, up, down].max()!, bytes: bytes, edgeTime: edge)
        }
        var options: [NaiveOption] = []
        if constraints.privacy == .none, constraints.maximumUplink.map({ input.jpeg <= $0 }) ?? true {
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
        return options
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

    @Test(arguments: 0..<600 as Range<UInt64>)
    func choosesWhatBruteForceChooses(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = Graph.random(nodes: .random(in: 1...8, using: &generator), using: &generator)
        let cuts = CutEnumerator().cuts(of: graph)
        let profiles = ProfileSet.random(graph, cuts: cuts, using: &generator)
        let link = LinkProfile(
            name: "random", roundTrip: .microseconds(Int64.random(in: 0...100_000, using: &generator)),
            uplink: .megabits(.random(in: 0.1...100, using: &generator)),
            downlink: .megabits(.random(in: 0.1...100, using: &generator)), source: "seed \(seed)")
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
            constraints.maximumEdgeMemory = ByteCount(Int.random(in: 1_000...1_000_000, using: &generator))
        }
        let expected = naiveOptions(graph, Array(cuts), profiles, link, constraints)
        let planner = Planner(try CostModel(cuts: cuts, profiles: profiles, link: link))
        for objective in Objective.allCases {
            guard let best = expected.map({ $0.value(objective) }).min() else {
                #expect(throws: PlanningError.self) { try planner.plan(objective, constraints: constraints) }
                continue
            }
            let plan = try planner.plan(objective, constraints: constraints)
            let cost = plan.chosen.cost
            let value: Int64 =
                switch objective {
                case .latency: cost.latency.wholeNanoseconds
                case .throughput: cost.bottleneck.wholeNanoseconds
                case .uplinkBytes: cost.uplinkBytes.bytes
                case .edgeTime: cost.edgeTime.wholeNanoseconds
                }
            #expect(value == best, "seed \(seed), \(objective)")
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
