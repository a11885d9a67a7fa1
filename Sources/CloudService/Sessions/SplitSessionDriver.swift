internal import ActivationCodec
private import CoreMetrics
internal import GRPCCore
internal import InferenceProtocol
internal import Logging
private import ModelGraph
private import SwiftProtobuf
private import Synchronization

/// Runs one split stream: carries out what its `SplitSession` decides.
final class SplitSessionDriver: Sendable {
    /// What the completion of a frame needs to know of its cut.
    private struct OpenedCut {
        let names: [String]
        let boundary: [BoundaryTensor]

        /// Checksums of the level quantisers held.
        var quantizers: [UInt32] { boundary.flatMap(\.expected.agreedQuantizers).map(\.checksum) }
    }

    /// Set when the edge no longer wants a frame that waits for its computation.
    private final class Cancellation: Sendable {
        let isSet = Atomic(false)
    }

    private struct State {
        var session: SplitSession
        var model: (any CompletionModel)?
        var cuts: [UInt32: OpenedCut] = [:]
        var computations: [UInt64: Cancellation] = [:]
        var failure: RPCError?
    }

    private typealias Work = @Sendable () async throws -> Void

    /// Before every message of the stream, so that no time on its clock is 0.
    private let epoch = ContinuousClock.now - .milliseconds(1)
    private let shared: Mutex<State>
    private let models: ModelRegistry
    private let tails: TailCache
    private let queue: ComputeQueue
    private let state: ServingState
    private let decodeLimits: DecodeLimits
    private let referenceLimits: ReferenceStore.Limits
    private let metrics: CloudMetrics
    private let logger: Logger
    private let ended: AsyncStream<Never>
    private let end: AsyncStream<Never>.Continuation

    init(
        session: SplitSession, models: ModelRegistry, tails: TailCache, queue: ComputeQueue, state: ServingState,
        decodeLimits: DecodeLimits, referenceLimits: ReferenceStore.Limits, metrics: CloudMetrics, logger: Logger
    ) {
        shared = Mutex(State(session: session))
        self.models = models
        self.tails = tails
        self.queue = queue
        self.state = state
        self.decodeLimits = decodeLimits
        self.referenceLimits = referenceLimits
        self.metrics = metrics
        self.logger = logger
        (ended, end) = AsyncStream.makeStream()
    }

