internal import CloudService
internal import FoundationEssentials
internal import GRPCCore
internal import InferenceProtocol
internal import ModelGraph
internal import SwiftProtobuf
internal import WireTestSupport
internal import Testing

/// The whole server over loopback sockets.
@Suite struct CloudServerTests {
    private let network = ToyNetwork()

    private func codes(_ seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return (0..<network.elementCount).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    /// Opens cut 0 and expects the right answer to a right frame.
    private static func expectService(_ stream: SplitStream, frame: UInt64, network: ToyNetwork) async throws {
        let codes = (0..<network.elementCount).map { UInt8(truncatingIfNeeded: $0 * 11) }
        stream.send(frame: frame, bytes: try network.frame(id: frame, codes: codes), chunkBytes: 64)
        let result = try await stream.result(of: frame)
        #expect(try result.outputs[0].tensor().array(of: Float.self) == network.scores(of: codes))
        #expect(result.outputs[0].name == "scores")
        #expect(result.timings.computeNs > 0)
        let times = result.timings
        #expect(times.receiveEndNs - times.receiveStartNs == times.receiveNs)
        #expect(0 < times.receiveStartNs && times.receiveEndNs < times.sentNs)
    }

    @Test func answersPipelinedFrames() async throws {
        let frames = try (0..<6).map { (id: UInt64) in
            let codes = codes(id)
            return (bytes: try network.frame(id: id, codes: codes), scores: network.scores(of: codes))
        }
        try await CloudFixture.withServer { addresses, _ in
            try await WireClient(addresses.grpc).withClient { client in
                try await SplitStream.open(client) { stream in
                    let welcome = try await stream.greet()
                    #expect(welcome.modelVersion == "1" && welcome.limits.maxFramesInFlight == 8)
                    try await stream.openCut(0)
                    for (id, frame) in frames.enumerated() { stream.send(frame: UInt64(id), bytes: frame.bytes) }
                    var answered: Set<UInt64> = []
                    for _ in frames {
                        let result = try #require(try await stream.next()).frameResult
                        answered.insert(result.frameID)
                        let scores = try result.outputs[0].tensor().array(of: Float.self)
                        #expect(scores == frames[Int(result.frameID)].scores)
                    }
                    #expect(answered.count == frames.count)
                }
            }
        }
    }

    /// Hostile frames cost their sender an error each; the same stream then serves a right frame.
    @Test func survivesHostileFrames() async throws {
        var configuration = CloudFixture.configuration
        configuration.maximumFrameBytes = 4096
        let network = network
        try await CloudFixture.withServer(configuration: configuration) { addresses, _ in
            try await WireClient(addresses.grpc).withClient { client in
                try await SplitStream.open(client) { stream in
                    try await stream.greet()
                    try await stream.openCut(0)
                    var generator = SeededGenerator(seed: 3)
                    var frame: UInt64 = 0
                    for _ in 0..<50 {
                        let count = Int.random(in: 0...2000, using: &generator)
                        let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                        stream.send(frame: frame, bytes: noise, chunkBytes: 256)
                        #expect(try await stream.error().code == .invalidFrame)
                        frame += 1
                    }
                    let good = try network.frame(id: 1000, codes: [UInt8](repeating: 9, count: network.elementCount))
                    for _ in 0..<200 {
                        // One bit of a right frame flipped, or its end cut off.
                        var bytes = try network.frame(
                            id: frame, codes: (0..<network.elementCount).map { UInt8(truncatingIfNeeded: $0) })
                        if Bool.random(using: &generator) {
                            bytes[Int.random(in: bytes.indices, using: &generator)] ^=
                                1 << UInt8.random(in: 0..<8, using: &generator)
                        } else {
                            bytes.removeLast(Int.random(in: 1...bytes.count, using: &generator))
                        }
                        stream.send(frame: frame, bytes: bytes, chunkBytes: 100)
                        #expect(try await stream.error().code == .invalidFrame, "seed 3, frame \(frame)")
                        frame += 1
                    }
                    // A container that belongs to another frame.
                    stream.send(frame: frame, bytes: good)
                    #expect(try await stream.error().code == .invalidFrame)
                    frame += 1
                    stream.chunk(frame: frame, sequence: 0, Data(good.prefix(10)), last: false)
                    stream.chunk(frame: frame, sequence: 2, Data(good.dropFirst(10)), last: true)
                    #expect(try await stream.error().code == .outOfSequence)
                    frame += 1
                    // A frame without end: a right beginning, then a band that never completes.
                    stream.chunk(frame: frame, sequence: 0, Data(good.prefix(20)), last: false)
                    for sequence in 1..<20 as Range<UInt32> {
                        stream.chunk(frame: frame, sequence: sequence, Data(count: 1000), last: false)
                    }
                    let error = try await stream.error()
                    #expect(error.code == .frameTooLarge || error.code == .invalidFrame)
                    frame += 1
                    stream.send(frame: frame, cut: 5, bytes: good)
                    #expect(try await stream.error().code == .unknownCut)
                    frame += 1
                    stream.send {
                        $0.openCut = .with {
                            $0.cutID = 1
                            $0.boundary = ["nothing"]
                        }
                    }
                    #expect(try await stream.error().code == .illegalCut)
                    try await Self.expectService(stream, frame: frame, network: network)
                }
            }
        }
    }

    /// Errors of the protocol end the stream with a status; the server then serves the next one.
    @Test func endsStreamsThatBreakTheProtocol() async throws {
        let faults: [(SplitErrorCode, RPCError.Code, @Sendable (SplitStream) -> Void)] = [
            (.digestMismatch, .failedPrecondition, { $0.hello(digest: "00") }),
            (.unknownModel, .notFound, { $0.hello(model: "other") }),
            (.unknownModel, .notFound, { $0.hello(version: "9") }),
            (.unsupportedVersion, .failedPrecondition, { $0.hello(protocolVersion: 0) }),
            (.protocolViolation, .invalidArgument, { $0.send { $0.cancelFrame = .init() } }),
            (.protocolViolation, .invalidArgument, { $0.send { _ in } }),
        ]
        let network = network
        try await CloudFixture.withServer { addresses, _ in
            try await WireClient(addresses.grpc).withClient { client in
                for (code, status, fault) in faults {
                    try await SplitStream.open(client) { stream in
                        fault(stream)
                        let error = try await stream.error()
                        #expect(error.code == code && error.fatal)
                        let end = await #expect(throws: RPCError.self) { try await stream.next() }
                        #expect(end?.code == status)
                    }
                }
                try await SplitStream.open(client) { stream in
                    try await stream.greet()
                    try await stream.openCut(3)
                    try await stream.openCut(0)
                    try await Self.expectService(stream, frame: 7, network: network)
                }
            }
        }
    }

    @Test func aFullQueueAndALateFrameAreRefused() async throws {
        let gate = Gate()
        var model = ToyCompletionModel()
        model.beforeComputing = { gate.pass() }
        var configuration = CloudFixture.configuration
        configuration.computeQueueCapacity = 2
        let network = network
        try await CloudFixture.withServer([model], configuration: configuration) { addresses, _ in
            try await WireClient(addresses.grpc).withClient { client in
                try await SplitStream.open(client) { stream in
                    try await stream.greet()
                    try await stream.openCut(0)
                    let codes = [UInt8](repeating: 1, count: network.elementCount)
                    stream.send(frame: 0, bytes: try network.frame(id: 0, codes: codes))
                    await gate.waitUntilReached()
                    stream.send(frame: 1, bytes: try network.frame(id: 1, codes: codes), deadlineMs: 1)
                    stream.send(frame: 2, bytes: try network.frame(id: 2, codes: codes))
                    let refused = try await stream.error()
                    #expect(refused.code == .overloaded)
                    let start = ContinuousClock.now
                    while ContinuousClock.now - start < .milliseconds(2) { await Task.yield() }
                    gate.open()
                    var codesSeen: Set<String> = []
                    for _ in 0..<2 {
                        switch try #require(try await stream.next()).message {
                        case .frameResult(let result): codesSeen.insert("result \(result.frameID)")
                        case .error(let error): codesSeen.insert("\(error.code.label) \(error.frameID)")
                        default: Issue.record("neither result nor error")
                        }
                    }
                    #expect(codesSeen == ["result 0", "deadline_exceeded 1"])
                }
            }
        }
    }

