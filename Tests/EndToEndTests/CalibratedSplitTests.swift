internal import ActivationCodec
internal import CloudService
internal import EdgeAgent
internal import ImageInput
internal import InferenceEngine
internal import InferenceProtocol
internal import ModelGraph
internal import ModelStore
internal import SplitExecution
internal import Testing
internal import WireTestSupport

/// Head → calibrated coding → loopback → tail, against the same parts in one process.
@Suite struct CalibratedSplitTests {
    private let model: CalibratedModel
    private let workers = WorkerPool(width: 1)

    init() throws {
        model = try CalibratedModel()
    }

    /// What a frame by itself would give, all in this process.
    private func local(_ path: String, at cut: Cut, in coding: BoundaryCoding) throws -> [Float] {
        let head = try HeadRunner(model.quantized, cut: cut, pool: workers)
        try head.feed(Image(contentsOf: path), model.preprocessing)
        try head.run()
        let sources = head.sources(coding)
        let decoded = try decodeFrame(encodeFrame(id: 0, sources), expecting: coding.expected(of: sources))
        return try TailRunner(model.quantized, cut: cut, pool: workers).complete(decoded.tensors)[0].array()
    }

    private func withLink(
        keyFrameInterval: Int? = nil, configuration: CloudConfiguration = CloudFixture.configuration,
        _ body: @escaping @Sendable (CloudLink) async throws -> Void
    ) async throws {
        let served = try PackagedModel(model.package, workers: workers)
        let identity = model.identity
        try await CloudFixture.withServer([served], configuration: configuration) { addresses, _ in
            var linking = CloudLink.Configuration()
            linking.keyFrameInterval = keyFrameInterval
            let link = CloudLink(
                to: try WireClient(addresses.grpc), identity: identity, configuration: linking,
                logger: CloudFixture.logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await link.run() }
                try await body(link)
                group.cancelAll()
            }
        }
    }

    @Test func everyCodingOfThePackage() async throws {
        #expect(model.cuts.count == 2 && model.cuts.allSatisfy { model.codings(at: $0).count == 2 })
        try await withLink { link in
            for cut in model.cuts {
                let boundary = model.boundary(of: cut)
                for name in model.codings(at: cut) {
                    let edge = try PackagedEdgeModel(model.package, coding: name, workers: workers)
                    let head = try edge.prepareHead(cut: boundary)
                    let coding = try model.package.coding(named: name, at: boundary)
                    for frame in model.frames.prefix(3) {
                        let run = try head.run(imageAt: frame)
                        let completion = try await link.complete(
                            cut: boundary, deadline: .seconds(60), encode: { try run.encode($0, emit: $1) })
                        #expect(
                            completion.outputs[0].tensor.array(of: Float.self)
                                == (try local(frame, at: cut, in: coding)), "\(boundary), \(name)")
                        // The tables stayed at home.
                        let tables = coding.quantizers.reduce(0) { $0 + $1.thresholds.count + $1.codes.count }
                        var inline = 0
                        _ = try run.encode(FrameTerms(frameID: 0)) { inline += $0.count }
                        #expect(completion.bytesSent < inline && inline <= completion.bytesSent + tables)
                    }
                }
            }
        }
    }

    /// A frame brings its tables where the cloud says that it lacks them; a reference to tables that are lacking is refused.
    @Test func tablesTravelWhereTheyAreLacking() throws {
        let boundary = model.boundary(of: model.cuts[0])
        let name = try #require(model.codings(at: model.cuts[0]).first)
        let coding = try model.package.coding(named: name, at: boundary)
        let run = try PackagedEdgeModel(model.package, coding: name, workers: workers)
            .prepareHead(cut: boundary).run(imageAt: model.frames[0])
        func frame(_ held: Set<UInt32>) throws -> [UInt8] {
            var bytes: [UInt8] = []
            _ = try run.encode(FrameTerms(frameID: 1, heldQuantizers: held)) { bytes += $0 }
            return bytes
        }
        let checksums = Set(coding.quantizers.map(\.checksum))
        let expected = try #require(
            try PackagedModel(model.package, workers: workers).makeTail(boundary: boundary).boundary.map(\.expected)
                as [ExpectedTensor]?)
        #expect(Set(expected.flatMap(\.agreedQuantizers).map(\.checksum)).isSuperset(of: checksums))
        let agreed = try decodeFrame(frame(checksums), expecting: expected)
        let inline = try decodeFrame(frame([]), expecting: expected.map { ExpectedTensor($0.signature) })
        #expect(agreed.tensors == inline.tensors)
        var failure: CodecError?
        do throws(CodecError) {
            _ = try decodeFrame(
                (try? frame(checksums)) ?? [], expecting: expected.map { ExpectedTensor($0.signature) })
        } catch {
            failure = error
        }
        #expect(failure?.code == .cutMismatch)
    }

    @Test func unknownCodingsAreNamed() throws {
        let boundary = model.boundary(of: model.cuts[0])
        let edge = try PackagedEdgeModel(model.package, coding: "3level@9/blocks", workers: workers)
        let failure = #expect(throws: ModelStoreError.self) { try edge.prepareHead(cut: boundary) }
        let text = failure?.description ?? ""
        #expect(failure?.code == .notFound && text.contains("3level@9/blocks"))
        for name in model.codings(at: model.cuts[0]) { #expect(text.contains(name)) }
        #expect(throws: ModelStoreError.self) {
            try model.package.coding(named: model.codings(at: model.cuts[0])[0], at: ["elsewhere"])
        }
    }

    /// A fixed camera: pictures that repeat cost next to nothing, and every answer is what the frame alone would give.
    @Test(arguments: ["8bit/blocks", nil])
    func predictedFrames(mode: String?) async throws {
        let cut = model.cuts[0]
        let boundary = model.boundary(of: cut)
        let name = try mode ?? #require(model.codings(at: cut).last)
        let coding = try model.package.coding(named: name, at: boundary)
        let head = try PackagedEdgeModel(model.package, coding: name, workers: workers).prepareHead(cut: boundary)
        let sequence = [0, 0, 0, 1, 1, 2, 0, 0].map { model.frames[$0] }
        try await withLink(keyFrameInterval: 100) { link in
            var sizes: [Int] = []
            for frame in sequence {
                let run = try head.run(imageAt: frame)
                let completion = try await link.complete(
                    cut: boundary, deadline: .seconds(60), encode: { try run.encode($0, emit: $1) })
                #expect(
                    completion.outputs[0].tensor.array(of: Float.self) == (try local(frame, at: cut, in: coding)))
                sizes.append(completion.bytesSent)
            }
            for same in [1, 2, 4, 7] { #expect(sizes[same] < 120, "\(sizes)") }
            for other in [0, 3, 5, 6] { #expect(sizes[other] > 120, "\(sizes)") }
        }
    }

    /// A cloud that keeps nothing gets plain frames.
    @Test func aCloudThatKeepsNothing() async throws {
        let cut = model.cuts[0]
        let boundary = model.boundary(of: cut)
        let name = try #require(model.codings(at: cut).last)
        let coding = try model.package.coding(named: name, at: boundary)
        let head = try PackagedEdgeModel(model.package, coding: name, workers: workers).prepareHead(cut: boundary)
        var configuration = CloudFixture.configuration
        configuration.maximumReferences = 0
        try await withLink(keyFrameInterval: 100, configuration: configuration) { link in
            for _ in 0..<2 {
                let run = try head.run(imageAt: model.frames[0])
                let completion = try await link.complete(
                    cut: boundary, deadline: .seconds(60), encode: { try run.encode($0, emit: $1) })
                #expect(
                    completion.outputs[0].tensor.array(of: Float.self)
                        == (try local(model.frames[0], at: cut, in: coding)))
                #expect(completion.bytesSent > 120)
            }
        }
    }
}
