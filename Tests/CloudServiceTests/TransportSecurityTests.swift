internal import CloudService
internal import GRPCCore
internal import InferenceProtocol
internal import SwiftProtobuf
internal import WireTestSupport
internal import Testing

/// TLS from files, over loopback.
@Suite struct TransportSecurityTests {
    private static func isLive(_ client: WireClient) async throws -> Bool {
        try await client.withClient { client in
            try await Inference_GRPCInferenceService.Client(wrapping: client).serverLive(.init()).live
        }
    }

    @Test func aServerIsKnownByItsAuthority() async throws {
        try await TestCertificates.with { files in
            var configuration = CloudFixture.configuration
            configuration.security = ServerSecurity(
                certificate: files.serverCertificate, privateKey: files.serverKey)
            let authority = files.authority
            try await CloudFixture.withServer(configuration: configuration) { addresses, _ in
                let known = ClientSecurity(serverAuthority: authority, serverName: "localhost")
                #expect(try await Self.isLive(WireClient(addresses.grpc, security: known)))
                for unknown in [ClientSecurity(), ClientSecurity(serverAuthority: authority, serverName: "example.org")] {
                    await #expect(throws: RPCError.self) {
                        try await Self.isLive(WireClient(addresses.grpc, security: unknown))
                    }
                }
                await #expect(throws: RPCError.self) { try await Self.isLive(WireClient(addresses.grpc)) }
            }
        }
    }

    @Test func aClientIsKnownByItsCertificate() async throws {
        try await TestCertificates.with { files in
            var configuration = CloudFixture.configuration
            configuration.security = ServerSecurity(
                certificate: files.serverCertificate, privateKey: files.serverKey, clientAuthority: files.authority)
            let anonymous = ClientSecurity(serverAuthority: files.authority, serverName: "localhost")
            let named = ClientSecurity(
                serverAuthority: files.authority, certificate: files.clientCertificate, privateKey: files.clientKey,
                serverName: "localhost")
            try await CloudFixture.withServer(configuration: configuration) { addresses, _ in
                #expect(try await Self.isLive(WireClient(addresses.grpc, security: named)))
                await #expect(throws: RPCError.self) {
                    try await Self.isLive(WireClient(addresses.grpc, security: anonymous))
                }
            }
        }
    }

    @Test func filesAreCheckedFirst() async throws {
        try await TestCertificates.with { files in
            #expect(throws: WireError.self) {
                try ServerSecurity(certificate: files.serverCertificate, privateKey: files.folder).makeTransportSecurity()
            }
            #expect(throws: WireError.self) {
                try ClientSecurity(certificate: files.clientCertificate).makeTransportSecurity()
            }
        }
    }
}
