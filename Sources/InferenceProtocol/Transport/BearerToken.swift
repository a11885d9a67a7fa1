private import FoundationEssentials
package import GRPCCore

/// A secret that the edge presents with each call.
package struct BearerToken: Sendable, CustomStringConvertible, CustomReflectable {
    private let secret: [UInt8]

    /// - Throws: `WireError.configuration` when the token is empty, or not printable ASCII without spaces, which is all
    ///   that a header carries unchanged.
    package init(_ secret: String) throws(WireError) {
        try self.init(bytes: Array(secret.utf8), origin: "token")
    }

    /// Reads a file that holds the token and perhaps white space around it.
    package init(contentsOfFile path: String) throws(WireError) {
        let contents: Data
        do {
            contents = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw WireError(.configuration, "no such file, or it cannot be read", at: path)
        }
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let trimmed = contents.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        try self.init(bytes: Array(trimmed), origin: path)
    }

    private init(bytes: [UInt8], origin: String) throws(WireError) {
        guard !bytes.isEmpty, bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw WireError(
                .configuration, "a token is one or more printable ASCII characters without spaces", at: origin)
        }
        secret = bytes
    }

    /// Says nothing of the secret, so that no log does.
    package var description: String { "BearerToken(hidden)" }

    package var customMirror: Mirror { Mirror(self, children: []) }

    /// The value of the `authorization` header.
    fileprivate var header: String { "Bearer " + String(decoding: secret, as: UTF8.self) }

    /// Compares in a time that depends only on the length of what was presented.
    package func matches(_ header: String) -> Bool {
        let prefix = "Bearer "
        guard header.utf8.count >= prefix.utf8.count,
            header.utf8.prefix(prefix.utf8.count).elementsEqual(prefix.utf8)
        else { return false }
        var difference = 0
        var count = 0
        for byte in header.utf8.dropFirst(prefix.utf8.count) {
            difference |= Int(byte ^ secret[count % secret.count])
            count += 1
        }
        return (difference | (count ^ secret.count)) == 0
    }

    /// Refuses to send a secret where others can read it.
    /// - Throws: `WireError.configuration` for a token over plaintext to another machine, unless `isAllowed`.
    package static func checkPlaintext(
        to endpoint: WireEndpoint, hasToken: Bool, isSecure: Bool, isAllowed: Bool
    ) throws(WireError) {
        guard !hasToken || isSecure || isAllowed || endpoint.isLocal else {
            throw WireError(
                .configuration, "a bearer token over plaintext to another machine can be read on the way: use TLS",
                at: endpoint.description)
        }
    }
}

/// Adds the token to each call.
package struct BearerTokenClientInterceptor: ClientInterceptor {
    private let token: BearerToken

    package init(_ token: BearerToken) {
        self.token = token
    }

    package func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingClientRequest<Input>, context: ClientContext,
        next: (StreamingClientRequest<Input>, ClientContext) async throws -> StreamingClientResponse<Output>
    ) async throws -> StreamingClientResponse<Output> {
        var request = request
        request.metadata.replaceOrAddString(token.header, forKey: "authorization")
        return try await next(request, context)
    }
}

/// Refuses calls that do not present the token.
package struct BearerTokenServerInterceptor: ServerInterceptor {
    private let token: BearerToken

    package init(_ token: BearerToken) {
        self.token = token
    }

    package func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>, context: ServerContext,
        next: @Sendable (StreamingServerRequest<Input>, ServerContext) async throws -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        var presented = Array(request.metadata[stringValues: "authorization"]).makeIterator()
        guard let header = presented.next(), presented.next() == nil, token.matches(header) else {
            throw RPCError(code: .unauthenticated, message: "a valid bearer token is required")
        }
        return try await next(request, context)
    }
}
