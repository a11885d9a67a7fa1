internal import ActivationCodec
internal import GRPCCore
internal import InferenceProtocol
internal import NIOPosix
private import Synchronization

/// One connection to the cloud and the split stream on it: carries out what its `EdgeSession` decides.
///
/// Nothing that a caller waits for depends on the peer reading: messages are queued, and a caller's wait ends with its
/// deadline. The queue holds the frames in flight at most, because a peer that lets frames time out is given up.
final class CloudConnection: Sendable {
    private struct State {
        var session: EdgeSession
        var cuts: [[String]: UInt32] = [:]
        var cutReplies: [UInt32: Promise<ReadyCut>] = [:]
        /// What frames may refer to; `nil` where prediction is off.
        var references: ReferenceWindow?
        var frameReplies: [UInt64: Promise<CloudResult>] = [:]
        var failure: CloudFailure?
        /// While there is a connection.
        var client: (any Cleave_V1_SplitInference.ClientProtocol, CallOptions)?
        /// Frames in a row whose deadline passed.
        var timeouts = 0
    }

    /// A cut for which frames may be sent.
    private struct ReadyCut: Sendable {
        let id: UInt32
        let heldQuantizers: Set<UInt32>
    }

    private let state: Mutex<State>
    /// At least every so many frames one is a key frame; `nil`: none refers to another.
    private let keyFrameInterval: Int?
    /// Resolved when the cloud accepted the model, or the connection failed.
    let welcomed = Promise<Void>()
    private let closed = Promise<CloudFailure>()
    private let outbound: AsyncStream<EdgeMessage>
    private let send: AsyncStream<EdgeMessage>.Continuation
    /// Where frames are encoded, one after another: their numbers must go out in order.
    private let encoder: NIOThreadPool
    private let maximumTimeouts: Int
    private let cutsAhead: [[String]]

    init(
        session: EdgeSession, encoder: NIOThreadPool, maximumTimeouts: Int, cutsAhead: [[String]] = [],
        keyFrameInterval: Int? = nil
    ) {
        state = Mutex(State(session: session))
        self.keyFrameInterval = keyFrameInterval
        (outbound, send) = AsyncStream.makeStream()
        self.encoder = encoder
        self.maximumTimeouts = maximumTimeouts
        self.cutsAhead = cutsAhead
    }

    // MARK: The connection's life

    /// Connects and serves the stream until it ends, and says why it did.
    func run(
        over connector: some CloudConnector, welcomeWithin timeout: Duration, clock: any Clock<Duration>
    ) async -> CloudFailure {
        let reason = await withTaskGroup(of: CloudFailure?.self) { group in
            group.addTask { await self.stream(over: connector) }
            group.addTask { try? await self.closed.value }
            group.addTask {
                // An attempt that hangs anywhere before Welcome is given up.
                let isOver: Void? = try? await withDeadline(timeout, clock: clock) { try await self.welcomed.value }
                guard isOver == nil, !Task.isCancelled else { return nil }
                return CloudFailure(.unreachable, "no answer within \(timeout)")
            }
            defer { group.cancelAll() }
            for await reason in group {
                if let reason { return reason }
            }
            return CloudFailure(.connectionLost, "the agent stops")
        }
        close(reason)
        return reason
    }

    private func stream(over connector: some CloudConnector) async -> CloudFailure {
        do {
            defer { state.withLock { $0.client = nil } }
            try await connector.withConnection { client, options in
                self.state.withLock { $0.client = (client, options) }
                let request = StreamingClientRequest(of: EdgeMessage.self) { writer in
                    try await writer.write(self.state.withLock { $0.session.hello })
                    for await message in self.outbound where self.isWorthSending(message) {
                        try await writer.write(message)
                    }
                }
                try await client.complete(request: request, options: options) { response in
                    for try await message in response.messages { self.receive(message) }
                }
            }
            return CloudFailure(.connectionLost, "the cloud closed the stream")
        } catch let error as RPCError {
            let kind: CloudFailure.Kind =
                switch error.code {
                case .unavailable: welcomed.result == nil ? .unreachable : .connectionLost
                case .cancelled: .connectionLost
                default: .refused
                }
            return CloudFailure(kind, "\(error.code): \(error.message)")
        } catch {
            return CloudFailure(welcomed.result == nil ? .unreachable : .connectionLost, "\(error)")
        }
    }

