internal import ModelGraph

/// What a model file says, as it says it: names are text, nothing is resolved yet. Field numbers are onnx.proto's.
struct ONNXModel {
    /// The file's bytes, to which tensors refer.
    let storage: TensorStorage
    var irVersion: Int64 = 0
    /// Versions by domain; `ai.onnx` is another name of the default domain, the empty string.
    var operatorSets: [String: Int64] = [:]
    var graph: ONNXGraph

    init(parsing storage: TensorStorage) throws(ONNXError) {
        self.storage = storage
        var graph: ONNXGraph?
        var reader = ProtobufReader(storage, message: "ModelProto")
        while let field = try reader.nextField() {
            switch field.number {
            case 1: irVersion = try reader.int64(field)
            case 7:
                guard graph == nil else {
                    throw ONNXError(
                        .malformed, "a model has one graph", at: .byte(field.offset, field: "ModelProto.graph"))
                }
                graph = try ONNXGraph(parsing: reader.nested(field, "GraphProto"))
            case 8:
                let set = try Self.operatorSet(reader.nested(field, "OperatorSetIdProto"))
                operatorSets[set.domain == "ai.onnx" ? "" : set.domain] = set.version
            default: break
            }
        }
        guard let graph else { throw ONNXError(.malformed, "there is no graph", at: .model) }
        self.graph = graph
    }

    private static func operatorSet(_ message: ProtobufReader) throws(ONNXError) -> (domain: String, version: Int64) {
        var reader = message
        var domain = ""
        var version: Int64 = 0
        while let field = try reader.nextField() {
            switch field.number {
            case 1: domain = try reader.string(field)
            case 2: version = try reader.int64(field)
            default: break
            }
        }
        return (domain, version)
    }
}

struct ONNXGraph {
    var name = ""
    var nodes: [ONNXNode] = []
    var initializers: [ONNXTensor] = []
    var inputs: [ONNXValueInfo] = []
    var outputs: [ONNXValueInfo] = []
    var hasSparseInitializers = false

    init(parsing message: ProtobufReader) throws(ONNXError) {
        var reader = message
        while let field = try reader.nextField() {
            switch field.number {
            case 1: nodes.append(try ONNXNode(parsing: reader.nested(field, "NodeProto")))
            case 2: name = try reader.string(field)
            case 5: initializers.append(try ONNXTensor(parsing: reader.nested(field, "TensorProto")))
            case 11: inputs.append(try ONNXValueInfo(parsing: reader.nested(field, "ValueInfoProto")))
            case 12: outputs.append(try ONNXValueInfo(parsing: reader.nested(field, "ValueInfoProto")))
            case 15: hasSparseInitializers = true
            default: break
            }
        }
    }
}

struct ONNXNode {
    var name = ""
    var type = ""
    var domain = ""
    /// Empty names stand for operands left out.
    var inputs: [String] = []
    var outputs: [String] = []
    var attributes: [ONNXAttribute] = []

    init(parsing message: ProtobufReader) throws(ONNXError) {
        var reader = message
        while let field = try reader.nextField() {
            switch field.number {
            case 1: inputs.append(try reader.string(field))
            case 2: outputs.append(try reader.string(field))
            case 3: name = try reader.string(field)
            case 4: type = try reader.string(field)
            case 5: attributes.append(try ONNXAttribute(parsing: reader.nested(field, "AttributeProto")))
            case 7: domain = try reader.string(field)
            default: break
            }
        }
        if domain == "ai.onnx" { domain = "" }
    }
}

struct ONNXAttribute {
    enum Value {
        case int(Int64)
        case float(Float)
        case string(String)
        case tensor(ONNXTensor)
        case ints([Int64])
        case floats([Float])
        case strings([String])
        /// Graphs, sparse tensors, types, references: `kind` names what it is.
        case other(kind: String)
    }

    var name = ""
    let value: Value

