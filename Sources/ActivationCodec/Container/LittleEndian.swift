extension [UInt8] {
    mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}

/// Reads little-endian fields of untrusted bytes in order.
struct FieldReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private(set) var position: Int
    private let end: Int
    /// Where `bytes` begins within the container.
    private let origin: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, range: Range<Int>, origin: Int = 0) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
        self.origin = origin
    }

    var remaining: Int { end - position }
    /// The next byte's place within the container.
    var offset: Int { origin + position }

    /// - Throws: `inconsistentLength` when fewer than `count` bytes are left.
    mutating func bytes(_ count: Int, _ field: String) throws(CodecError) -> UnsafeBufferPointer<UInt8> {
        guard count >= 0, count <= remaining else {
            throw CodecError(
                .inconsistentLength, field, at: .init(offset: offset), expected: "\(count) bytes",
                got: "\(remaining) left")
        }
        defer { position += count }
        return UnsafeBufferPointer(rebasing: bytes[position..<position + count])
    }

    mutating func read<Value: FixedWidthInteger>(_: Value.Type, _ field: String) throws(CodecError) -> Value {
        let field = try bytes(MemoryLayout<Value>.size, field)
        return Value(littleEndian: UnsafeRawPointer(field.baseAddress!).loadUnaligned(as: Value.self))
    }
}
