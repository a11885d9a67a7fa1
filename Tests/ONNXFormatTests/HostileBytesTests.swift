internal import ModelGraph
internal import ONNXFormat
internal import Testing

/// Any bytes import or throw; a crash ends the test run.
struct HostileBytesTests {
    /// A small network that reaches most of the reader and the importer.
    private static let model: [UInt8] = {
        var model = TestModel(
            operatorSet: 13, inputs: [("x", ["N", 2, 4, 4])],
            initializers: [
                .init("w", float: [Float](repeating: 0.5, count: 36), extents: [2, 2, 3, 3]),
                .init("p", float: [1, 2], extents: [2]), .init("rest", int64: [-1]), .init("zero", int64: [0]),
                .init("axes", int64: [1]), .init("low", float: [0], extents: []), .init("big", int64: [2, 3]),
            ])
        var typed = TestModel.Initializer(name: "typed", extents: [2], dataType: 7)
        typed.write = { writer in
            writer.write(7, Int64(1))
            writer.write(7, Int64(1))
        }
        model.initializers.append(typed)
        model.nodes = [
            .init(
                type: "Conv", inputs: ["x", "w", "p"], outputs: ["c"], ints: ["group": 1],
                lists: ["pads": [1, 1, 1, 1], "kernel_shape": [3, 3]]),
            .init(
                type: "BatchNormalization", inputs: ["c", "p", "p", "p", "p"], outputs: ["b"], floats: ["epsilon": 0.1]),
            .init(type: "Clip", inputs: ["b", "low"], outputs: ["r"]),
            .init(
                type: "MaxPool", inputs: ["r"], outputs: ["m"], lists: ["kernel_shape": [2, 2], "strides": [2, 2]],
                strings: ["auto_pad": "SAME_UPPER"]),
            .init(type: "Shape", inputs: ["m"], outputs: ["s"]),
            .init(type: "Gather", inputs: ["s", "zero"], outputs: ["g"], ints: ["axis": 0]),
            .init(type: "Concat", inputs: ["g", "rest"], outputs: ["shape"], ints: ["axis": 0]),
            .init(type: "Reshape", inputs: ["m", "shape"], outputs: ["f"]),
            .init(type: "ConstantOfShape", inputs: ["big"], outputs: ["ones"]),
            .init(type: "ReduceSum", inputs: ["ones", "axes"], outputs: ["q"], ints: ["keepdims": 0]),
            .init(type: "Slice", inputs: ["f", "typed", "big"], outputs: ["l"]),
            .init(type: "Softmax", inputs: ["f"], outputs: ["y"], ints: ["axis": -1]),
        ]
        return model.bytes
    }()

    private static let options = ONNXImportOptions(maximumFoldedByteCount: 1 << 20)

    @Test
    func theModelItselfImports() throws {
        let graph = try importONNX(TensorStorage(bytes: Self.model), options: Self.options)
        #expect(graph[graph.outputs[0]].type == TensorType(.float32, [1, 8]))
    }

    @Test
    func everyTruncation() {
        for length in Self.model.indices {
            _ = try? importONNX(TensorStorage(bytes: Array(Self.model.prefix(length))), options: Self.options)
        }
    }

    @Test
    func everyBitFlip() {
        for position in Self.model.indices {
            for bit in 0..<8 {
                var bytes = Self.model
                bytes[position] ^= 1 << UInt8(bit)
                _ = try? importONNX(TensorStorage(bytes: bytes), options: Self.options)
            }
        }
    }

    @Test
    func unknownFieldsAndGroupsAreSkipped() throws {
        // Field 100, a varint; then group 50 that holds a varint and an empty group 51.
        let varint: [UInt8] = [0xa0, 0x06, 0x01]
        let group: [UInt8] = [0x93, 0x03, 0x08, 0x01, 0x9b, 0x03, 0x9c, 0x03, 0x94, 0x03]
        let extended = varint + Self.model + group
        #expect(throws: Never.self) { try importONNX(TensorStorage(bytes: extended), options: Self.options) }
        let open = Array(extended.dropLast(2))
        let error = #expect(throws: ONNXError.self) {
            try importONNX(TensorStorage(bytes: open), options: Self.options)
        }
        #expect(error?.code == .truncated)
    }

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func mutations(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let interesting: [UInt8] = [0, 1, 0x7f, 0x80, 0xfe, 0xff]
        var imported = 0
        let count = 5_000
        for _ in 0..<count {
            var bytes = Self.model
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let position = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 1: bytes[position] = interesting.randomElement(using: &generator) ?? 0
                case 2: bytes[position] = UInt8.random(in: .min ... .max, using: &generator)
                case 3: bytes.insert(UInt8.random(in: .min ... .max, using: &generator), at: position)
                default: bytes.remove(at: position)
                }
            }
            if (try? importONNX(TensorStorage(bytes: bytes), options: Self.options)) != nil { imported += 1 }
        }
        // Flips in weights and names leave a model; most others do not.
        #expect((1..<count).contains(imported))
    }
}