    /// Chunks of frames that were given up meanwhile need not be sent.
    private func isWorthSending(_ message: EdgeMessage) -> Bool {
        guard case .frameChunk(let chunk) = message.message else { return true }
        return state.withLock { $0.session.isLive(chunk.frameID) }
    }

    private func receive(_ message: CloudMessage) {
        let actions = state.withLock { state in
            if case .frameResult = message.message { state.timeouts = 0 }
            return state.session.receive(message)
        }
        for action in actions {
            switch action {
            case .welcomed:
                if let keyFrameInterval {
                    state.withLock { state in
                        let limits = ReferenceStore.Limits(state.session.limits)
                        state.references = ReferenceWindow(limits: limits, keyFrameInterval: keyFrameInterval)
                    }
                }
                openAhead()
                welcomed.resolve(.success(()))
            case .cutReady(let id, let held):
                state.withLock { $0.cutReplies[id] }?.resolve(.success(ReadyCut(id: id, heldQuantizers: held)))
            case .cutFailed(let id, let failure):
                // Asking again may help: the cloud may have been overloaded.
                let reply = state.withLock { state in
                    state.cuts = state.cuts.filter { $0.value != id }
                    return state.cutReplies.removeValue(forKey: id)
                }
                reply?.resolve(.failure(failure))
            case .completed(let id, let result):
                let reply = state.withLock { state in
                    state.references?.answered(id)
                    return state.frameReplies.removeValue(forKey: id)
                }
                reply?.resolve(.success(result))
            case .failed(let id, let failure):
                let reply = state.withLock { state in
                    if failure.code == .referenceUnavailable {
                        state.references?.refused(id)
                    } else {
                        state.references?.dropped(id)
                    }
                    return state.frameReplies.removeValue(forKey: id)
                }
                reply?.resolve(.failure(failure))
            case .retire(let failure): state.withLock { $0.failure = failure }
            case .close(let failure): close(failure)
            }
        }
    }

    /// Fails everything under way; the first reason counts.
    private func close(_ failure: CloudFailure) {
        let (cuts, frames) = state.withLock { state in
            if state.failure == nil { state.failure = failure }
            defer {
                state.cutReplies = [:]
                state.frameReplies = [:]
            }
            return (state.cutReplies.values, state.frameReplies.values)
        }
        send.finish()
        welcomed.resolve(.failure(failure))
        closed.resolve(.success(failure))
        for cut in cuts { cut.resolve(.failure(failure)) }
        for frame in frames {
            frame.resolve(.failure(CloudFailure(.connectionLost, failure.message, code: failure.code)))
        }
    }

    // MARK: Frames

    /// What sending a frame cost and brought.
    struct Exchange: Sendable {
        let result: CloudResult
        let bytesSent: Int
        let encodeTime: Duration
        /// From the end of encoding to the result.
        let waitTime: Duration
        let passage: FramePassage
    }

    /// Sends one frame and waits for its result. Cancellation gives the frame up.
    /// - Throws: `CloudFailure`, `CancellationError`, or what `encode` throws as `CloudFailure.Kind.encoding`.
    func exchange(
        cut boundary: [String], deadline: Duration,
        encode: @escaping FrameEncoding
    ) async throws -> Exchange {
        let cut = try await readyCut(boundary)
        let sent = try await encoder.runIfActive {
            try self.encodeFrame(cut: cut, deadline: deadline, encode: encode)
        }
        let encoded = ContinuousClock.now
        do {
            let result = try await sent.reply.value
            let answered = ContinuousClock.now
            return Exchange(
                result: result, bytesSent: sent.chunker.byteCount, encodeTime: sent.time, waitTime: answered - encoded,
                passage: FramePassage(
                    bytes: sent.chunker.byteCount, firstChunkBytes: sent.chunker.firstChunkByteCount,
                    firstSent: sent.firstSent, lastSent: sent.lastSent, answered: answered, result: result))
        } catch is CancellationError {
            giveUp(sent.frame)
            throw CancellationError()
        }
    }

    /// Notes that a frame's deadline passed; too many in a row mean that the peer hangs.
    func noteTimeout() {
        let isHanging = state.withLock { state in
            state.timeouts += 1
            return state.timeouts >= maximumTimeouts
        }
        if isHanging {
            close(CloudFailure(.connectionLost, "\(maximumTimeouts) frames in a row got no answer in time"))
        }
    }

