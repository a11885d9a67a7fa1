internal import FoundationEssentials
internal import ModelGraph
internal import ONNXFormat
internal import Quantization
internal import Testing

/// Replays the inputs that `tools/fuzz/run onnx` left: those that once broke something, and a few that between them reach
/// what fuzzing reached. A crash ends the test run.
struct FuzzFindingsTests {
    private static let inputs: [URL] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "FuzzFindings")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().map { folder.appending(path: $0) }
    }()

    private static func graph(_ input: URL, dequantizesWeights: Bool) throws -> Graph {
        let bytes = Array(try Data(contentsOf: input))
        let options = ONNXImportOptions(maximumFoldedByteCount: 1 << 20, dequantizesWeights: dequantizesWeights)
        return try importONNX(TensorStorage(bytes: bytes), options: options)
    }

    @Test(arguments: inputs, [false, true])
    func whatIsImportedKeepsTheRules(input: URL, dequantizesWeights: Bool) throws {
        let graph: Graph
        do {
            graph = try Self.graph(input, dequantizesWeights: dequantizesWeights)
        } catch is ONNXError {
            return
        }
        try graph.verify()
        let simplified = try graph.simplified()
        // Or says that ONNX has no words for it.
        _ = try? exportONNX(simplified)
        try QuantizedGraph(statedIn: graph)?.graph.verify()
    }

    @Test
    func someAreModelsAndSomeAreNot() {
        let imported = Self.inputs.filter { (try? Self.graph($0, dequantizesWeights: false)) != nil }.count
        #expect((1..<Self.inputs.count).contains(imported))
    }
}
