internal import CloudService
internal import FoundationEssentials
internal import InferenceProtocol
internal import SwiftProtobuf
internal import WireTestSupport
internal import Testing

/// The cloud's state machine, without sockets or clocks.
@Suite struct SplitSessionTests {
    private let start = ContinuousClock.now

    private var limits: SplitLimits {
        .with {
            $0.maxFrameBytes = 1000
            $0.maxChunkBytes = 400
            $0.maxFramesInFlight = 2
            $0.maxCuts = 2
        }
    }

    private func hello(version: UInt32 = SplitProtocol.version) -> EdgeMessage {
        .with { $0.hello = .with { $0.protocolVersion = version } }
    }

    private func open(_ id: UInt32, _ boundary: [String] = ["a"]) -> EdgeMessage {
        .with {
            $0.openCut = .with {
                $0.cutID = id
                $0.boundary = boundary
            }
        }
    }

    private func chunk(
        _ frame: UInt64, _ sequence: UInt32 = 0, bytes: Int = 10, last: Bool = false, cut: UInt32 = 0,
        deadlineMs: UInt32 = 0
    ) -> EdgeMessage {
        .with {
            $0.frameChunk = .with {
                $0.frameID = frame
                $0.sequence = sequence
                $0.payload = Data(count: bytes)
                $0.last = last
                $0.cutID = cut
                $0.deadlineMs = deadlineMs
            }
        }
    }

    private func cancel(_ frame: UInt64) -> EdgeMessage {
        .with { $0.cancelFrame = .with { $0.frameID = frame } }
    }

    /// A session with cut 0 ready.
    private func openSession() -> SplitSession {
        var session = SplitSession(limits: limits, server: "test")
        _ = session.receive(hello(), at: start)
        _ = session.admit(version: "1", digest: "d")
        _ = session.receive(open(0), at: start)
        _ = session.cutPrepared(0, in: .zero)
        return session
    }

    @Test func greetsOpensACutAndComputesAFrame() {
        var session = SplitSession(limits: limits, server: "test")
        #expect(session.receive(hello(), at: start).kinds == ["resolve"])
        let welcome = session.admit(version: "1", digest: "d")
        #expect(welcome.replies.first?.welcome.limits == limits)
        #expect(session.receive(open(7), at: start).kinds == ["prepare 7"])
        #expect(session.cutPrepared(7, in: .microseconds(3)).replies.first?.cutReady.prepareNs == 3000)
        #expect(session.receive(chunk(0, cut: 7), at: start).kinds == ["begin 0", "decode 0"])
        let actions = session.receive(chunk(0, 1, last: true, cut: 7), at: start + .milliseconds(2))
        #expect(actions.kinds == ["decode 0", "compute 0"])
        #expect(session.framesInFlight == 1)
        #expect(session.frameEnded(0, with: .success(.with { $0.frameID = 0 })).replies.first?.frameResult != nil)
        #expect(session.framesInFlight == 0)
    }

    @Test(arguments: [1, 3, 4]) func anythingBeforeHelloEndsTheStream(kind: Int) {
        var session = SplitSession(limits: limits, server: "test")
        let message = [1: open(0), 3: chunk(0), 4: cancel(0)][kind] ?? EdgeMessage()
        let actions = session.receive(message, at: start)
        #expect(actions.errors == [.protocolViolation])
        #expect(actions.kinds.last == "end")
        #expect(session.receive(hello(), at: start).isEmpty)
    }

    @Test func anUnknownProtocolVersionEndsTheStream() {
        var session = SplitSession(limits: limits, server: "test")
        let actions = session.receive(hello(version: 99), at: start)
        #expect(actions.errors == [.unsupportedVersion])
        #expect(actions.kinds.last == "end")
    }

    @Test func aSecondHelloOrAnEmptyMessageEndsTheStream() {
        for message in [hello(), EdgeMessage()] {
            var session = openSession()
            #expect(session.receive(message, at: start).errors == [.protocolViolation])
        }
    }

    @Test func aCutIsOpenedOnceAndWithinTheLimit() {
        var session = openSession()
        #expect(session.receive(open(1, []), at: start).errors == [.illegalCut])
        #expect(session.receive(open(1), at: start).kinds == ["prepare 1"])
        #expect(session.receive(open(2), at: start).errors == [.tooManyCuts])
        #expect(session.cutFailed(1, .illegalCut, "no").errors == [.illegalCut])
        #expect(session.receive(open(1), at: start).kinds == ["prepare 1"])
        #expect(session.receive(open(0), at: start).errors == [.protocolViolation])
    }

    @Test func framesOfUnopenedOrUnpreparedCutsAreRefused() {
        var session = openSession()
        _ = session.receive(open(1), at: start)
        #expect(session.receive(chunk(0, cut: 9), at: start).errors == [.unknownCut])
        #expect(session.receive(chunk(1, cut: 1), at: start).errors == [.unknownCut])
        // The rest of a refused frame is ignored, and the stream goes on.
        #expect(session.receive(chunk(1, 1, cut: 1), at: start).isEmpty)
        #expect(session.receive(chunk(2), at: start).kinds == ["begin 2", "decode 2"])
    }

    @Test func chunksOutOfSequenceDropTheFrame() {
        var session = openSession()
        #expect(session.receive(chunk(0, 1), at: start).errors == [.outOfSequence])
        _ = session.receive(chunk(1), at: start)
        let actions = session.receive(chunk(1, 2), at: start)
        #expect(actions.kinds == ["discard 1", "reply"])
        #expect(actions.errors == [.outOfSequence])
        #expect(session.receive(chunk(1, 1), at: start).isEmpty)
        #expect(session.framesInFlight == 0)
    }