    /// Asks for the cuts that may be taken later, as many as the cloud allows, so that changing to one costs no wait.
    private func openAhead() {
        let messages = state.withLock { state in
            cutsAhead.prefix(Int(state.session.limits.maxCuts)).compactMap { boundary -> EdgeMessage? in
                guard state.cuts[boundary] == nil else { return nil }
                let (id, message) = state.session.openCut(boundary: boundary)
                state.cuts[boundary] = id
                state.cutReplies[id] = Promise()
                return message
            }
        }
        for message in messages { send.yield(message) }
    }

    /// A small message and one of `bytes` more, answered at once, over a call of their own.
    /// - Throws: `CloudFailure` without a connection; what the call throws.
    func probe(bytes: Int) async throws -> LinkProbeResult {
        guard let (client, options) = state.withLock({ $0.client }) else {
            throw CloudFailure(.unreachable, "there is no connection")
        }
        return try await LinkMeasurement.probe(client, bytes: bytes, options: options)
    }

    /// The number of the cut, opened now if it is not yet.
    private func readyCut(_ boundary: [String]) async throws -> ReadyCut {
        let (reply, message) = try state.withLock { state -> (Promise<ReadyCut>, EdgeMessage?) in
            if let failure = state.failure { throw failure }
            if let id = state.cuts[boundary], let reply = state.cutReplies[id] { return (reply, nil) }
            let (id, message) = state.session.openCut(boundary: boundary)
            let reply = Promise<ReadyCut>()
            state.cuts[boundary] = id
            state.cutReplies[id] = reply
            return (reply, message)
        }
        if let message { send.yield(message) }
        return try await reply.value
    }

    private struct SentFrame {
        let frame: UInt64
        let reply: Promise<CloudResult>
        let chunker: FrameChunker
        let time: Duration
        let firstSent: ContinuousClock.Instant
        let lastSent: ContinuousClock.Instant
    }

    /// Runs on the encoder's thread.
    private func encodeFrame(
        cut: ReadyCut, deadline: Duration, encode: FrameEncoding
    ) throws -> SentFrame {
        let start = ContinuousClock.now
        var firstSent: ContinuousClock.Instant?
        let reply = Promise<CloudResult>()
        let (terms, limits) = try state.withLock { state in
            if let failure = state.failure { throw failure }
            guard state.session.hasFreePlace else {
                throw CloudFailure(
                    .refused, "\(state.session.framesInFlight) frames in flight already", code: .tooManyFrames)
            }
            let frame = state.session.beginFrame()
            state.frameReplies[frame] = reply
            let terms = FrameTerms(
                frameID: frame, heldQuantizers: cut.heldQuantizers,
                prediction: state.references?.begin(frame, cut: cut.id) ?? .independent)
            return (terms, state.session.limits)
        }
        let frame = terms.frameID
        var chunker = FrameChunker(
            frame: frame, cut: cut.id, deadline: deadline, maximumBytes: Int(limits.maxChunkBytes))
        let maximumFrameBytes = Int(clamping: limits.maxFrameBytes)
        do {
            let reference = try encode(terms) { bytes in
                // Refused already, here or by the cloud: the rest is not worth sending.
                guard reply.result == nil else { return }
                guard chunker.byteCount + bytes.count <= maximumFrameBytes else {
                    return reply.resolve(
                        .failure(
                            CloudFailure(.frameTooLarge, "more than the \(maximumFrameBytes) bytes the cloud takes")))
                }
                for chunk in chunker.append(bytes) { send.yield(chunk) }
                if firstSent == nil, chunker.firstChunkByteCount > 0 { firstSent = .now }
            }
            if let reference { state.withLock { $0.references?.sent(reference, cut: cut.id) } }
        } catch {
            giveUp(frame)
            throw CloudFailure(.encoding, "\(error)")
        }
        if let result = reply.result {
            giveUp(frame)
            if case .failure(let failure) = result { throw failure }
        }
        for chunk in chunker.finish() { send.yield(chunk) }
        let end = ContinuousClock.now
        return SentFrame(
            frame: frame, reply: reply, chunker: chunker, time: end - start, firstSent: firstSent ?? end, lastSent: end)
    }

    private func giveUp(_ frame: UInt64) {
        let message = state.withLock { state in
            state.frameReplies[frame] = nil
            state.references?.dropped(frame)
            return state.session.abandon(frame)
        }
        if let message { send.yield(message) }
    }
}

extension ReferenceStore.Limits {
    /// What the cloud says it keeps.
    fileprivate init(_ limits: SplitLimits) {
        self.init(
            maximumCount: Int(limits.maxReferences), maximumBytes: Int(clamping: limits.maxReferenceBytes))
    }
}
