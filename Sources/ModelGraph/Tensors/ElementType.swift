/// The scalar types a tensor may hold, named as in ONNX's `TensorProto.DataType`.
package enum ElementType: String, Hashable, Sendable, Codable, CaseIterable {
    case bool
    case int8, uint8
    case int16, uint16
    case int32, uint32
    case int64, uint64
    case float16, float32, float64

    /// Bytes one element takes in memory; `bool` takes one byte, 0 or 1.
    package var byteCount: Int {
        switch self {
        case .bool, .int8, .uint8: 1
        case .int16, .uint16, .float16: 2
        case .int32, .uint32, .float32: 4
        case .int64, .uint64, .float64: 8
        }
    }

    package var isFloatingPoint: Bool {
        switch self {
        case .float16, .float32, .float64: true
        default: false
        }
    }
}

/// A Swift scalar whose memory form is exactly one `ElementType`.
package protocol TensorElement: BitwiseCopyable, Sendable, Equatable {
    static var elementType: ElementType { get }
}

extension Bool: TensorElement { package static var elementType: ElementType { .bool } }
extension Int8: TensorElement { package static var elementType: ElementType { .int8 } }
extension UInt8: TensorElement { package static var elementType: ElementType { .uint8 } }
extension Int16: TensorElement { package static var elementType: ElementType { .int16 } }
extension UInt16: TensorElement { package static var elementType: ElementType { .uint16 } }
extension Int32: TensorElement { package static var elementType: ElementType { .int32 } }
extension UInt32: TensorElement { package static var elementType: ElementType { .uint32 } }
extension Int64: TensorElement { package static var elementType: ElementType { .int64 } }
extension UInt64: TensorElement { package static var elementType: ElementType { .uint64 } }
extension Float16: TensorElement { package static var elementType: ElementType { .float16 } }
extension Float: TensorElement { package static var elementType: ElementType { .float32 } }
extension Double: TensorElement { package static var elementType: ElementType { .float64 } }
