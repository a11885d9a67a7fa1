private import FoundationEssentials
internal import ModelGraph
internal import Planning
internal import Simulation
internal import TestSupport

/// A network by its wiring, and profiles of it drawn at random.
struct TestNetwork {
    let model: CostModel

    /// A chain with residual blocks; later activations are smaller.
    init(seed: UInt64, edgeScale: Double = 1, link: LinkProfile = .mobile4G) throws {
        var generator = SplitMix64(seed: seed)
        var graph = Graph(name: "test")
        let input = graph.addInput("input", TensorType(.float32, [1, 3, 32, 32]))
        var value = input
        func add(_ name: String, _ inputs: [ValueID], _ shape: Shape) -> ValueID {
            let output = graph.addValue(name, TensorType(.float32, shape))
            graph.nodes.append(Node(name: "node \(name)", operation: .identity, inputs: inputs, outputs: [output]))
            return output
        }
        for block in 0..<4 {
            let shape: Shape = [1, 8, 16 >> block, 16 >> block]
            value = add("\(block).first", [value], shape)
            let main = add("\(block).main", [value], shape)
            value = add("\(block).add", [main, value], shape)
        }
        graph.outputs = [add("scores", [value], [1, 10])]
        func timing(_ nanoseconds: Int64) -> Timing {
            let time = Duration.nanoseconds(nanoseconds)
            return Timing(median: time, minimum: time, p90: time * 1.2, runs: 10)
        }
        let provenance = Provenance(
            host: "host", cpu: "CPU", cores: 2, kernel: "Linux", instructionSet: "scalar", compiler: "Swift",
            date: Date(timeIntervalSince1970: 0), command: "test", toolVersion: "0")
        let identity = ModelIdentity(name: "test", digest: "sha256:00")
        func device(_ role: DeviceProfile.Role, upTo limit: Int64) -> DeviceProfile {
            let times = graph.nodes.map { ($0.name, Int64.random(in: 1...limit, using: &generator)) }
            // Run as one, the network takes less than its layers one by one.
            let whole = Int64(0.9 * Double(times.reduce(0) { $0 + $1.1 }))
            return DeviceProfile(
                provenance: provenance, model: identity, role: role, precision: role == .edge ? .int8 : .float32,
                threads: 1,
                nodes: times.map { .init(name: $0, kind: "identity", timing: timing($1)) }, wholeNetwork: timing(whole))
        }
        var entries: [CodecProfile.Entry] = []
        for value in graph.values where value.name != "scores" {
            let elements = Int64(value.type.byteCount / 4)
            for (mode, bits) in [("4bit/rle", 2.0), ("8bit/rle", 5.0)] {
                entries.append(
                    CodecProfile.Entry(
                        boundary: value.name, mode: mode, elements: elements,
                        encoded: ByteCount(Int64(Double(elements) * bits * .random(in: 0.5...1, using: &generator))),
                        encode: timing(.random(in: 1...500_000, using: &generator)),
                        decode: timing(.random(in: 1...200_000, using: &generator)), top1Agreement: 0.99))
            }
        }
        var edge = device(.edge, upTo: 20_000_000)
        edge.scale(by: edgeScale)
        let profiles = ProfileSet(
            edge: edge, cloud: device(.cloud, upTo: 2_000_000),
            codec: CodecProfile(
                provenance: provenance, model: identity, images: 10, entries: entries, edgeOnlyTop1Agreement: 0.98),
            input: InputProfile(
                provenance: provenance, model: identity, images: 10, jpegQuality: 90, jpeg: ByteCount(9_000),
                raw: ByteCount(3_072), jpegEncode: timing(900_000), jpegDecode: timing(400_000),
                cloudPreprocess: timing(100_000), edgePreprocess: timing(700_000)))
        model = try CostModel(cuts: CutEnumerator().cuts(of: graph), profiles: profiles, link: link)
    }

    func choices(_ constraints: PlanConstraints = PlanConstraints()) throws -> ChoiceSet {
        try ChoiceSet(model, constraints: constraints, rivalMode: "8bit/rle")
    }
}
