internal import ModelGraph
internal import ONNXFormat
internal import Testing

struct ExportTests {
    /// What is written and read again computes the same, bit for bit, under the same names.
    @Test(arguments: (0..<200).map(UInt64.init))
    func importOfExportIsTheSame(seed: UInt64) throws {
        var random = try RandomGraph(seed: seed, nodeCount: 12)
        let operands = random.operands()
        let graph = random.graph
        let again = try importONNX(TensorStorage(bytes: exportONNX(graph)))
        try again.verify()
        #expect(again.inputs.map { again[$0].name } == graph.inputs.map { graph[$0].name })
        #expect(again.outputs.map { again[$0].name } == graph.outputs.map { graph[$0].name })
        let expected = try ReferenceExecutor(graph).run(operands)
        let results = try ReferenceExecutor(again).run(operands)
        for (index, (result, expected)) in zip(results, expected).enumerated() {
            #expect(result.type == expected.type)
            let isSame = result.withUnsafeBytes { left in expected.withUnsafeBytes { left.elementsEqual($0) } }
            #expect(isSame, "output \(index), seed \(seed)")
        }
    }

    /// Head and tail that speak uint8 are what they would be with quantiser and dequantiser outside.
    @Test
    func quantisedBoundary() throws {
        var graph = Graph(name: "net")
        let x = graph.addInput("x", TensorType(.float32, [1, 8]))
        let h = try graph.append(.unary(.clamp(.relu)), name: "relu", inputs: [x], outputNames: ["h"])
        graph.outputs = try graph.append(.unary(.tanh), name: "tanh", inputs: h, outputNames: ["y"])
        let cut = try Cut(sending: ["h"], of: graph)
        let (head, tail) = (try graph.head(of: cut), try graph.tail(of: cut))
        let quantization = ActivationQuantization(scale: 0.02, zeroPoint: 3)

        let writtenHead = try importONNX(
            TensorStorage(
                bytes: exportONNX(head, options: ONNXExportOptions(quantizedOutputs: [head.outputs[0]: quantization]))))
        let writtenTail = try importONNX(
            TensorStorage(
                bytes: exportONNX(tail, options: ONNXExportOptions(quantizedInputs: [tail.inputs[0]: quantization]))))
        #expect(writtenHead[writtenHead.outputs[0]].type == TensorType(.uint8, [1, 8]))
        #expect(writtenHead[writtenHead.outputs[0]].name == "h" && writtenTail[writtenTail.inputs[0]].name == "h")

        let operand = Tensor([-1, 0, 0.01, 0.03, 0.5, 1, 2, 9].map(Float.init), shape: [1, 8])
        let boundary = try ReferenceExecutor(head).run([operand])[0].array(of: Float.self)
        let levels = try ReferenceExecutor(writtenHead).run([operand])[0]
        #expect(levels.array(of: UInt8.self) == boundary.map(quantization.quantize))
        let dequantized = Tensor(levels.array(of: UInt8.self).map(quantization.dequantize), shape: [1, 8])
        let expected = try ReferenceExecutor(tail).run([dequantized])[0].array(of: Float.self)
        #expect(try ReferenceExecutor(writtenTail).run([levels])[0].array(of: Float.self) == expected)
    }

    @Test
    func quantisationMustNameAnEnd() throws {
        var graph = Graph(name: "net")
        let x = graph.addInput("x", TensorType(.float32, [2]))
        graph.outputs = try graph.append(.identity, name: "i", inputs: [x], outputNames: ["y"])
        let quantization = ActivationQuantization(scale: 1, zeroPoint: 0)
        for options in [
            ONNXExportOptions(quantizedInputs: [graph.outputs[0]: quantization]),
            ONNXExportOptions(quantizedOutputs: [x: quantization]),
            ONNXExportOptions(quantizedInputs: [ValueID(99): quantization]),
        ] {
            let error = #expect(throws: ONNXError.self) { try exportONNX(graph, options: options) }
            #expect(error?.code == .invalidOption)
        }
    }

    /// A constant that is an output passes through a node and keeps its name.
    @Test
    func constantOutput() throws {
        var graph = Graph(name: "net")
        graph.addInput("x", TensorType(.float32, [2]))
        graph.outputs = [graph.addConstant("y", Tensor([Float(1), 2], shape: [2]))]
        let again = try importONNX(TensorStorage(bytes: exportONNX(graph)))
        #expect(again[again.outputs[0]].name == "y")
        #expect(again[again.outputs[0]].constant?.array(of: Float.self) == [1, 2])
    }
}
