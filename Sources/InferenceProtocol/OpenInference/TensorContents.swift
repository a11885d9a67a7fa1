package import FoundationEssentials
package import ModelGraph

/// A value of the Open Inference Protocol.
package enum InferValue: Sendable {
    case tensor(Tensor)
    /// `BYTES`: as many elements as `shape` has.
    case bytes([Data], Shape)

    package var datatype: String {
        switch self {
        case .tensor(let tensor): tensor.elementType.datatype
        case .bytes: Datatype.bytes
        }
    }

    package var shape: Shape {
        switch self {
        case .tensor(let tensor): tensor.shape
        case .bytes(_, let shape): shape
        }
    }

    /// Reads raw contents: little-endian, row-major, a `BYTES` element after its 4-byte length.
    /// - Throws: `WireError.invalidRequest` for a datatype that is not known or a size that does not fit the shape.
    package init(raw: Data, datatype: String, shape: [Int64], name: String) throws(WireError) {
        let shape = try Shape(wire: shape, name: name)
        if datatype == Datatype.bytes {
            self = .bytes(try Self.splitElements(raw, count: shape.elementCount, name: name), shape)
            return
        }
        let type = TensorType(try Self.elementType(datatype, name: name), shape)
        guard raw.count == type.byteCount else {
            throw WireError(
                .invalidRequest,
                "raw contents of \(datatype)[\(shape)] must have \(type.byteCount) bytes, got \(raw.count)",
                at: name)
        }
        self = .tensor(
            Tensor(
                type,
                storage: TensorStorage(byteCount: raw.count) { target in
                    raw.withUnsafeBytes { target.copyMemory(from: $0) }
                }))
    }

    /// Reads typed contents: exactly the field that fits the datatype, with as many elements as the shape has.
    /// - Throws: `WireError.invalidRequest` when another field is used, the count differs, or an element is out of the
    ///   datatype's range.
    package init(
        typed contents: Inference_InferTensorContents, datatype: String, shape: [Int64], name: String
    ) throws(WireError) {
        let shape = try Shape(wire: shape, name: name)
        let count = contents.elementCount(datatype: datatype)
        guard let count, count == contents.elementCount else {
            throw WireError(.invalidRequest, "typed contents do not fit datatype \(datatype)", at: name)
        }
        guard count == shape.elementCount else {
            throw WireError(
                .invalidRequest,
                "typed contents of shape \(shape) must have \(shape.elementCount) elements, got \(count)",
                at: name)
        }
        if datatype == Datatype.bytes {
            self = .bytes(contents.bytesContents, shape)
            return
        }
        func narrowed<Wide: FixedWidthInteger, Narrow: FixedWidthInteger & TensorElement>(
            _ values: [Wide], _: Narrow.Type
        ) throws(WireError) -> Tensor {
            var result: [Narrow] = []
            result.reserveCapacity(values.count)
            for value in values {
                guard let exact = Narrow(exactly: value) else {
                    throw WireError(.invalidRequest, "\(value) is out of range of \(datatype)", at: name)
                }
                result.append(exact)
            }
            return Tensor(result, shape: shape)
        }
        let tensor =
            switch try Self.elementType(datatype, name: name) {
            case .bool: Tensor(contents.boolContents, shape: shape)
            case .int8: try narrowed(contents.intContents, Int8.self)
            case .int16: try narrowed(contents.intContents, Int16.self)
            case .int32: Tensor(contents.intContents, shape: shape)
            case .int64: Tensor(contents.int64Contents, shape: shape)
            case .uint8: try narrowed(contents.uintContents, UInt8.self)
            case .uint16: try narrowed(contents.uintContents, UInt16.self)
            case .uint32: Tensor(contents.uintContents, shape: shape)
            case .uint64: Tensor(contents.uint64Contents, shape: shape)
            case .float32: Tensor(contents.fp32Contents, shape: shape)
            case .float64: Tensor(contents.fp64Contents, shape: shape)
            case .float16: throw WireError(.invalidRequest, "FP16 travels in raw contents only", at: name)
            }
        self = .tensor(tensor)
    }

    /// The raw form of the value.
    package var rawContents: Data {
        switch self {
        case .tensor(let tensor):
            return tensor.rawContents
        case .bytes(let elements, _):
            var raw = Data()
            for element in elements {
                withUnsafeBytes(of: UInt32(truncatingIfNeeded: element.count).littleEndian) {
                    raw.append(contentsOf: $0)
                }
                raw.append(element)
            }
            return raw
        }
    }

    private static func elementType(_ datatype: String, name: String) throws(WireError) -> ElementType {
        guard let type = ElementType(datatype: datatype) else {
            throw WireError(.invalidRequest, "datatype \"\(datatype)\" is not supported", at: name)
        }
        return type
    }

    /// Splits `BYTES` contents into exactly `count` elements.
    private static func splitElements(_ raw: Data, count: Int, name: String) throws(WireError) -> [Data] {
        // Each element takes at least its length, so a hostile shape reserves no more than the request itself is long.
        guard count <= raw.count / 4 else {
            throw WireError(
                .invalidRequest, "BYTES contents of \(raw.count) bytes cannot hold \(count) elements", at: name)
        }
        var elements: [Data] = []
        elements.reserveCapacity(count)
        var rest = raw[...]
        for index in 0..<count {
            guard rest.count >= 4 else {
                throw WireError(.invalidRequest, "BYTES element \(index) has no length", at: name)
            }
            let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard rest.count >= length else {
                throw WireError(
                    .invalidRequest, "BYTES element \(index) has length \(length), but \(rest.count) bytes are left",
                    at: name)
            }
            elements.append(Data(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        guard rest.isEmpty else {
            throw WireError(.invalidRequest, "\(rest.count) bytes after the last BYTES element", at: name)
        }
        return elements
    }
}

extension Tensor {
    /// The elements as they travel: little-endian (as every machine this runs on keeps them), row-major.
    package var rawContents: Data {
        withUnsafeBytes { Data($0) }
    }
}

extension Shape {
    /// - Throws: `WireError.invalidRequest` for extents that are negative or too large.
    package init(wire extents: [Int64], name: String) throws(WireError) {
        do {
            try self.init(validating: extents.map { Int($0) })
        } catch {
            throw WireError(.invalidRequest, error.message, at: name)
        }
    }

    package var wireExtents: [Int64] { map(Int64.init) }
}

extension Inference_InferTensorContents {
    /// Elements in all fields together.
    package var elementCount: Int {
        boolContents.count + intContents.count + int64Contents.count + uintContents.count + uint64Contents.count
            + fp32Contents.count + fp64Contents.count + bytesContents.count
    }

    /// Elements in the field that belongs to `datatype`; `nil` when the datatype has none.
    fileprivate func elementCount(datatype: String) -> Int? {
        switch datatype {
        case "BOOL": boolContents.count
        case "INT8", "INT16", "INT32": intContents.count
        case "INT64": int64Contents.count
        case "UINT8", "UINT16", "UINT32": uintContents.count
        case "UINT64": uint64Contents.count
        case "FP32": fp32Contents.count
        case "FP64": fp64Contents.count
        case "BYTES": bytesContents.count
        default: nil
        }
    }
}
