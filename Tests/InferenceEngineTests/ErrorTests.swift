internal import InferenceEngine
internal import ModelGraph
internal import TestSupport
internal import Testing

@Suite struct ErrorTests {
    let graph = TestGraphs.chain()

    private func code(_ body: () throws -> Void) -> EngineError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? EngineError)?.code
        }
    }

    @Test func unknownPortsAreNamed() {
        let form = PortRequest.exactly(.plain)
        #expect(code { _ = try PreparedModel(graph, options: .init(inputForms: ["picture": form])) } == .unknownPort)
        #expect(code { _ = try PreparedModel(graph, options: .init(outputForms: ["answer": form])) } == .unknownPort)
        // An output is no input.
        #expect(code { _ = try PreparedModel(graph, options: .init(inputForms: ["logits": form])) } == .unknownPort)
    }

    @Test func instructionSetsOfOtherMachinesAreRefused() {
        let others = InstructionSet.allCases.filter { !InstructionSet.available.contains($0) }
        #expect(!others.isEmpty)
        for set in others {
            #expect(
                code { _ = try PreparedModel(graph, options: .init(instructionSet: set)) } == .unavailableInstructionSet
            )
        }
    }

    @Test func inputsOfAnotherTypeAreRefused() throws {
        let session = InferenceSession(try PreparedModel(graph), pool: WorkerPool(width: 1))
        let image = graph.randomInputs(seed: 1)[0]
        #expect(code { _ = try session.run([]) } == .inputMismatch)
        #expect(code { _ = try session.run([image, image]) } == .inputMismatch)
        #expect(code { _ = try session.run([image.reshaped(to: [1, 3, 256])]) } == .inputMismatch)
        let bytes = Tensor([UInt8](repeating: 0, count: image.shape.elementCount), shape: image.shape)
        #expect(code { _ = try session.run([bytes]) } == .inputMismatch)
        #expect(code { _ = try session.run([image]) } == nil)
    }

    @Test func plainTensorsDoNotFitOtherForms() throws {
        let options = PreparationOptions(defaultInput: .exactly(TensorForm(layout: .channelsLast)))
        let session = InferenceSession(try PreparedModel(graph, options: options), pool: WorkerPool(width: 1))
        #expect(code { _ = try session.run(graph.randomInputs(seed: 1)) } == .inputMismatch)
    }

    @Test func integersAreNotQuantised() {
        var graph = Graph(name: "indices")
        let indices = graph.addInput("indices", TensorType(.int64, [1, 2, 3, 3]))
        graph.outputs = [indices]
        let quantized = PortRequest.exactly(TensorForm(quantization: ActivationQuantization(scale: 1, zeroPoint: 0)))
        #expect(
            code { _ = try PreparedModel(graph, options: .init(inputForms: ["indices": quantized])) }
                == .unsupportedForm)
        #expect(
            code { _ = try PreparedModel(graph, options: .init(outputForms: ["indices": quantized])) }
                == .unsupportedForm)
    }

    @Test func aLayerThatRefusesItsOperandsIsNamed() throws {
        var graph = Graph(name: "lookup")
        let table = graph.addConstant("table", Tensor([1, 2, 3] as [Float], shape: [3]))
        let indices = graph.addInput("indices", TensorType(.int64, [2]))
        graph.outputs = try graph.append(
            .gather(axis: 0), name: "pick", inputs: [table, indices], outputNames: ["picked"])
        let model = try PreparedModel(graph)
        #expect(model.nodesWithoutKernel == ["pick"])
        let session = InferenceSession(model, pool: WorkerPool(width: 1))
        let picked = try session.run([Tensor([2, 0] as [Int64], shape: [2])])
        #expect(picked[0].array(of: Float.self) == [3, 1])
        do {
            _ = try session.run([Tensor([2, 7] as [Int64], shape: [2])])
            Issue.record("index 7 of 3 was accepted")
        } catch let error as EngineError {
            #expect(error.code == .layerFailed && error.location == "pick")
        }
    }
}
