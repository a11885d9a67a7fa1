internal import FoundationEssentials
internal import GRPCCore
internal import InferenceProtocol
internal import ModelGraph
internal import SwiftProtobuf
internal import Testing

/// The table of bad requests.
@Suite struct InferMessagesTests {
    private let signature = [
        NamedTensorType("a", TensorType(.float32, [1, 2])), NamedTensorType("b", TensorType(.uint8, [3])),
    ]

    private var request: Inference_ModelInferRequest {
        Inference_ModelInferRequest(
            model: "m",
            inputs: [
                ("b", .tensor(Tensor([UInt8(1), 2, 3], shape: [3]))),
                ("a", .tensor(Tensor([Float(1), 2], shape: [1, 2]))),
            ])
    }

    @Test func takesInputsInAnyOrder() throws {
        let tensors = try request.tensors(matching: signature)
        #expect(tensors[0].array(of: Float.self) == [1, 2])
        #expect(tensors[1].array(of: UInt8.self) == [1, 2, 3])
    }

    @Test func takesTypedContents() throws {
        var request = request
        request.rawInputContents = []
        request.inputs[0].contents.uintContents = [4, 5, 6]
        request.inputs[1].contents.fp32Contents = [0.5, 0.25]
        let tensors = try request.tensors(matching: signature)
        #expect(tensors[0].array(of: Float.self) == [0.5, 0.25])
        #expect(tensors[1].array(of: UInt8.self) == [4, 5, 6])
    }

    private static let faults: [(name: String, apply: @Sendable (inout Inference_ModelInferRequest) -> Void)] = [
        ("raw too short", { $0.rawInputContents[0].removeLast() }),
        ("raw too long", { $0.rawInputContents[1].append(0) }),
        ("extra raw entry", { $0.rawInputContents.append(Data()) }),
        ("missing raw entry", { $0.rawInputContents.removeLast() }),
        ("raw plus typed", { $0.inputs[1].contents.fp32Contents = [1, 2] }),
        ("no contents", { $0.rawInputContents = [] }),
        ("wrong datatype", { $0.inputs[1].datatype = "FP64" }),
        ("wrong shape", { $0.inputs[1].shape = [2, 1] }),
        ("negative shape", { $0.inputs[1].shape = [-1, -2] }),
        ("unknown input", { $0.inputs[1].name = "c" }),
        ("input twice", { $0.inputs[1] = $0.inputs[0]; $0.rawInputContents[1] = $0.rawInputContents[0] }),
        ("missing input", { $0.inputs.removeLast(); $0.rawInputContents.removeLast() }),
        ("no inputs", { $0.inputs = []; $0.rawInputContents = [] }),
    ]

    @Test(arguments: faults.indices) func refuses(fault index: Int) {
        var request = request
        Self.faults[index].apply(&request)
        #expect {
            try request.tensors(matching: signature)
        } throws: { error in
            (error as? WireError)?.rpcErrorCode == .invalidArgument
        }
    }

    @Test func selectsOutputs() throws {
        var request = request
        #expect(try request.requestedOutputs(of: signature) == [0, 1])
        request.outputs = [.with { $0.name = "b" }]
        #expect(try request.requestedOutputs(of: signature) == [1])
        request.outputs = [.with { $0.name = "x" }]
        #expect(throws: WireError.self) { try request.requestedOutputs(of: signature) }
    }

    @Test func responsesAreReadRawAndTyped() throws {
        let tensor = Tensor([Float(1), 2], shape: [2])
        var response = Inference_ModelInferResponse(
            model: "m", version: "1", id: "i", outputs: [("y", .tensor(tensor))])
        #expect(response.rawOutputContents.count == 1)
        #expect(try response.values().first?.value.rawContents == tensor.rawContents)
        response.rawOutputContents = []
        response.outputs[0].contents.fp32Contents = [1, 2]
        #expect(try response.values().first?.value.rawContents == tensor.rawContents)
        response.rawOutputContents = [Data(), Data()]
        #expect(throws: WireError.self) { try response.values() }
    }
}
