internal import CloudService
internal import FoundationEssentials
internal import GRPCCore
internal import InferenceProtocol
internal import ModelGraph
internal import SwiftProtobuf
internal import WireTestSupport
internal import Testing

/// The Open Inference Protocol over loopback sockets.
@Suite struct OpenInferenceServiceTests {
    private typealias Client = Inference_GRPCInferenceService.Client

    private static func image(_ network: ToyNetwork) -> [Float] {
        (0..<network.elementCount).map { Float($0 % 40) * 0.1 }
    }

    private static func request(_ network: ToyNetwork) -> Inference_ModelInferRequest {
        Inference_ModelInferRequest(
            model: "toy", id: "42", inputs: [("image", .tensor(Tensor(image(network), shape: network.input.type.shape)))])
    }

    @Test(arguments: [CompressionAlgorithm.none, .deflate, .gzip])
    func infers(compression: CompressionAlgorithm) async throws {
        let network = ToyNetwork()
        try await CloudFixture.withServer { addresses, _ in
            try await WireClient(addresses.grpc).withClient { client in
                let client = Client(wrapping: client)
                var options = CallOptions.defaults
                options.compression = compression
                let response = try await client.modelInfer(Self.request(network), options: options)
                #expect(response.id == "42" && response.modelVersion == "1")
                let values = try response.values()
                guard case .tensor(let scores)? = values.first?.value else {
                    Issue.record("no tensor")
                    return
                }
                #expect(scores.array(of: Float.self) == network.scores(ofImage: Self.image(network)))
                #expect(response.rawOutputContents.count == 1)
            }
        }
    }

    @Test func answersBadRequestsWithTheirCodes() async throws {
        let network = ToyNetwork()
        let faults: [(RPCError.Code, @Sendable (inout Inference_ModelInferRequest) -> Void)] = [
            (.invalidArgument, { $0.rawInputContents[0].removeLast() }),
            (.invalidArgument, { $0.inputs[0].datatype = "FP64" }),
            (.invalidArgument, { $0.inputs[0].contents.fp32Contents = [1] }),
            (.invalidArgument, { $0.outputs = [.with { $0.name = "other" }] }),
            (.notFound, { $0.modelName = "other" }),
            (.notFound, { $0.modelVersion = "9" }),
        ]
        try await CloudFixture.withServer { addresses, _ in
            try await WireClient(addresses.grpc).withClient { client in
                let client = Client(wrapping: client)
                for (code, fault) in faults {
                    var request = Self.request(network)
                    fault(&request)
                    let error = await #expect(throws: RPCError.self) { try await client.modelInfer(request) }
                    #expect(error?.code == code)
                }
                _ = try await client.modelInfer(Self.request(network))
                let statistics = try await client.modelStatistics(.init()).modelStats
                #expect(statistics.first?.inferenceStats.success.count == 1)
                #expect(statistics.first?.inferenceStats.fail.count == 4)
            }
        }
    }

    @Test func aStreamStaysOpenAfterAnError() async throws {
        let network = ToyNetwork()
        var bad = Self.request(network)
        bad.inputs[0].shape = [1]
        let requests = [Self.request(network), bad, Self.request(network)]
        try await CloudFixture.withServer { addresses, _ in
            try await WireClient(addresses.grpc).withClient { client in
                let request = StreamingClientRequest(of: Inference_ModelInferRequest.self) { writer in
                    for request in requests { try await writer.write(request) }
                }
                let errors = try await Client(wrapping: client).modelStreamInfer(request: request) { response in
                    try await response.messages.reduce(into: [Bool]()) { $0.append(!$1.errorMessage.isEmpty) }
                }
                #expect(errors == [false, true, false])
            }
        }
    }

    @Test func describesItself() async throws {
        let network = ToyNetwork()
        var second = ToyCompletionModel()
        second.version = "10"
        second.digest = "other"
        var first = ToyCompletionModel()
        first.version = "9"
        try await CloudFixture.withServer([second, first]) { addresses, _ in
            try await WireClient(addresses.grpc).withClient { client in
                let client = Client(wrapping: client)
                #expect(try await client.serverLive(.init()).live)
                #expect(try await client.serverReady(.init()).ready)
                #expect(try await client.serverMetadata(.init()).extensions.contains("cleave.v1.SplitInference"))
                #expect(try await client.modelReady(.with { $0.name = "toy" }).ready)
                let metadata = try await client.modelMetadata(.with { $0.name = "toy" })
                #expect(metadata.versions == ["9", "10"])
                #expect(metadata.properties["digest"] == "other")
                #expect(metadata.inputs.first?.shape == network.input.type.shape.wireExtents)
                #expect(metadata.inputs.first?.datatype == "FP32")
                let config = try await client.modelConfig(.with { $0.name = "toy" }).config
                #expect(config.output.first?.dataType == .typeFp32)
                let index = try await client.repositoryIndex(.init())
                #expect(index.models.map(\.state) == ["READY", "READY"])
                let error = await #expect(throws: RPCError.self) { try await client.repositoryModelLoad(.init()) }
                #expect(error?.code == .unimplemented)
            }
        }
    }
}
