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
    /// Bytes of a table for ``fillLevels(_:levels:lower:upper:)``: 256 entries, and room to overrun by a vector.
    package static let levelTableSize = 256 + SIMD16<UInt8>.scalarCount

    /// v(0), v(1), …, one after another.
    ///
    /// Divides by multiplying with `⌊2³² / d⌋ + 1`, which is exact while numerator · divisor < 2³²; here it is below 2²⁷.
    private struct Codes {
        private let lower: UInt64
        private let slope: UInt64
        private let reciprocal: UInt64
        private var numerator: UInt64

        init(levels: Int, lower: UInt8, upper: UInt8) {
            let last = UInt64(truncatingIfNeeded: levels &- 1)
            self.lower = UInt64(lower)
            slope = 2 &* (UInt64(upper) &- UInt64(lower))
            reciprocal = (1 << 32) / (2 &* last) &+ 1
            numerator = last
        }

        @inline(__always)
        mutating func next() -> Int {
            defer { numerator &+= slope }
            return Int(truncatingIfNeeded: lower &+ (numerator &* reciprocal) &>> 32)
        }
    }

    /// Fills `table[q]` with the code of level `q`.
    ///
    /// - Parameters:
    ///   - table: `levels` entries.
    ///   - levels: 2...256.
    ///   - upper: not below `lower`.
    package static func fillCodes(_ table: UnsafeMutablePointer<UInt8>, levels: Int, lower: UInt8, upper: UInt8) {
        var codes = Codes(levels: levels, lower: lower, upper: upper)
        for level in 0..<levels {
            table[level] = UInt8(truncatingIfNeeded: codes.next())
        }
    }

    /// Fills `table[code]` with the level of each of the 256 codes.
    ///
    /// - Parameters:
    ///   - table: ``levelTableSize`` bytes; those past 256 are written with anything.
    ///   - levels: 2...256.
    ///   - upper: not below `lower`.
    package static func fillLevels(_ table: UnsafeMutablePointer<UInt8>, levels: Int, lower: UInt8, upper: UInt8) {
        var codes = Codes(levels: levels, lower: lower, upper: upper)
        var start = 0
        var value = codes.next()
        for level in 0..<levels &- 1 {
            let next = codes.next()
            // Of levels that stand for the same code only the last is sent, so that none splits another's frequency.
            guard next > value else { continue }
            // The first code that is no farther from the next level than from this one.
            let end = (value &+ next &+ 1) &>> 1
            fill(table, from: start, to: end, with: level)
            start = end
            value = next
        }
        fill(table, from: start, to: 256, with: levels &- 1)
    }

    /// Writes whole vectors: what overruns is overwritten by the levels that follow. Runs are too short for memset.
    @inline(__always)
    static func fill(_ table: UnsafeMutablePointer<UInt8>, from start: Int, to end: Int, with level: Int) {
        let vector = SIMD16<UInt8>(repeating: UInt8(truncatingIfNeeded: level))
        var index = start
        repeat {
            UnsafeMutableRawPointer(table + index).storeBytes(of: vector, as: SIMD16<UInt8>.self)
            index &+= SIMD16<UInt8>.scalarCount
        } while index < end
    }
}
