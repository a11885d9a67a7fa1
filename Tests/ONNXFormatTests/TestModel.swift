internal import ModelGraph
internal import ONNXFormat

/// Writes models by hand, right or wrong, for the importer to judge.
struct TestModel {
    struct Initializer {
        var name: String
        var extents: [Int]
        var dataType = 1
        var raw: [UInt8]?
        var write: (inout ProtobufWriter) -> Void = { _ in }
    }

    enum Extent: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
        case fixed(Int)
        case symbolic(String)
        init(integerLiteral value: Int) { self = .fixed(value) }
        init(stringLiteral value: String) { self = .symbolic(value) }
    }

    struct NodeText {
        var type: String
        var inputs: [String]
        var outputs: [String]
        var name = ""
        var domain = ""
        var ints: [String: Int] = [:]
        var floats: [String: Float] = [:]
        var lists: [String: [Int]] = [:]
        var strings: [String: String] = [:]
    }

    var operatorSet = 17
    var inputs: [(name: String, extents: [Extent])] = [("x", [1, 2, 4, 4])]
    var outputs = ["y"]
    var initializers: [Initializer] = []
    var nodes: [NodeText] = []

    var storage: TensorStorage { TensorStorage(bytes: bytes) }

    var bytes: [UInt8] {
        var writer = ProtobufWriter()
        writer.write(1, Int64(8))
        writer.message(7) { graph in
            for node in nodes { graph.message(1) { Self.write(node, &$0) } }
            graph.write(2, "test")
            for initializer in initializers {
                graph.message(5) { tensor in
                    for extent in initializer.extents { tensor.write(1, Int64(extent)) }
                    tensor.write(2, Int64(initializer.dataType))
                    tensor.write(8, initializer.name)
                    initializer.raw?.withUnsafeBytes { tensor.write(9, $0) }
                    initializer.write(&tensor)
                }
            }
            for input in inputs { graph.message(11) { Self.write(input, &$0) } }
            for output in outputs { graph.message(12) { $0.write(1, output) } }
        }
        writer.message(8) { $0.write(2, Int64(operatorSet)) }
        return writer.bytes
    }

    private static func write(_ node: NodeText, _ writer: inout ProtobufWriter) {
        for input in node.inputs { writer.write(1, input) }
        for output in node.outputs { writer.write(2, output) }
        writer.write(3, node.name)
        writer.write(4, node.type)
        writer.write(7, node.domain)
        // Without `type`, as the oldest writers did.
        for (name, value) in node.ints { attribute(name, &writer) { $0.write(3, Int64(value)) } }
        for (name, value) in node.floats { attribute(name, &writer) { $0.write(2, value) } }
        for (name, values) in node.lists {
            attribute(name, &writer) { for value in values { $0.write(8, Int64(value)) } }
        }
        for (name, value) in node.strings { attribute(name, &writer) { $0.write(4, value) } }
    }

    private static func attribute(
        _ name: String, _ writer: inout ProtobufWriter, _ value: (inout ProtobufWriter) -> Void
    ) {
        writer.message(5) {
            $0.write(1, name)
            value(&$0)
        }
    }

    private static func write(_ input: (name: String, extents: [Extent]), _ writer: inout ProtobufWriter) {
        writer.write(1, input.name)
        writer.message(2) { type in
            type.message(1) { tensor in
                tensor.write(1, Int64(1))
                tensor.message(2) { shape in
                    for extent in input.extents {
                        shape.message(1) {
                            switch extent {
                            case .fixed(let value): $0.write(1, Int64(value))
                            case .symbolic(let name): $0.write(2, name)
                            }
                        }
                    }
                }
            }
        }
    }
}

extension TestModel.Initializer {
    init(_ name: String, int64 values: [Int]) {
        self.init(
            name: name, extents: [values.count], dataType: 7,
            raw: values.flatMap { value in withUnsafeBytes(of: Int64(value).littleEndian) { Array($0) } })
    }

    init(_ name: String, float values: [Float], extents: [Int]) {
        self.init(
            name: name, extents: extents, dataType: 1,
            raw: values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } })
    }
}

extension TensorStorage {
    convenience init(bytes: [UInt8]) {
        self.init(byteCount: bytes.count) { $0.copyBytes(from: bytes) }
    }
}

/// SplitMix64: the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