    @Test func aFrameThatNeverEndsIsDropped() {
        var session = openSession()
        var errors: [SplitErrorCode] = []
        for sequence in 0..<100 where errors.isEmpty {
            errors = session.receive(chunk(0, UInt32(sequence), bytes: 300), at: start).errors
        }
        #expect(errors == [.frameTooLarge])
        #expect(session.framesInFlight == 0)
        #expect(session.receive(chunk(1, bytes: 401), at: start).errors == [.frameTooLarge])
        #expect(session.receive(chunk(2, bytes: 0), at: start).errors == [.invalidFrame])
    }

    @Test func framesInFlightAreLimited() {
        var session = openSession()
        _ = session.receive(chunk(0, last: true), at: start)
        _ = session.receive(chunk(1), at: start)
        #expect(session.receive(chunk(2), at: start).errors == [.tooManyFrames])
        #expect(session.receive(chunk(2, 1, last: true), at: start).isEmpty)
        // Cancelling a computation does not free its place before it is over.
        #expect(session.receive(cancel(0), at: start).kinds == ["discard 0"])
        #expect(session.receive(chunk(3), at: start).errors == [.tooManyFrames])
        #expect(session.frameEnded(0, with: .success(.init())).isEmpty)
        #expect(session.receive(chunk(4), at: start).kinds == ["begin 4", "decode 4"])
    }

    @Test func aLateFrameIsDroppedAndDeadlinesAreHandedOn() {
        var session = openSession()
        _ = session.receive(chunk(0, deadlineMs: 5), at: start)
        #expect(session.receive(chunk(0, 1, last: true), at: start + .milliseconds(5)).errors == [.deadlineExceeded])
        let actions = session.receive(chunk(1, last: true, deadlineMs: 5), at: start)
        guard case .compute(_, _, _, let deadline)? = actions.last else {
            Issue.record("no computation in \(actions)")
            return
        }
        #expect(deadline == start + .milliseconds(5))
    }

    @Test func aBadContainerDropsTheFrameOnly() {
        var session = openSession()
        _ = session.receive(chunk(0, last: true), at: start)
        #expect(session.frameRejected(0, "bad magic").errors == [.invalidFrame])
        #expect(session.framesInFlight == 0)
        #expect(session.receive(chunk(1), at: start).kinds == ["begin 1", "decode 1"])
    }

    @Test func aDrainFinishesWhatIsUnderWay() {
        var session = openSession()
        _ = session.receive(chunk(0, last: true), at: start)
        _ = session.receive(chunk(1), at: start)
        #expect(session.drain().errors == [.draining])
        #expect(session.drain().isEmpty)
        #expect(session.receive(chunk(2), at: start).errors == [.overloaded])
        #expect(session.frameEnded(0, with: .success(.init())).kinds == ["reply"])
        #expect(session.receive(chunk(1, 1, last: true), at: start).kinds == ["decode 1", "compute 1"])
        #expect(session.frameEnded(1, with: .success(.init())).kinds == ["reply", "end"])
        #expect(session.receive(chunk(3), at: start).isEmpty)
    }

    @Test func anIdleSessionDrainsAtOnce() {
        var session = openSession()
        #expect(session.drain().kinds == ["reply", "end"])
        var greeting = SplitSession(limits: limits, server: "test")
        #expect(greeting.drain().kinds == ["reply", "end"])
    }

    /// Whatever an edge sends, the limits hold, each computation was asked for once, and fatal errors are final.
    @Test(arguments: 0..<64) func survivesAnyMessages(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var session = openSession()
        var computing: Set<UInt64> = []
        var hasEnded = false
        for step in 0..<400 {
            let frame = UInt64.random(in: 0..<40, using: &generator)
            let message: EdgeMessage
            switch Int.random(in: 0..<100, using: &generator) {
            case 0: message = hello()
            case 1..<6: message = open(UInt32.random(in: 0..<4, using: &generator))
            case 6..<14: message = cancel(frame)
            default:
                message = chunk(
                    frame, UInt32.random(in: 0..<3, using: &generator), bytes: Int.random(in: 0..<450, using: &generator),
                    last: Bool.random(using: &generator), cut: UInt32.random(in: 0..<2, using: &generator),
                    deadlineMs: UInt32.random(in: 0..<3, using: &generator))
            }
            let actions = session.receive(message, at: start + .milliseconds(step))
            #expect(!hasEnded || actions.isEmpty, "seed \(seed)")
            for action in actions {
                switch action {
                case .compute(let frame, _, _, _): #expect(computing.insert(frame).inserted, "seed \(seed)")
                case .end: hasEnded = true
                default: break
                }
            }
            #expect(session.framesInFlight <= Int(limits.maxFramesInFlight), "seed \(seed)")
            if Bool.random(using: &generator), let done = computing.min() {
                computing.remove(done)
                _ = session.frameEnded(done, with: .failure(SplitFailure(.internal, "test")))
            }
        }
    }
}

extension [SplitSession.Action] {
    fileprivate var kinds: [String] {
        map { action in
            switch action {
            case .reply: "reply"
            case .resolve: "resolve"
            case .prepare(let cut, _): "prepare \(cut)"
            case .begin(let frame, _): "begin \(frame)"
            case .decode(let frame, _): "decode \(frame)"
            case .compute(let frame, _, _, _): "compute \(frame)"
            case .discard(let frame): "discard \(frame)"
            case .end: "end"
            }
        }
    }

    fileprivate var replies: [CloudMessage] {
        compactMap { if case .reply(let message) = $0 { message } else { nil } }
    }

    fileprivate var errors: [SplitErrorCode] {
        replies.compactMap { if case .error(let error) = $0.message { error.code } else { nil } }
    }
}
