internal import FoundationEssentials
internal import InferenceProtocol
internal import ModelGraph
internal import SwiftProtobuf
internal import WireTestSupport
internal import Testing

@Suite struct TensorContentsTests {
    @Test(arguments: ElementType.allCases) func rawContentsComeBack(type: ElementType) throws {
        var generator = SeededGenerator(seed: 7)
        for shape: Shape in [[], [0], [1], [3, 5], [2, 0, 4], [1, 2, 3, 4]] {
            let bytes = Data((0..<shape.elementCount * type.byteCount).map { _ in UInt8.random(in: 0...1, using: &generator) })
            let value = try InferValue(raw: bytes, datatype: type.datatype, shape: shape.wireExtents, name: "t")
            #expect(value.rawContents == bytes, "seed 7")
            #expect(value.datatype == type.datatype)
            #expect(value.shape == shape)
        }
    }

    @Test func rawContentsAreLittleEndian() throws {
        let value = try InferValue(raw: Data([1, 2, 0, 0xFF]), datatype: "INT16", shape: [2], name: "t")
        guard case .tensor(let tensor) = value else {
            Issue.record("no tensor")
            return
        }
        #expect(tensor.array(of: Int16.self) == [0x0201, -256])
    }

    @Test(arguments: [
        ("FP32", [Int64](arrayLiteral: 2), 7), ("FP32", [2], 9), ("FP32", [-1], 4), ("FP32", [1 << 40, 1 << 40], 0),
        ("FP32", [.max], 4), ("FP33", [1], 4), ("", [1], 1), ("BF16", [1], 2), ("BYTES", [2], 4), ("BYTES", [1], 3),
        ("BYTES", [1 << 39], 4),
    ]) func refusesRawContentsThatDoNotFit(datatype: String, shape: [Int64], count: Int) {
        #expect(throws: WireError.self) {
            try InferValue(raw: Data(count: count), datatype: datatype, shape: shape, name: "t")
        }
    }

    @Test func bytesElementsFollowTheirLengths() throws {
        let raw = Data([3, 0, 0, 0, 97, 98, 99, 0, 0, 0, 0, 1, 0, 0, 0, 100])
        let value = try InferValue(raw: raw, datatype: "BYTES", shape: [3], name: "t")
        guard case .bytes(let elements, _) = value else {
            Issue.record("no bytes")
            return
        }
        #expect(elements == [Data("abc".utf8), Data(), Data("d".utf8)])
        #expect(value.rawContents == raw)
        for end in 0..<raw.count {
            #expect(throws: WireError.self, "prefix of \(end)") {
                try InferValue(raw: raw.prefix(end), datatype: "BYTES", shape: [3], name: "t")
            }
        }
        #expect(throws: WireError.self) { try InferValue(raw: raw + [0], datatype: "BYTES", shape: [3], name: "t") }
    }

    @Test func readsTypedContents() throws {
        func tensor(_ datatype: String, _ fill: (inout Inference_InferTensorContents) -> Void) throws -> Tensor {
            let value = try InferValue(typed: .with(fill), datatype: datatype, shape: [2], name: "t")
            guard case .tensor(let tensor) = value else { throw WireError(.invalidRequest, "no tensor", at: "t") }
            return tensor
        }
        #expect(try tensor("FP32") { $0.fp32Contents = [1.5, -2] }.array(of: Float.self) == [1.5, -2])
        #expect(try tensor("FP64") { $0.fp64Contents = [1.5, -2] }.array(of: Double.self) == [1.5, -2])
        #expect(try tensor("BOOL") { $0.boolContents = [true, false] }.array(of: Bool.self) == [true, false])
        #expect(try tensor("INT8") { $0.intContents = [-128, 127] }.array(of: Int8.self) == [-128, 127])
        #expect(try tensor("UINT8") { $0.uintContents = [0, 255] }.array(of: UInt8.self) == [0, 255])
        #expect(try tensor("INT64") { $0.int64Contents = [.min, .max] }.array(of: Int64.self) == [.min, .max])
        #expect(throws: WireError.self) { try tensor("UINT8") { $0.uintContents = [0, 256] } }
        #expect(throws: WireError.self) { try tensor("INT8") { $0.intContents = [-129, 0] } }
        #expect(throws: WireError.self) { try tensor("FP32") { $0.fp32Contents = [1] } }
        #expect(throws: WireError.self) { try tensor("FP32") { $0.fp64Contents = [1, 2] } }
        #expect(throws: WireError.self) {
            try tensor("FP32") {
                $0.fp32Contents = [1, 2]
                $0.intContents = [1]
            }
        }
        #expect(throws: WireError.self) { try tensor("FP16") { $0.fp32Contents = [1, 2] } }
    }
}
