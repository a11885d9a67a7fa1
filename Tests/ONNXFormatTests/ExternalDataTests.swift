internal import Foundation
internal import ModelGraph
internal import ONNXFormat
internal import Testing

struct ExternalDataTests {
    private func model(_ entries: [String: String]) -> TestModel {
        var initializer = TestModel.Initializer(name: "w", extents: [2])
        initializer.write = { tensor in
            for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
                tensor.message(13) {
                    $0.write(1, key)
                    $0.write(2, value)
                }
            }
            tensor.write(14, Int64(1))
        }
        return TestModel(
            inputs: [("x", [2])], initializers: [initializer],
            nodes: [.init(type: "Add", inputs: ["x", "w"], outputs: ["y"])])
    }

    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "onnx-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appending(path: "model/weights"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let data = [Float(9), 1, 2].withUnsafeBytes { Data($0) }
        try data.write(to: folder.appending(path: "model/weights/w.bin"))
        try data.write(to: folder.appending(path: "outside.bin"))
        try FileManager.default.createSymbolicLink(
            at: folder.appending(path: "model/link.bin"), withDestinationURL: folder.appending(path: "outside.bin"))
        try body(folder.appending(path: "model"))
    }

    @Test
    func isMapped() throws {
        try withFolder { folder in
            let path = folder.appending(path: "m.onnx")
            try Data(model(["location": "weights/w.bin", "offset": "4", "length": "8"]).bytes).write(to: path)
            let graph = try importONNX(at: path.path)
            let weights = try #require(graph.value(named: "w").flatMap { graph[$0].constant })
            #expect(weights.array(of: Float.self) == [1, 2])
        }
    }

    @Test(arguments: [
        ["location": "../outside.bin"], ["location": "/etc/passwd"], ["location": "weights/../../outside.bin"],
        ["location": "link.bin"], ["location": ""], [:], ["location": "absent.bin"], ["location": "weights"],
        ["location": "weights/w.bin", "offset": "8"], ["location": "weights/w.bin", "offset": "-1"],
        ["location": "weights/w.bin", "offset": "9223372036854775807"], ["location": "weights/w.bin", "length": "4"],
    ])
    func isRefused(entries: [String: String]) throws {
        try withFolder { folder in
            let path = folder.appending(path: "m.onnx")
            try Data(model(entries).bytes).write(to: path)
            #expect(throws: ONNXError.self) { try importONNX(at: path.path) }
        }
    }

    @Test
    func hasNoFolderInMemory() {
        #expect(throws: ONNXError.self) { try importONNX(model(["location": "w.bin"]).storage) }
    }

    @Test
    func missingModel() {
        let error = #expect(throws: ONNXError.self) { try importONNX(at: "/nonexistent/model.onnx") }
        #expect(error?.code == .unreadableFile)
        #expect(throws: ONNXError.self) { try importONNX(at: "/") }
    }
}
