/// The tables of length codes 257...285 (RFC 1951 §3.2.5).
enum RunLengthCode {
    static let first: InlineArray<29, UInt16> = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
        258,
    ]
    static let extraBits: InlineArray<29, UInt8> = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]

    /// Which length code, counted from 257, serves a length of 3...258.
    @inline(__always)
    static func index(of length: Int) -> Int {
        guard length < 258 else { return 28 }
        let offset = length &- 3
        guard offset >= 8 else { return offset }
        // Four codes for each doubling.
        let exponent = Int.bitWidth &- 1 &- offset.leadingZeroBitCount
        return (exponent &- 1) &* 4 &+ (offset &>> (exponent &- 2) & 3)
    }
}

/// The code lengths of a block, run-length coded and Huffman coded in turn (RFC 1951 §3.2.7).
struct CodeLengthPacking {
    private static let symbolCount = 19
    /// In which order a block sends the lengths of the code of code lengths.
    static let order: InlineArray<19, UInt8> = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ]
    /// Symbol in the low byte, value of its extra bits above.
    private var items: [UInt16] = []
    private var counts = [UInt32](repeating: 0, count: symbolCount)

    mutating func reset() {
        items.removeAll(keepingCapacity: true)
        for symbol in counts.indices { counts[symbol] = 0 }
    }

    private mutating func put(_ symbol: Int, extra: Int = 0) {
        items.append(UInt16(symbol | extra << 8))
        counts[symbol] += 1
    }

    /// Takes in lengths of 0...15, those of the literals and then those of the distances.
    mutating func add(_ lengths: UnsafeBufferPointer<UInt8>) {
        var index = 0
        while index < lengths.count {
            let length = lengths[index]
            var end = index + 1
            while end < lengths.count, lengths[end] == length { end += 1 }
            var left = end - index
            if length == 0 {
                while left >= 11 {
                    let run = min(left, 138)
                    put(18, extra: run - 11)
                    left -= run
                }
                if left >= 3 {
                    put(17, extra: left - 3)
                    left = 0
                }
            } else {
                put(Int(length))
                left -= 1
                while left >= 3 {
                    let run = min(left, 6)
                    put(16, extra: run - 3)
                    left -= run
                }
            }
            for _ in 0..<left { put(Int(length)) }
            index = end
        }
    }

    /// Writes the header of a block with dynamic codes.
    ///
    /// - Returns: false when there is no room.
    mutating func write(
        literalCodes: Int, distanceCodes: Int, isLast: Bool, to writer: inout BitWriter
    ) -> Bool {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.symbolCount) { lengths in
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.symbolCount) { codes in
                counts.withUnsafeBufferPointer {
                    PrefixCode.fillLengths(lengths.baseAddress!, counts: $0, limit: 7)
                }
                PrefixCode.fillCodes(codes.baseAddress!, lengths: UnsafeBufferPointer(lengths))
                var sent = Self.symbolCount
                while sent > 4, lengths[Int(Self.order[sent - 1])] == 0 { sent -= 1 }
                // Room for the fixed part and for 14 bits an item, and the words that stores run over.
                guard writer.room >= 32 + 2 * items.count else { return false }
                writer.append(isLast ? 0b101 : 0b100, bits: 3)
                writer.append(UInt32(literalCodes - 257), bits: 5)
                writer.append(UInt32(distanceCodes - 1), bits: 5)
                writer.append(UInt32(sent - 4), bits: 4)
                writer.flush()
                for index in 0..<sent {
                    writer.append(UInt32(lengths[Int(Self.order[index])]), bits: 3)
                    writer.flush()
                }
                for item in items {
                    let symbol = Int(item & 255)
                    writer.append(codes[symbol])
                    let extraBits: UInt32 = symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7
                    writer.append(UInt32(item >> 8), bits: extraBits)
                    writer.flush()
                }
                return true
            }
        }
    }
}
