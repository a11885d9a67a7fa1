internal import ActivationCodec
internal import CloudService
internal import EdgeAgent
internal import FoundationEssentials
internal import ImageInput
internal import InferenceEngine
internal import InferenceProtocol
internal import ModelGraph
internal import ModelStore
internal import ONNXFormat
internal import Planning
internal import Quantization
internal import SplitExecution
internal import TestSupport
internal import Testing
internal import WireTestSupport

/// Head → codec → loopback → tail, at every legal cut, against the same network in one process without codec and wire.
@Suite struct EveryCutTests {
    @Test func residualNetwork() async throws {
        try await checkEveryCut(of: try Subject(TestGraphs.residual(), name: "residual"))
    }

    @Test func concatenatingNetwork() async throws {
        try await checkEveryCut(of: try Subject(TestGraphs.concatenation(), name: "concatenation"))
    }

    @Test func shippedModel() async throws {
        try await checkEveryCut(of: try Subject.shipped())
    }

    private func checkEveryCut(of subject: Subject) async throws {
        let workers = WorkerPool(width: 1)
        let cuts = Array(CutEnumerator().cuts(of: subject.quantized.graph)).filter { !$0.isEdgeOnly }
        #expect(cuts.count > 3)
        let model = try PackagedModel(subject.package, workers: workers)
        var configuration = CloudFixture.configuration
        configuration.maximumCutsPerSession = cuts.count
        try await CloudFixture.withServer([model], configuration: configuration) { addresses, _ in
            let identity = EdgeAgent.ModelIdentity(name: subject.name, digest: "\(subject.package.digest)")
            let link = CloudLink(to: try WireClient(addresses.grpc), identity: identity, logger: CloudFixture.logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await link.run() }
                for cut in cuts {
                    for mode in [CodecMode.lossless8, .quantized4] {
                        try await check(cut, mode, subject, over: link, workers)
                    }
                }
                group.cancelAll()
            }
        }
    }

    private func check(
        _ cut: Cut, _ mode: CodecMode, _ subject: Subject, over link: CloudLink, _ workers: WorkerPool
    ) async throws {
        let graph = subject.quantized.graph
        let name = "\(graph.name) at \(cut.name(in: graph)), \(mode)"
        let head = try HeadRunner(subject.quantized, cut: cut, pool: workers)
        try head.feed(subject.inputs)
        try head.run()
        let boundary = head.boundary
        let codes = boundary.indices.map { Array(head.codes($0)) }
        let frame = { @Sendable (id: UInt64) in
            try encodeFrame(
                id: id,
                zip(boundary, codes).map { port, codes in
                    TensorSource(port.signature, layout: .channelsLast, mode: mode, codes: codes)
                })
        }
        let completion = try await link.complete(cut: boundary.map(\.name), deadline: .seconds(60)) { terms, emit in
            emit(try frame(terms.frameID))
            return nil
        }
        let tail = try TailRunner(subject.quantized, cut: cut, pool: workers)
        let decoded = try decodeFrame(frame(0)).tensors
        let expected = try tail.complete(decoded)
        #expect(completion.outputs.map(\.name) == tail.outputs.map(\.name), "\(name)")
        for (output, tensor) in zip(completion.outputs, expected) {
            #expect(output.tensor.array(of: Float.self) == tensor.array(of: Float.self), "\(name)")
        }
        guard mode == .lossless8 else { return }
        // Without codec and wire at all: the head's own bytes into the tail.
        let layout = try TailRunner(subject.quantized, cut: cut, layout: .channelsLast, pool: workers)
        let direct = try layout.complete(boundary.indices.map { head.codes($0) })
        for (tensor, other) in zip(expected, direct) {
            #expect(tensor.array(of: Float.self) == other.array(of: Float.self), "\(name): unsplit")
        }
        var comparison = OutputComparison()
        comparison.add(expected: subject.exactOutput, got: expected[0].array(of: Float.self))
        #expect(comparison.meanCosine > 0.97, "\(name): cosine with float32 \(comparison.meanCosine)")
    }
}

/// A quantised network in a package, and one input with its float32 answer.
struct Subject: Sendable {
    let name: String
    let package: OpenedPackage
    let quantized: QuantizedGraph
    let inputs: [Tensor]
    let exactOutput: [Float]

    init(_ graph: Graph, name: String, inputs: [Tensor]? = nil, calibration: [[Tensor]]? = nil) throws {
        let pool = WorkerPool(width: 1)
        let graph = try graph.simplified()
        let calibrationInputs = calibration ?? (0..<8).map { graph.randomInputs(seed: $0) }
        let measured = try Calibration.measure(
            graph, method: .minMax, count: calibrationInputs.count, pool: pool, input: { calibrationInputs[$0] })
        let quantized = Quantizer(graph, calibration: measured).quantized()
        let card = ModelCard(name: try ModelName(name), version: try ModelVersion("1"), tool: "test")
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(name)-\(UUID().uuidString).cleave")
            .path
        try ModelPackage(card, quantized: quantized).write(to: file)
        // The mapping outlives the name.
        defer { try? FileManager.default.removeItem(atPath: file) }
        self.name = name
        package = try OpenedPackage(path: file, verifying: .everything)
        guard let opened = try package.quantizedGraph() else { throw CocoaError(.fileReadCorruptFile) }
        self.quantized = opened
        self.inputs = inputs ?? graph.randomInputs(seed: 3)
        exactOutput = try ReferenceExecutor(graph).run(self.inputs)[0].array(of: Float.self)
    }

    /// The demonstration's network on its own frames.
    static func shipped() throws -> Subject {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Models/digits")
        let preprocessing = try Preprocessing(contentsOf: folder.appendingPathComponent("preprocessing.json").path)
        func frames(_ name: String, _ count: Int) throws -> [[Tensor]] {
            try ImageFolder(path: folder.appendingPathComponent(name).path).items.prefix(count).map { item in
                let image = try Image(contentsOf: item.path)
                return [Tensor(try preprocessing.tensor(from: image), shape: Shape(preprocessing.shape(.nchw)))]
            }
        }
        return try Subject(
            importONNX(at: folder.appendingPathComponent("digits.onnx").path), name: "digits",
            inputs: frames("samples", 1)[0], calibration: frames("calibration", 16))
    }
}