    init(parsing message: ProtobufReader) throws(ONNXError) {
        var reader = message
        var type: Int64 = 0
        var int: Int64?
        var float: Float?
        var string: String?
        var tensor: ONNXTensor?
        var ints: [Int64] = []
        var floats: [Float] = []
        var strings: [String] = []
        var other: String?
        while let field = try reader.nextField() {
            switch field.number {
            case 1: name = try reader.string(field)
            case 2: float = try reader.float(field)
            case 3: int = try reader.int64(field)
            case 4: string = try reader.string(field)
            case 5: tensor = try ONNXTensor(parsing: reader.nested(field, "TensorProto"))
            case 6, 11: other = "graph"
            case 7: try reader.append(field, to: &floats)
            case 8: try reader.append(field, to: &ints)
            case 9: strings.append(try reader.string(field))
            case 10: other = "tensors"
            case 14, 15: other = "type"
            case 20: type = try reader.int64(field)
            case 21: other = "reference to a function's attribute"
            case 22, 23: other = "sparse tensor"
            default: break
            }
        }
        // Writers before IR version 2 leave the type out, and proto3 writers leave out a value of zero.
        value =
            switch type {
            case _ where other != nil: .other(kind: other ?? "")
            case 1: .float(float ?? 0)
            case 2: .int(int ?? 0)
            case 3: .string(string ?? "")
            case 4 where tensor != nil: tensor.map(Value.tensor) ?? .other(kind: "empty")
            case 6: .floats(floats)
            case 7: .ints(ints)
            case 8: .strings(strings)
            case 0:
                if let int {
                    .int(int)
                } else if let float {
                    .float(float)
                } else if let string {
                    .string(string)
                } else if let tensor {
                    .tensor(tensor)
                } else if !ints.isEmpty {
                    .ints(ints)
                } else if !floats.isEmpty {
                    .floats(floats)
                } else if !strings.isEmpty {
                    .strings(strings)
                } else {
                    .other(kind: "empty")
                }
            default: .other(kind: "type \(type)")
            }
    }
}

/// A graph input's or output's declared type.
struct ONNXValueInfo {
    enum Extent: Equatable {
        case fixed(Int64)
        /// A name, or "?" where the file gives none.
        case symbolic(String)
    }

    var name = ""
    /// `TensorProto.DataType`; `nil` when the value is no tensor.
    var elementType: Int64?
    /// `nil` when the rank is unknown.
    var extents: [Extent]?

    init(parsing message: ProtobufReader) throws(ONNXError) {
        var reader = message
        while let field = try reader.nextField() {
            switch field.number {
            case 1: name = try reader.string(field)
            case 2: try parseType(reader.nested(field, "TypeProto"))
            default: break
            }
        }
    }

    private mutating func parseType(_ message: ProtobufReader) throws(ONNXError) {
        var reader = message
        while let field = try reader.nextField() {
            guard field.number == 1 else { continue }
            var tensor = try reader.nested(field, "TypeProto.Tensor")
            elementType = 0
            while let field = try tensor.nextField() {
                switch field.number {
                case 1: elementType = try tensor.int64(field)
                case 2: extents = try Self.extents(tensor.nested(field, "TensorShapeProto"))
                default: break
                }
            }
        }
    }

    private static func extents(_ message: ProtobufReader) throws(ONNXError) -> [Extent] {
        var reader = message
        var extents: [Extent] = []
        while let field = try reader.nextField() {
            guard field.number == 1 else { continue }
            var dimension = try reader.nested(field, "TensorShapeProto.Dimension")
            var extent = Extent.symbolic("?")
            while let field = try dimension.nextField() {
                switch field.number {
                case 1:
                    let value = try dimension.int64(field)
                    // Some exporters write −1 for an extent they do not know.
                    extent = value >= 0 ? .fixed(value) : .symbolic("?")
                case 2: extent = .symbolic(try dimension.string(field))
                default: break
                }
            }
            extents.append(extent)
        }
        return extents
    }
}
