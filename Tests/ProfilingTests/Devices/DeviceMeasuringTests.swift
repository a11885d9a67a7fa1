internal import FoundationEssentials
internal import InferenceEngine
internal import ModelGraph
internal import Planning
internal import Profiling
internal import Quantization
internal import TestSupport
internal import Testing

@Suite struct DeviceMeasuringTests {
    private let graph = TestGraphs.residual()

    private func measure(
        _ role: DeviceProfile.Role, _ precision: DeviceProfile.Precision, parts: [Cut], batches: [Int] = [],
        runs: Int = 3
    ) throws -> DeviceProfile {
        let inputs = graph.randomInputs(seed: 1)
        let pool = WorkerPool(width: 1)
        let calibration = try Calibration.measure(
            graph, method: .minMax, count: 1, pool: pool, input: { _ in inputs })
        var provenance = Provenance.current(command: "test", toolVersion: "0", instructionSet: .best)
        // JSON keeps whole seconds.
        provenance.date = Date(timeIntervalSince1970: 0)
        return try DeviceProfile.measure(
            Quantizer(graph, calibration: calibration).quantized(), role: role, precision: precision, parts: parts,
            batches: batches,
            model: Planning.ModelIdentity(name: graph.name, digest: "sha256:00"),
            provenance: provenance, pool: pool, instructionSet: .best, inputs: inputs,
            effort: MeasurementEffort(warmUps: 1, runs: runs))
    }

    @Test(arguments: [DeviceProfile.Role.edge, .cloud])
    func everyPartAskedForIsTimedAsOne(role: DeviceProfile.Role) throws {
        let cuts = Array(CutEnumerator().cuts(of: graph))
        let profile = try measure(role, role == .edge ? .int8 : .float32, parts: cuts, runs: 4)
        let wanted = cuts.filter { !$0.isCloudOnly && !$0.isEdgeOnly }.map { $0.name(in: graph) }
        #expect(profile.parts.map(\.cut) == wanted)
        #expect(profile.parts.allSatisfy { $0.timing.runs == 4 && $0.timing.median > .zero })
        #expect(profile.nodes.map(\.name) == graph.nodes.map(\.name))
        #expect(profile.nodes.allSatisfy { $0.timing.runs == 4 })
        try profile.validate()
        #expect(try DeviceProfile.read(profile.json(), named: "p.json") == profile)
    }

    @Test(arguments: [DeviceProfile.Precision.float32, .int8])
    func batchesAreTimed(precision: DeviceProfile.Precision) throws {
        var profile = try measure(.cloud, precision, parts: [], batches: [2, 8])
        #expect(profile.batches?.map(\.pictures) == [2, 8])
        #expect(try DeviceProfile.read(profile.json(), named: "p.json") == profile)
        // Eight pictures take at least as long as one.
        #expect(try #require(profile.batches)[1].timing.minimum > profile.wholeNetwork.minimum)
        profile.wholeNetwork.median = .milliseconds(2)
        profile.batches?[1].timing.median = .milliseconds(9)
        #expect(profile.batchShare == 0.5)
        profile.batches?[0].pictures = 1
        #expect(throws: PlanningError.self) { try profile.validate() }
    }

    /// A head has no weights that the whole network lacks.
    @Test func memoryOfHeadsIsThatOfTheirLayers() throws {
        let cuts = Array(CutEnumerator().cuts(of: graph))
        let profile = try measure(.edge, .int8, parts: cuts)
        let whole = try #require(profile.wholeNetworkPeakMemory)
        for part in profile.parts {
            let memory = try #require(part.peakMemory)
            #expect(memory > .zero && memory.bytes <= whole.bytes + 65_536, "\(part.cut)")
        }
    }

    /// A plan takes the measured part, not the sum of its layers.
    @Test func thePlannerCountsPartsAsMeasured() throws {
        let cuts = CutEnumerator().cuts(of: graph)
        let position = try #require(
            cuts.indices.first { !cuts.isCloudOnly(at: $0) && cuts.boundary(at: $0).count == 1 })
        let profile = try measure(.edge, .int8, parts: [cuts[position]])
        var cloud = profile
        cloud.role = .cloud
        let zero = Timing(median: .zero, minimum: .zero, p90: .zero, runs: 1)
        let name = graph[cuts.boundary(at: position).first!].name
        let entry = CodecProfile.Entry(
            boundary: name, mode: "m", elements: 1, encoded: ByteCount(1), encode: zero, decode: zero)
        let input = InputProfile(
            provenance: profile.provenance, model: profile.model, images: 1, jpegQuality: 90, jpeg: ByteCount(1),
            raw: ByteCount(1), jpegEncode: zero, jpegDecode: zero, cloudPreprocess: zero, edgePreprocess: zero)
        let model = try CostModel(
            cuts: cuts,
            profiles: ProfileSet(
                edge: profile, cloud: cloud,
                codec: CodecProfile(provenance: profile.provenance, model: profile.model, images: 1, entries: [entry]),
                input: input), link: .wifi)
        let boundary = cuts.boundary(at: position)
        let encoding = try #require(model.encoding(of: boundary, mode: 0))
        let cost = model.cost(ofCutAt: position, boundary: boundary, encoding: encoding)
        #expect(cost.head == profile.parts[0].timing.median)
    }

    @Test func driftComparesTheEndWithTheBeginning() {
        let steady = [Duration](repeating: .milliseconds(10), count: 12)
        #expect(Timing.drift(of: steady) == 0)
        #expect(Timing.drift(of: Array(steady.prefix(8))) == nil)
        let rising = (0..<12).map { Duration.milliseconds($0 < 6 ? 10 : 12) }
        #expect(abs(Timing.drift(of: rising)! - 0.2) < 1e-12)
        #expect(abs(Timing.drift(of: rising.reversed())! - (10.0 / 12 - 1)) < 1e-12)
        #expect(Timing.drift(of: [Duration](repeating: .zero, count: 9)) == nil)
    }

    @Test func resumingKeepsOnlyTheSameMeasurement() throws {
        let profile = try measure(.edge, .int8, parts: [])
        let instructions = profile.provenance.instructionSet
        func isKept(
            _ model: Planning.ModelIdentity? = nil, _ role: DeviceProfile.Role = .edge,
            _ precision: DeviceProfile.Precision = .int8, threads: Int = 1, kernels: String? = nil
        ) -> Bool {
            profile.isMeasurement(
                of: model ?? profile.model, role, precision, threads: threads, instructionSet: kernels ?? instructions)
        }
        #expect(isKept())
        #expect(!isKept(Planning.ModelIdentity(name: profile.model.name, digest: "sha256:01")))
        #expect(!isKept(nil, .cloud) && !isKept(nil, .edge, .float32))
        #expect(!isKept(threads: 2) && !isKept(kernels: "none"))
    }

    @Test func aMachineIsCharacterisedByItsOwnNetworks() throws {
        let machine = try DeviceCharacterization.measure(
            precision: .int8, provenance: .current(command: "test", toolVersion: "0", instructionSet: .best),
            pool: WorkerPool(width: 1), instructionSet: .best, multiplyAdds: 20_000_000,
            effort: MeasurementEffort(warmUps: 0, runs: 1))
        try machine.validate()
        let kinds = Set(machine.layers.map(\.shape.kind))
        for kind in ["first", "pointwise", "depthwise", "3x3", "window", "gemm", "maxPool", "concat", "fused add"] {
            #expect(kinds.contains(kind), "\(kind)")
        }
    }
}
