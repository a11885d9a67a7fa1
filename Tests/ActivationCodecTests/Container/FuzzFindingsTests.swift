internal import ActivationCodec
internal import FoundationEssentials
internal import Testing

/// Replays the inputs that `tools/fuzz/run container` left: those that once broke something, and a few that between them
/// reach what fuzzing reached. A crash ends the test run.
struct FuzzFindingsTests {
    private static let inputs: [URL] = {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let folder = tests.appending(path: "FuzzFindings")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().map { folder.appending(path: $0) }
    }()

    private static func frame(_ input: URL, _ layout: TensorLayout = .rowMajor) throws -> DecodedFrame {
        try decodeFrame(Array(Data(contentsOf: input)), layout: layout)
    }

    @Test(arguments: inputs, TensorLayout.allCases)
    func whatDecodesIsWhole(input: URL, layout: TensorLayout) throws {
        do {
            let frame = try Self.frame(input, layout)
            #expect(frame.tensors.map(\.count) == frame.header.tensors.map(\.geometry.elementCount))
        } catch is CodecError {}
    }

    @Test
    func someAreFramesAndSomeAreNot() {
        let decoded = Self.inputs.filter { (try? Self.frame($0)) != nil }.count
        #expect((1..<Self.inputs.count).contains(decoded))
    }
}
