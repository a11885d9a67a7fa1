internal import ModelGraph
package import Planning

/// What a rival system believes of its choices: layers' times added up, one codec mode, a line in 1 ÷ uplink for each choice.
///
/// Neurosurgeon (Kang et al., ASPLOS 2017) scans the cuts of the network's layers in order; DADS (Hu et al., INFOCOM 2019) finds
/// the least of all cuts as a minimum cut. Both answers are those of the lines' lower envelope, found by search.
package struct RivalTable: Sendable {
    struct Entry {
        var choice: Int
        /// In seconds, as believed.
        var edge: Double
        var cloud: Double
        var bits: Double

        var line: LowerEnvelope.Line { LowerEnvelope.Line(intercept: edge + cloud, slope: bits) }

        /// The time between two answers with board, link and cloud at work on different pictures.
        func bottleneck(_ uplink: Double) -> Double { max(edge, cloud, bits / uplink) }
    }

    /// The remote choices.
    private var entries: [Entry] = []
    private var envelope = LowerEnvelope([])
    private var edgeOnly: Entry
    /// Whether the wait in the cloud counts, as in Neurosurgeon; DADS knows none.
    private var countsWait = false
    /// Edge-only, then the remote ones that no other betters both in computing and in bits.
    private var stages: [Entry]

    /// Without remote choices.
    init(edgeOnly: Int) {
        self.edgeOnly = Entry(choice: edgeOnly, edge: 0, cloud: 0, bits: 0)
        stages = [self.edgeOnly]
    }

    init(_ entries: [Entry], edgeOnly: Entry, countsWait: Bool) {
        self.entries = entries
        self.edgeOnly = edgeOnly
        self.countsWait = countsWait
        envelope = LowerEnvelope(entries.map(\.line))
        stages = [edgeOnly]
        for entry in entries.sorted(by: { ($0.bits, max($0.edge, $0.cloud)) < ($1.bits, max($1.edge, $1.cloud)) })
        where max(entry.edge, entry.cloud) < stages[stages.count - 1].bottleneck(.infinity) { stages.append(entry) }
    }

    /// The choice of least latency as believed.
    package func fastest(_ conditions: DecisionTable.Conditions) -> Int { fastestEntry(conditions).choice }

    private func fastestEntry(_ conditions: DecisionTable.Conditions) -> Entry {
        let inverse = 1 / conditions.uplink
        guard let place = envelope.lowest(at: inverse) else { return edgeOnly }
        let remote =
            entries[place].line(inverse) + conditions.roundTrip + (countsWait ? conditions.cloudWait : 0)
        return edgeOnly.edge < remote ? edgeOnly : entries[place]
    }

    /// As DADS: the fastest choice while it keeps up with the pictures, else the one with the least time between two answers.
    /// - Parameter period: between two pictures, in seconds.
    package func fastest(_ conditions: DecisionTable.Conditions, keepingUpWith period: Double) -> Int {
        let fastest = fastestEntry(conditions)
        guard fastest.bottleneck(conditions.uplink) > period else { return fastest.choice }
        let best = stages.min { $0.bottleneck(conditions.uplink) < $1.bottleneck(conditions.uplink) }
        return (best ?? fastest).choice
    }
}

/// Makes the rivals' tables of one network.
struct RivalChoices {
    let model: CostModel
    let mode: Int
    let edgeOnly: Int
    let cloudOnly: Int?
    /// By node, in nanoseconds, as measured one by one.
    private let edgeTimes: [Int64]
    private let cloudTimes: [Int64]

    init(_ model: CostModel, mode: Int, edgeOnly: Int, cloudOnly: Int?) {
        self.model = model
        self.mode = mode
        self.edgeOnly = edgeOnly
        self.cloudOnly = cloudOnly
        let nodes = model.cuts.graph.nodes
        func times(_ profile: DeviceProfile) -> [Int64] {
            let byName = Dictionary(profile.nodes.map { ($0.name, $0.timing.median.wholeNanoseconds) }) { first, _ in
                first
            }
            return nodes.map { byName[$0.name] ?? 0 }
        }
        edgeTimes = times(model.profiles.edge)
        cloudTimes = times(model.profiles.cloud)
    }

    /// - Parameter prefixesOnly: of all cuts only those whose head is the first nodes in order.
    func table(_ builder: inout ChoiceSet.Builder, prefixesOnly: Bool, countsWait: Bool) -> RivalTable {
        let (edgeSum, cloudSum) = (edgeTimes.reduce(0, +), cloudTimes.reduce(0, +))
        let preprocess = model.profiles.input.edgePreprocess.median.wholeNanoseconds
        func entry(_ choice: Int, edge: Int64, cloud: Int64, bytes: Int64) -> RivalTable.Entry {
            RivalTable.Entry(
                choice: choice, edge: Double(edge) / 1e9, cloud: Double(cloud) / 1e9, bits: 8 * Double(bytes))
        }
        var entries: [RivalTable.Entry] = []
        if let cloudOnly {
            let cost = model.cloudOnlyCost()
            let input = (cost.decode + cost.cloudPreprocess).wholeNanoseconds
            entries.append(
                entry(
                    cloudOnly, edge: cost.encode.wholeNanoseconds, cloud: input + cloudSum,
                    bytes: cost.uplinkBytes.bytes))
        }
        let cuts = model.cuts
        let (heads, tails) = (cuts.headSums(of: edgeTimes), cuts.headSums(of: cloudTimes))
        for position in cuts.indices where !cuts.isEdgeOnly(at: position) {
            let count = cuts.headNodeCount(at: position)
            if prefixesOnly, !(0..<count).allSatisfy({ cuts.contains(NodeID($0), inHeadAt: position) }) { continue }
            guard let encoding = model.encoding(of: cuts.boundary(at: position), mode: mode),
                let choice = builder.addCut(at: position, mode: mode)
            else { continue }
            entries.append(
                entry(
                    choice, edge: preprocess + heads[position] + encoding.encode.wholeNanoseconds,
                    cloud: encoding.decode.wholeNanoseconds + cloudSum - tails[position], bytes: encoding.size.bytes))
        }
        return RivalTable(
            entries, edgeOnly: entry(edgeOnly, edge: preprocess + edgeSum, cloud: 0, bytes: 0), countsWait: countsWait)
    }
}
