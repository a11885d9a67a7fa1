internal import ModelStore
internal import Testing

@Suite struct NamingTests {
    @Test(arguments: ["resnet50", "A-b_c.d", "0", "_x", "-x", String(repeating: "n", count: 128)])
    func namesOfModels(text: String) throws {
        #expect(try ModelName(text).description == text)
    }

    @Test(arguments: [
        "", ".", "..", ".hidden", "a/b", "../a", "a\\b", "a b", "a\n", "a\0", "é", "a\u{301}",
        String(repeating: "n", count: 129),
    ])
    func noNamesOfModels(text: String) {
        #expect(throws: ModelStoreError.self) { try ModelName(text) }
    }

    /// From the oldest to the latest, all different.
    static let ordered = [
        "0.0.9", "0.1", "1-alpha", "1-alpha.1", "1-alpha.beta", "1-beta.2", "1-beta.11", "1-rc-1", "1", "1.0", "1.0.0",
        "1.0.1", "1.2", "1.10.0", "2", "10", "9223372036854775807",
    ]

    @Test func versionsAreOrderedByNumber() throws {
        let versions = try Self.ordered.map { try ModelVersion($0) }
        for (left, version) in versions.enumerated() {
            for (right, other) in versions.enumerated() {
                #expect((version < other) == (left < right), "\(version) < \(other)")
                #expect((version == other) == (left == right), "\(version) == \(other)")
            }
        }
    }

    @Test(arguments: [
        "", "0", "01", "1.", ".1", "1..2", "-1", "+1", "1-", "1-a..b", "1-a_b", "1/2", "v1", "latest", " 1", "1.02",
        "1٣",
        "9223372036854775808", "1." + String(repeating: "1", count: 64),
    ])
    func noVersions(text: String) {
        #expect(throws: ModelStoreError.self) { try ModelVersion(text) }
    }
}
