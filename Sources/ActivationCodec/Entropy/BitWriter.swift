/// Writes bits, lowest first, into memory of fixed size.
struct BitWriter {
    private var position: UnsafeMutablePointer<UInt8>
    private let start: UnsafeMutablePointer<UInt8>
    /// Eight bytes before the end of the memory, since whole words are stored.
    private let end: UnsafeMutablePointer<UInt8>
    private var buffer: UInt64 = 0
    private var count: UInt64 = 0

    /// - Parameter memory: at least 8 bytes.
    init(_ memory: UnsafeMutableBufferPointer<UInt8>) {
        precondition(memory.count >= 8)
        start = memory.baseAddress!
        position = start
        end = start + (memory.count - 8)
    }

    /// Bytes that ``append(_:)`` may still fill; at least 0.
    var room: Int { max(0, end - position) }

    /// Appends a packed code: its bits from bit 8 on, their number below. After a ``flush()`` 56 bits fit.
    @inline(__always)
    mutating func append(_ code: UInt32) {
        append(code &>> 8, bits: code & 255)
    }

    @inline(__always)
    mutating func append(_ value: UInt32, bits: UInt32) {
        buffer |= UInt64(value) &<< count
        count &+= UInt64(bits)
    }

    /// Stores whole bytes; there must be ``room`` for them.
    @inline(__always)
    mutating func flush() {
        UnsafeMutableRawPointer(position).storeBytes(of: buffer.littleEndian, as: UInt64.self)
        position += Int(count &>> 3)
        buffer &>>= count & ~7
        count &= 7
    }

    /// Appends one packed code with all checks.
    ///
    /// - Returns: false when there is no room.
    mutating func add(_ code: UInt32) -> Bool {
        add(code &>> 8, bits: code & 255)
    }

    mutating func add(_ value: UInt32, bits: UInt32) -> Bool {
        guard room >= 8 else { return false }
        append(value, bits: bits)
        flush()
        return true
    }

    /// Pads the last byte with zeros.
    ///
    /// - Returns: the number of bytes written, or nil when fewer than `reserve` bytes are left after them.
    mutating func finish(reserving reserve: Int) -> Int? {
        if count > 0 {
            count = (count + 7) & ~7
            flush()
        }
        return position - start + reserve <= end - start + 8 && position <= end ? position - start : nil
    }
}
