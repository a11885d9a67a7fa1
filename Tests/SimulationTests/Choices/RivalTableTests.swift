internal import ModelGraph
internal import Planning
internal import Simulation
internal import TestSupport
internal import Testing

/// The rivals' answers against plain scans of what they believe.
@Suite struct RivalTableTests {
    private struct Belief {
        var label: String
        var edge: Double
        var cloud: Double
        var bits: Double
        var isPrefix: Bool
    }

    /// Layers' times added up, one by one, for every cut; edge-only is the last.
    private func beliefs(_ model: CostModel) -> [Belief] {
        let graph = model.cuts.graph
        let profiles = model.profiles
        func time(_ profile: DeviceProfile, _ nodes: [NodeID]) -> Double {
            nodes.reduce(0) { sum, node in
                sum + profile.nodes.first { $0.name == graph[node].name }!.timing.median.inSeconds
            }
        }
        let preprocess = profiles.input.edgePreprocess.median.inSeconds
        let all = Array(graph.nodeIDs)
        var beliefs: [Belief] = []
        for position in model.cuts.indices where !model.cuts.isEdgeOnly(at: position) {
            let head = all.filter { model.cuts.contains($0, inHeadAt: position) }
            let names = model.cuts.boundary(at: position).map { graph[$0].name }
            let entries = names.map { name in
                profiles.codec.entries.first { $0.boundary == name && $0.mode == "8bit/rle" }!
            }
            beliefs.append(
                Belief(
                    label: names.joined(separator: " + ") + " · 8bit/rle",
                    edge: preprocess + time(profiles.edge, head)
                        + entries.reduce(0) { $0 + $1.encode.median.inSeconds },
                    cloud: time(profiles.cloud, all.filter { !head.contains($0) })
                        + entries.reduce(0) { $0 + $1.decode.median.inSeconds },
                    bits: entries.reduce(0) { $0 + 8 * Double($1.encoded.bytes) },
                    isPrefix: head == Array(all.prefix(head.count))))
        }
        let input = profiles.input
        beliefs.append(
            Belief(
                label: "cloud-only (JPEG)", edge: input.jpegEncode.median.inSeconds,
                cloud: input.jpegDecode.median.inSeconds + input.cloudPreprocess.median.inSeconds
                    + time(profiles.cloud, all), bits: 8 * Double(input.jpeg.bytes), isPrefix: true))
        beliefs.append(
            Belief(label: "edge-only", edge: preprocess + time(profiles.edge, all), cloud: 0, bits: 0, isPrefix: true))
        return beliefs
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func answersAreThoseOfAScan(seed: UInt64) throws {
        let network = try TestNetwork(seed: seed)
        let choices = try network.choices()
        let beliefs = beliefs(network.model)
        var generator = SplitMix64(seed: seed)
        var labels: Set<String> = []
        for _ in 0..<400 {
            let conditions = DecisionTable.Conditions(
                uplink: 1e4 * pow10(.random(in: 0...4, using: &generator)), roundTrip: 0.03, cloudWait: 0.02)
            func latency(_ belief: Belief, wait: Double) -> Double {
                belief.label == "edge-only"
                    ? belief.edge : belief.edge + belief.cloud + belief.bits / conditions.uplink + 0.03 + wait
            }
            func check(_ choice: Int, _ candidates: [Belief], _ value: (Belief) -> Double) {
                let label = choices.all[choice].label
                labels.insert(label)
                let chosen = candidates.first { $0.label == label }
                #expect(
                    chosen.map { abs(value($0) - candidates.map(value).min()!) < 1e-9 } == true,
                    "seed \(seed), \(label)")
            }
            check(choices.chain.fastest(conditions), beliefs.filter(\.isPrefix)) { latency($0, wait: 0.02) }
            // With an hour between pictures there is no load.
            check(choices.dads.fastest(conditions, keepingUpWith: 3_600), beliefs) { latency($0, wait: 0) }
            check(choices.dads.fastest(conditions, keepingUpWith: 0), beliefs) {
                max($0.edge, $0.cloud, $0.bits / conditions.uplink)
            }
        }
        #expect(labels.count > 2, "seed \(seed): different links have different answers")
    }

    private func pow10(_ exponent: Double) -> Double {
        let whole = Int(exponent)
        return (0..<whole).reduce(1) { power, _ in power * 10 } * (1 + 9 * (exponent - Double(whole)))
    }
}
