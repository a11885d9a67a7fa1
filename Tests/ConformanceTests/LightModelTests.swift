internal import ModelGraph
internal import ONNXFormat
internal import Testing

/// Whole topologies whose weights ONNX replaced by constants; each has one operand, `i / n` for its n elements.
@Suite(.enabled(if: ConformanceData.isAvailable, "CLEAVE_TEST_DATA is not set"))
struct LightModelTests {
    @Test(arguments: [
        "squeezenet", "inception_v1", "resnet50", "shufflenet", "bvlc_alexnet", "densenet121", "inception_v2",
        "zfnet512",
    ])
    func givesTheExpectedOutput(name: String) throws {
        let path = "\(try #require(ConformanceData.root))/light/light_\(name)"
        let graph = try importONNX(at: path + ".onnx")
        let input = try #require(graph.inputs.first)
        let type = graph[input].type
        #expect(graph.inputs.count == 1 && type.elementType == .float32)
        let count = type.shape.elementCount
        let operand = Tensor((0..<count).map { Float(Double($0) / Double(count)) }, shape: type.shape)
        let results = try ReferenceExecutor(graph).run([operand])
        let expected = try readONNXTensor(at: path + "_output_0.pb").tensor
        // The expected outputs come from a float32 evaluation.
        try expectEqual(try #require(results.first), expected, relative: 1e-3)
    }

    @Test(arguments: ["vgg19"])
    func imports(name: String) throws {
        let path = "\(try #require(ConformanceData.root))/light/light_\(name)"
        let graph = try importONNX(at: path + ".onnx")
        #expect(graph[graph.outputs[0]].type.shape.elementCount == 1000)
    }
}
