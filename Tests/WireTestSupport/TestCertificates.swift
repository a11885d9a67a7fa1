private import FoundationEssentials

/// A certificate authority of the tests' own, with a server's and a client's certificate, valid for a century.
///
/// Made with openssl: P-256 keys; both certificates bear the name `localhost`. The keys protect nothing.
package struct TestCertificates {
    package let folder: String
    package var authority: String { folder + "/ca.pem" }
    package var serverCertificate: String { folder + "/server.pem" }
    package var serverKey: String { folder + "/server.key" }
    package var clientCertificate: String { folder + "/client.pem" }
    package var clientKey: String { folder + "/client.key" }

    /// Writes the files to a new folder, removed when `body` returns.
    package static func with<Result>(_ body: (TestCertificates) async throws -> Result) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, contents) in files {
            try Data(contents.utf8).write(to: URL(filePath: folder + "/" + name))
        }
        return try await body(TestCertificates(folder: folder))
    }

    private static let files = [
        "ca.pem": """
        -----BEGIN CERTIFICATE-----
        MIIBpzCCAU2gAwIBAgIUeLe+WmdTaFAKSJz3koDoirjhiH4wCgYIKoZIzj0EAwIw
        IDEeMBwGA1UEAwwVY2xlYXZlIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyMzE5MDgy
        MVoYDzIxMjYxMDMwMTkwODIxWjAgMR4wHAYDVQQDDBVjbGVhdmUgdGVzdCBhdXRo
        b3JpdHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ7of43lY96HCPYamKrCCYg
        j4zZ+IWeAT2LwssmYZrEcdsdGRCpklz+35pH8g2Cuz7TOTmipc6Q7XFqcvDpDAtK
        o2MwYTAdBgNVHQ4EFgQUoZoL2o7aJx23kt2xKIA4+qCAzI4wHwYDVR0jBBgwFoAU
        oZoL2o7aJx23kt2xKIA4+qCAzI4wDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8E
        BAMCAgQwCgYIKoZIzj0EAwIDSAAwRQIgK3g2XU2Tpmg8BWi9cg9fulnOdytjgYfC
        kBwEDMswAAECIQDcz6OopY9/7y2T8PF1pxyFtQThs34sLCIAv53XWSa2sA==
        -----END CERTIFICATE-----
        """,
        "server.pem": """
        -----BEGIN CERTIFICATE-----
        MIIBrDCCAVKgAwIBAgIUcWi9r5vE7clktG/3IIx/C2ncHdEwCgYIKoZIzj0EAwIw
        IDEeMBwGA1UEAwwVY2xlYXZlIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyMzE5NTcz
        M1oYDzIxMjYxMDMwMTk1NzMzWjARMQ8wDQYDVQQDDAZzZXJ2ZXIwWTATBgcqhkjO
        PQIBBggqhkjOPQMBBwNCAAR/lfm+/kU4cJyqnecSmeCKSFDYCZSmdA7yztPzk9kJ
        dDtaJjMuN+FhVO1uV1BpnWCGeaY4e4te6z+nDVRMS565o3cwdTAUBgNVHREEDTAL
        gglsb2NhbGhvc3QwHQYDVR0lBBYwFAYIKwYBBQUHAwEGCCsGAQUFBwMCMB0GA1Ud
        DgQWBBRykQjxSKVHoX0DBWDPqq9nEbNXfTAfBgNVHSMEGDAWgBShmgvajtonHbeS
        3bEogDj6oIDMjjAKBggqhkjOPQQDAgNIADBFAiB1DIUUTDOg8TZYahKjDz1B266u
        9MdQuqm2OEXIBbUNeQIhANiQCqrgKqTUlAE3xW20GZkt+mfdS9vbzVNF0Og+vdas
        -----END CERTIFICATE-----
        """,
        "server.key": """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQge8AKXYKINRsiTpMd
        r/igD4TLcaGoZKuEgAlYY5SlEcWhRANCAAR/lfm+/kU4cJyqnecSmeCKSFDYCZSm
        dA7yztPzk9kJdDtaJjMuN+FhVO1uV1BpnWCGeaY4e4te6z+nDVRMS565
        -----END PRIVATE KEY-----
        """,
        "client.pem": """
        -----BEGIN CERTIFICATE-----
        MIIBrTCCAVKgAwIBAgIUcWi9r5vE7clktG/3IIx/C2ncHdIwCgYIKoZIzj0EAwIw
        IDEeMBwGA1UEAwwVY2xlYXZlIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyMzE5NTcz
        M1oYDzIxMjYxMDMwMTk1NzMzWjARMQ8wDQYDVQQDDAZjbGllbnQwWTATBgcqhkjO
        PQIBBggqhkjOPQMBBwNCAASoHQnB5azJ4WqspM3TPsBSvjfaGX9WHkz82Y9O6Bjy
        xKw1Jj8HMu5rofbv5FQmDUJazHlxWtcM7w+1ySdhCkrAo3cwdTAUBgNVHREEDTAL
        gglsb2NhbGhvc3QwHQYDVR0lBBYwFAYIKwYBBQUHAwEGCCsGAQUFBwMCMB0GA1Ud
        DgQWBBT5NnBFnBbmXp2OUnKi04YyejBIyjAfBgNVHSMEGDAWgBShmgvajtonHbeS
        3bEogDj6oIDMjjAKBggqhkjOPQQDAgNJADBGAiEA4VzeA6P7uH0sU4XOmuMDchB4
        rfoZm5BpkdfMqMbg1ywCIQD7pAbkiC3qfHlOE25+ZGXzBgh5MQUT5J8TdqR1rpb1
        NQ==
        -----END CERTIFICATE-----
        """,
        "client.key": """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYCWrfVxxOQtp8W1j
        vSSzBh6cjM0SdIeZ0PVKhA1eXJChRANCAASoHQnB5azJ4WqspM3TPsBSvjfaGX9W
        Hkz82Y9O6BjyxKw1Jj8HMu5rofbv5FQmDUJazHlxWtcM7w+1ySdhCkrA
        -----END PRIVATE KEY-----
        """,
    ]
}
