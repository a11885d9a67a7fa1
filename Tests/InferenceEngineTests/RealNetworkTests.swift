internal import FoundationEssentials
internal import InferenceEngine
internal import ModelGraph
internal import ONNXFormat
internal import TestSupport
internal import Testing

/// Whole networks in float32 against the definition of their operators. The definition takes its time.
@Suite(.enabled(if: TestData.directory != nil, "CLEAVE_TEST_DATA is not set"))
struct RealNetworkTests {
    @Test(arguments: [
        "models/imagenet/squeezenet1.1_fp32.onnx", "models/imagenet/mobilenetv2_fp32.onnx",
        "models/imagenet/mobilenetv1_0.25_224_fp32.onnx", "models/small/cifar10_resnet20_fp32.onnx",
        "models/small/super_resolution.onnx", "models/detect/version-RFB-320.onnx",
        "conformance/light/light_inception_v1.onnx", "conformance/light/light_shufflenet.onnx",
    ])
    func preparedNetworksKeepTheDefinition(path: String) throws {
        let file = try #require(TestData.file(path), "\(path) is missing")
        let graph = try importONNX(at: file.path).simplified()
        let inputs = graph.randomInputs(seed: 1)
        let expected = try ReferenceExecutor(graph).run(inputs)
        let session = InferenceSession(try PreparedModel(graph), pool: WorkerPool(width: 2))
        for (output, wanted) in zip(try session.run(inputs), expected) {
            #expect(output.relativeDifference(from: wanted) < 1e-4, "\(path)")
        }
    }
}
