internal import ModelGraph

/// Reads the fields of one protobuf message, in the order of the bytes, without copying them.
///
/// Every position is checked against the message's end before a byte is read; nothing is allocated.
///
/// - SeeAlso: https://protobuf.dev/programming-guides/encoding/
struct ProtobufReader {
    /// Keeps the bytes alive.
    let storage: TensorStorage
    /// The message's name in ONNX's schema, for errors.
    let message: String
    private var position: Int
    private let end: Int

    init(_ storage: TensorStorage, message: String) {
        self.init(storage, range: 0..<storage.bytes.count, message: message)
    }

    /// - Precondition: `range` lies within `storage`.
    init(_ storage: TensorStorage, range: Range<Int>, message: String) {
        precondition(range.lowerBound >= 0 && range.upperBound <= storage.bytes.count)
        self.storage = storage
        self.message = message
        position = range.lowerBound
        end = range.upperBound
    }

    /// A reader of the message that `field` holds.
    func nested(_ field: ProtobufField, _ message: String) throws(ONNXError) -> ProtobufReader {
        ProtobufReader(storage, range: try bytes(field), message: message)
    }

    /// The bytes that remain.
    var range: Range<Int> { position..<end }

    /// The next field, or `nil` at the end. Groups, long deprecated and absent from ONNX, are skipped whole.
    mutating func nextField() throws(ONNXError) -> ProtobufField? {
        var openGroups = 0
        while position < end {
            let offset = position
            let tag = try varint()
            guard let number = Int(exactly: tag >> 3), (1...ProtobufField.maximumNumber).contains(number) else {
                throw ONNXError(
                    .malformed, "a field's number is out of range", at: .byte(offset, field: message),
                    expected: "1…\(ProtobufField.maximumNumber)", got: "\(tag >> 3)")
            }
            let value: ProtobufField.Value
            switch tag & 7 {
            case 0:
                value = .varint(try varint())
            case 1:
                value = .fixed64(try fixed(UInt64.self))
            case 2:
                let length = try varint()
                guard length <= UInt64(end - position) else {
                    throw ONNXError(
                        .truncated, "a field's length exceeds its message",
                        at: .byte(offset, field: "\(message).\(number)"),
                        expected: "at most \(end - position) bytes", got: "\(length)")
                }
                value = .bytes(position..<position + Int(length))
                position += Int(length)
            case 3:
                openGroups += 1
                continue
            case 4 where openGroups > 0:
                openGroups -= 1
                continue
            case 5:
                value = .fixed32(try fixed(UInt32.self))
            default:
                throw ONNXError(
                    .malformed, "a field has no such wire type here", at: .byte(offset, field: "\(message).\(number)"),
                    expected: "0, 1, 2 or 5", got: "\(tag & 7)")
            }
            if openGroups == 0 { return ProtobufField(number: number, offset: offset, value: value) }
        }
        guard openGroups == 0 else {
            throw ONNXError(.truncated, "a group does not end", at: .byte(end, field: message))
        }
        return nil
    }

    private mutating func varint() throws(ONNXError) -> UInt64 {
        let start = position
        var result: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard position < end else {
                throw ONNXError(.truncated, "the bytes end inside a varint", at: .byte(start, field: message))
            }
            let byte = storage.bytes[position]
            position += 1
            // The tenth byte holds the last bit only.
            guard shift < 63 || byte <= 1 else { break }
            result |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return result }
        }
        throw ONNXError(.malformed, "a varint exceeds 64 bits", at: .byte(start, field: message))
    }

    private mutating func fixed<Bits: FixedWidthInteger & BitwiseCopyable>(_: Bits.Type) throws(ONNXError) -> Bits {
        guard end - position >= MemoryLayout<Bits>.size else {
            throw ONNXError(
                .truncated, "the bytes end inside a number", at: .byte(position, field: message),
                expected: "\(MemoryLayout<Bits>.size) bytes", got: "\(end - position)")
        }
        defer { position += MemoryLayout<Bits>.size }
        return Bits(littleEndian: storage.bytes.loadUnaligned(fromByteOffset: position, as: Bits.self))
    }
}

/// One field of a message as it stands on the wire.
struct ProtobufField {
    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        /// Positions in the reader's storage, within it.
        case bytes(Range<Int>)
        case fixed32(UInt32)
    }

    static let maximumNumber = (1 << 29) - 1

    let number: Int
    /// Where the field's tag stands.
    let offset: Int
    let value: Value
}

extension ProtobufReader {
    func int64(_ field: ProtobufField) throws(ONNXError) -> Int64 {
        guard case .varint(let bits) = field.value else { throw mistyped(field, expected: "a varint") }
        return Int64(bitPattern: bits)
    }

    func float(_ field: ProtobufField) throws(ONNXError) -> Float {
        guard case .fixed32(let bits) = field.value else { throw mistyped(field, expected: "a 32-bit number") }
        return Float(bitPattern: bits)
    }

    func bytes(_ field: ProtobufField) throws(ONNXError) -> Range<Int> {
        guard case .bytes(let range) = field.value else { throw mistyped(field, expected: "bytes") }
        return range
    }

    /// - Throws: `ONNXError.malformed` when the bytes are no UTF-8: names must compare as they were written.
    func string(_ field: ProtobufField) throws(ONNXError) -> String {
        let range = try bytes(field)
        guard let text = String(validating: storage.bytes[range], as: UTF8.self) else {
            throw ONNXError(
                .malformed, "a string is no UTF-8", at: .byte(field.offset, field: "\(message).\(field.number)"))
        }
        return text
    }

    /// Appends a repeated integer field, packed or not.
    func append(_ field: ProtobufField, to values: inout [Int64]) throws(ONNXError) {
        guard case .bytes(let range) = field.value else { return values.append(try int64(field)) }
        var packed = ProtobufReader(storage, range: range, message: "\(message).\(field.number)")
        while packed.position < packed.end { values.append(Int64(bitPattern: try packed.varint())) }
    }

    /// Appends a repeated float field, packed or not.
    func append(_ field: ProtobufField, to values: inout [Float]) throws(ONNXError) {
        guard case .bytes(let range) = field.value else { return values.append(try float(field)) }
        var packed = ProtobufReader(storage, range: range, message: "\(message).\(field.number)")
        while packed.position < packed.end { values.append(Float(bitPattern: try packed.fixed(UInt32.self))) }
    }

    /// Appends a repeated double field, packed or not.
    func append(_ field: ProtobufField, to values: inout [Double]) throws(ONNXError) {
        switch field.value {
        case .fixed64(let bits):
            values.append(Double(bitPattern: bits))
        case .bytes(let range):
            var packed = ProtobufReader(storage, range: range, message: "\(message).\(field.number)")
            while packed.position < packed.end { values.append(Double(bitPattern: try packed.fixed(UInt64.self))) }
        default:
            throw mistyped(field, expected: "a 64-bit number")
        }
    }

    private func mistyped(_ field: ProtobufField, expected: String) -> ONNXError {
        let got =
            switch field.value {
            case .varint: "a varint"
            case .fixed64: "a 64-bit number"
            case .bytes: "bytes"
            case .fixed32: "a 32-bit number"
            }
        return ONNXError(
            .malformed, "a field has another wire type", at: .byte(field.offset, field: "\(message).\(field.number)"),
            expected: expected, got: got)
    }
}