    @Test func measuresItsLink() async throws {
        try await CloudFixture.withServer { addresses, _ in
            try await WireClient(addresses.grpc).withClient { client in
                var plan = LinkMeasurement.Plan()
                plan.transfers = 1
                // Larger than the transport's own limit.
                plan.initialBytes = 6 << 20
                plan.maximumBytes = 6 << 20
                let link = try await LinkMeasurement.measure(
                    Cleave_V1_SplitInference.Client(wrapping: client), plan: plan)
                #expect(link.roundTrip > .zero)
                #expect(link.uplinkBytesPerSecond > 0 && link.uplinkBytesPerSecond.isFinite)
                #expect(link.downlinkBytesPerSecond > 0 && link.downlinkBytesPerSecond.isFinite)
            }
        }
    }

    @Test func drainsInOrder() async throws {
        let gate = Gate()
        var model = ToyCompletionModel()
        model.beforeComputing = { gate.pass() }
        let network = network
        try await CloudFixture.withServer([model]) { addresses, drain in
            let http = try #require(addresses.http)
            #expect(try await httpGet(http, "/readyz").status == 200)
            try await WireClient(addresses.grpc).withClient { client in
                try await SplitStream.open(client) { stream in
                    try await stream.greet()
                    try await stream.openCut(0)
                    let codes = [UInt8](repeating: 1, count: network.elementCount)
                    stream.send(frame: 0, bytes: try network.frame(id: 0, codes: codes))
                    await gate.waitUntilReached()
                    await drain()
                    #expect(try await stream.error().code == .draining)
                    #expect(try await httpGet(http, "/readyz").status == 503)
                    #expect(try await httpGet(http, "/healthz").status == 200)
                    stream.send(frame: 1, bytes: try network.frame(id: 1, codes: codes))
                    let refused = try await stream.error()
                    #expect(refused.code == .overloaded && refused.frameID == 1)
                    gate.open()
                    let result = try await stream.result(of: 0)
                    #expect(try result.outputs[0].tensor().array(of: Float.self) == network.scores(of: codes))
                    let end = await #expect(throws: RPCError.self) { try await stream.next() }
                    #expect(end?.code == .unavailable)
                }
            }
        }
    }

