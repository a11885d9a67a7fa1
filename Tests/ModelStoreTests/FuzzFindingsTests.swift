internal import FoundationEssentials
internal import ModelGraph
internal import ModelStore
internal import Testing

/// Replays the inputs that `tools/fuzz/run package` left: those that once broke something, and a few that between them
/// reach what fuzzing reached. A crash ends the test run.
struct FuzzFindingsTests {
    private static let inputs: [URL] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "FuzzFindings")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().map { folder.appending(path: $0) }
    }()

    @Test(arguments: inputs, [OpenedPackage.Verification.everything, .sectionsOnUse])
    func whatOpensKeepsTheRules(input: URL, verification: OpenedPackage.Verification) throws {
        do {
            let package = try OpenedPackage(path: input.path, verifying: verification)
            try package.graph().verify()
            try package.quantizedGraph()?.graph.verify()
        } catch is ModelStoreError {}
    }

    @Test
    func someArePackagesAndSomeAreNot() {
        let opened = Self.inputs.filter { (try? OpenedPackage(path: $0.path, verifying: .everything)) != nil }.count
        #expect((1..<Self.inputs.count).contains(opened))
    }
}
