/// The uniform quantiser of one channel, in integers only, so that every machine computes the same.
///
/// With bounds `lo...hi` and `L` levels, level `q` stands for the code
///
///     v(q) = lo + ⌊(2·q·(hi − lo) + (L − 1)) / (2·(L − 1))⌋
///
/// that is `lo + q·(hi − lo)/(L − 1)` rounded half up; `v(0) = lo` and `v(L−1) = hi` exactly, so a zero that is a bound
/// stays zero. The decoder needs `v` alone. The encoder sends a code to the level whose `v` is nearest, the upper one of
/// two; codes outside the bounds go to the bound. Inside the bounds the error is at most half a step, where a step is
/// `(hi − lo)/(L − 1)` rounded up to a whole code; with no more than `L` codes in `lo...hi` it is zero.
package enum ChannelQuantizer {
    /// The code that a level stands for.
    @inline(__always)
    package static func code(ofLevel level: Int, levels: Int, lower: UInt8, upper: UInt8) -> UInt8 {
        let range = Int(upper) &- Int(lower)
        let last = levels &- 1
        // Exact for every range ≤ 255 and level ≤ 255: a sum below 2^18 over at most 510.
        return lower &+ UInt8(truncatingIfNeeded: (2 &* level &* range &+ last) / (2 &* last))
    }

    /// Fills `table[q]` with the code of level `q`; `table` holds `levels` entries.
    package static func fillCodes(_ table: UnsafeMutablePointer<UInt8>, levels: Int, lower: UInt8, upper: UInt8) {
        for level in 0..<levels {
            table[level] = code(ofLevel: level, levels: levels, lower: lower, upper: upper)
        }
    }

    /// Fills `table[code]` with the level of each of the 256 codes.
    package static func fillLevels(_ table: UnsafeMutablePointer<UInt8>, levels: Int, lower: UInt8, upper: UInt8) {
        var start = 0
        var value = Int(lower)
        for level in 0..<levels &- 1 {
            let next = Int(code(ofLevel: level &+ 1, levels: levels, lower: lower, upper: upper))
            // Of levels that stand for the same code only the last is sent, so that none splits another's frequency.
            guard next > value else { continue }
            // The first code that is no farther from the next level than from this one.
            let end = (value &+ next &+ 1) &>> 1
            (table + start).update(repeating: UInt8(truncatingIfNeeded: level), count: end &- start)
            start = end
            value = next
        }
        (table + start).update(repeating: UInt8(truncatingIfNeeded: levels &- 1), count: 256 &- start)
    }
}
