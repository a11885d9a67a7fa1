package import FoundationEssentials
package import GRPCCore
package import InferenceProtocol
private import SwiftProtobuf
private import Testing

/// The edge's end of a raw split stream: sends what it is told, right or wrong.
package final class SplitStream {
    private let writer: AsyncStream<EdgeMessage>.Continuation
    private var messages: RPCAsyncSequence<CloudMessage, any Error>.AsyncIterator

    private init(
        writer: AsyncStream<EdgeMessage>.Continuation, messages: RPCAsyncSequence<CloudMessage, any Error>.AsyncIterator
    ) {
        self.writer = writer
        self.messages = messages
    }

    /// Opens a stream on `client`; it is closed when `body` returns.
    package static func open<Result: Sendable>(
        _ client: GRPCClient<some ClientTransport>, _ body: @escaping @Sendable (SplitStream) async throws -> Result
    ) async throws -> Result {
        let (outbound, writer) = AsyncStream.makeStream(of: EdgeMessage.self)
        let request = StreamingClientRequest(of: EdgeMessage.self) { stream in
            for await message in outbound { try await stream.write(message) }
        }
        return try await Cleave_V1_SplitInference.Client(wrapping: client).complete(request: request) { response in
            defer { writer.finish() }
            return try await body(SplitStream(writer: writer, messages: response.messages.makeAsyncIterator()))
        }
    }

    package func send(_ fill: (inout EdgeMessage) -> Void) {
        writer.yield(.with(fill))
    }

    /// The next message, `nil` at the end of a call that succeeded.
    package func next() async throws -> CloudMessage? {
        try await messages.next()
    }

    package func hello(
        model: String = "toy", version: String = "", digest: String = ToyNetwork.digest,
        protocolVersion: UInt32 = SplitProtocol.version
    ) {
        send {
            $0.hello = .with {
                $0.protocolVersion = protocolVersion
                $0.agent = "test"
                $0.modelName = model
                $0.modelVersion = version
                $0.modelDigest = digest
            }
        }
    }

    @discardableResult
    package func greet() async throws -> Cleave_V1_Welcome {
        hello()
        return try #require(try await next()).welcome
    }

    @discardableResult
    package func openCut(_ id: UInt32, boundary: [String] = ToyNetwork.boundary) async throws -> Cleave_V1_CutReady {
        send {
            $0.openCut = .with {
                $0.cutID = id
                $0.boundary = boundary
            }
        }
        return try #require(try await next()).cutReady
    }

    package func send(frame id: UInt64, cut: UInt32 = 0, bytes: [UInt8], chunkBytes: Int = 64 << 10, deadlineMs: UInt32 = 0) {
        var sequence: UInt32 = 0
        var start = 0
        repeat {
            let end = min(start + chunkBytes, bytes.count)
            chunk(
                frame: id, cut: cut, sequence: sequence, Data(bytes[start..<end]), last: end == bytes.count,
                deadlineMs: deadlineMs)
            start = end
            sequence += 1
        } while start < bytes.count
    }

    package func chunk(
        frame id: UInt64, cut: UInt32 = 0, sequence: UInt32, _ payload: Data, last: Bool, deadlineMs: UInt32 = 0
    ) {
        send {
            $0.frameChunk = .with {
                $0.frameID = id
                $0.cutID = cut
                $0.sequence = sequence
                $0.payload = payload
                $0.last = last
                $0.deadlineMs = deadlineMs
            }
        }
    }

    package func result(of frame: UInt64) async throws -> Cleave_V1_FrameResult {
        let message = try #require(try await next())
        guard case .frameResult(let result) = message.message else {
            throw SplitStreamError(unexpected: "\(message)")
        }
        #expect(result.frameID == frame)
        return result
    }

    package func error() async throws -> Cleave_V1_ErrorReply {
        let message = try #require(try await next())
        guard case .error(let error) = message.message else {
            throw SplitStreamError(unexpected: "\(message)")
        }
        return error
    }
}

package struct SplitStreamError: Error {
    package let unexpected: String
}
