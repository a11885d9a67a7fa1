private import FoundationEssentials
package import GRPCNIOTransportHTTP2Posix

/// PEM files that secure a server; `nil` files are not used.
package struct ServerSecurity: Hashable, Sendable {
    /// The server's certificate, leaf first, and its key.
    package var certificate: String
    package var privateKey: String
    /// When given, clients must present a certificate that this authority signed.
    package var clientAuthority: String?

    package init(certificate: String, privateKey: String, clientAuthority: String? = nil) {
        self.certificate = certificate
        self.privateKey = privateKey
        self.clientAuthority = clientAuthority
    }

    /// - Throws: `WireError.configuration` when a file cannot be read.
    package func makeTransportSecurity() throws(WireError) -> HTTP2ServerTransport.Posix.TransportSecurity {
        let chain = try pemFile(certificate)
        let key = try pemFile(privateKey)
        let authority = try clientAuthority.map(pemFile)
        return .tls(
            certificateChain: [.bytes(chain, format: .pem)], privateKey: .bytes(key, format: .pem)
        ) { config in
            config.requireALPN = true
            if let authority {
                config.clientCertificateVerification = .noHostnameVerification
                config.trustRoots = .certificates([.bytes(authority, format: .pem)])
            }
        }
    }
}

/// PEM files that secure a client; `nil` files are not used.
package struct ClientSecurity: Hashable, Sendable {
    /// Who must have signed the server's certificate; `nil`: the system's authorities.
    package var serverAuthority: String?
    /// What the client presents when the server asks; both or neither.
    package var certificate: String?
    package var privateKey: String?
    /// The name that the server's certificate must bear, when it is not the endpoint's host.
    package var serverName: String?

    package init(
        serverAuthority: String? = nil, certificate: String? = nil, privateKey: String? = nil, serverName: String? = nil
    ) {
        self.serverAuthority = serverAuthority
        self.certificate = certificate
        self.privateKey = privateKey
        self.serverName = serverName
    }

    /// - Throws: `WireError.configuration` when a file cannot be read, or a certificate comes without its key.
    package func makeTransportSecurity() throws(WireError) -> HTTP2ClientTransport.Posix.TransportSecurity {
        guard (certificate == nil) == (privateKey == nil) else {
            throw WireError(
                .configuration, "a client certificate and its key are given together",
                at: certificate ?? privateKey ?? "")
        }
        let authority = try serverAuthority.map(pemFile)
        let chain = try certificate.map(pemFile)
        let key = try privateKey.map(pemFile)
        return .tls { config in
            if let authority { config.trustRoots = .certificates([.bytes(authority, format: .pem)]) }
            if let chain { config.certificateChain = [.bytes(chain, format: .pem)] }
            if let key { config.privateKey = .bytes(key, format: .pem) }
        }
    }
}

/// Reads the file here rather than in the library, whose errors do not name the file.
private func pemFile(_ path: String) throws(WireError) -> [UInt8] {
    let bytes: Data
    do {
        bytes = try Data(contentsOf: URL(filePath: path))
    } catch {
        throw WireError(.configuration, "no such file, or it cannot be read", at: path)
    }
    guard String(decoding: bytes, as: UTF8.self).contains("-----BEGIN ") else {
        throw WireError(.configuration, "is no PEM file", at: path)
    }
    return Array(bytes)
}
