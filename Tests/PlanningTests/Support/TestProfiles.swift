private import FoundationEssentials
internal import ModelGraph
internal import Planning

extension Provenance {
    static let test = Provenance(
        host: "bench-1", cpu: "Test CPU", cores: 4, kernel: "Linux 6.1", instructionSet: "avx512vnni",
        compiler: "Swift 6.3.1", date: Date(timeIntervalSince1970: 1_760_000_000), command: "cleave profile --all",
        toolVersion: "0.1.0")
}

extension ModelIdentity {
    static let test = ModelIdentity(name: "test-net", digest: "sha256:00ff")
}

extension Timing {
    static func exactly(_ nanoseconds: Int64) -> Timing {
        Timing(
            median: .nanoseconds(nanoseconds), minimum: .nanoseconds(nanoseconds), p90: .nanoseconds(nanoseconds),
            runs: 10)
    }
}

extension DeviceProfile {
    /// - Parameter wholeShare: the whole network's time as a fraction of the sum of its nodes.
    static func test(
        _ role: Role, _ graph: Graph, nanoseconds: (Int) -> Int64, wholeShare: Double = 1, parts: [PartTiming] = [],
        peakMemory: ByteCount? = nil, threads: Int = 1, precision: Precision? = nil, spread: Double = 0
    ) -> DeviceProfile {
        let nodes = graph.nodes.enumerated().map { index, node in
            NodeTiming(name: node.name, kind: "identity", timing: .exactly(nanoseconds(index)))
        }
        let sum = nodes.reduce(0) { $0 + $1.timing.median.wholeNanoseconds }
        let whole = Duration.nanoseconds(Int64(Double(sum) * wholeShare))
        return DeviceProfile(
            provenance: .test, model: .test, role: role, precision: precision ?? (role == .edge ? .int8 : .float32),
            threads: threads, nodes: nodes,
            wholeNetwork: Timing(median: whole, minimum: whole, p90: whole * (1 + spread), runs: 10),
            wholeNetworkPeakMemory: peakMemory, parts: parts)
    }
}

extension InputProfile {
    static func test(jpeg: Int = 30_000, scale: Int64 = 1) -> InputProfile {
        InputProfile(
            provenance: .test, model: .test, images: 50, jpegQuality: 90, jpeg: ByteCount(jpeg),
            raw: ByteCount(150_528),
            jpegEncode: .exactly(2_000_000 * scale), jpegDecode: .exactly(1_000_000 * scale),
            cloudPreprocess: .exactly(300_000 * scale), edgePreprocess: .exactly(1_500_000 * scale),
            edgeDecode: .exactly(700_000 * scale))
    }
}

extension ProfileSet {
    /// Tensors and nodes of random cost, without composite measurements: for thousands of cuts.
    static func random(additive graph: Graph, using generator: inout SeededGenerator) -> ProfileSet {
        let edge = graph.nodes.map { _ in Int64.random(in: 0...3_000_000, using: &generator) }
        let cloud = graph.nodes.map { _ in Int64.random(in: 0...300_000, using: &generator) }
        var entries: [CodecProfile.Entry] = []
        for mode in ["u2", "u4", "u8"] {
            for value in graph.values where value.constant == nil {
                entries.append(
                    CodecProfile.Entry(
                        boundary: value.name, mode: mode, elements: 128,
                        encoded: ByteCount(Int.random(in: 500...60_000, using: &generator)),
                        encode: .exactly(.random(in: 0...2_000_000, using: &generator)),
                        decode: .exactly(.random(in: 0...500_000, using: &generator)), top1Agreement: 0.99))
            }
        }
        return ProfileSet(
            edge: .test(.edge, graph, nanoseconds: { edge[$0] }),
            cloud: .test(.cloud, graph, nanoseconds: { cloud[$0] }),
            codec: CodecProfile(provenance: .test, model: .test, images: 50, entries: entries), input: .test())
    }

    /// Random times, sizes and agreements; some boundaries are not measured, some measured as one, some by tensor.
    static func random(_ graph: Graph, cuts: CutSet, using generator: inout SeededGenerator) -> ProfileSet {
        var entries: [CodecProfile.Entry] = []
        for mode in ["u4", "u8"] {
            var names: Set<String> = []
            for value in graph.values where value.constant == nil && generator.chance(0.9) { names.insert(value.name) }
            for cut in cuts where cut.boundary.count > 1 && generator.chance(0.3) { names.insert(cut.name(in: graph)) }
            for name in names.sorted() {
                entries.append(
                    CodecProfile.Entry(
                        boundary: name, mode: mode, elements: 128,
                        encoded: ByteCount(Int.random(in: 10...60_000, using: &generator)),
                        encode: .exactly(.random(in: 0...5_000_000, using: &generator)),
                        decode: .exactly(.random(in: 0...2_000_000, using: &generator)),
                        top1Agreement: generator.chance(0.7) ? .random(in: 0.9...1, using: &generator) : nil))
            }
        }
        func parts() -> [DeviceProfile.PartTiming] {
            var seen: Set<String> = []
            return cuts.compactMap { cut in
                let name = cut.name(in: graph)
                guard !cut.isEdgeOnly, generator.chance(0.4), seen.insert(name).inserted else { return nil }
                return DeviceProfile.PartTiming(
                    cut: name, timing: .exactly(.random(in: 0...40_000_000, using: &generator)),
                    peakMemory: generator.chance(0.7)
                        ? ByteCount(Int.random(in: 1...1_000_000, using: &generator)) : nil)
            }
        }
        func device(
            _ role: DeviceProfile.Role, upTo slowest: Int64, threads: Int, precision: DeviceProfile.Precision
        ) -> DeviceProfile {
            let times = graph.nodes.map { _ in Int64.random(in: 0...slowest, using: &generator) }
            return .test(
                role, graph, nanoseconds: { times[$0] }, wholeShare: .random(in: 0.7...1.1, using: &generator),
                parts: generator.chance(0.4) ? parts() : [],
                peakMemory: generator.chance(0.7) ? ByteCount(Int.random(in: 1...1_000_000, using: &generator)) : nil,
                threads: threads, precision: precision, spread: .random(in: 0...0.3, using: &generator))
        }
        return ProfileSet(
            edge: device(.edge, upTo: 20_000_000, threads: 1, precision: .int8),
            cloud: device(.cloud, upTo: 4_000_000, threads: 2, precision: .float32),
            otherEdges: generator.chance(0.4) ? [device(.edge, upTo: 12_000_000, threads: 2, precision: .int8)] : [],
            otherClouds: generator.chance(0.4) ? [device(.cloud, upTo: 2_000_000, threads: 2, precision: .int8)] : [],
            codec: CodecProfile(
                provenance: .test, model: .test, images: 50, entries: entries,
                edgeOnlyTop1Agreement: generator.chance(0.5) ? .random(in: 0.85...1, using: &generator) : nil),
            input: .test(jpeg: .random(in: 1_000...60_000, using: &generator)))
    }
}
