private import EdgeAgent
package import GRPCCore
package import InferenceProtocol
private import SwiftProtobuf

/// A cloud that follows a script instead of computing: it can hang, lie and hang up.
package struct ScriptedCloud: CloudConnector {
    /// The cloud's end of one stream.
    package struct Stream: Sendable {
        package let messages: AsyncStream<EdgeMessage>
        package let send: @Sendable (CloudMessage) -> Void
    }

    private let script: @Sendable (Stream) async throws -> Void

    /// - Parameter script: run for each connection; the stream ends when it returns.
    package init(_ script: @escaping @Sendable (Stream) async throws -> Void) {
        self.script = script
    }

    package func withConnection(
        _ body: @escaping @Sendable (any Cleave_V1_SplitInference.ClientProtocol, CallOptions) async throws -> Void
    ) async throws {
        try await body(Client(script: script), .defaults)
    }

    /// What a well-behaved cloud says to Hello.
    package static func welcome(places: UInt32 = 4) -> CloudMessage {
        .with {
            $0.welcome = .with {
                $0.protocolVersion = SplitProtocol.version
                $0.modelDigest = ToyNetwork.digest
                $0.limits = .with {
                    $0.maxFrameBytes = 1 << 20
                    $0.maxChunkBytes = 1 << 16
                    $0.maxFramesInFlight = places
                    $0.maxCuts = 4
                }
            }
        }
    }

    private struct Writer: RPCWriterProtocol {
        let continuation: AsyncStream<EdgeMessage>.Continuation

        func write(_ element: EdgeMessage) async throws { continuation.yield(element) }
        func write(contentsOf elements: some Sequence<EdgeMessage>) async throws {
            for element in elements { continuation.yield(element) }
        }
    }

    private struct Client: Cleave_V1_SplitInference.ClientProtocol {
        let script: @Sendable (Stream) async throws -> Void

        func complete<Result: Sendable>(
            request: StreamingClientRequest<EdgeMessage>, serializer: some MessageSerializer<EdgeMessage>,
            deserializer: some MessageDeserializer<CloudMessage>, options: CallOptions,
            onResponse handleResponse: @Sendable @escaping (StreamingClientResponse<CloudMessage>) async throws -> Result
        ) async throws -> Result {
            let (messages, inbound) = AsyncStream.makeStream(of: EdgeMessage.self)
            let (replies, outbound) = AsyncThrowingStream.makeStream(
                of: StreamingClientResponse<CloudMessage>.Contents.BodyPart.self)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await request.producer(RPCWriter(wrapping: Writer(continuation: inbound))) }
                group.addTask {
                    do {
                        try await script(Stream(messages: messages) { outbound.yield(.message($0)) })
                        outbound.finish()
                    } catch {
                        outbound.finish(throwing: error)
                    }
                }
                defer { group.cancelAll() }
                return try await handleResponse(
                    StreamingClientResponse(metadata: [:], bodyParts: RPCAsyncSequence(wrapping: replies)))
            }
        }

        func measureLink<Result: Sendable>(
            request: StreamingClientRequest<Cleave_V1_LinkProbe>, serializer: some MessageSerializer<Cleave_V1_LinkProbe>,
            deserializer: some MessageDeserializer<Cleave_V1_LinkReply>, options: CallOptions,
            onResponse handleResponse: @Sendable @escaping (StreamingClientResponse<Cleave_V1_LinkReply>) async throws -> Result
        ) async throws -> Result {
            throw RPCError(code: .unimplemented, message: "the script has no such call")
        }
    }
}
