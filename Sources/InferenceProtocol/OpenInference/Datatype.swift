package import ModelGraph

/// The Open Inference Protocol's names of element types.
package enum Datatype {
    /// Strings or blobs, which are no `Tensor`.
    package static let bytes = "BYTES"
}

extension ElementType {
    package var datatype: String {
        switch self {
        case .bool: "BOOL"
        case .int8: "INT8"
        case .uint8: "UINT8"
        case .int16: "INT16"
        case .uint16: "UINT16"
        case .int32: "INT32"
        case .uint32: "UINT32"
        case .int64: "INT64"
        case .uint64: "UINT64"
        case .float16: "FP16"
        case .float32: "FP32"
        case .float64: "FP64"
        }
    }

    /// `nil` for `BYTES`, for `BF16`, which has no counterpart here, and for names the protocol lacks.
    package init?(datatype: String) {
        guard let match = Self.allCases.first(where: { $0.datatype == datatype }) else { return nil }
        self = match
    }

    /// The number of this type in `ModelConfig`.
    package var configDataType: Inference_DataType {
        switch self {
        case .bool: .typeBool
        case .int8: .typeInt8
        case .uint8: .typeUint8
        case .int16: .typeInt16
        case .uint16: .typeUint16
        case .int32: .typeInt32
        case .uint32: .typeUint32
        case .int64: .typeInt64
        case .uint64: .typeUint64
        case .float16: .typeFp16
        case .float32: .typeFp32
        case .float64: .typeFp64
        }
    }
}

/// A tensor's name and type: one entry of a model's signature.
package struct NamedTensorType: Hashable, Sendable, Codable {
    package var name: String
    package var type: TensorType

    package init(_ name: String, _ type: TensorType) {
        self.name = name
        self.type = type
    }
}
