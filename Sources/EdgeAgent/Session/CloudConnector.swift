package import GRPCCore
package import InferenceProtocol

/// Opens connections to the cloud: over sockets in production, in process in tests.
package protocol CloudConnector: Sendable {
    /// Runs `body` with a connection that lives only as long as `body`.
    func withConnection(
        _ body: @escaping @Sendable (any Cleave_V1_SplitInference.ClientProtocol, CallOptions) async throws -> Void
    ) async throws
}

extension WireClient: CloudConnector {
    package func withConnection(
        _ body: @escaping @Sendable (any Cleave_V1_SplitInference.ClientProtocol, CallOptions) async throws -> Void
    ) async throws {
        let options = callOptions
        try await withClient { client in
            try await body(Cleave_V1_SplitInference.Client(wrapping: client), options)
        }
    }
}
