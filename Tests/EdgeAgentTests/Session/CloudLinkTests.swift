internal import CloudService
internal import EdgeAgent
internal import GRPCCore
internal import InferenceProtocol
internal import ModelGraph
internal import SwiftProtobuf
internal import Synchronization
internal import WireTestSupport
internal import Testing

/// The link against clouds that misbehave.
@Suite struct CloudLinkTests {
    private let clock = ManualClock()

    /// Runs a link to `cloud` while `body` runs.
    private func withLink<Result: Sendable>(
        _ cloud: ScriptedCloud, _ body: @escaping @Sendable (CloudLink) async throws -> Result
    ) async throws -> Result {
        var configuration = CloudLink.Configuration()
        configuration.connectTimeout = .seconds(1_000_000)
        configuration.backoff = Backoff(initial: .seconds(1), maximum: .seconds(8))
        let link = CloudLink(
            to: cloud, identity: ToyEdgeModel().identity, configuration: configuration, clock: clock,
            logger: CloudFixture.logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await link.run() }
            defer { group.cancelAll() }
            return try await body(link)
        }
    }

    private static let frame: FrameEncoding = { _, emit in
        emit([UInt8](repeating: 1, count: 100))
        return nil
    }

    /// Welcomes, opens cuts, and leaves frames to `onFrame`.
    private static func cloud(
        onFrame: @escaping @Sendable (UInt64, ScriptedCloud.Stream) async throws -> Void = { _, _ in }
    ) -> ScriptedCloud {
        ScriptedCloud { stream in
            for await message in stream.messages {
                switch message.message {
                case .hello: stream.send(ScriptedCloud.welcome())
                case .openCut(let cut): stream.send(.with { $0.cutReady.cutID = cut.cutID })
                case .frameChunk(let chunk) where chunk.last: try await onFrame(chunk.frameID, stream)
                default: break
                }
            }
        }
    }

    private static func answer(_ frame: UInt64, _ value: Float) -> CloudMessage {
        .with {
            $0.frameResult = .with {
                $0.frameID = frame
                $0.outputs = [.init(name: "y", tensor: Tensor([value], shape: [1]))]
            }
        }
    }

    @Test func cutsAreOpenedAheadAsFarAsTheCloudAllows() async throws {
        let (opened, note) = AsyncStream.makeStream(of: [String].self)
        let cloud = ScriptedCloud { stream in
            for await message in stream.messages {
                switch message.message {
                case .hello: stream.send(ScriptedCloud.welcome())
                case .openCut(let cut): note.yield(cut.boundary)
                default: break
                }
            }
        }
        var configuration = CloudLink.Configuration()
        // The script allows four.
        configuration.cutsAhead = [["a"], ["b", "c"], ["d"], ["e"], ["f"]]
        let link = CloudLink(
            to: cloud, identity: ToyEdgeModel().identity, configuration: configuration, clock: clock,
            logger: CloudFixture.logger)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await link.run() }
            var boundaries: [[String]] = []
            for await boundary in opened {
                boundaries.append(boundary)
                if boundaries.count == 4 { break }
            }
            #expect(boundaries == [["a"], ["b", "c"], ["d"], ["e"]])
            group.cancelAll()
        }
    }

    @Test func aProbeMeasuresOverTheLinksConnection() async throws {
        let result = try await CloudFixture.withServer { addresses, _ in
            let link = try CloudLink(
                to: WireClient(addresses.grpc), identity: ToyEdgeModel().identity, logger: CloudFixture.logger)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await link.run() }
                defer { group.cancelAll() }
                // Any frame waits for the connection.
                _ = try? await link.complete(cut: ["features"], deadline: .seconds(60), encode: Self.frame)
                return try await link.probe(bytes: 8_192, deadline: .seconds(60))
            }
        }
        #expect(result.roundTrip > .zero && result.spacing >= .zero && result.bytes == 8_192)
    }

    @Test func aHungCloudCostsTheDeadlineAndIsGivenUp() async throws {
        let connections = Atomic(0)
        let cloud = ScriptedCloud { stream in
            connections.add(1, ordering: .relaxed)
            for await message in stream.messages {
                switch message.message {
                case .hello: stream.send(ScriptedCloud.welcome())
                case .openCut(let cut): stream.send(.with { $0.cutReady.cutID = cut.cutID })
                default: break
                }
            }
        }
        try await withLink(cloud) { link in
            // The first deadlines may pass before the greeting is over; then three in a row end the connection.
            for _ in 0..<1000 where connections.load(ordering: .relaxed) < 2 {
                let failure = try await clock.advance(by: .milliseconds(100)) {
                    await #expect(throws: CloudFailure.self) {
                        try await link.complete(cut: ["a"], deadline: .milliseconds(200), encode: Self.frame)
                    }
                }
                let kinds: [CloudFailure.Kind] = [.deadlineExceeded, .connectionLost]
                #expect(kinds.contains(try #require(failure).kind))
            }
            #expect(connections.load(ordering: .relaxed) == 2)
        }
    }

    @Test func aCloudThatNeverAnswersHelloCostsTheDeadline() async throws {
        let cloud = ScriptedCloud { stream in for await _ in stream.messages {} }
        try await withLink(cloud) { link in
            let failure = try await clock.advance(by: .milliseconds(100)) {
                await #expect(throws: CloudFailure.self) {
                    try await link.complete(cut: ["a"], deadline: .milliseconds(200), encode: Self.frame)
                }
            }
            #expect(failure?.kind == .deadlineExceeded)
        }
    }

    @Test func aLostConnectionFailsTheFrameAndIsMadeAnew() async throws {
        let connections = Atomic(0)
        let cloud = ScriptedCloud { stream in
            let isFirst = connections.add(1, ordering: .relaxed).oldValue == 0
            for await message in stream.messages {
                switch message.message {
                case .hello: stream.send(ScriptedCloud.welcome())
                case .openCut(let cut): stream.send(.with { $0.cutReady.cutID = cut.cutID })
                case .frameChunk(let chunk) where chunk.last:
                    if isFirst { throw RPCError(code: .unavailable, message: "gone") }
                    stream.send(Self.answer(chunk.frameID, 7))
                default: break
                }
            }
        }
        try await withLink(cloud) { link in
            let failure = await #expect(throws: CloudFailure.self) {
                try await link.complete(cut: ["a"], deadline: .seconds(1000), encode: Self.frame)
            }
            #expect(failure?.kind == .connectionLost)
            // While the link waits to connect again it refuses at once; afterwards it serves again.
            var value: Float?
            while value == nil {
                do {
                    let completion = try await link.complete(cut: ["a"], deadline: .seconds(1000), encode: Self.frame)
                    value = completion.outputs[0].tensor.array(of: Float.self).first
                } catch let failure as CloudFailure {
                    #expect(failure.kind == .connectionLost || failure.kind == .unreachable)
                    clock.advance(by: .seconds(1))
                    await Task.yield()
                }
            }
            #expect(value == 7)
        }
    }

    @Test func pipelinedFramesAreAnsweredInAnyOrder() async throws {
        let held = Mutex<[UInt64]>([])
        let cloud = Self.cloud { frame, stream in
            let all = held.withLock { held in
                held.append(frame)
                return held.count == 4 ? held : []
            }
            for frame in all.reversed() { stream.send(Self.answer(frame, Float(frame))) }
        }
        try await withLink(cloud) { link in
            let values = try await withThrowingTaskGroup(of: Float.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let completion = try await link.complete(
                            cut: ["a"], deadline: .seconds(1000), encode: Self.frame)
                        return completion.outputs[0].tensor.array()[0]
                    }
                }
                var values: Set<Float> = []
                for try await value in group { values.insert(value) }
                return values
            }
            #expect(values == [0, 1, 2, 3])
        }
    }

    @Test func moreFramesThanPlacesAreRefusedHere() async throws {
        let arrived = AsyncStream.makeStream(of: Void.self)
        let cloud = Self.cloud { _, _ in arrived.continuation.yield() }
        try await withLink(cloud) { link in
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        _ = try? await link.complete(cut: ["a"], deadline: .seconds(1000), encode: Self.frame)
                    }
                }
                var count = 0
                for await _ in arrived.stream {
                    count += 1
                    if count == 4 { break }
                }
                let failure = await #expect(throws: CloudFailure.self) {
                    try await link.complete(cut: ["a"], deadline: .seconds(1000), encode: Self.frame)
                }
                #expect(failure?.code == .tooManyFrames)
                group.cancelAll()
            }
        }
    }

    @Test func errorsOfFramesAndCutsReachTheCaller() async throws {
        let cloud = ScriptedCloud { stream in
            for await message in stream.messages {
                switch message.message {
                case .hello: stream.send(ScriptedCloud.welcome())
                case .openCut(let cut):
                    let isLegal = cut.boundary == ["a"]
                    stream.send(
                        isLegal
                            ? .with { $0.cutReady.cutID = cut.cutID }
                            : .failure(.illegalCut, "no such tensor", cut: cut.cutID))
                case .frameChunk(let chunk) where chunk.last:
                    stream.send(.failure(.overloaded, "full", frame: chunk.frameID))
                default: break
                }
            }
        }
        try await withLink(cloud) { link in
            for (cut, code) in [("b", SplitErrorCode.illegalCut), ("a", .overloaded), ("b", .illegalCut)] {
                let failure = await #expect(throws: CloudFailure.self) {
                    try await link.complete(cut: [cut], deadline: .seconds(1000), encode: Self.frame)
                }
                #expect(failure?.code == code)
            }
        }
    }

    @Test func encodingFailuresAndOversizedFramesStayHere() async throws {
        try await withLink(Self.cloud()) { link in
            let failure = await #expect(throws: CloudFailure.self) {
                try await link.complete(cut: ["a"], deadline: .seconds(1000)) { _, _ in throw CancellationError() }
            }
            #expect(failure?.kind == .encoding)
            let tooLarge = await #expect(throws: CloudFailure.self) {
                try await link.complete(cut: ["a"], deadline: .seconds(1000)) { _, emit in
                    for _ in 0..<3 { emit([UInt8](repeating: 0, count: 500_000)) }
                    return nil
                }
            }
            #expect(tooLarge?.kind == .frameTooLarge)
        }
    }
}
