internal import ModelGraph
internal import ONNXFormat
internal import Testing

/// The same operator as different operator sets write it; newer forms are held by ONNX's own cases.
struct ImportFormTests {
    private func node(
        _ text: TestModel.NodeText, operatorSet: Int, input: [TestModel.Extent] = [1, 2, 4, 4]
    ) throws -> Node {
        var model = TestModel(operatorSet: operatorSet, nodes: [text])
        model.inputs = [("x", input)]
        model.outputs = [text.outputs[0]]
        return try #require(try importONNX(model.storage).nodes.first)
    }

    @Test
    func attributesThatLaterBecameOperands() throws {
        let squeeze = try node(
            .init(type: "Squeeze", inputs: ["x"], outputs: ["y"], lists: ["axes": [0]]), operatorSet: 11)
        #expect(squeeze.operation == .squeeze(axes: [0]))
        let unsqueeze = try node(
            .init(type: "Unsqueeze", inputs: ["x"], outputs: ["y"], lists: ["axes": [-1, 0]]), operatorSet: 11)
        #expect(unsqueeze.operation == .unsqueeze(axes: [0, 5]))
        let clip = try node(
            .init(type: "Clip", inputs: ["x"], outputs: ["y"], floats: ["min": 0, "max": 6]), operatorSet: 7)
        #expect(clip.operation == .unary(.clamp(.relu6)))
        let slice = try node(
            .init(
                type: "Slice", inputs: ["x"], outputs: ["y"], lists: ["starts": [1], "ends": [Int.max], "axes": [-1]]),
            operatorSet: 9)
        #expect(
            slice.operation
                == .slice(Slice(starts: [1], ends: [Shape.maximumElementCount], axes: [3], steps: [1])))
        let pad = try node(
            .init(
                type: "Pad", inputs: ["x"], outputs: ["y"], floats: ["value": 2],
                lists: ["pads": [0, 0, 1, 1, 0, 0, 2, 2]]),
            operatorSet: 10)
        #expect(pad.operation == .pad(Pad(mode: .constant, begins: [0, 0, 1, 1], ends: [0, 0, 2, 2], value: 2)))
        let split = try node(
            .init(type: "Split", inputs: ["x"], outputs: ["y", "z"], ints: ["axis": 2], lists: ["split": [1, 3]]),
            operatorSet: 11)
        #expect(split.operation == .split(axis: 2, sizes: [1, 3]) && split.outputs.count == 2)
        let sum = try node(
            .init(type: "ReduceSum", inputs: ["x"], outputs: ["y"], ints: ["keepdims": 0], lists: ["axes": [-1, 2]]),
            operatorSet: 11)
        #expect(sum.operation == .reduce(Reduction(kind: .sum, axes: [2, 3], keepsDimensions: false)))
    }

    @Test
    func softmaxOverAllTrailingAxesBefore13() throws {
        let text = TestModel.NodeText(type: "Softmax", inputs: ["x"], outputs: ["y"])
        #expect(
            try node(text, operatorSet: 12).operation == .softmax(Softmax(axis: 1, flattensTrailingAxes: true)))
        #expect(try node(text, operatorSet: 13).operation == .softmax(Softmax(axis: 3)))
        // Trailing axes of extent 1 change nothing.
        #expect(
            try node(text, operatorSet: 12, input: [1, 9, 1, 1]).operation == .softmax(Softmax(axis: 1)))
    }

    @Test(arguments: [("SAME_UPPER", [0, 0], [1, 1]), ("SAME_LOWER", [1, 1], [0, 0]), ("VALID", [0, 0], [0, 0])])
    func automaticPads(mode: String, begin: [Int], end: [Int]) throws {
        let text = TestModel.NodeText(
            type: "MaxPool", inputs: ["x"], outputs: ["y"], lists: ["kernel_shape": [3, 3], "strides": [2, 2]],
            strings: ["auto_pad": mode])
        let window = Window(kernel: [3, 3], strides: [2, 2], padsBegin: begin, padsEnd: end)
        #expect(try node(text, operatorSet: 12).operation == .maxPool(Pooling(window: window)))
    }

    @Test
    func trainingFormsAreRefused() {
        let spatial = TestModel(
            operatorSet: 7,
            initializers: [.init("p", float: [1, 1], extents: [2])],
            nodes: [
                .init(
                    type: "BatchNormalization", inputs: ["x", "p", "p", "p", "p"], outputs: ["y"], ints: ["spatial": 0])
            ])
        #expect(throws: ONNXError.self) { try importONNX(spatial.storage) }
        let mask = TestModel(
            operatorSet: 7, outputs: ["y", "mask"],
            nodes: [.init(type: "Dropout", inputs: ["x"], outputs: ["y", "mask"])])
        #expect(throws: ONNXError.self) { try importONNX(mask.storage) }
    }

    /// What PyTorch writes for `x.view(x.size(0), -1)`.
    @Test
    func shapeArithmeticFolds() throws {
        let model = TestModel(
            operatorSet: 11, inputs: [("x", ["batch", 2, 4, 4])],
            initializers: [
                .init(name: "zero", extents: [], dataType: 7, raw: [UInt8](repeating: 0, count: 8)),
                .init("rest", int64: [-1]),
            ],
            nodes: [
                .init(type: "Shape", inputs: ["x"], outputs: ["s"]),
                .init(type: "Gather", inputs: ["s", "zero"], outputs: ["n"], ints: ["axis": 0]),
                .init(type: "Unsqueeze", inputs: ["n"], outputs: ["u"], lists: ["axes": [0]]),
                .init(type: "Concat", inputs: ["u", "rest"], outputs: ["c"], ints: ["axis": 0]),
                .init(type: "Reshape", inputs: ["x", "c"], outputs: ["y"]),
            ])
        let graph = try importONNX(model.storage, options: ONNXImportOptions(batchSize: 3))
        #expect(graph.nodes.map(\.operation) == [.reshape(extents: [3, -1], allowZero: false)])
        #expect(graph.nodes[0].name == "Reshape_4")
        #expect(graph[graph.outputs[0]].type == TensorType(.float32, [3, 32]))
        #expect(graph.values.allSatisfy { $0.constant == nil })
    }

    @Test
    func manyOperandsBecomeAChain() throws {
        let model = TestModel(nodes: [.init(type: "Mean", inputs: ["x", "x", "x"], outputs: ["y"], name: "m")])
        let graph = try importONNX(model.storage)
        #expect(graph.nodes.map(\.name) == ["m/0", "m/1", "m"])
        let x = Tensor((0..<32).map(Float.init), shape: [1, 2, 4, 4])
        let result = try ReferenceExecutor(graph).run([x])[0]
        #expect(result.array(of: Float.self) == x.array(of: Float.self))
    }

    @Test
    func initialisersListedAsInputsAreConstants() throws {
        let model = TestModel(
            operatorSet: 8, inputs: [("x", [1, 2]), ("w", [2])],
            initializers: [.init("w", float: [1, 2], extents: [2])],
            nodes: [.init(type: "Add", inputs: ["x", "w"], outputs: ["y"])])
        let graph = try importONNX(model.storage)
        #expect(graph.inputs.map { graph[$0].name } == ["x"])
    }

    @Test
    func rawDataIsNotCopied() throws {
        let model = TestModel(
            inputs: [("x", [1, 2])], initializers: [.init("w", float: [1, 2], extents: [2])],
            nodes: [.init(type: "Add", inputs: ["x", "w"], outputs: ["y"])])
        let storage = model.storage
        let graph = try importONNX(storage)
        let weights = try #require(graph.value(named: "w").flatMap { graph[$0].constant })
        #expect(weights.storage === storage)
        #expect(weights.array(of: Float.self) == [1, 2])
    }

    @Test
    func typedDataPackedOrNot() throws {
        var packed = TestModel.Initializer(name: "w", extents: [2])
        packed.write = { writer in [Float(1), 2].withUnsafeBytes { writer.write(4, $0) } }
        var unpacked = TestModel.Initializer(name: "w", extents: [2])
        unpacked.write = { writer in
            writer.write(4, Float(1))
            writer.write(4, Float(2))
        }
        for initializer in [packed, unpacked] {
            let model = TestModel(
                inputs: [("x", [2])], initializers: [initializer],
                nodes: [.init(type: "Add", inputs: ["x", "w"], outputs: ["y"])])
            let graph = try importONNX(model.storage)
            let weights = try #require(graph.value(named: "w").flatMap { graph[$0].constant })
            #expect(weights.array(of: Float.self) == [1, 2])
        }
    }
}
