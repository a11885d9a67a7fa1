internal import EdgeAgent
internal import InferenceProtocol
internal import ModelGraph
internal import SwiftProtobuf
internal import WireTestSupport
internal import Testing

/// The edge's state machine, without sockets or clocks.
@Suite struct EdgeSessionTests {
    private let identity = ModelIdentity(name: "toy", digest: "d")

    private func welcome(digest: String = "d", version: UInt32 = SplitProtocol.version, places: UInt32 = 2)
        -> CloudMessage
    {
        .with {
            $0.welcome = .with {
                $0.protocolVersion = version
                $0.modelDigest = digest
                $0.limits = .with {
                    $0.maxFramesInFlight = places
                    $0.maxChunkBytes = 100
                    $0.maxFrameBytes = 1000
                }
            }
        }
    }

    private func openSession() -> EdgeSession {
        var session = EdgeSession(identity: identity, agent: "test")
        _ = session.receive(welcome())
        return session
    }

    private func result(_ frame: UInt64) -> CloudMessage {
        .with {
            $0.frameResult = .with {
                $0.frameID = frame
                $0.outputs = [.init(name: "y", tensor: Tensor([Float(1)], shape: [1]))]
                $0.timings.computeNs = 5
            }
        }
    }

    @Test func greetsAndIsWelcomed() {
        var session = EdgeSession(identity: identity, agent: "test")
        #expect(session.hello.hello.modelDigest == "d")
        #expect(!session.isOpen)
        #expect(session.receive(welcome()).kinds == ["welcomed"])
        #expect(session.isOpen)
        #expect(session.limits.maxFramesInFlight == 2)
    }

    @Test func refusesAnotherModelOrVersion() {
        for message in [welcome(digest: "other"), welcome(version: 9), welcome(places: 0), result(0), CloudMessage()] {
            var session = EdgeSession(identity: identity, agent: "test")
            #expect(session.receive(message).kinds == ["close protocol_violation"])
            #expect(session.receive(welcome()).isEmpty)
        }
    }

    @Test func numbersCutsAndFrames() {
        var session = openSession()
        #expect(session.openCut(boundary: ["a"]).id == 0)
        #expect(session.openCut(boundary: ["b"]).message.openCut.cutID == 1)
        #expect(session.receive(.with { $0.cutReady.cutID = 1 }).kinds == ["cutReady 1"])
        #expect(session.receive(.failure(.illegalCut, "no", cut: 0)).kinds == ["cutFailed 0 refused/illegal_cut"])
        #expect(session.beginFrame() == 0)
        #expect(session.beginFrame() == 1)
        #expect(!session.hasFreePlace)
        #expect(session.receive(result(1)).kinds == ["completed 1"])
        #expect(session.hasFreePlace)
        #expect(session.receive(.failure(.invalidFrame, "no", frame: 0)).kinds == ["failed 0 refused/invalid_frame"])
        #expect(session.framesInFlight == 0)
    }

    @Test func ignoresTheResultOfAFrameGivenUp() {
        var session = openSession()
        let frame = session.beginFrame()
        #expect(session.abandon(frame)?.cancelFrame.frameID == frame)
        #expect(session.abandon(frame) == nil)
        #expect(session.receive(result(frame)).isEmpty)
        #expect(session.receive(.failure(.deadlineExceeded, "late", frame: frame)).isEmpty)
        #expect(session.receive(result(frame + 1)).kinds == ["close protocol_violation"])
    }

    @Test func aResultThatCannotBeReadFailsItsFrameOnly() {
        var session = openSession()
        let frame = session.beginFrame()
        var message = result(frame)
        message.frameResult.outputs[0].shape = [99]
        #expect(session.receive(message).kinds == ["failed 0 protocol_violation"])
        #expect(session.isOpen)
    }

    @Test func aDrainingCloudIsRetired() {
        var session = openSession()
        let frame = session.beginFrame()
        #expect(session.receive(.failure(.draining, "bye")).kinds == ["retire refused/draining"])
        #expect(!session.isOpen)
        #expect(session.receive(result(frame)).kinds == ["completed 0"])
    }

    @Test(arguments: [SplitErrorCode.digestMismatch, .unknownModel, .unsupportedVersion, .protocolViolation])
    func fatalErrorsCloseTheSession(code: SplitErrorCode) {
        var session = EdgeSession(identity: identity, agent: "test")
        #expect(session.receive(.failure(code, "no")).kinds == ["close refused/\(code.label)"])
        #expect(session.receive(welcome()).isEmpty)
    }
}

extension [EdgeSession.Action] {
    fileprivate var kinds: [String] {
        map { action in
            switch action {
            case .welcomed: "welcomed"
            case .cutReady(let id, _): "cutReady \(id)"
            case .cutFailed(let id, let failure): "cutFailed \(id) \(failure.label)"
            case .completed(let id, _): "completed \(id)"
            case .failed(let id, let failure): "failed \(id) \(failure.label)"
            case .retire(let failure): "retire \(failure.label)"
            case .close(let failure): "close \(failure.label)"
            }
        }
    }
}
