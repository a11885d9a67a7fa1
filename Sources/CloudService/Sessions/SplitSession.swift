package import FoundationEssentials
package import InferenceProtocol
private import SwiftProtobuf

/// The cloud's side of one split stream, as a pure state machine: events go in, actions come out.
///
/// It decides what is legal and what is owed to the edge; it neither reads clocks nor decodes nor computes. Errors of a
/// frame or a cut leave the stream open; errors of the protocol end it.
package struct SplitSession: Sendable {
    /// What the owner of the session does next, in order.
    package enum Action: Sendable {
        case reply(CloudMessage)
        /// Look the model up, then call `admit(_:)` or `refuse(_:)`.
        case resolve(Cleave_V1_Hello)
        /// Prepare the tail, then call `cutPrepared` or `cutFailed`.
        case prepare(cut: UInt32, boundary: [String])
        /// Make a decoder for a frame of this cut.
        case begin(frame: UInt64, cut: UInt32)
        case decode(frame: UInt64, payload: Data)
        /// The frame is complete: check its end and compute, then call `frameEnded` once.
        case compute(frame: UInt64, cut: UInt32, receive: Duration, deadline: ContinuousClock.Instant?)
        /// Drop the frame's decoder, or its computation; `frameEnded` is called for a computation all the same.
        case discard(frame: UInt64)
        /// Finish the call with this error.
        case end(SplitErrorCode, String)
    }

    private enum Phase {
        case awaitingHello, resolving, open, draining, ended
    }

    private enum CutState {
        case preparing, ready
    }

    private struct Frame {
        var cut: UInt32
        var began: ContinuousClock.Instant
        var deadline: ContinuousClock.Instant?
        var nextSequence: UInt32 = 0
        var byteCount = 0
        var isComputing = false
        /// Cancelled or failed while it was computed: its result is not wanted.
        var isAbandoned = false
    }

    private let limits: SplitLimits
    private let server: String
    private var phase = Phase.awaitingHello
    private var cuts: [UInt32: CutState] = [:]
    private var frames: [UInt64: Frame] = [:]
    /// Frames are numbered upwards, so one number tells a chunk of a frame that ended early from one never begun.
    private var newestFrame: UInt64?

    package init(limits: SplitLimits, server: String) {
        self.limits = limits
        self.server = server
    }

    /// Frames that take a place: being received or computed.
    package var framesInFlight: Int { frames.count }

    // MARK: Messages

    package mutating func receive(_ message: EdgeMessage, at now: ContinuousClock.Instant) -> [Action] {
        switch (phase, message.message) {
        case (.ended, _):
            return []
        case (.awaitingHello, .hello(let hello)):
            guard hello.protocolVersion == SplitProtocol.version else {
                return end(
                    .unsupportedVersion,
                    "this server speaks version \(SplitProtocol.version), not \(hello.protocolVersion)")
            }
            phase = .resolving
            return [.resolve(hello)]
        case (.open, .openCut(let cut)): return open(cut)
        case (.draining, .openCut(let cut)):
            return [.reply(.failure(.illegalCut, "the server is draining", cut: cut.cutID))]
        case (.open, .frameChunk(let chunk)), (.draining, .frameChunk(let chunk)): return receive(chunk, at: now)
        case (.open, .cancelFrame(let cancel)), (.draining, .cancelFrame(let cancel)):
            return abandon(cancel.frameID) + endIfDrained()
        case (.awaitingHello, _): return end(.protocolViolation, "the first message must be Hello")
        case (.resolving, _): return end(.protocolViolation, "no message may follow Hello before Welcome")
        case (_, .hello): return end(.protocolViolation, "Hello is sent once")
        case (_, nil): return end(.protocolViolation, "the message is empty or of an unknown kind")
        }
    }

    private mutating func open(_ cut: Cleave_V1_OpenCut) -> [Action] {
        guard cuts[cut.cutID] == nil else {
            return end(.protocolViolation, "cut \(cut.cutID) is open already")
        }
        guard cuts.count < Int(limits.maxCuts) else {
            return [.reply(.failure(.tooManyCuts, "at most \(limits.maxCuts) cuts a stream", cut: cut.cutID))]
        }
        guard !cut.boundary.isEmpty else {
            return [.reply(.failure(.illegalCut, "the boundary is empty", cut: cut.cutID))]
        }
        cuts[cut.cutID] = .preparing
        return [.prepare(cut: cut.cutID, boundary: cut.boundary)]
    }

    private mutating func receive(_ chunk: Cleave_V1_FrameChunk, at now: ContinuousClock.Instant) -> [Action] {
        let id = chunk.frameID
        guard frames[id] != nil || isNew(id) else {
            // The rest of a frame that was refused or cancelled while it was under way.
            return []
        }
        var actions: [Action] = []
        if frames[id] == nil {
            newestFrame = id
            if let refusal = refusal(ofNew: chunk) { return [.reply(refusal)] }
            frames[id] = Frame(
                cut: chunk.cutID, began: now,
                deadline: chunk.deadlineMs > 0 ? now + .milliseconds(chunk.deadlineMs) : nil)
            actions.append(.begin(frame: id, cut: chunk.cutID))
        }
        guard var frame = frames[id], !frame.isAbandoned else { return actions }
        if let (code, message) = fault(of: chunk, in: frame, at: now) {
            return actions + fail(frame: id, code, message)
        }
        frame.nextSequence &+= 1
        frame.byteCount += chunk.payload.count
        frame.isComputing = chunk.last
        frames[id] = frame
        if !chunk.payload.isEmpty { actions.append(.decode(frame: id, payload: chunk.payload)) }
        if chunk.last {
            actions.append(
                .compute(frame: id, cut: frame.cut, receive: now - frame.began, deadline: frame.deadline))
        }
        return actions
    }

    private func isNew(_ id: UInt64) -> Bool {
        newestFrame.map { id > $0 } ?? true
    }

    /// Why a frame may not begin.
    private func refusal(ofNew chunk: Cleave_V1_FrameChunk) -> CloudMessage? {
        let id = chunk.frameID
        guard phase == .open else { return .failure(.overloaded, "the server is draining", frame: id) }
        guard chunk.sequence == 0 else {
            return .failure(.outOfSequence, "the frame begins with chunk \(chunk.sequence)", frame: id)
        }
        switch cuts[chunk.cutID] {
        case nil: return .failure(.unknownCut, "cut \(chunk.cutID) is not open", frame: id)
        case .preparing: return .failure(.unknownCut, "cut \(chunk.cutID) is not ready", frame: id)
        case .ready: break
        }
        guard frames.count < Int(limits.maxFramesInFlight) else {
            return .failure(.tooManyFrames, "at most \(limits.maxFramesInFlight) frames in flight", frame: id)
        }
        return nil
    }

    /// What is wrong with a chunk of a frame under way.
    private func fault(
        of chunk: Cleave_V1_FrameChunk, in frame: Frame, at now: ContinuousClock.Instant
    ) -> (SplitErrorCode, String)? {
        if frame.isComputing { return (.outOfSequence, "chunk \(chunk.sequence) follows the last one") }
        if chunk.sequence != frame.nextSequence {
            return (.outOfSequence, "expected chunk \(frame.nextSequence), got \(chunk.sequence)")
        }
        if chunk.cutID != frame.cut { return (.invalidFrame, "the cut changed from \(frame.cut) to \(chunk.cutID)") }
        // A frame of empty chunks would never reach the size limit.
        if chunk.payload.isEmpty && !chunk.last { return (.invalidFrame, "chunk \(chunk.sequence) is empty") }
        if chunk.payload.count > Int(limits.maxChunkBytes) {
            return (.frameTooLarge, "a chunk of \(chunk.payload.count) bytes; at most \(limits.maxChunkBytes)")
        }
        let total = frame.byteCount + chunk.payload.count
        if total > Int(limits.maxFrameBytes) {
            return (.frameTooLarge, "\(total) bytes or more; at most \(limits.maxFrameBytes)")
        }
        if let deadline = frame.deadline, now >= deadline { return (.deadlineExceeded, "the frame arrived too late") }
        return nil
    }

    /// Answers with an error; a computation under way is left to end by itself.
    private mutating func fail(frame id: UInt64, _ code: SplitErrorCode, _ message: String) -> [Action] {
        abandon(id) + [.reply(.failure(code, message, frame: id))] + endIfDrained()
    }

    private mutating func abandon(_ id: UInt64) -> [Action] {
        guard let frame = frames[id], !frame.isAbandoned else { return [] }
        if frame.isComputing {
            // It keeps its place until the computation is over: cancelling must not buy more than the limit.
            frames[id]?.isAbandoned = true
        } else {
            frames[id] = nil
        }
        return [.discard(frame: id)]
    }

    // MARK: What the owner reports

    package mutating func admit(version: String, digest: String) -> [Action] {
        guard phase == .resolving else { return [] }
        phase = .open
        return [
            .reply(
                .with {
                    $0.welcome = .with {
                        $0.protocolVersion = SplitProtocol.version
                        $0.server = server
                        $0.modelVersion = version
                        $0.modelDigest = digest
                        $0.limits = limits
                    }
                })
        ]
    }

    package mutating func refuse(_ code: SplitErrorCode, _ message: String) -> [Action] {
        end(code, message)
    }

    /// - Parameter quantizers: checksums of the level quantisers that frames may refer to.
    package mutating func cutPrepared(
        _ id: UInt32, in duration: Duration, quantizers: [UInt32] = []
    ) -> [Action] {
        guard phase != .ended, cuts[id] == .preparing else { return [] }
        cuts[id] = .ready
        return [
            .reply(
                .with {
                    $0.cutReady = .with {
                        $0.cutID = id
                        $0.prepareNs = duration.wireNanoseconds
                        $0.quantizers = quantizers
                    }
                })
        ]
    }

    /// The identifier is free again.
    package mutating func cutFailed(_ id: UInt32, _ code: SplitErrorCode, _ message: String) -> [Action] {
        guard phase != .ended, cuts[id] == .preparing else { return [] }
        cuts[id] = nil
        return [.reply(.failure(code, message, cut: id))]
    }

    /// The bytes of a frame turned out not to be one of its cut, or refer to what is not kept.
    package mutating func frameRejected(
        _ id: UInt64, _ message: String, code: SplitErrorCode = .invalidFrame
    ) -> [Action] {
        guard let frame = frames[id], !frame.isAbandoned else { return [] }
        // No computation was started, even when the last chunk is in.
        frames[id]?.isComputing = false
        return fail(frame: id, code, message)
    }

    /// A computation is over, whatever came of it.
    package mutating func frameEnded(
        _ id: UInt64, with result: Result<Cleave_V1_FrameResult, SplitFailure>
    ) -> [Action] {
        guard phase != .ended, let frame = frames.removeValue(forKey: id) else { return [] }
        guard !frame.isAbandoned else { return endIfDrained() }
        switch result {
        case .success(let result): return [.reply(.with { $0.frameResult = result })] + endIfDrained()
        case .failure(let failure):
            return [.reply(.failure(failure.code, failure.message, frame: id))] + endIfDrained()
        }
    }

    /// The server is going away: nothing new is begun, what is under way is finished.
    package mutating func drain() -> [Action] {
        switch phase {
        case .open:
            phase = .draining
            return [.reply(.failure(.draining, "the server is draining"))] + endIfDrained()
        case .awaitingHello, .resolving: return end(.draining, "the server is draining")
        case .draining, .ended: return []
        }
    }

    // MARK: The end

    private mutating func endIfDrained() -> [Action] {
        guard phase == .draining, frames.isEmpty else { return [] }
        phase = .ended
        return [.end(.draining, "the server is draining")]
    }

    private mutating func end(_ code: SplitErrorCode, _ message: String) -> [Action] {
        phase = .ended
        return [.reply(.failure(code, message)), .end(code, message)]
    }
}

/// Why a frame has no result, as the edge is told.
package struct SplitFailure: Error, Hashable, Sendable {
    package let code: SplitErrorCode
    package let message: String

    package init(_ code: SplitErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }
}
