package import ModelGraph

/// The profiles of everything that takes part in one split.
package struct ProfileSet: Hashable, Sendable {
    package var edge: DeviceProfile
    package var cloud: DeviceProfile
    package var codec: CodecProfile
    package var input: InputProfile

    package init(edge: DeviceProfile, cloud: DeviceProfile, codec: CodecProfile, input: InputProfile) {
        self.edge = edge
        self.cloud = cloud
        self.codec = codec
        self.input = input
    }

    /// - Throws: `PlanningError.mismatchedProfiles` unless all speak of one model and the devices have their roles.
    func validate() throws(PlanningError) {
        guard edge.role == .edge else {
            throw PlanningError(.mismatchedProfiles, "expected the role edge, got \(edge.role)", at: "edge profile")
        }
        guard cloud.role == .cloud else {
            throw PlanningError(.mismatchedProfiles, "expected the role cloud, got \(cloud.role)", at: "cloud profile")
        }
        for (name, model) in [("cloud", cloud.model), ("codec", codec.model), ("input", input.model)]
        where model.digest != edge.model.digest {
            throw PlanningError(
                .mismatchedProfiles,
                "is of \(model.name) (\(model.digest)), the edge profile of \(edge.model.name) (\(edge.model.digest))",
                at: "\(name) profile")
        }
    }
}

/// Predicts what an inference costs at each cut, from measured parts.
///
/// Cost of a cut = edge preprocessing + the head's nodes + encoding + 8·bytes ÷ uplink + one round trip + decoding + the
/// tail's nodes + the answer over the downlink. A head or tail that was measured as one counts as measured instead of
/// by its nodes. Edge-only uses no link. Cloud-only uploads a JPEG; sending the input tensor through the codec is an
/// ordinary cut beside it.
package struct CostModel: Sendable {
    package let cuts: CutSet
    package let profiles: ProfileSet
    package let link: LinkProfile

    private let edgeNanoseconds: [Int64]
    private let cloudNanoseconds: [Int64]
    private let cloudSum: Int64
    private let heads: [String: DeviceProfile.PartTiming]
    private let tails: [String: DeviceProfile.PartTiming]
    private let answer: ByteCount?
    private let outputs: [(producer: NodeID?, size: ByteCount)]
    private let measurements: CodecMeasurements

    /// - Parameter answer: the size of the answer; by default that of the graph outputs computed in the cloud.
    /// - Throws: `PlanningError.missingNode` where a device profile lacks a node of the graph,
    ///   `PlanningError.mismatchedProfiles` where the profiles do not belong together.
    package init(
        cuts: CutSet, profiles: ProfileSet, link: LinkProfile, answer: ByteCount? = nil
    ) throws(PlanningError) {
        try profiles.validate()
        self.cuts = cuts
        self.profiles = profiles
        self.link = link
        self.answer = answer
        let graph = cuts.graph
        let producers = graph.producers()
        outputs = graph.outputs.map { (producers[$0.index], ByteCount(graph[$0].type.byteCount)) }
        edgeNanoseconds = try profiles.edge.nodeNanoseconds(for: graph)
        cloudNanoseconds = try profiles.cloud.nodeNanoseconds(for: graph)
        cloudSum = cloudNanoseconds.reduce(0, +)
        heads = Dictionary(profiles.edge.parts.map { ($0.cut, $0) }) { first, _ in first }
        tails = Dictionary(profiles.cloud.parts.map { ($0.cut, $0) }) { first, _ in first }
        measurements = CodecMeasurements(profiles.codec, graph: graph)
    }

    /// The codec's figures for one boundary in one mode.
    package struct Encoding: Hashable, Sendable {
        package var size: ByteCount
        package var encode: Duration
        package var decode: Duration
        /// `nil` when not measured.
        package var top1Agreement: Double?
        /// The sum of the boundary's tensors measured one by one, where the boundary itself was not measured.
        package var isComposed: Bool
    }

    /// The codec's modes that the profile has, sorted.
    package var modes: [String] { measurements.modes }

    /// `nil` when neither the boundary nor each of its tensors was measured in this mode.
    /// - Parameter mode: an index into `modes`.
    package func encoding(of boundary: [ValueID], mode: Int) -> Encoding? {
        measurements.encoding(of: boundary, mode: mode, graph: cuts.graph)
    }

    /// The cost of the cut at `position`, which is not edge-only.
    package func cost(ofCutAt position: Int, boundary: [ValueID], encoding: Encoding) -> CostBreakdown {
        var cost = CostBreakdown()
        cost.edgePreprocess = profiles.input.edgePreprocess.median
        let name = heads.isEmpty && tails.isEmpty ? "" : cuts.graph.joinedNames(of: boundary)
        cost.head =
            heads[name]?.timing.median ?? .nanoseconds(cuts.headSum(of: edgeNanoseconds, at: position))
        cost.encode = encoding.encode
        cost.decode = encoding.decode
        cost.tail =
            tails[name]?.timing.median
            ?? .nanoseconds(cloudSum - cuts.headSum(of: cloudNanoseconds, at: position))
        cost.uplinkBytes = encoding.size
        cost.downlinkBytes = answer ?? tailOutputSize(at: position)
        addLink(to: &cost)
        return cost
    }

    /// The whole network on the edge: no link.
    package func edgeOnlyCost() -> CostBreakdown {
        var cost = CostBreakdown()
        cost.edgePreprocess = profiles.input.edgePreprocess.median
        cost.head = profiles.edge.wholeNetwork.median
        return cost
    }

    /// The picture goes to the cloud as a JPEG.
    package func cloudOnlyCost() -> CostBreakdown {
        var cost = CostBreakdown()
        cost.encode = profiles.input.jpegEncode.median
        cost.decode = profiles.input.jpegDecode.median
        cost.cloudPreprocess = profiles.input.cloudPreprocess.median
        cost.tail = profiles.cloud.wholeNetwork.median
        cost.uplinkBytes = profiles.input.jpeg
        cost.downlinkBytes =
            answer ?? outputs.reduce(.zero) { $0 + $1.size }
        addLink(to: &cost)
        return cost
    }

    /// The head's peak memory where the profile has it.
    package func edgeMemory(ofCutAt position: Int, boundary: [ValueID]) -> ByteCount? {
        if cuts.isEdgeOnly(at: position) { return profiles.edge.wholeNetworkPeakMemory }
        if cuts.isCloudOnly(at: position) { return .zero }
        return heads.isEmpty ? nil : heads[cuts.graph.joinedNames(of: boundary)]?.peakMemory
    }

    private func addLink(to cost: inout CostBreakdown) {
        cost.uplink = link.uplink.transferTime(of: cost.uplinkBytes)
        cost.roundTrip = link.roundTrip
        cost.downlink = link.downlink.transferTime(of: cost.downlinkBytes)
    }

    private func tailOutputSize(at position: Int) -> ByteCount {
        outputs.reduce(.zero) { size, output in
            let isInHead = output.producer.map { cuts.contains($0, inHeadAt: position) } ?? true
            return isInHead ? size : size + output.size
        }
    }
}
