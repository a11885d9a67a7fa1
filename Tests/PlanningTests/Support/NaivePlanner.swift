internal import ModelGraph
internal import Planning

/// Every option by the definition of the cost model, without indices, rows of bits or sharing.
enum NaivePlanner {
    struct Option {
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
    static func options(
        _ graph: Graph, _ cuts: [Cut], _ profiles: ProfileSet, _ link: LinkProfile, wait: Duration,
        _ costs: RunningCosts,
        _ constraints: PlanConstraints
    ) -> [Option] {
        var all: [Option] = []
        for (edgeWay, edge) in ([profiles.edge] + profiles.otherEdges).enumerated() {
            for (cloudWay, cloud) in ([profiles.cloud] + profiles.otherClouds).enumerated() {
                var pair = profiles
                pair.edge = edge
                pair.cloud = cloud
                all += options(
                    graph, cuts, pair, link, wait, costs, constraints, cloudOnly: edgeWay == 0, edgeOnly: cloudWay == 0)
            }
        }
        return all
    }

    private static func options(
        _ graph: Graph, _ cuts: [Cut], _ profiles: ProfileSet, _ link: LinkProfile, _ wait: Duration,
        _ costs: RunningCosts, _ constraints: PlanConstraints, cloudOnly: Bool, edgeOnly: Bool
    ) -> [Option] {
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
        ) -> Option {
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
            return Option(
                strategy: strategy, latency: latency, bottleneck: [edge, cloud, up, down].max()!, bytes: bytes,
                edgeTime: edge, p95: Double(latency) + squares.squareRoot(), energy: energy, coreTime: coreTime,
                money: money)
        }
        var options: [Option] = []
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
            if let limit = constraints.maximumPackage, weightBytes(cut, graph) > limit.bytes { continue }
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
                        edge: (input.edgeDecode!.median + input.edgePreprocess.median
                            + profiles.edge.wholeNetwork.median).wholeNanoseconds,
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
                        edge: (input.edgeDecode!.median + input.edgePreprocess.median).wholeNanoseconds + head
                            + entries.reduce(0) { $0 + $1.encode.median.wholeNanoseconds },
                        cloud: entries.reduce(0) { $0 + $1.decode.median.wholeNanoseconds } + tail,
                        bytes: bytes, answer: outputBytes(cut.tailOutputs)))
            }
        }
        return options.filter { option in
            constraints.maximumLatency.map { option.latency <= $0.wholeNanoseconds } ?? true
        }
    }

    private static func weightBytes(_ cut: Cut, _ graph: Graph) -> Int64 {
        cut.headNodes.reduce(0) { sum, node in
            let constants = Set(graph[node].inputs.compactMap { $0 }).filter { graph[$0].constant != nil }
            return sum
                + constants.reduce(0) {
                    $0 + Int64(graph[$1].type.shape.elementCount) * (graph[$1].type.shape.rank > 1 ? 1 : 4)
                }
        }
    }

    private static func ancestors(of value: ValueID, _ graph: Graph) -> Set<Int> {
        guard let producer = graph.producers()[value.index] else { return [] }
        return graph[producer].inputs.reduce(into: [producer.index]) { $0.formUnion(ancestors(of: $1!, graph)) }
    }

    private static func isPrivate(_ cut: Cut, _ floor: PrivacyFloor, _ graph: Graph) -> Bool {
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
}
