package import ArgumentParser
package import InferenceProtocol

/// How a program reaches the cloud service.
package struct CloudConnectionOptions: ParsableArguments {
    @Option(
        name: .customLong("cloud"),
        help: ArgumentHelp("The cloud service: HOST:PORT or unix:PATH.", valueName: "endpoint"))
    package var endpoint: String?

    @Flag(help: "Connect with TLS, trusting the system's authorities.")
    package var tls = false

    @Option(help: ArgumentHelp("Connect with TLS, trusting only these authorities.", valueName: "pem"))
    package var tlsCa: String?

    @Option(help: ArgumentHelp("This side's certificate, where the service asks for one.", valueName: "pem"))
    package var tlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's private key.", valueName: "pem"))
    package var tlsKey: String?

    @Option(help: ArgumentHelp("The name in the service's certificate, when it is not the host.", valueName: "name"))
    package var tlsServerName: String?

    @Option(help: ArgumentHelp("A file that holds the bearer token.", valueName: "file"))
    package var tokenFile: String?

    @Flag(help: "Send the token unencrypted to another machine.")
    package var allowPlaintextToken = false

    package init() {}

    /// A client for the service; `nil` when neither flags, environment nor file name one.
    /// - Throws: `SettingsError`, `WireError`.
    package func client(_ settings: Settings) throws -> WireClient? {
        guard let text = try settings.string(endpoint, "cloud.endpoint") else { return nil }
        guard let endpoint = WireEndpoint(text) else {
            throw SettingsError("--cloud: expected HOST:PORT or unix:PATH, got \"\(text)\"")
        }
        let authority = try settings.string(tlsCa, "cloud.tls.ca")
        let certificate = try settings.string(tlsCertificate, "cloud.tls.certificate")
        let isSecure = try settings.boolean(tls, "cloud.tls.enabled") || authority != nil || certificate != nil
        let security =
            try isSecure
            ? ClientSecurity(
                serverAuthority: authority, certificate: certificate,
                privateKey: settings.string(tlsKey, "cloud.tls.key"),
                serverName: settings.string(tlsServerName, "cloud.tls.serverName"))
            : nil
        let token = try settings.string(tokenFile, "cloud.tokenFile").map { try BearerToken(contentsOfFile: $0) }
        return try WireClient(
            endpoint, security: security, token: token,
            allowsPlaintextToken: settings.boolean(allowPlaintextToken, "cloud.allowPlaintextToken"))
    }
}