    /// Returns when the edge closes its side and every frame is answered.
    /// - Throws: `RPCError` when the session ends the stream.
    func run(
        messages: RPCAsyncSequence<EdgeMessage, any Error>, writer: RPCWriter<CloudMessage>
    ) async throws {
        metrics.sessions.increment()
        defer { metrics.sessions.decrement() }
        logger.debug("split stream opened")
        do {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await self.read(messages, writer: writer)
                    return true
                }
                group.addTask {
                    for await _ in self.ended {}
                    return true
                }
                group.addTask {
                    await self.state.wait(for: .draining)
                    guard !Task.isCancelled else { return false }
                    try await self.reply(self.transition { $0.session.drain() }, writer: writer)
                    return false
                }
                // The reader and the end of the session each end the call; the drain's notice by itself does not.
                while let isOver = try await group.next(), !isOver {}
                group.cancelAll()
            }
        } catch {
            if shared.withLock({ $0.failure == nil }) { throw error }
        }
        if let failure = shared.withLock({ $0.failure }) {
            logger.info("split stream ended", metadata: ["code": "\(failure.code)", "reason": "\(failure.message)"])
            throw failure
        }
        logger.debug("split stream closed by the edge")
    }

    private func transition(_ body: (inout sending State) -> [SplitSession.Action]) -> [SplitSession.Action] {
        shared.withLock { body(&$0) }
    }

    // MARK: Reading

    private func read(
        _ messages: RPCAsyncSequence<EdgeMessage, any Error>, writer: RPCWriter<CloudMessage>
    ) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            var frames: [UInt64: IncomingFrame] = [:]
            var idle: [UInt32: [IncomingFrame]] = [:]
            var references = SessionReferences(limits: referenceLimits)
            for try await message in messages {
                let now = ContinuousClock.now
                var actions = transition { $0.session.receive(message, at: now) }[...]
                while let action = actions.popFirst() {
                    switch action {
                    case .resolve(let hello):
                        actions = transition { resolve(hello, in: &$0) } + actions
                    case .prepare(let cut, let boundary):
                        group.addTask { try await self.prepare(cut, boundary: boundary, writer: writer) }
                    case .begin(let id, let cut):
                        do throws(CodecError) {
                            frames[id] = try decoder(for: id, cut: cut, idle: &idle)
                        } catch {
                            actions = reject(id, error) + actions
                        }
                    case .decode(let id, let payload):
                        do throws(CodecError) {
                            try frames[id]?.append(payload, references: references.store)
                        } catch {
                            frames[id] = nil
                            actions = reject(id, error) + actions
                        }
                    case .compute(let id, let cut, let receive, let deadline):
                        guard let frame = frames.removeValue(forKey: id) else { continue }
                        do throws(CodecError) {
                            let codes = try frame.finish { references.insert($0, cut: cut) }
                            let times = FrameTimes(
                                receive: receive, decode: frame.decodeTime, receiveEnd: now - epoch)
                            metrics.frameBytes.record(frame.byteCount)
                            idle[cut, default: []].append(frame)
                            group.addTask {
                                try await self.compute(
                                    id, cut: cut, codes: codes, deadline: deadline, times: times, writer: writer)
                            }
                        } catch {
                            actions = reject(id, error) + actions
                        }
                    case .discard(let id):
                        frames[id] = nil
                        cancelComputation(of: id)
                    case .reply, .end:
                        try await reply([action], writer: writer)
                    }
                }
            }
        }
    }

    private func resolve(_ hello: Cleave_V1_Hello, in state: inout State) -> [SplitSession.Action] {
        let versions = models.versions(of: hello.modelName)
        guard !versions.isEmpty else {
            return state.session.refuse(.unknownModel, "no model \(hello.modelName)")
        }
        let candidates = versions.filter { hello.modelVersion.isEmpty || $0.version == hello.modelVersion }
        guard !candidates.isEmpty else {
            return state.session.refuse(.unknownModel, "no version \(hello.modelVersion) of \(hello.modelName)")
        }
        guard let model = candidates.last(where: { $0.digest == hello.modelDigest }) else {
            let known = candidates.map { "\($0.version): \($0.digest)" }.joined(separator: ", ")
            return state.session.refuse(
                .digestMismatch, "no version of \(hello.modelName) has digest \(hello.modelDigest); there are \(known)")
        }
        logger.info(
            "edge admitted",
            metadata: ["agent": "\(hello.agent)", "model": "\(model.name)", "version": "\(model.version)"])
        state.model = model
        return state.session.admit(version: model.version, digest: model.digest)
    }

    private func decoder(
        for id: UInt64, cut: UInt32, idle: inout [UInt32: [IncomingFrame]]
    ) throws(CodecError) -> IncomingFrame {
        if let frame = idle[cut]?.popLast() {
            frame.reuse(for: id)
            return frame
        }
        let (boundary, loop) = shared.withLock { ($0.cuts[cut]?.boundary ?? [], $0.model?.bandLoop ?? .serial) }
        return try IncomingFrame(frameID: id, boundary: boundary, limits: decodeLimits, loop: loop)
    }

    private func reject(_ id: UInt64, _ error: CodecError) -> [SplitSession.Action] {
        let code: SplitErrorCode = error.code == .referenceUnavailable ? .referenceUnavailable : .invalidFrame
        return transition { $0.session.frameRejected(id, error.description, code: code) }
    }

    private func cancelComputation(of id: UInt64) {
        shared.withLock { $0.computations[id] }?.isSet.store(true, ordering: .relaxed)
    }

    // MARK: Work

    private func prepare(_ cut: UInt32, boundary: [String], writer: RPCWriter<CloudMessage>) async throws {
        guard let model = shared.withLock({ $0.model }) else { preconditionFailure("cuts are opened after Welcome") }
        let start = ContinuousClock.now
        let actions: [SplitSession.Action]
        do {
            let tail = try await tails.tail(of: model, boundary: boundary)
            let duration = ContinuousClock.now - start
            let opened = OpenedCut(names: boundary, boundary: tail.boundary)
            actions = transition {
                $0.cuts[cut] = opened
                return $0.session.cutPrepared(cut, in: duration, quantizers: opened.quantizers)
            }
        } catch {
            let failure = SplitFailure(cut: error)
            logger.notice("cut refused", metadata: ["boundary": "\(boundary)", "reason": "\(failure.message)"])
            actions = transition { $0.session.cutFailed(cut, failure.code, failure.message) }
        }
        try await reply(actions, writer: writer)
    }

    private func compute(
        _ id: UInt64, cut: UInt32, codes: [[UInt8]], deadline: ContinuousClock.Instant?, times: FrameTimes,
        writer: RPCWriter<CloudMessage>
    ) async throws {
        let cancellation = Cancellation()
        let (model, opened) = shared.withLock { state in
            state.computations[id] = cancellation
            return (state.model, state.cuts[cut])
        }
        guard let model, let opened else { preconditionFailure("frames are computed after CutReady") }
        let result: Result<Cleave_V1_FrameResult, SplitFailure>
        do {
            let tail = try await tails.tail(of: model, boundary: opened.names)
            let completion = try await queue.run(deadline: deadline) {
                if cancellation.isSet.load(ordering: .relaxed) { throw CancellationError() }
                return try tail.complete(codes)
            }
            var times = times
            times.queue = completion.queued
            times.compute = completion.computed
            metrics.record(times)
            result = .success(
                Cleave_V1_FrameResult(
                    id, tail.outputs, completion.result, times, sent: ContinuousClock.now - epoch))
        } catch {
            result = .failure(SplitFailure(frame: error))
        }
        let actions = transition { state in
            state.computations[id] = nil
            return state.session.frameEnded(id, with: result)
        }
        try await reply(actions, writer: writer)
    }

    /// Carries out actions that need no decoder.
    private func reply(_ actions: some Sequence<SplitSession.Action>, writer: RPCWriter<CloudMessage>) async throws {
        for action in actions {
            switch action {
            case .reply(let message):
                metrics.count(message)
                if case .error(let error) = message.message {
                    logger.debug("refused", metadata: ["code": "\(error.code.label)", "reason": "\(error.message)"])
                }
                try await writer.write(message)
            case .end(let code, let message):
                shared.withLock { $0.failure = RPCError(code: code.status, message: message) }
                end.finish()
            case .discard(let id): cancelComputation(of: id)
            case .resolve, .prepare, .begin, .decode, .compute:
                preconditionFailure("only messages of the edge begin work")
            }
        }
    }
}

