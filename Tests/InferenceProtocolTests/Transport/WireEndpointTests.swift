internal import InferenceProtocol
internal import Testing

@Suite struct WireEndpointTests {
    @Test(arguments: ["example.org:443", "127.0.0.1:0", "[::1]:80", "unix:/run/x.sock"])
    func comesBack(text: String) throws {
        #expect(try #require(WireEndpoint(text)).description == text)
    }

    @Test(arguments: ["", ":1", "host", "host:", "host:-1", "host:65536", "::1:80", "unix:", "[::1]", "host:1x"])
    func isRefused(text: String) {
        #expect(WireEndpoint(text) == nil)
    }

    @Test func knowsWhatStaysOnThisMachine() throws {
        for text in ["localhost:1", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "unix:/x"] {
            #expect(try #require(WireEndpoint(text)).isLocal, "\(text)")
        }
        for text in ["127.0.0.1.example.org:1", "0.0.0.0:1", "10.0.0.1:1", "[fe80::1]:1", "localhost.example.org:1"] {
            #expect(try !#require(WireEndpoint(text)).isLocal, "\(text)")
        }
    }
}
