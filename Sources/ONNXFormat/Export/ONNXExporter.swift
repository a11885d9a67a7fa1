internal import ModelGraph

/// Turns a graph into the nodes and initialisers of a model, then into bytes.
struct ONNXExporter {
    struct ExportedNode {
        enum Attribute {
            case int(Int)
            case float(Float)
            case string(String)
            case ints([Int])
        }

        let name: String
        let type: String
        /// An empty name stands for an operand left out.
        let inputs: [String]
        let outputs: [String]
        let attributes: [(name: String, value: Attribute)]
    }

    static let producer = "cleave"
    /// protobuf refuses larger messages.
    private static let maximumByteCount = Int(Int32.max)

    let graph: Graph
    let operatorSet: Int
    private let options: ONNXExportOptions
    /// What is written as integers between QuantizeLinear and DequantizeLinear.
    let integers: QuantizedGraph?
    private var nodes: [ExportedNode] = []
    private var initializers: [(name: String, tensor: Tensor)] = []
    /// Under which name a value is read, and under which a node writes it; quantised ends rename one of them.
    private var readNames: [String]
    private var writtenNames: [String]
    private var takenNames: Set<String>
    private var takenNodeNames: Set<String> = []

    init(_ graph: Graph, integers: QuantizedGraph? = nil, options: ONNXExportOptions) {
        self.graph = graph
        self.integers = integers
        self.options = options
        operatorSet = graph.nodes.map { $0.operation.firstOperatorSet(in: graph, $0) }.max() ?? 17
        readNames = graph.values.map(\.name)
        writtenNames = readNames
        takenNames = Set(readNames)
    }

    mutating func model() throws(ONNXError) -> [UInt8] {
        try checkOptions()
        addConstants()
        dequantizeInputs()
        for output in graph.outputs where options.quantizedOutputs[output] != nil {
            let inner = freshName(graph[output].name + "/float")
            readNames[output.index] = inner
            writtenNames[output.index] = inner
        }
        nameRoundedValues()
        for input in graph.inputs where options.quantizedInputs[input] == nil { round(input) }
        for id in graph.nodeIDs {
            let floats = readNames
            if let weights = integers?.weights[id.index] { dequantizeWeights(of: graph[id], weights) }
            try export(graph[id])
            readNames = floats
            for output in graph[id].outputs { round(output) }
        }
        quantizeOutputs()
        let size = initializers.reduce(0) { $0 + $1.tensor.byteCount }
        guard size < Self.maximumByteCount else { throw tooLarge(size) }
        let bytes = serialized(weightByteCount: size)
        guard bytes.count <= Self.maximumByteCount else { throw tooLarge(bytes.count) }
        return bytes
    }

    private func tooLarge(_ size: Int) -> ONNXError {
        ONNXError(
            .tooLarge, "the model exceeds what protobuf allows", at: .model, expected: "\(Self.maximumByteCount) bytes",
            got: "\(size)")
    }

    private func checkOptions() throws(ONNXError) {
        let ends = [
            (options.quantizedInputs, graph.inputs, "input"), (options.quantizedOutputs, graph.outputs, "output"),
        ]
        for (quantizations, values, role) in ends {
            for id in quantizations.keys.sorted() {
                guard values.contains(id), graph[id].type.elementType == .float32 else {
                    throw ONNXError(
                        .invalidOption, "the quantised value is no float32 \(role) of the graph",
                        at: .value(graph.values.indices.contains(id.index) ? graph[id].name : "\(id.index)"))
                }
                guard !(graph.inputs.contains(id) && graph.outputs.contains(id)) else {
                    throw ONNXError(
                        .notExportable, "a quantised value is both input and output: one name would have two types",
                        at: .value(graph[id].name))
                }
            }
        }
    }

    /// Constants become initialisers; one that is an output too passes through a node, for ONNX wants outputs computed.
    private mutating func addConstants() {
        let replaced = constantsInIntegers()
        for (index, value) in graph.values.enumerated() {
            guard let constant = value.constant, !replaced.contains(ValueID(index)) else { continue }
            if graph.outputs.contains(ValueID(index)) {
                readNames[index] = freshName(value.name + "/constant")
                emit("Identity", value.name, inputs: [readNames[index]], outputs: [value.name])
            }
            initializers.append((readNames[index], constant))
        }
    }

    private mutating func dequantizeInputs() {
        for input in graph.inputs {
            guard let quantization = options.quantizedInputs[input] else { continue }
            let name = graph[input].name
            readNames[input.index] = freshName(name + "/float")
            emit(
                "DequantizeLinear", name + "/dequantize", inputs: [name] + parameters(quantization, name),
                outputs: [readNames[input.index]])
        }
    }

    private mutating func quantizeOutputs() {
        // What is rounded in any case is its own last step.
        for output in graph.outputs where integers?[output] == nil {
            guard let quantization = options.quantizedOutputs[output] else { continue }
            let name = graph[output].name
            emit(
                "QuantizeLinear", name + "/quantize",
                inputs: [readNames[output.index]] + parameters(quantization, name), outputs: [name])
        }
    }

    mutating func parameters(_ quantization: ActivationQuantization, _ name: String) -> [String] {
        [
            initializer(name + "/scale", Tensor(scalar: quantization.scale)),
            initializer(name + "/zero_point", Tensor(scalar: quantization.zeroPoint)),
        ]
    }
}