/// The frames of one session that later ones may refer to: those of the cut that the latest is of.
private struct SessionReferences {
    private(set) var store: ReferenceStore
    private var cut: UInt32?

    init(limits: ReferenceStore.Limits) {
        store = ReferenceStore(limits: limits)
    }

    mutating func insert(_ frame: FrameReference, cut: UInt32) {
        if self.cut != cut { store.removeAll() }
        self.cut = cut
        store.insert(frame)
    }
}

extension Cleave_V1_FrameResult {
    fileprivate init(
        _ id: UInt64, _ signature: [NamedTensorType], _ outputs: [Tensor], _ times: FrameTimes, sent: Duration
    ) {
        self.init()
        frameID = id
        self.outputs = zip(signature, outputs).map { Cleave_V1_OutputTensor(name: $0.name, tensor: $1) }
        timings = .with {
            $0.receiveNs = times.receive.wireNanoseconds
            $0.decodeNs = times.decode.wireNanoseconds
            $0.queueNs = times.queue.wireNanoseconds
            $0.computeNs = times.compute.wireNanoseconds
            $0.receiveStartNs = (times.receiveEnd - times.receive).wireNanoseconds
            $0.receiveEndNs = times.receiveEnd.wireNanoseconds
            $0.sentNs = sent.wireNanoseconds
        }
    }
}

extension SplitFailure {
    /// Why a cut could not be opened.
    fileprivate init(cut error: any Error) {
        switch error {
        case let error as CloudError where error.code == .overloaded: self.init(.overloaded, error.message)
        default: self.init(.illegalCut, "\(error)")
        }
    }

    /// Why a frame could not be computed.
    fileprivate init(frame error: any Error) {
        switch error {
        case let error as CloudError where error.code == .overloaded: self.init(.overloaded, error.message)
        case let error as CloudError where error.code == .deadlineExceeded: self.init(.deadlineExceeded, error.message)
        default: self.init(.internal, "\(error)")
        }
    }
}

extension SplitErrorCode {
    /// The status of a call that this error ends.
    fileprivate var status: RPCError.Code {
        switch self {
        case .draining: .unavailable
        case .unknownModel: .notFound
        case .digestMismatch, .unsupportedVersion: .failedPrecondition
        default: .invalidArgument
        }
    }
}
