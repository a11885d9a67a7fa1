internal import ModelGraph

/// A TensorProto whose data still lies in the file.
struct ONNXTensor {
    /// More axes than any operator takes; bounds what a hostile file makes us hold.
    private static let maximumRank = 64

    var name = ""
    var extents: [Int64] = []
    /// `TensorProto.DataType`.
    var dataType: Int64 = 0
    private var isExternal = false
    private var external: [String: String] = [:]
    private var hasSegment = false
    /// The bytes of `raw_data`.
    private var raw: Range<Int>?
    private let message: ProtobufReader

    init(parsing message: ProtobufReader) throws(ONNXError) {
        self.message = message
        var reader = message
        while let field = try reader.nextField() {
            switch field.number {
            case 1:
                try reader.append(field, to: &extents)
                guard extents.count <= Self.maximumRank else {
                    throw ONNXError(
                        .invalidTensor, "a tensor has too many axes",
                        at: .byte(field.offset, field: "TensorProto.dims"),
                        expected: "at most \(Self.maximumRank)", got: "\(extents.count)")
                }
            case 2: dataType = try reader.int64(field)
            case 3: hasSegment = true
            case 8: name = try reader.string(field)
            case 9: raw = try reader.bytes(field)
            case 13:
                let entry = try Self.entry(reader.nested(field, "StringStringEntryProto"))
                external[entry.key] = entry.value
            case 14: isExternal = try reader.int64(field) == 1
            default: break
            }
        }
    }

    private static func entry(_ message: ProtobufReader) throws(ONNXError) -> (key: String, value: String) {
        var reader = message
        var (key, value) = ("", "")
        while let field = try reader.nextField() {
            switch field.number {
            case 1: key = try reader.string(field)
            case 2: value = try reader.string(field)
            default: break
            }
        }
        return (key, value)
    }

    /// The tensor; raw data is referred to where it lies, typed data is converted.
    /// - Parameter externalData: where data outside the file is looked up.
    /// - Throws: `ONNXError.invalidTensor` when the data does not fit the extents, `unsupportedType`, `externalData`.
    func tensor(externalData: inout ExternalData) throws(ONNXError) -> Tensor {
        let type = try tensorType()
        guard !hasSegment else {
            throw ONNXError(.unsupportedFeature, "tensors stored in segments are not supported", at: .value(name))
        }
        if isExternal {
            let (storage, offset) = try externalData.range(of: name, entries: external, byteCount: type.byteCount)
            return Self.normalizingBooleans(Tensor(type, storage: storage, byteOffset: offset))
        }
        guard let raw else { return try typedTensor(type) }
        guard raw.count == type.byteCount else { throw sizeMismatch(type, "\(raw.count) bytes") }
        return Self.normalizingBooleans(Tensor(type, storage: message.storage, byteOffset: raw.lowerBound))
    }

    private func tensorType() throws(ONNXError) -> TensorType {
        guard let elementType = ElementType(onnxDataType: dataType) else {
            throw ONNXError.unsupported(dataType: dataType, at: .value(name))
        }
        do throws(GraphError) {
            return TensorType(elementType, try Shape(validating: extents.map(Int.init), context: name))
        } catch {
            throw ONNXError(.invalidTensor, "the extents are invalid", at: .value(name), cause: error)
        }
    }

