internal import FoundationEssentials
internal import ModelGraph

/// A folder of models as Triton Inference Server reads them: `NAME/config.pbtxt` and `NAME/1/model.onnx`.
///
/// - SeeAlso: Triton's model repository and model configuration (`model_config.proto`)
struct TritonRepository {
    let folder: String

    /// Adds version 1 of a model, or replaces it.
    /// - Parameter quantizedInputs: those that the model takes as uint8.
    func add(_ graph: Graph, model: [UInt8], quantizedInputs: Set<ValueID> = []) throws {
        let name = Self.name(graph.name)
        let home = URL(fileURLWithPath: folder).appendingPathComponent(name)
        let version = home.appendingPathComponent("1")
        try FileManager.default.createDirectory(atPath: version.path, withIntermediateDirectories: true)
        try Data(model).write(to: version.appendingPathComponent("model.onnx"), options: .atomic)
        let configuration = Self.configuration(graph, name: name, quantizedInputs: quantizedInputs)
        try Data(configuration.utf8).write(to: home.appendingPathComponent("config.pbtxt"), options: .atomic)
    }

    /// A graph's name as the name of a folder.
    private static func name(_ graph: String) -> String {
        let name = String(graph.map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "_" })
        return name.isEmpty || name.allSatisfy({ $0 == "." }) ? "model" : name
    }

    /// Shapes are whole, batch axis included, which `max_batch_size: 0` says.
    private static func configuration(_ graph: Graph, name: String, quantizedInputs: Set<ValueID>) -> String {
        func tensor(_ id: ValueID, as type: ElementType) -> String {
            let extents = graph[id].type.shape.map { "\($0)" }.joined(separator: ", ")
            return "  { name: \(quoted(graph[id].name)) data_type: \(type.tritonName) dims: [ \(extents) ] }"
        }
        let inputs = graph.inputs.map {
            tensor($0, as: quantizedInputs.contains($0) ? .uint8 : graph[$0].type.elementType)
        }
        let outputs = graph.outputs.map { tensor($0, as: graph[$0].type.elementType) }
        return """
            name: \(quoted(name))
            platform: "onnxruntime_onnx"
            max_batch_size: 0
            input [
            \(inputs.joined(separator: ",\n"))
            ]
            output [
            \(outputs.joined(separator: ",\n"))
            ]

            """
    }

    /// A string of protobuf's text format.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): quoted += "\\" + String(UnicodeScalar(byte))
            case 0x20..<0x7F: quoted.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 8)
                quoted += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            }
        }
        return quoted + "\""
    }
}

extension ElementType {
    fileprivate var tritonName: String {
        switch self {
        case .bool: "TYPE_BOOL"
        case .uint8: "TYPE_UINT8"
        case .uint16: "TYPE_UINT16"
        case .uint32: "TYPE_UINT32"
        case .uint64: "TYPE_UINT64"
        case .int8: "TYPE_INT8"
        case .int16: "TYPE_INT16"
        case .int32: "TYPE_INT32"
        case .int64: "TYPE_INT64"
        case .float16: "TYPE_FP16"
        case .float32: "TYPE_FP32"
        case .float64: "TYPE_FP64"
        }
    }
}
