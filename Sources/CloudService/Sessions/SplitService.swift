private import ActivationCodec
private import FoundationEssentials
package import GRPCCore
package import InferenceProtocol
package import Logging
private import SwiftProtobuf

/// Answers `cleave.v1.SplitInference`.
package struct SplitService: Cleave_V1_SplitInference.StreamingServiceProtocol {
    private let models: ModelRegistry
    private let tails: TailCache
    private let queue: ComputeQueue
    private let state: ServingState
    private let limits: SplitLimits
    private let decodeLimits: DecodeLimits
    private let metrics: CloudMetrics
    private let logger: Logger
    private let server: String

    package init(
        models: ModelRegistry, tails: TailCache, queue: ComputeQueue, state: ServingState, limits: SplitLimits,
        metrics: CloudMetrics, logger: Logger, server: String
    ) {
        self.models = models
        self.tails = tails
        self.queue = queue
        self.state = state
        self.limits = limits
        var decodeLimits = DecodeLimits()
        decodeLimits.maximumContainerBytes = Int(limits.maxFrameBytes)
        self.decodeLimits = decodeLimits
        self.metrics = metrics
        self.logger = logger
        self.server = server
    }

    package func complete(
        request: StreamingServerRequest<EdgeMessage>, context: ServerContext
    ) async throws -> StreamingServerResponse<CloudMessage> {
        guard state.isServing else { throw RPCError(code: .unavailable, message: "the server is not serving") }
        var logger = logger
        logger[metadataKey: "peer"] = "\(context.remotePeer)"
        let driver = SplitSessionDriver(
            session: SplitSession(limits: limits, server: server), models: models, tails: tails, queue: queue,
            state: state, decodeLimits: decodeLimits,
            referenceLimits: ReferenceStore.Limits(
                maximumCount: Int(limits.maxReferences), maximumBytes: Int(limits.maxReferenceBytes)),
            metrics: metrics, logger: logger)
        return StreamingServerResponse { writer in
            try await driver.run(messages: request.messages, writer: writer)
            return [:]
        }
    }

    package func measureLink(
        request: StreamingServerRequest<Cleave_V1_LinkProbe>, context: ServerContext
    ) async throws -> StreamingServerResponse<Cleave_V1_LinkReply> {
        let epoch = ContinuousClock.now
        let maximumReplyBytes = UInt32(clamping: limits.maxFrameBytes)
        return StreamingServerResponse { writer in
            for try await probe in request.messages {
                let received = ContinuousClock.now - epoch
                guard state.phase != .draining else {
                    throw RPCError(code: .unavailable, message: "the server is draining")
                }
                guard probe.replyBytes <= maximumReplyBytes else {
                    throw RPCError(code: .invalidArgument, message: "a reply has at most \(maximumReplyBytes) bytes")
                }
                try await writer.write(
                    .with {
                        $0.probeID = probe.probeID
                        $0.receivedNs = received.wireNanoseconds
                        $0.padding = Data(count: Int(probe.replyBytes))
                        $0.sentNs = (ContinuousClock.now - epoch).wireNanoseconds
                    })
            }
            return [:]
        }
    }
}
