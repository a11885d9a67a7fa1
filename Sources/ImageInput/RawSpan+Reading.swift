/// Order of the bytes of an integer.
enum ByteOrder {
    case bigEndian, littleEndian
}

extension RawSpan {
    /// - Precondition: `offset` is inside.
    func byte(at offset: Int) -> UInt8 {
        unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// An unsigned integer of `size` bytes (at most 4), or nil when it is not wholly inside.
    func integer(at offset: Int, size: Int, _ order: ByteOrder = .bigEndian) -> Int? {
        guard offset >= 0, size <= byteCount, offset <= byteCount - size else { return nil }
        var value = 0
        for i in 0..<size {
            let place = order == .bigEndian ? offset + i : offset + size - 1 - i
            value = value << 8 | Int(byte(at: place))
        }
        return value
    }

    /// Whether `prefix` stands at `offset`.
    func starts(with prefix: [UInt8], at offset: Int = 0) -> Bool {
        guard offset >= 0, prefix.count <= byteCount, offset <= byteCount - prefix.count else { return false }
        return prefix.indices.allSatisfy { byte(at: offset + $0) == prefix[$0] }
    }

    /// The part of `range` that lies inside.
    func inside(_ range: Range<Int>) -> Range<Int> {
        range.clamped(to: 0..<byteCount)
    }
}