// MARK: Names

extension ONNXExporter {
    /// Under which a node writes a value, and under which it is read.
    func names(of value: ValueID) -> (written: String, read: String) {
        (writtenNames[value.index], readNames[value.index])
    }

    mutating func rename(_ value: ValueID, reads name: String) { readNames[value.index] = freshName(name) }

    mutating func rename(_ value: ValueID, writes name: String) { writtenNames[value.index] = freshName(name) }

    /// Lets a value be read under a name that is taken already, by what a node writes.
    mutating func read(_ value: ValueID, from name: String) { readNames[value.index] = name }

    func isDequantized(input: ValueID) -> Bool { options.quantizedInputs[input] != nil }

    func outputQuantization(_ value: ValueID) -> ActivationQuantization? { options.quantizedOutputs[value] }
}

// MARK: Building blocks for the operators

extension ONNXExporter {
    func inputs(_ node: Node) -> [String] { node.inputs.map { id in id.map { readNames[$0.index] } ?? "" } }

    func outputs(_ node: Node) -> [String] { node.outputs.map { writtenNames[$0.index] } }

    mutating func emit(
        _ type: String, _ name: String, inputs: [String], outputs: [String],
        _ attributes: [(name: String, value: ExportedNode.Attribute)] = []
    ) {
        nodes.append(
            ExportedNode(
                name: Self.fresh(name, &takenNodeNames), type: type, inputs: inputs, outputs: outputs,
                attributes: attributes))
    }

    /// Adds an initialiser and returns its name, made unique.
    mutating func initializer(_ name: String, _ tensor: Tensor) -> String {
        let name = freshName(name)
        initializers.append((name, tensor))
        return name
    }

    mutating func initializer(_ name: String, _ integers: [Int]) -> String {
        initializer(name, Tensor(integers.map(Int64.init), shape: [integers.count]))
    }

    mutating func freshName(_ base: String) -> String { Self.fresh(base, &takenNames) }

    private static func fresh(_ base: String, _ taken: inout Set<String>) -> String {
        var name = base
        var suffix = 2
        while !taken.insert(name).inserted {
            name = "\(base)_\(suffix)"
            suffix += 1
        }
        return name
    }
}

// MARK: Bytes

extension ONNXExporter {
    private func serialized(weightByteCount: Int) -> [UInt8] {
        var writer = ProtobufWriter()
        // Nodes and names take a few hundred bytes each.
        writer.reserve(weightByteCount + 256 * (nodes.count + initializers.count + 1))
        // The IR version that each operator set came with.
        writer.write(1, operatorSet >= 21 ? Int64(10) : operatorSet >= 19 ? 9 : 8)
        writer.write(2, Self.producer)
        writer.message(7, serializeGraph)
        writer.message(8) { set in
            set.write(1, "")
            set.write(2, Int64(operatorSet))
        }
        return writer.bytes
    }

    private func serializeGraph(_ writer: inout ProtobufWriter) {
        for node in nodes { writer.message(1) { Self.serialize(node, &$0) } }
        writer.write(2, graph.name)
        for (name, tensor) in initializers {
            writer.message(5) { message in
                for extent in tensor.shape { message.write(1, Int64(extent)) }
                message.write(2, tensor.elementType.onnxDataType)
                message.write(8, name)
                tensor.withUnsafeBytes { message.write(9, $0) }
            }
        }
        for id in graph.inputs {
            let isQuantized = options.quantizedInputs[id] != nil
            writer.message(11) { Self.serialize(graph[id], as: isQuantized ? .uint8 : graph[id].type.elementType, &$0) }
        }
        for id in graph.outputs {
            let isQuantized = options.quantizedOutputs[id] != nil
            writer.message(12) { Self.serialize(graph[id], as: isQuantized ? .uint8 : graph[id].type.elementType, &$0) }
        }
    }

    private static func serialize(_ node: ExportedNode, _ writer: inout ProtobufWriter) {
        for input in node.inputs { writer.write(1, input) }
        for output in node.outputs { writer.write(2, output) }
        writer.write(3, node.name)
        writer.write(4, node.type)
        for (name, value) in node.attributes {
            writer.message(5) { attribute in
                attribute.write(1, name)
                switch value {
                case .float(let value):
                    attribute.write(2, value)
                    attribute.write(20, Int64(1))
                case .int(let value):
                    attribute.write(3, Int64(value))
                    attribute.write(20, Int64(2))
                case .string(let value):
                    attribute.write(4, value)
                    attribute.write(20, Int64(3))
                case .ints(let values):
                    for value in values { attribute.write(8, Int64(value)) }
                    attribute.write(20, Int64(7))
                }
            }
        }
    }

    private static func serialize(_ value: Value, as elementType: ElementType, _ writer: inout ProtobufWriter) {
        writer.write(1, value.name)
        writer.message(2) { type in
            type.message(1) { tensor in
                tensor.write(1, elementType.onnxDataType)
                tensor.message(2) { shape in
                    for extent in value.type.shape {
                        shape.message(1) { $0.write(1, Int64(extent)) }
                    }
                }
            }
        }
    }
}