    @Test func servesHealthAndMetricsOverHTTP() async throws {
        let network = network
        try await CloudFixture.withServer { addresses, _ in
            let http = try #require(addresses.http)
            for path in ["/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"] {
                #expect(try await httpGet(http, path).status == 200, "\(path)")
            }
            #expect(try await httpGet(http, "/nothing").status == 404)
            try await WireClient(addresses.grpc).withClient { client in
                try await SplitStream.open(client) { stream in
                    try await stream.greet()
                    try await stream.openCut(0)
                    try await Self.expectService(stream, frame: 0, network: network)
                    stream.send(frame: 1, cut: 9, bytes: [1])
                    _ = try await stream.error()
                }
            }
            let metrics = try await httpGet(http, "/metrics")
            #expect(metrics.status == 200)
            for line in [
                "cleave_frames_total{outcome=\"ok\"} 1", "cleave_frames_total{outcome=\"unknown_cut\"} 1",
                "cleave_frame_seconds_count{phase=\"compute\"} 1", "cleave_ready 1", "cleave_compute_queue_depth 0",
            ] {
                #expect(metrics.body.contains(line), "\(line)")
            }
        }
    }

    @Test func asksForTheToken() async throws {
        var configuration = CloudFixture.configuration
        let token = try BearerToken("s3cret")
        configuration.token = token
        try await CloudFixture.withServer(configuration: configuration) { addresses, _ in
            for wrong in [nil, try BearerToken("other")] {
                let error = await #expect(throws: RPCError.self) {
                    try await WireClient(addresses.grpc, token: wrong).withClient { client in
                        try await Inference_GRPCInferenceService.Client(wrapping: client).serverLive(.init())
                    }
                }
                #expect(error?.code == .unauthenticated)
            }
            try await WireClient(addresses.grpc, token: token).withClient { client in
                let response = try await Inference_GRPCInferenceService.Client(wrapping: client).serverLive(.init())
                #expect(response.live)
            }
            // Orchestrators probe health without a secret.
            try await WireClient(addresses.grpc).withClient { client in
                let response = try await Grpc_Health_V1_Health.Client(wrapping: client).check(.init())
                #expect(response.status == .serving)
            }
        }
    }

    @Test func refusesSettingsThatDoNotHoldTogether() throws {
        var exposed = CloudConfiguration(grpcEndpoint: .host("0.0.0.0", port: 0))
        exposed.token = try BearerToken("s3cret")
        #expect(throws: WireError.self) {
            try CloudServer(configuration: exposed, models: [], logger: CloudFixture.logger)
        }
        var small = CloudFixture.configuration
        small.computeThreads = 0
        #expect(throws: CloudError.self) {
            try CloudServer(configuration: small, models: [], logger: CloudFixture.logger)
        }
        let twice = [ToyCompletionModel(), ToyCompletionModel()]
        #expect(throws: CloudError.self) {
            try CloudServer(configuration: CloudFixture.configuration, models: twice, logger: CloudFixture.logger)
        }
        var unreadable = CloudFixture.configuration
        unreadable.security = ServerSecurity(certificate: "/nonexistent/cert.pem", privateKey: "/nonexistent/key.pem")
        #expect(throws: WireError.self) { try unreadable.security?.makeTransportSecurity() }
    }
}
