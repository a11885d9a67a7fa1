internal import FoundationEssentials
internal import ModelGraph
internal import Planning
internal import WireTestSupport

/// A plan for the toy network: a head of 2 ms and 20 kB to send, or 60 ms for everything on the edge.
enum FollowedPlan {
    static func make(
        uplink: BitRate = .megabits(10), objective: Objective = .latency, mode: String = "8bit/zlib1",
        jpeg: Int = 60_000
    ) throws -> SplitPlan {
        var graph = Graph(name: "toy")
        let image = graph.addInput("image", TensorType(.float32, [1, 256]))
        let features = graph.addValue("features", TensorType(.float32, [1, 256]))
        let scores = graph.addValue("scores", TensorType(.float32, [1, 3]))
        graph.nodes = [
            Node(name: "head", operation: .identity, inputs: [image], outputs: [features]),
            Node(name: "tail", operation: .identity, inputs: [features], outputs: [scores]),
        ]
        graph.outputs = [scores]
        let model = Planning.ModelIdentity(name: "toy", digest: ToyNetwork.digest)
        let provenance = Provenance(
            host: "test", cpu: "test", cores: 1, kernel: "test", instructionSet: "test", compiler: "test",
            date: Date(timeIntervalSince1970: 0), command: "test", toolVersion: "0")
        func timing(_ milliseconds: Int64) -> Timing {
            let time = Duration.milliseconds(milliseconds)
            return Timing(median: time, minimum: time, p90: time, runs: 1)
        }
        func device(_ role: DeviceProfile.Role, _ head: Int64, _ tail: Int64) -> DeviceProfile {
            DeviceProfile(
                provenance: provenance, model: model, role: role, precision: role == .edge ? .int8 : .float32,
                threads: 1,
                nodes: [
                    .init(name: "head", kind: "identity", timing: timing(head)),
                    .init(name: "tail", kind: "identity", timing: timing(tail)),
                ], wholeNetwork: timing(head + tail))
        }
        let entry = CodecProfile.Entry(
            boundary: "features", mode: mode, elements: 256, encoded: ByteCount(20_000), encode: timing(1),
            decode: timing(1))
        let profiles = ProfileSet(
            edge: device(.edge, 2, 58), cloud: device(.cloud, 1, 2),
            codec: CodecProfile(provenance: provenance, model: model, images: 1, entries: [entry]),
            input: InputProfile(
                provenance: provenance, model: model, images: 1, jpegQuality: 90, jpeg: ByteCount(jpeg),
                raw: ByteCount(1), jpegEncode: timing(1), jpegDecode: timing(1), cloudPreprocess: timing(1),
                edgePreprocess: timing(1)))
        let link = LinkProfile(
            name: "test", roundTrip: .milliseconds(5), uplink: uplink, downlink: .megabits(50), source: "test")
        let costs = try CostModel(cuts: CutEnumerator().cuts(of: graph), profiles: profiles, link: link)
        return try Planner(costs).plan(objective)
    }
}
