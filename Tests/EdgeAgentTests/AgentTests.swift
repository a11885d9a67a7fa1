internal import CloudService
internal import EdgeAgent
internal import FoundationEssentials
internal import InferenceProtocol
internal import Planning
internal import Synchronization
internal import WireTestSupport
internal import Testing

/// The agent against a real server on loopback, and against none.
@Suite struct AgentTests {
    private let network = ToyNetwork()

    /// Image files of the toy network: any bytes.
    private func withImages<Result>(
        _ count: Int, _ body: ([String]) async throws -> Result
    ) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "edge-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let paths = try (0..<count).map { index in
            let path = folder + "/\(index).jpg"
            try Data("image \(index * index)".utf8).write(to: URL(filePath: path))
            return path
        }
        return try await body(paths)
    }

    /// What the unsplit network says of an image file.
    private func label(of path: String) throws -> String {
        let bytes = Array(try Data(contentsOf: URL(filePath: path)))
        let scores = network.scores(of: (0..<network.elementCount).map { bytes[$0 % bytes.count] })
        return "label \(scores.indices.max { scores[$0] < scores[$1] } ?? 0)"
    }

    private static func run(
        _ images: [String], model: ToyEdgeModel, connector: (any CloudConnector)?, cut: [String] = ToyNetwork.boundary
    ) async throws -> [InferenceRecord] {
        let records = Mutex<[InferenceRecord]>([])
        var configuration = Agent.Configuration()
        configuration.labels = (0..<ToyNetwork.classes).map { "label \($0)" }
        configuration.deadline = .seconds(60)
        configuration.depth = 3
        let link = connector.map { CloudLink(to: $0, identity: model.identity, logger: CloudFixture.logger) }
        let agent = Agent(model: model, link: link, configuration: configuration, logger: CloudFixture.logger) { cut }
        try await agent.run(ImageFeed.files(images).images()) { record in records.withLock { $0.append(record) } }
        return records.withLock { $0 }
    }

    @Test func theCloudFinishesWhatTheHeadBegan() async throws {
        try await withImages(12) { images in
            let records = try await CloudFixture.withServer { addresses, _ in
                try await Self.run(images, model: ToyEdgeModel(), connector: WireClient(addresses.grpc))
            }
            #expect(Set(records.map(\.image)) == Set(images))
            for record in records {
                #expect(record.source == .cloud, "\(record.detail ?? "")")
                #expect(record.label == (try label(of: record.image)))
                #expect(record.top5.count == ToyNetwork.classes)
                #expect(record.bytesSent > 0 && record.reason == nil && record.error == nil)
                #expect(record.timesMs.wait != nil && record.timesMs.local == nil)
            }
        }
    }

    @Test func withoutACloudTheEdgeFinishes() async throws {
        try await withImages(3) { images in
            // A port that was just given back: nobody listens there.
            let nobody = try await CloudFixture.withServer { addresses, _ in addresses.grpc }
            let records = try await Self.run(images, model: ToyEdgeModel(), connector: WireClient(nobody))
            for record in records {
                #expect(record.source == .local && record.reason == "unreachable")
                #expect(record.label == (try label(of: record.image)))
                #expect(record.bytesSent == 0)
            }
            #expect(records.count == 3)
        }
    }

    @Test func anotherModelInTheCloudIsNotUsed() async throws {
        try await withImages(2) { images in
            let records = try await CloudFixture.withServer { addresses, _ in
                try await Self.run(images, model: ToyEdgeModel(digest: "00"), connector: WireClient(addresses.grpc))
            }
            for record in records {
                #expect(record.source == .local && record.reason == "refused/digest_mismatch")
                #expect(record.label == (try label(of: record.image)))
            }
        }
    }

    @Test func anEdgeOnlyCutNeedsNoCloud() async throws {
        try await withImages(2) { images in
            for record in try await Self.run(images, model: ToyEdgeModel(), connector: nil, cut: []) {
                #expect(record.source == .local && record.reason == nil && record.cut == "")
                #expect(record.label == (try label(of: record.image)))
            }
        }
    }

    @Test func anUnreadableImageIsARecordToo() async throws {
        try await withImages(2) { images in
            let records = try await Self.run(
                [images[0], images[0] + ".missing.jpg", images[1]], model: ToyEdgeModel(), connector: nil)
            #expect(records.count == 3)
            #expect(records.filter { $0.error != nil }.map(\.image) == [images[0] + ".missing.jpg"])
        }
    }

    @Test func anAdaptingAgentSaysWhatItBelieved() async throws {
        try await withImages(8) { images in
            let records = try await CloudFixture.withServer { addresses, _ in
                let records = Mutex<[InferenceRecord]>([])
                let model = ToyEdgeModel()
                let adaptation = try CutAdaptation(FollowedPlan.make(uplink: .megabits(20)))
                var linkConfiguration = CloudLink.Configuration()
                linkConfiguration.cutsAhead = adaptation.boundaries
                var configuration = Agent.Configuration()
                configuration.deadline = .seconds(60)
                let agent = try Agent(
                    model: model,
                    link: CloudLink(
                        to: WireClient(addresses.grpc), identity: model.identity, configuration: linkConfiguration,
                        logger: CloudFixture.logger), configuration: configuration, logger: CloudFixture.logger,
                    adaptation: adaptation, chooseCut: { [] })
                try await agent.run(ImageFeed.files(images).images()) { record in
                    records.withLock { $0.append(record) }
                }
                return records.withLock { $0 }
            }
            #expect(records.count == 8)
            for record in records {
                #expect(record.cut == "features" && record.codec == "8bit/zlib1" && record.source == .cloud)
                #expect(try #require(record.decision).uplinkMbps > 0)
            }
            #expect(records.contains { $0.decision?.jitterMs != nil }, "frames taught nothing of the link")
        }
    }

    /// A failing computation in the cloud, then a server that vanishes: no image is lost.
    @Test func imagesSurviveACloudThatFails() async throws {
        struct Broken: Error {}
        let calls = Mutex(0)
        var model = ToyCompletionModel()
        model.beforeComputing = {
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            if call.isMultiple(of: 2) { throw Broken() }
        }
        try await withImages(10) { [model] images in
            let records = try await CloudFixture.withServer([model]) { addresses, _ in
                try await Self.run(images, model: ToyEdgeModel(), connector: WireClient(addresses.grpc))
            }
            #expect(records.count == 10)
            #expect(records.filter { $0.source == .local }.allSatisfy { $0.reason == "refused/internal" })
            #expect(records.filter { $0.source == .local }.count == 5)
            for record in records { #expect(record.label == (try label(of: record.image))) }
        }
    }
}
