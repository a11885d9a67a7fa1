/// A tensor's elements, widened without loss: the reference computes on these and narrows once to the result's type.
enum WideElements {
    case floating([Double])
    case signed([Int64])
    /// Also bool, as 0 and 1.
    case unsigned([UInt64])
}

extension Tensor {
    var wideElements: WideElements {
        switch elementType {
        case .float16: .floating(array(of: Float16.self).map(Double.init))
        case .float32: .floating(array(of: Float.self).map(Double.init))
        case .float64: .floating(array(of: Double.self))
        case .int8: .signed(array(of: Int8.self).map(Int64.init))
        case .int16: .signed(array(of: Int16.self).map(Int64.init))
        case .int32: .signed(array(of: Int32.self).map(Int64.init))
        case .int64: .signed(array(of: Int64.self))
        case .uint8: .unsigned(array(of: UInt8.self).map(UInt64.init))
        case .uint16: .unsigned(array(of: UInt16.self).map(UInt64.init))
        case .uint32: .unsigned(array(of: UInt32.self).map(UInt64.init))
        case .uint64: .unsigned(array(of: UInt64.self))
        case .bool: .unsigned(withUnsafeBytes { bytes in bytes.map { $0 == 0 ? 0 : 1 } })
        }
    }

    /// The elements as float64, which is exact but for integers beyond 2⁵³.
    var reals: [Double] {
        switch wideElements {
        case .floating(let values): values
        case .signed(let values): values.map { Double($0) }
        case .unsigned(let values): values.map { Double($0) }
        }
    }

    /// Narrows `elements` to `type`.
    ///
    /// Integers keep their low bits. Floating-point values become integers by dropping the fraction, then saturating,
    /// NaN becoming 0. Everything but 0 is `true`.
    init(_ elements: WideElements, type: TensorType) {
        self =
            switch elements {
            case .floating(let values): Tensor(values, type: type)
            case .signed(let values): Tensor(values, type: type)
            case .unsigned(let values): Tensor(values, type: type)
            }
    }

    init(_ values: [Double], type: TensorType) {
        self =
            switch type.elementType {
            case .float16: Tensor(values.map(Float16.init), shape: type.shape)
            case .float32: Tensor(values.map(Float.init), shape: type.shape)
            case .float64: Tensor(values, shape: type.shape)
            case .bool: Tensor(values.map { $0 != 0 }, shape: type.shape)
            case .int8: Tensor(values.map(Int8.init(saturating:)), shape: type.shape)
            case .int16: Tensor(values.map(Int16.init(saturating:)), shape: type.shape)
            case .int32: Tensor(values.map(Int32.init(saturating:)), shape: type.shape)
            case .int64: Tensor(values.map(Int64.init(saturating:)), shape: type.shape)
            case .uint8: Tensor(values.map(UInt8.init(saturating:)), shape: type.shape)
            case .uint16: Tensor(values.map(UInt16.init(saturating:)), shape: type.shape)
            case .uint32: Tensor(values.map(UInt32.init(saturating:)), shape: type.shape)
            case .uint64: Tensor(values.map(UInt64.init(saturating:)), shape: type.shape)
            }
    }

    init(_ values: [some FixedWidthInteger], type: TensorType) {
        self =
            switch type.elementType {
            case .float16: Tensor(values.map { Float16($0) }, shape: type.shape)
            case .float32: Tensor(values.map { Float($0) }, shape: type.shape)
            case .float64: Tensor(values.map { Double($0) }, shape: type.shape)
            case .bool: Tensor(values.map { $0 != 0 }, shape: type.shape)
            case .int8: Tensor(values.map { Int8(truncatingIfNeeded: $0) }, shape: type.shape)
            case .int16: Tensor(values.map { Int16(truncatingIfNeeded: $0) }, shape: type.shape)
            case .int32: Tensor(values.map { Int32(truncatingIfNeeded: $0) }, shape: type.shape)
            case .int64: Tensor(values.map { Int64(truncatingIfNeeded: $0) }, shape: type.shape)
            case .uint8: Tensor(values.map { UInt8(truncatingIfNeeded: $0) }, shape: type.shape)
            case .uint16: Tensor(values.map { UInt16(truncatingIfNeeded: $0) }, shape: type.shape)
            case .uint32: Tensor(values.map { UInt32(truncatingIfNeeded: $0) }, shape: type.shape)
            case .uint64: Tensor(values.map { UInt64(truncatingIfNeeded: $0) }, shape: type.shape)
            }
    }
}

extension FixedWidthInteger {
    /// `value` without its fraction, limited to what `Self` holds; NaN becomes 0.
    init(saturating value: Double) {
        if value.isNaN {
            self = 0
        } else if value <= Double(Self.min) {
            self = .min
        } else if value >= Double(Self.max) {
            self = .max
        } else {
            self = Self(value)
        }
    }
}
