/// Writes protobuf messages field by field into one growing buffer.
///
/// - SeeAlso: https://protobuf.dev/programming-guides/encoding/
package struct ProtobufWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Makes room for a message of about `byteCount` bytes, so that it does not move as it grows.
    package mutating func reserve(_ byteCount: Int) {
        bytes.reserveCapacity(byteCount)
    }

    package mutating func write(_ field: Int, _ value: Int64) {
        tag(field, wireType: 0)
        varint(UInt64(bitPattern: value))
    }

    package mutating func write(_ field: Int, _ value: Float) {
        tag(field, wireType: 5)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func write(_ field: Int, _ text: String) {
        tag(field, wireType: 2)
        varint(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    package mutating func write(_ field: Int, _ content: UnsafeRawBufferPointer) {
        tag(field, wireType: 2)
        varint(UInt64(content.count))
        bytes.append(contentsOf: content)
    }

    /// Writes a nested message in place: the length, unknown before the body is written, is reserved as a varint of
    /// five bytes, padded, so that weights are copied once whatever the nesting.
    package mutating func message(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
        tag(field, wireType: 2)
        let start = bytes.count
        bytes.append(contentsOf: [0, 0, 0, 0, 0])
        body(&self)
        let length = bytes.count - start - 5
        for index in 0..<5 {
            let continuation: UInt8 = index < 4 ? 0x80 : 0
            bytes[start + index] = UInt8(truncatingIfNeeded: (length >> (7 * index)) & 0x7f) | continuation
        }
    }

    private mutating func tag(_ field: Int, wireType: UInt64) {
        varint(UInt64(field) << 3 | wireType)
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
