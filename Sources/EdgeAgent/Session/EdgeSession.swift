package import InferenceProtocol
package import ModelGraph
private import SwiftProtobuf

/// What the cloud made of a frame.
package struct CloudResult: Sendable {
    package let outputs: [(name: String, tensor: Tensor)]
    package let receive: Duration
    package let decode: Duration
    package let queue: Duration
    package let compute: Duration
    /// On the cloud's clock, of which only differences mean anything: the first chunk's arrival, the last one's, and when the
    /// result was written. Zero from services that do not say.
    package let receiveStart: Duration
    package let receiveEnd: Duration
    package let sent: Duration
}

/// The edge's side of one split stream, as a pure state machine.
package struct EdgeSession: Sendable {
    /// What the owner of the session does next, in order.
    package enum Action: Sendable {
        /// The cloud accepted the model; cuts may be opened.
        case welcomed
        /// With the checksums of the level quantisers that the cloud holds for the cut.
        case cutReady(UInt32, heldQuantizers: Set<UInt32>)
        case cutFailed(UInt32, CloudFailure)
        case completed(UInt64, CloudResult)
        case failed(UInt64, CloudFailure)
        /// The cloud takes no new frames; those in flight may still be answered.
        case retire(CloudFailure)
        /// The stream is of no further use.
        case close(CloudFailure)
    }

    private enum Phase {
        case greeting, open, retired, closed
    }

    private let identity: ModelIdentity
    private let agent: String
    private var phase = Phase.greeting
    private var pendingCuts: Set<UInt32> = []
    private var nextCut: UInt32 = 0
    private var frames: Set<UInt64> = []
    private var nextFrame: UInt64 = 0
    /// Known once welcomed.
    package private(set) var limits = SplitLimits()

    package init(identity: ModelIdentity, agent: String) {
        self.identity = identity
        self.agent = agent
    }

    package var hello: EdgeMessage {
        .with {
            $0.hello = .with {
                $0.protocolVersion = SplitProtocol.version
                $0.agent = agent
                $0.modelName = identity.name
                $0.modelVersion = identity.version
                $0.modelDigest = identity.digest
            }
        }
    }

    package var isOpen: Bool { phase == .open }
    package var framesInFlight: Int { frames.count }
    package var hasFreePlace: Bool { frames.count < Int(limits.maxFramesInFlight) }

    // MARK: What the agent wants

    /// - Precondition: `isOpen`.
    package mutating func openCut(boundary: [String]) -> (id: UInt32, message: EdgeMessage) {
        precondition(phase == .open)
        let id = nextCut
        nextCut += 1
        pendingCuts.insert(id)
        let message = EdgeMessage.with {
            $0.openCut = .with {
                $0.cutID = id
                $0.boundary = boundary
            }
        }
        return (id, message)
    }

    /// Takes a place for a frame and numbers it. Frames must begin to be sent in the order of their numbers: the cloud takes a
    /// lower number for the rest of a frame that ended.
    /// - Precondition: `isOpen` and `hasFreePlace`.
    package mutating func beginFrame() -> UInt64 {
        precondition(phase == .open && hasFreePlace)
        let id = nextFrame
        nextFrame += 1
        frames.insert(id)
        return id
    }

    /// Gives a frame up. Returns what to tell the cloud, which may have begun with it.
    package mutating func abandon(_ frame: UInt64) -> EdgeMessage? {
        guard frames.remove(frame) != nil, phase != .closed else { return nil }
        return .with { $0.cancelFrame = .with { $0.frameID = frame } }
    }

    /// Whether chunks of the frame are still worth sending.
    package func isLive(_ frame: UInt64) -> Bool { frames.contains(frame) }

    // MARK: What the cloud says

    package mutating func receive(_ message: CloudMessage) -> [Action] {
        switch (phase, message.message) {
        case (.closed, _): return []
        case (.greeting, .welcome(let welcome)): return begin(welcome)
        case (_, .error(let error)): return receive(error)
        case (.open, .cutReady(let cut)), (.retired, .cutReady(let cut)):
            guard pendingCuts.remove(cut.cutID) != nil else { return violation("CutReady for cut \(cut.cutID)") }
            return [.cutReady(cut.cutID, heldQuantizers: Set(cut.quantizers))]
        case (.open, .frameResult(let result)), (.retired, .frameResult(let result)):
            // A result may cross with the frame's cancellation.
            guard result.frameID < nextFrame else { return violation("a result for frame \(result.frameID)") }
            guard frames.remove(result.frameID) != nil else { return [] }
            do {
                return [.completed(result.frameID, try CloudResult(result))]
            } catch {
                return [.failed(result.frameID, CloudFailure(.violation, error.description))]
            }
        default: return violation("\(message.message.map { "\($0)" } ?? "an empty message")")
        }
    }

    private mutating func begin(_ welcome: Cleave_V1_Welcome) -> [Action] {
        guard welcome.protocolVersion == SplitProtocol.version else {
            return violation("protocol version \(welcome.protocolVersion)")
        }
        guard welcome.modelDigest == identity.digest else { return violation("model digest \(welcome.modelDigest)") }
        guard welcome.limits.maxFramesInFlight > 0, welcome.limits.maxChunkBytes > 0 else {
            return violation("limits that allow no frame")
        }
        limits = welcome.limits
        phase = .open
        return [.welcomed]
    }

    private mutating func receive(_ error: Cleave_V1_ErrorReply) -> [Action] {
        let failure = CloudFailure(.refused, error.message, code: error.code)
        if error.fatal || error.code.isFatal {
            if error.code == .draining, phase == .open {
                phase = .retired
                return [.retire(failure)]
            }
            if error.code == .draining, phase == .retired { return [] }
            phase = .closed
            return [.close(failure)]
        }
        if error.hasFrameID {
            return frames.remove(error.frameID) != nil ? [.failed(error.frameID, failure)] : []
        }
        if error.hasCutID {
            return pendingCuts.remove(error.cutID) != nil ? [.cutFailed(error.cutID, failure)] : []
        }
        return violation("an error that concerns nothing: \(error.message)")
    }

    private mutating func violation(_ what: String) -> [Action] {
        phase = .closed
        return [.close(CloudFailure(.violation, "the cloud sent \(what)"))]
    }
}

extension CloudResult {
    fileprivate init(_ result: Cleave_V1_FrameResult) throws(WireError) {
        var outputs: [(name: String, tensor: Tensor)] = []
        for output in result.outputs { outputs.append((output.name, try output.tensor())) }
        self.outputs = outputs
        receive = Duration(wireNanoseconds: result.timings.receiveNs)
        decode = Duration(wireNanoseconds: result.timings.decodeNs)
        queue = Duration(wireNanoseconds: result.timings.queueNs)
        compute = Duration(wireNanoseconds: result.timings.computeNs)
        receiveStart = Duration(wireNanoseconds: result.timings.receiveStartNs)
        receiveEnd = Duration(wireNanoseconds: result.timings.receiveEndNs)
        sent = Duration(wireNanoseconds: result.timings.sentNs)
    }
}
