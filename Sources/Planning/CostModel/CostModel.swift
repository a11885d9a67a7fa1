package import ModelGraph

/// Predicts what an inference costs at each cut, from measured parts.
///
/// Cost of a cut = edge preprocessing (with unpacking where the camera delivers files) + the head's nodes + encoding + 8·bytes ÷ uplink + one round trip + the cloud's queue +
/// decoding + the tail's nodes + the answer over the downlink. A head or tail that was measured as one counts as measured
/// instead of by its nodes. Edge-only uses no link. Cloud-only uploads a JPEG; sending the input tensor through the codec
/// is an ordinary cut beside it.
package struct CostModel: Sendable {
    package let cuts: CutSet
    package let profiles: ProfileSet
    package let link: LinkProfile
    /// How long a picture waits in the cloud before it is computed.
    package let cloudWait: Duration
    package let costs: RunningCosts

    /// The ways to run the board and the server, in the order of `ProfileSet.edges` and `.clouds`.
    let edges: [Device]
    let clouds: [Device]
    private let answer: ByteCount?
    private let outputs: [(producer: NodeID?, size: ByteCount)]
    private let measurements: CodecMeasurements

    /// One way to run one machine, made ready for all cuts.
    struct Device: Sendable {
        let threads: Int
        let precision: DeviceProfile.Precision
        /// By node.
        let nanoseconds: [Int64]
        /// By cut: the sum of the head's nodes.
        let headSums: [Int64]
        /// Of all nodes.
        let sum: Int64
        /// Parts of the network measured as one, by boundary.
        let parts: BoundaryTable<DeviceProfile.PartTiming>
        /// How far the 95th percentile lies above the median, as a share of the median: from the 90th as for a normal
        /// distribution (1.645 ÷ 1.282).
        let spread: Double
    }

    /// - Parameter answer: the size of the answer; by default that of the graph outputs computed in the cloud.
    /// - Throws: `PlanningError.missingNode` where a device profile lacks a node of the graph,
    ///   `PlanningError.mismatchedProfiles` where the profiles do not belong together.
    package init(
        cuts: CutSet, profiles: ProfileSet, link: LinkProfile, cloudWait: Duration = .zero,
        costs: RunningCosts = RunningCosts(), answer: ByteCount? = nil
    ) throws(PlanningError) {
        try profiles.validate()
        self.cuts = cuts
        self.profiles = profiles
        self.link = link
        self.cloudWait = .nanoseconds(cloudWait.wholeNanoseconds)
        self.costs = costs
        self.answer = answer
        let graph = cuts.graph
        let producers = graph.producers()
        outputs = graph.outputs.map { (producers[$0.index], ByteCount(graph[$0].type.byteCount)) }
        var edges: [Device] = []
        for profile in profiles.edges { edges.append(try Device(profile, cuts)) }
        var clouds: [Device] = []
        for profile in profiles.clouds { clouds.append(try Device(profile, cuts)) }
        self.edges = edges
        self.clouds = clouds
        measurements = CodecMeasurements(profiles.codec, graph: graph)
    }

    /// The same figures for more or other cuts of the same graph.
    func over(_ cuts: CutSet) throws(PlanningError) -> CostModel {
        try CostModel(
            cuts: cuts, profiles: profiles, link: link, cloudWait: cloudWait, costs: costs, answer: answer)
    }

    /// The codec's figures for one boundary in one mode.
    package struct Encoding: Hashable, Sendable {
        package var size: ByteCount
        package var encode: Duration
        package var decode: Duration
        /// `nil` when not measured.
        package var top1Agreement: Double?
        /// Of top-1 accuracy against float32; `nil` when not measured on labelled images.
        package var accuracyLoss: Double?
        /// Images that the two were measured over, where not over the profile's own.
        package var accuracyImages: Int?
        /// The sum of the boundary's tensors measured one by one, where the boundary itself was not measured.
        package var isComposed: Bool
    }

    /// The codec's modes that the profile has, sorted.
    package var modes: [String] { measurements.modes }

    /// `nil` when neither the boundary nor each of its tensors was measured in this mode.
    /// - Parameters:
    ///   - boundary: ascending.
    ///   - mode: an index into `modes`.
    package func encoding(of boundary: ArraySlice<ValueID>, mode: Int) -> Encoding? {
        measurements.encoding(of: boundary, mode: mode)
    }

    /// The cost of the cut at `position`, which is not edge-only.
    /// - Parameters:
    ///   - edge: which of the ways to run the board, `ProfileSet.edges`.
    ///   - cloud: which of the ways to run the server.
    package func cost(
        ofCutAt position: Int, boundary: ArraySlice<ValueID>, encoding: Encoding, edge: Int = 0, cloud: Int = 0
    ) -> CostBreakdown {
        var cost = CostBreakdown()
        cost.edgePreprocess = profiles.input.edgeTime
        cost.head = .nanoseconds(edges[edge].headTime(at: position, boundary))
        cost.encode = encoding.encode
        cost.decode = encoding.decode
        cost.tail = .nanoseconds(clouds[cloud].tailTime(at: position, boundary))
        cost.uplinkBytes = encoding.size
        cost.downlinkBytes = answerSize(at: position)
        addLink(to: &cost)
        return cost
    }

    /// The whole network on the edge: no link.
    package func edgeOnlyCost(edge: Int = 0) -> CostBreakdown {
        var cost = CostBreakdown()
        cost.edgePreprocess = profiles.input.edgeTime
        cost.head = profiles.edges[edge].wholeNetwork.median
        return cost
    }

    /// The picture goes to the cloud as a JPEG.
    package func cloudOnlyCost(cloud: Int = 0) -> CostBreakdown {
        var cost = CostBreakdown()
        cost.encode = profiles.input.jpegEncode.median
        cost.decode = profiles.input.jpegDecode.median
        cost.cloudPreprocess = profiles.input.cloudPreprocess.median
        cost.tail = profiles.clouds[cloud].wholeNetwork.median
        cost.uplinkBytes = profiles.input.jpeg
        cost.downlinkBytes =
            answer ?? outputs.reduce(.zero) { $0 + $1.size }
        addLink(to: &cost)
        return cost
    }

    /// The head's peak memory where the profile has it.
    package func edgeMemory(ofCutAt position: Int, boundary: ArraySlice<ValueID>, edge: Int = 0) -> ByteCount? {
        if cuts.isEdgeOnly(at: position) { return profiles.edges[edge].wholeNetworkPeakMemory }
        if cuts.isCloudOnly(at: position) { return .zero }
        return edges[edge].parts[boundary]?.peakMemory
    }

    /// What the cloud sends back for the cut at `position`.
    func answerSize(at position: Int) -> ByteCount {
        if let answer { return answer }
        return outputs.reduce(.zero) { size, output in
            let isInHead = output.producer.map { cuts.contains($0, inHeadAt: position) } ?? true
            return isInHead ? size : size + output.size
        }
    }

    private func addLink(to cost: inout CostBreakdown) {
        cost.uplink = link.uplink.transferTime(of: cost.uplinkBytes)
        cost.roundTrip = link.roundTrip
        cost.cloudWait = cloudWait
        cost.downlink = link.downlink.transferTime(of: cost.downlinkBytes)
    }
}

extension CostModel.Device {
    fileprivate init(_ profile: DeviceProfile, _ cuts: CutSet) throws(PlanningError) {
        threads = profile.threads
        precision = profile.precision
        nanoseconds = try profile.nodeNanoseconds(for: cuts.graph)
        headSums = cuts.headSums(of: nanoseconds)
        sum = nanoseconds.reduce(0, +)
        parts = BoundaryTable(profile.parts.map { ($0.cut, $0) }, graph: cuts.graph)
        let whole = profile.wholeNetwork
        let median = whole.median.inSeconds
        spread = median > 0 ? (whole.p90 - whole.median).inSeconds / median * (1.645 / 1.282) : 0
    }

    /// In nanoseconds.
    func headTime(at position: Int, _ boundary: ArraySlice<ValueID>) -> Int64 {
        if !parts.isEmpty, let part = parts[boundary] { return part.timing.median.wholeNanoseconds }
        return headSums[position]
    }

    /// In nanoseconds.
    func tailTime(at position: Int, _ boundary: ArraySlice<ValueID>) -> Int64 {
        if !parts.isEmpty, let part = parts[boundary] { return part.timing.median.wholeNanoseconds }
        return sum - headSums[position]
    }
}
