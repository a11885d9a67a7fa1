internal import ModelGraph
internal import ONNXFormat
internal import Testing

/// What is wrong with a model is said by code and place.
struct ImportErrorTests {
    private func failure(
        _ model: TestModel, _ options: ONNXImportOptions = ONNXImportOptions(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> ONNXError? {
        #expect(throws: ONNXError.self, sourceLocation: sourceLocation) {
            try importONNX(model.storage, options: options)
        }
    }

    @Test(arguments: [6, 26])
    func operatorSetOutOfRange(version: Int) {
        let error = failure(
            TestModel(operatorSet: version, nodes: [.init(type: "Relu", inputs: ["x"], outputs: ["y"])]))
        #expect(error?.code == .unsupportedVersion && error?.expected == "7 to 25" && error?.got == "\(version)")
    }

    @Test
    func unknownOperatorListsTheKnown() {
        let error = failure(TestModel(nodes: [.init(type: "Frobnicate", inputs: ["x"], outputs: ["y"])]))
        #expect(error?.code == .unsupportedOperator)
        #expect(error?.location == .node("Frobnicate_0", type: "Frobnicate"))
        #expect(error?.expected?.contains("Conv, ") == true)
    }

    @Test
    func outputListedTwice() {
        let error = failure(
            TestModel(outputs: ["y", "y"], nodes: [.init(type: "Relu", inputs: ["x"], outputs: ["y"])]))
        #expect(error?.code == .invalidName && error?.location == .value("y"))
    }

    @Test
    func otherDomain() {
        let error = failure(TestModel(nodes: [.init(type: "Relu", inputs: ["x"], outputs: ["y"], domain: "com.acme")]))
        #expect(error?.code == .unsupportedOperator && error?.message.contains("com.acme:Relu") == true)
    }

    @Test
    func attributeNotUnderstood() {
        let node = TestModel.NodeText(type: "Relu", inputs: ["x"], outputs: ["y"], name: "n", ints: ["consumed": 3])
        let error = failure(TestModel(nodes: [node]))
        #expect(error?.code == .unsupportedAttribute && error?.got == "3")
        #expect(error?.location == .node("n", type: "Relu", attribute: "consumed"))
    }

    @Test
    func attributeOfAnotherType() {
        let node = TestModel.NodeText(type: "Flatten", inputs: ["x"], outputs: ["y"], floats: ["axis": 1])
        #expect(failure(TestModel(nodes: [node]))?.code == .invalidAttribute)
    }

    @Test
    func inputReadButNeverDefined() {
        let error = failure(TestModel(nodes: [.init(type: "Add", inputs: ["x", "z"], outputs: ["y"])]))
        #expect(error?.code == .invalidName && error?.message.contains("\"z\" is read but never defined") == true)
    }

    @Test
    func cycle() {
        let error = failure(
            TestModel(nodes: [
                .init(type: "Add", inputs: ["x", "b"], outputs: ["a"]),
                .init(type: "Relu", inputs: ["a"], outputs: ["b"]),
                .init(type: "Relu", inputs: ["b"], outputs: ["y"]),
            ]))
        #expect(error?.code == .invalidName && error?.message.contains("cycles") == true)
    }

    @Test
    func nameDefinedTwice() {
        let error = failure(
            TestModel(nodes: [
                .init(type: "Relu", inputs: ["x"], outputs: ["y"]), .init(type: "Relu", inputs: ["x"], outputs: ["y"]),
            ]))
        #expect(error?.code == .invalidName && error?.location == .value("y"))
    }

    @Test(arguments: [[3, 5], [-1], [1 << 39], [Int.max, Int.max], [1 << 32, 1 << 32]])
    func initialiserThatDoesNotFitItsExtents(extents: [Int]) {
        let model = TestModel(
            initializers: [.init(name: "w", extents: extents, raw: [0, 0, 0, 0, 0, 0, 0, 0])],
            nodes: [.init(type: "Relu", inputs: ["x"], outputs: ["y"])])
        #expect(failure(model)?.code == .invalidTensor)
    }

    @Test
    func typedDataThatDoesNotFit() {
        var initializer = TestModel.Initializer(name: "w", extents: [1 << 30])
        initializer.write = { $0.write(4, Float(1)) }
        let model = TestModel(initializers: [initializer], nodes: [.init(type: "Relu", inputs: ["x"], outputs: ["y"])])
        #expect(failure(model)?.code == .invalidTensor)
    }

    @Test(arguments: [0, 8, 16, 22, 99])
    func elementTypeGraphsDoNotHave(dataType: Int) {
        let model = TestModel(
            initializers: [.init(name: "w", extents: [1], dataType: dataType, raw: [0])],
            nodes: [.init(type: "Relu", inputs: ["x"], outputs: ["y"])])
        #expect(failure(model)?.code == .unsupportedType)
    }

    @Test
    func parameterThatIsNotConstant() {
        let model = TestModel(
            inputs: [("x", [1, 8]), ("shape", [2])],
            nodes: [.init(type: "Reshape", inputs: ["x", "shape"], outputs: ["y"], name: "r")])
        let error = failure(model)
        #expect(error?.code == .notConstant && error?.location == .node("r", type: "Reshape"))
        #expect(error?.message.contains("operand 1, shape") == true)
    }

    @Test
    func symbolicExtentNamesTheOption() {
        let model = TestModel(
            inputs: [("x", ["N", 3, "height", 4])], nodes: [.init(type: "Relu", inputs: ["x"], outputs: ["y"])])
        let error = failure(model)
        #expect(error?.code == .unresolvedExtent && error?.expected?.contains("inputShapes[\"x\"]") == true)
        #expect(error?.message.contains("axis 2 (height)") == true)
    }

    @Test
    func optionThatDoesNotFit() {
        let model = TestModel(nodes: [.init(type: "Relu", inputs: ["x"], outputs: ["y"])])
        #expect(failure(model, ONNXImportOptions(inputShapes: ["z": [1]]))?.code == .invalidOption)
        #expect(failure(model, ONNXImportOptions(inputShapes: ["x": [1, 2, 4, 5]]))?.code == .invalidOption)
        let fixed = Tensor([Float(0)], shape: [1])
        #expect(failure(model, ONNXImportOptions(fixedInputs: ["x": fixed]))?.code == .invalidOption)
    }

    @Test
    func foldedConstantsAreLimited() {
        let model = TestModel(
            initializers: [.init("s", int64: [1 << 20, 1 << 19])],
            nodes: [.init(type: "ConstantOfShape", inputs: ["s"], outputs: ["y"])])
        #expect(failure(model)?.code == .tooLarge)
    }

    @Test
    func operandsThatDoNotFitTheOperator() {
        let model = TestModel(
            initializers: [.init("b", float: [1, 2, 3], extents: [3])],
            nodes: [.init(type: "Add", inputs: ["x", "b"], outputs: ["y"], name: "sum")])
        let error = failure(model)
        #expect(error?.code == .invalidGraph && error?.cause?.code == .shapeMismatch)
        #expect(error?.location == .node("sum", type: "Add"))
    }

    @Test
    func hostileWindows() {
        for (attribute, values) in [
            ("strides", [0, 1]), ("strides", [Int.max, 1]), ("dilations", [-1, 1]), ("pads", [Int.max, 0, 0, 0]),
            ("pads", [1, 1]), ("kernel_shape", [Int.max, Int.max]),
        ] {
            var node = TestModel.NodeText(
                type: "MaxPool", inputs: ["x"], outputs: ["y"], lists: ["kernel_shape": [2, 2]])
            node.lists[attribute] = values
            #expect(failure(TestModel(nodes: [node]))?.code == .invalidAttribute)
        }
    }

    @Test
    func notAModel() {
        for bytes in [[], [0], [0xff], Array("plain text, no model".utf8), [UInt8](repeating: 0x80, count: 64)] {
            #expect(throws: ONNXError.self) { try importONNX(TensorStorage(bytes: bytes)) }
        }
    }
}
