internal import ModelGraph
internal import ONNXFormat
internal import Testing

/// Any bytes import or throw; a crash ends the test run.
struct HostileBytesTests {
    private static let models = [SmallModels.vision, SmallModels.growing]

    private static let options = ONNXImportOptions(maximumFoldedByteCount: 1 << 20)

    @Test
    func theModelItselfImports() throws {
        let graph = try importONNX(TensorStorage(bytes: SmallModels.vision), options: Self.options)
        #expect(graph[graph.outputs[0]].type == TensorType(.float32, [1, 8]))
        let growing = try importONNX(TensorStorage(bytes: SmallModels.growing), options: Self.options)
        #expect(growing[growing.outputs[0]].type == TensorType(.int32, [1, 1, 4, 3]))
    }

    @Test(arguments: models)
    func everyTruncation(model: [UInt8]) {
        for length in model.indices {
            _ = try? importONNX(TensorStorage(bytes: Array(model.prefix(length))), options: Self.options)
        }
    }

    @Test(arguments: models)
    func everyBitFlip(model: [UInt8]) {
        for position in model.indices {
            for bit in 0..<8 {
                var bytes = model
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
        let extended = varint + SmallModels.vision + group
        #expect(throws: Never.self) { try importONNX(TensorStorage(bytes: extended), options: Self.options) }
        let open = Array(extended.dropLast(2))
        let error = #expect(throws: ONNXError.self) {
            try importONNX(TensorStorage(bytes: open), options: Self.options)
        }
        #expect(error?.code == .truncated)
    }

    @Test(arguments: [UInt64(1), 2, 3, 4], models)
    func mutations(seed: UInt64, model: [UInt8]) {
        var generator = SeededGenerator(seed: seed)
        let interesting: [UInt8] = [0, 1, 0x7f, 0x80, 0xfe, 0xff]
        var imported = 0
        let count = 5_000
        for _ in 0..<count {
            var bytes = model
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
