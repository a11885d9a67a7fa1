package import GRPCCore
package import GRPCNIOTransportHTTP2Posix
private import NIOCore
private import NIOPosix

/// Opens connections to one server.
package struct WireClient: Sendable {
    package let endpoint: WireEndpoint
    private let settings: WireSettings
    private let security: HTTP2ClientTransport.Posix.TransportSecurity
    private let isSecure: Bool
    private let serverName: String?
    private let token: BearerToken?

    /// - Parameter allowsPlaintextToken: whether the token may be sent unencrypted to another machine.
    /// - Throws: `WireError.configuration` for unusable files, or a token that would travel in the clear.
    package init(
        _ endpoint: WireEndpoint, settings: WireSettings = WireSettings(), security: ClientSecurity? = nil,
        token: BearerToken? = nil, allowsPlaintextToken: Bool = false
    ) throws(WireError) {
        try BearerToken.checkPlaintext(
            to: endpoint, hasToken: token != nil, isSecure: security != nil, isAllowed: allowsPlaintextToken)
        self.endpoint = endpoint
        self.settings = settings
        self.security = try security?.makeTransportSecurity() ?? .plaintext
        isSecure = security != nil
        serverName = security?.serverName
        self.token = token
    }

    package var callOptions: CallOptions { settings.callOptions }

    /// Runs `body` with a client whose connection lives only as long as `body`.
    ///
    /// The connection is dropped, not drained, when `body` returns: its calls are over by then, and a peer that hangs
    /// must not hold this side.
    package func withClient<Result: Sendable>(
        _ body: @Sendable @escaping (GRPCClient<HTTP2ClientTransport.Posix>) async throws -> Result
    ) async throws -> Result {
        let group = MultiThreadedEventLoopGroup.singleton
        let loop = group.next()
        let transport = try HTTP2ClientTransport.Posix(
            target: endpoint.target, transportSecurity: security,
            config: settings.makeClientConfiguration(isSecure: isSecure, authority: serverName), eventLoopGroup: loop)
        let client = GRPCClient(
            transport: transport, interceptors: token.map { [BearerTokenClientInterceptor($0)] } ?? [])
        return try await loop.withPreferredExecutor {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await client.runConnections() }
                defer { group.cancelAll() }
                return try await body(client)
            }
        }
    }
}
