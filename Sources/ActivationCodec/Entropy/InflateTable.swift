/// What the next bits of a deflate stream mean: one entry of ``InflateTable``.
struct InflateEntry {
    /// Bits 0...5: how many bits of the stream it takes; of a link, bits of the index into the second table.
    /// Of literals: bits 6...9 those of the first alone, 16...31 one or two of them, bit 10 whether there are two.
    /// Of lengths and distances: bits 6...9 extra bits, 16...31 the least value.
    /// Of a link: bits 16...31 where the second table begins.
    var value: UInt32

    static let literal: UInt32 = 1 << 15
    static let match: UInt32 = 1 << 14
    static let link: UInt32 = 1 << 13
    static let endOfBlock: UInt32 = 1 << 12
    static let pair: UInt32 = 1 << 10

    @inline(__always) var isLiteral: Bool { value & Self.literal != 0 }
    @inline(__always) var isMatch: Bool { value & Self.match != 0 }
    @inline(__always) var isLink: Bool { value & Self.link != 0 }
    @inline(__always) var isEndOfBlock: Bool { value & Self.endOfBlock != 0 }
    @inline(__always) var bits: UInt64 { UInt64(value & 63) }
    @inline(__always) var extraBits: UInt64 { UInt64(value &>> 6 & 15) }
    @inline(__always) var firstLiteralBits: UInt64 { extraBits }
    @inline(__always) var base: Int { Int(value &>> 16) }
    /// The first literal in the low byte.
    @inline(__always) var literalPair: UInt16 { UInt16(truncatingIfNeeded: value &>> 16).littleEndian }
    @inline(__always) var literalCount: Int { 1 &+ Int(value &>> 10 & 1) }
}

/// Decodes a prefix code by look-up: a first table for short codes, second ones for what is longer.
///
/// Of literals, an entry of the first table holds two where both codes fit its index: at four to five bits a literal, as
/// activations have, most of them do, and the chain of look-ups is half as long.
struct InflateTable {
    /// What the symbols of a code are.
    enum Alphabet {
        case literalsAndLengths
        case distances
        case codeLengths
    }

    private let indexBits: Int
    private let mask: UInt64
    private let entries: UnsafeMutableBufferPointer<InflateEntry>
    private static let longestCode = 15

    /// - Parameters:
    ///   - indexBits: of the first table.
    ///   - capacity: entries of all tables together.
    init(indexBits: Int, capacity: Int) {
        self.indexBits = indexBits
        mask = 1 << UInt64(indexBits) - 1
        entries = .allocate(capacity: capacity)
    }

    func deallocate() { entries.deallocate() }

    @inline(__always)
    func entry(_ bits: UInt64) -> InflateEntry {
        entries.baseAddress![Int(truncatingIfNeeded: bits & mask)]
    }

    /// The entry of a long code, `link` being what the first table has for it.
    @inline(__always)
    func entry(_ bits: UInt64, through link: InflateEntry) -> InflateEntry {
        let index = (bits &>> UInt64(indexBits)) & ((1 &<< link.bits) &- 1)
        return entries.baseAddress![link.base &+ Int(truncatingIfNeeded: index)]
    }

