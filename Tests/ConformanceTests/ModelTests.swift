internal import Foundation
internal import ModelGraph
internal import ONNXFormat
internal import Testing

/// Every network of the test data imports into a graph that keeps its own rules.
@Suite(.enabled(if: ConformanceData.isAvailable, "CLEAVE_TEST_DATA is not set"))
struct ModelTests {
    static let paths: [String] = {
        guard let root = ConformanceData.modelsRoot else { return [] }
        let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return files.filter { $0.hasSuffix(".onnx") }.sorted()
    }()

    @Test(arguments: paths)
    func imports(path: String) throws {
        let root = try #require(ConformanceData.modelsRoot)
        let graph = try importONNX(at: "\(root)/\(path)")
        try graph.verify()
        #expect(!graph.nodes.isEmpty && !graph.inputs.isEmpty && !graph.outputs.isEmpty)
    }
}
