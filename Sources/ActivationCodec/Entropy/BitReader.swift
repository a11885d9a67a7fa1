/// Reads bits, lowest first, from memory of known size.
///
/// Bits beyond the end read as zeros; ``has(_:)`` tells whether they were there.
struct BitReader {
    private var position: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    /// The next bits of the stream; those from `count` on are zero or right.
    private(set) var bits: UInt64 = 0
    private var count: UInt64 = 0

    /// - Parameter memory: not empty.
    init(_ memory: UnsafeBufferPointer<UInt8>) {
        position = memory.baseAddress!
        end = position + memory.count
    }

    /// Whether two refills may load whole words: each moves on by at most seven bytes.
    @inline(__always)
    var hasRoomForRound: Bool { end - position >= 16 }

    /// Tops up to 56 bits or more; eight bytes must be left in memory.
    @inline(__always)
    mutating func refill() {
        let word = UnsafeRawPointer(position).loadUnaligned(as: UInt64.self).littleEndian
        bits |= word &<< count
        position += Int((63 &- count) &>> 3)
        count |= 56
    }

    /// Tops up as far as the memory goes.
    @inline(__always)
    mutating func refillCarefully() {
        if end - position >= 8 {
            refill()
            return
        }
        // A fast refill may have left bits above `count`; they are those that come again.
        while count <= 55, position < end {
            bits |= UInt64(position.pointee) &<< count
            position += 1
            count &+= 8
        }
    }

    /// Whether so many bits are there; they are after a refill unless the stream ends.
    @inline(__always)
    func has(_ needed: UInt64) -> Bool { count >= needed }

    /// Moves past bits that are there.
    @inline(__always)
    mutating func drop(_ dropped: UInt64) {
        bits &>>= dropped
        count &-= dropped
    }

    /// Takes bits that are there: those loaded suffice for a length and a distance with their extra bits.
    @inline(__always)
    mutating func takeLoaded(_ taken: UInt64) -> Int {
        let value = bits & ((1 &<< taken) &- 1)
        drop(taken)
        return Int(truncatingIfNeeded: value)
    }

    /// Takes up to 32 bits, or returns nil when the stream has fewer.
    mutating func take(_ taken: UInt64) -> UInt64? {
        refillCarefully()
        guard count >= taken else { return nil }
        return UInt64(takeLoaded(taken))
    }

    /// Takes a symbol of the code of code lengths, or returns nil when the stream ends within it.
    mutating func take(through table: InflateTable) -> Int? {
        refillCarefully()
        let entry = table.entry(bits)
        guard count >= entry.bits else { return nil }
        drop(entry.bits)
        return entry.base
    }

    /// Drops the bits up to the next byte of the stream.
    mutating func alignToByte() {
        drop(count & 7)
    }

    /// Takes up to `wanted` bytes; the stream must stand at a byte.
    mutating func takeBytes(_ wanted: Int) -> UnsafeBufferPointer<UInt8> {
        position -= Int(count &>> 3)
        bits = 0
        count = 0
        let taken = min(wanted, end - position)
        defer { position += taken }
        return UnsafeBufferPointer(start: position, count: taken)
    }

    /// Whole bytes not taken yet.
    var unreadBytes: Int { end - position + Int(count &>> 3) }
}