    /// Decodes the typed field that the schema assigns to the element type. No more is allocated than the file's
    /// bytes can fill: the values are counted before they are believed.
    private func typedTensor(_ type: TensorType) throws(ONNXError) -> Tensor {
        switch type.elementType {
        case .float32:
            var values: [Float] = []
            try forEachField(numbered: 4) { reader, field throws(ONNXError) in try reader.append(field, to: &values) }
            return try tensor(type, values)
        case .float64:
            var values: [Double] = []
            try forEachField(numbered: 10) { reader, field throws(ONNXError) in try reader.append(field, to: &values) }
            return try tensor(type, values)
        case .int64: return try tensor(type, try integers(7))
        case .uint32: return try tensor(type, try integers(11).map { UInt32(truncatingIfNeeded: $0) })
        case .uint64: return try tensor(type, try integers(11).map { UInt64(bitPattern: $0) })
        case .int32: return try tensor(type, try integers(5).map { Int32(truncatingIfNeeded: $0) })
        case .int16: return try tensor(type, try integers(5).map { Int16(truncatingIfNeeded: $0) })
        case .uint16: return try tensor(type, try integers(5).map { UInt16(truncatingIfNeeded: $0) })
        case .int8: return try tensor(type, try integers(5).map { Int8(truncatingIfNeeded: $0) })
        case .uint8: return try tensor(type, try integers(5).map { UInt8(truncatingIfNeeded: $0) })
        case .bool: return try tensor(type, try integers(5).map { $0 != 0 })
        case .float16:
            return try tensor(type, try integers(5).map { Float16(bitPattern: UInt16(truncatingIfNeeded: $0)) })
        }
    }

    private func integers(_ number: Int) throws(ONNXError) -> [Int64] {
        var values: [Int64] = []
        try forEachField(numbered: number) { reader, field throws(ONNXError) in try reader.append(field, to: &values) }
        return values
    }

    private func forEachField(
        numbered number: Int, _ body: (ProtobufReader, ProtobufField) throws(ONNXError) -> Void
    ) throws(ONNXError) {
        var reader = message
        while let field = try reader.nextField() {
            if field.number == number { try body(reader, field) }
        }
    }

    private func tensor<Element: TensorElement>(_ type: TensorType, _ values: [Element]) throws(ONNXError) -> Tensor {
        guard values.count == type.shape.elementCount else { throw sizeMismatch(type, "\(values.count) values") }
        return Tensor(values, shape: type.shape)
    }

    private func sizeMismatch(_ type: TensorType, _ got: String) -> ONNXError {
        ONNXError(
            .invalidTensor, "the data does not fit \(type)", at: .value(name),
            expected: "\(type.shape.elementCount) values, \(type.byteCount) bytes", got: got)
    }

    /// Swift's `Bool` must be 0 or 1 in memory; a file may say anything.
    private static func normalizingBooleans(_ tensor: Tensor) -> Tensor {
        guard tensor.elementType == .bool else { return tensor }
        return Tensor(tensor.withUnsafeBytes { $0.map { $0 != 0 } }, shape: tensor.shape)
    }
}

extension ElementType {
    /// `nil` for types graphs do not have (strings, complex numbers, bfloat16, 8-bit floats, sub-byte types).
    init?(onnxDataType: Int64) {
        switch onnxDataType {
        case 1: self = .float32
        case 2: self = .uint8
        case 3: self = .int8
        case 4: self = .uint16
        case 5: self = .int16
        case 6: self = .int32
        case 7: self = .int64
        case 9: self = .bool
        case 10: self = .float16
        case 11: self = .float64
        case 12: self = .uint32
        case 13: self = .uint64
        default: return nil
        }
    }

    /// `TensorProto.DataType`.
    var onnxDataType: Int64 {
        switch self {
        case .float32: 1
        case .uint8: 2
        case .int8: 3
        case .uint16: 4
        case .int16: 5
        case .int32: 6
        case .int64: 7
        case .bool: 9
        case .float16: 10
        case .float64: 11
        case .uint32: 12
        case .uint64: 13
        }
    }
}

extension ONNXError {
    static func unsupported(dataType: Int64, at location: Location) -> ONNXError {
        let others: [Int64: String] = [
            0: "undefined", 8: "string", 14: "complex64", 15: "complex128", 16: "bfloat16", 17: "float8e4m3fn",
            18: "float8e4m3fnuz", 19: "float8e5m2", 20: "float8e5m2fnuz", 21: "uint4", 22: "int4", 23: "float4e2m1",
            24: "float8e8m0", 25: "uint2", 26: "int2",
        ]
        return ONNXError(
            .unsupportedType, "the element type is not supported", at: location,
            expected: ElementType.allCases.map(\.rawValue).joined(separator: ", "),
            got: others[dataType] ?? "data type \(dataType)")
    }
}
