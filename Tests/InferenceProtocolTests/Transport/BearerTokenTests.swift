internal import FoundationEssentials
internal import InferenceProtocol
internal import Testing

@Suite struct BearerTokenTests {
    @Test func matchesOnlyItself() throws {
        let token = try BearerToken("s3cret")
        #expect(token.matches("Bearer s3cret"))
        for wrong in ["", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3crets", "Bearer s3creT", "s3cret", "bearer s3cret",
            "Basic s3cret", "Bearer s3crets3cret"]
        {
            #expect(!token.matches(wrong), "\(wrong)")
        }
    }

    @Test func refusesWhatAHeaderCannotCarry() {
        for bad in ["", "a b", "a\nb", "ä"] {
            #expect(throws: WireError.self, "\(bad)") { try BearerToken(bad) }
        }
    }

    @Test func isReadFromAFileWithoutTheSpaceAround() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "token-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(" s3cret\n".utf8).write(to: URL(filePath: path))
        #expect(try BearerToken(contentsOfFile: path).matches("Bearer s3cret"))
        try Data("\n".utf8).write(to: URL(filePath: path))
        #expect(throws: WireError.self) { try BearerToken(contentsOfFile: path) }
        #expect(throws: WireError.self) { try BearerToken(contentsOfFile: path + ".missing") }
    }

    @Test func doesNotTravelInTheClear() throws {
        let remote = try #require(WireEndpoint("10.0.0.1:1"))
        let token = try BearerToken("s3cret")
        #expect(throws: WireError.self) { try WireClient(remote, token: token) }
        #expect(throws: Never.self) { try WireClient(remote, token: token, allowsPlaintextToken: true) }
        #expect(throws: Never.self) { try WireClient(#require(WireEndpoint("127.0.0.1:1")), token: token) }
    }
}