    /// Sets the code up from the lengths of its symbols' codes, 0 for those that do not occur.
    ///
    /// - Returns: false when the lengths make no code: over-subscribed, or incomplete; a code of a single symbol of one bit
    ///   and one of no symbols are taken, except of code lengths, as zlib does.
    func fill(_ lengths: UnsafeBufferPointer<UInt8>, of alphabet: Alphabet) -> Bool {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 2 * (Self.longestCode + 1)) { scratch in
            scratch.initialize(repeating: 0)
            let counts = scratch.baseAddress!
            let next = counts + Self.longestCode + 1
            for length in lengths { counts[Int(length)] += 1 }
            counts[0] = 0
            var longest = Self.longestCode
            while longest > 0, counts[longest] == 0 { longest -= 1 }
            // Codes of each length that are still free.
            var free = 1
            for length in 1...Self.longestCode {
                free = 2 * free - counts[length]
                if free < 0 { return false }
            }
            if free > 0, longest > 1 || alphabet == .codeLengths { return false }
            var code = 0
            for length in 1...Self.longestCode {
                code = (code + counts[length - 1]) << 1
                next[length] = code
            }
            if free > 0 {
                // What no code names is invalid: an entry of one bit without a meaning.
                for index in 0..<1 << indexBits { entries[index] = InflateEntry(value: 1) }
            }
            place(lengths, alphabet, longest: longest, counts: counts, next: next)
            if alphabet == .literalsAndLengths { pairLiterals() }
            return true
        }
    }

    private func place(
        _ lengths: UnsafeBufferPointer<UInt8>, _ alphabet: Alphabet, longest: Int, counts: UnsafeMutablePointer<Int>,
        next: UnsafeMutablePointer<Int>
    ) {
        let size = 1 << indexBits
        let entries = entries.baseAddress!
        for symbol in lengths.indices {
            let length = Int(lengths[symbol])
            guard length > 0, length <= indexBits else { continue }
            let entry = Self.entry(of: symbol, alphabet, bits: length)
            var index = Int(PrefixCode.reversed(UInt32(next[length]), bits: UInt32(length)))
            next[length] += 1
            while index < size {
                entries[index] = entry
                index += 1 << length
            }
        }
        guard longest > indexBits else { return }
        // Long codes in ascending order: those that share a prefix come one after another.
        var tableStart = size
        var tableBits = 0
        var prefix = -1
        for length in indexBits + 1...longest {
            guard counts[length] > 0 else { continue }
            for symbol in lengths.indices where Int(lengths[symbol]) == length {
                let code = Int(PrefixCode.reversed(UInt32(next[length]), bits: UInt32(length)))
                next[length] += 1
                if code & (size - 1) != prefix {
                    if prefix >= 0 { tableStart += 1 << tableBits }
                    prefix = code & (size - 1)
                    // As many bits as the codes from here on fill.
                    tableBits = length - indexBits
                    var left = 1 << tableBits - counts[length]
                    while left > 0, tableBits + indexBits < longest {
                        tableBits += 1
                        left = 2 * left - counts[tableBits + indexBits]
                    }
                    entries[prefix] = InflateEntry(
                        value: InflateEntry.link | UInt32(tableStart) << 16 | UInt32(tableBits))
                }
                counts[length] -= 1
                let entry = Self.entry(of: symbol, alphabet, bits: length)
                var index = code >> indexBits
                while index < 1 << tableBits {
                    entries[tableStart + index] = entry
                    index += 1 << (length - indexBits)
                }
            }
        }
    }

    /// From the last entry down, so that what follows an entry's first literal is still single.
    private func pairLiterals() {
        let entries = entries.baseAddress!
        var index = 1 << indexBits
        while index > 0 {
            index &-= 1
            let first = entries[index].value
            guard first & InflateEntry.literal != 0 else { continue }
            let bits = Int(first & 63)
            let second = entries[index &>> bits].value
            guard second & InflateEntry.literal != 0, bits &+ Int(second & 63) <= indexBits else {
                continue
            }
            entries[index].value = first &+ second & 63 &+ InflateEntry.pair &+ (second & 0xFF_0000) &<< 8
        }
    }

    private static func entry(of symbol: Int, _ alphabet: Alphabet, bits: Int) -> InflateEntry {
        let bits = UInt32(bits)
        func match(_ base: UInt16, _ extraBits: UInt8) -> InflateEntry {
            InflateEntry(value: InflateEntry.match | UInt32(base) << 16 | UInt32(extraBits) << 6 | bits)
        }
        switch alphabet {
        case .codeLengths:
            return InflateEntry(value: UInt32(symbol) << 16 | bits)
        case .literalsAndLengths:
            switch symbol {
            case 0..<256: return InflateEntry(value: InflateEntry.literal | UInt32(symbol) << 16 | bits << 6 | bits)
            case 256: return InflateEntry(value: InflateEntry.endOfBlock | bits)
            case 257..<286:
                return match(RunLengthCode.first[symbol - 257], RunLengthCode.extraBits[symbol - 257])
            default: return InflateEntry(value: bits)
            }
        case .distances:
            // Four codes of no extra bits, then two codes for each number of them (RFC 1951 §3.2.5).
            guard symbol < 30 else { return InflateEntry(value: bits) }
            guard symbol >= 4 else { return match(UInt16(symbol + 1), 0) }
            let extraBits = symbol / 2 - 1
            return match(UInt16(1 + (2 + symbol % 2) << extraBits), UInt8(extraBits))
        }
    }
}
