private import FoundationEssentials

/// A certificate authority of the tests' own, with a server's and a client's certificate, valid for a century.
///
/// Made with openssl: P-256 keys; both certificates bear `localhost` and `127.0.0.1`. The keys protect nothing.
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
            MIIBszCCAVigAwIBAgIUcWi9r5vE7clktG/3IIx/C2ncHc8wCgYIKoZIzj0EAwIw
            IDEeMBwGA1UEAwwVY2xlYXZlIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyMzE5MDgy
            MloYDzIxMjYxMDMwMTkwODIyWjARMQ8wDQYDVQQDDAZzZXJ2ZXIwWTATBgcqhkjO
            PQIBBggqhkjOPQMBBwNCAAR/lfm+/kU4cJyqnecSmeCKSFDYCZSmdA7yztPzk9kJ
            dDtaJjMuN+FhVO1uV1BpnWCGeaY4e4te6z+nDVRMS565o30wezAaBgNVHREEEzAR
            gglsb2NhbGhvc3SHBH8AAAEwHQYDVR0lBBYwFAYIKwYBBQUHAwEGCCsGAQUFBwMC
            MB0GA1UdDgQWBBRykQjxSKVHoX0DBWDPqq9nEbNXfTAfBgNVHSMEGDAWgBShmgva
            jtonHbeS3bEogDj6oIDMjjAKBggqhkjOPQQDAgNJADBGAiEAl4CIbh6+dJcEnT2/
            eiy7Sp8LLTN1tkDrcUKG8hoYM80CIQDZTBlZm18WZp1tiC2hdI4X3m3w83r1+TZz
            VdpXNkU6DQ==
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
            MIIBsjCCAVigAwIBAgIUcWi9r5vE7clktG/3IIx/C2ncHdAwCgYIKoZIzj0EAwIw
            IDEeMBwGA1UEAwwVY2xlYXZlIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyMzE5MDgy
            MloYDzIxMjYxMDMwMTkwODIyWjARMQ8wDQYDVQQDDAZjbGllbnQwWTATBgcqhkjO
            PQIBBggqhkjOPQMBBwNCAASoHQnB5azJ4WqspM3TPsBSvjfaGX9WHkz82Y9O6Bjy
            xKw1Jj8HMu5rofbv5FQmDUJazHlxWtcM7w+1ySdhCkrAo30wezAaBgNVHREEEzAR
            gglsb2NhbGhvc3SHBH8AAAEwHQYDVR0lBBYwFAYIKwYBBQUHAwEGCCsGAQUFBwMC
            MB0GA1UdDgQWBBT5NnBFnBbmXp2OUnKi04YyejBIyjAfBgNVHSMEGDAWgBShmgva
            jtonHbeS3bEogDj6oIDMjjAKBggqhkjOPQQDAgNIADBFAiBBSHtyjwJA/bzYnXMp
            PywG/O3wZJh0P4lXeyPmhUs0iwIhAN1lNJpQC4FClsbBbrCAT1hFJk9Woeb6TNcv
            2T28TZ9P
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
