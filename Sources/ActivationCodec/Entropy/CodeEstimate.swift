/// What a block of prefix codes would cost, from how often its symbols occur: for choices, not to the bit.
struct CodeEstimate {
    /// Symbols are below this; 256 for bytes.
    let levels: Int

    /// Bits of the header of a block, its end and its part in records.
    private static let blockBits: Float = 150
    /// Bits of a symbol's code length in the header.
    private static let symbolBits: Float = 4.5

    /// Frequencies, summed up.
    private struct Profile {
        let total: Float
        /// Σ n·log₂ n.
        let weighted: Float
        let distinct: Float
        let most: UInt32
        let usual: Int

        /// Of an ideal code.
        var idealBits: Float { total * log2(total) - weighted }
        /// No code is shorter than a bit.
        var shortfall: Float {
            let most = Float(most)
            return 2 * most > total ? most * (1 - log2(total / most)) : 0
        }
    }

    private func profile(_ counts: UnsafePointer<UInt32>) -> Profile {
        var (total, most): (UInt32, UInt32) = (0, 0)
        var (distinct, usual) = (0, 0)
        // Two sums, so that one addition need not wait for the one before; no branch, since which symbols occur is no pattern.
        var (even, odd): (Float, Float) = (0, 0)
        var symbol = 0
        func take(_ count: UInt32) -> Float {
            total &+= count
            distinct &+= count > 0 ? 1 : 0
            usual = count > most ? symbol : usual
            most = max(most, count)
            symbol &+= 1
            let number = Float(Int32(truncatingIfNeeded: count))
            return number * log2(number)
        }
        while symbol &+ 2 <= levels {
            even += take(counts[symbol])
            odd += take(counts[symbol])
        }
        if symbol < levels { even += take(counts[symbol]) }
        return Profile(
            total: Float(total), weighted: even + odd, distinct: Float(distinct), most: most, usual: usual)
    }

    /// Of a block of bytes.
    func plainBits(_ counts: UnsafePointer<UInt32>) -> Float {
        let profile = profile(counts)
        return profile.total == 0 ? 0 : plainBits(profile)
    }

    private func plainBits(_ profile: Profile) -> Float {
        profile.idealBits + profile.shortfall + Self.blockBits + Self.symbolBits * profile.distinct
    }

    /// Of a bit a symbol, eight to a byte, and a block of the symbols that are not the usual one.
    private func flaggedBits(_ profile: Profile) -> Float {
        let others = profile.total - Float(profile.most)
        guard others > 0 else { return profile.total / 8 + Self.blockBits }
        let usual = Float(profile.most) * log2(Float(profile.most))
        let flags = profile.total * log2(profile.total) - usual - others * log2(others)
        let values = others * log2(others) - (profile.weighted - usual)
        // Flags have a block too, of up to 256 bytes, and lose a little to whole bits.
        return max(flags * 1.01, profile.total / 8) + values + 2 * Self.blockBits + Self.symbolBits * profile.distinct
            + min(256, profile.total / 32) * 3
    }

    /// How many levels a byte should hold, and what they then cost.
    func packing(_ counts: UnsafePointer<UInt32>) -> (perByte: Int, bits: Float) {
        let profile = profile(counts)
        return profile.total == 0 ? (1, 0) : packing(profile)
    }

    private func packing(_ profile: Profile) -> (perByte: Int, bits: Float) {
        var best = (perByte: 1, bits: plainBits(profile))
        var alphabet = profile.distinct
        for perByte in 2...8 where LevelPacking.fits(levels: levels, perByte: perByte) {
            alphabet *= profile.distinct
            let bytes = profile.total / Float(perByte)
            // Few of the possible bytes occur where most levels are the same.
            let frequent = 4 * exp2(profile.idealBits / bytes)
            let header = Self.blockBits + Self.symbolBits * min(alphabet, frequent, bytes / 4, 256)
            // A code of whole bits loses a little on every byte.
            let bits = max(profile.idealBits + 0.03 * bytes, bytes) + header
            if bits < best.bits { best = (perByte, bits) }
        }
        return best
    }

    /// Of the best form of a bucket of ``ContextOrder``.
    func bits(_ counts: UnsafePointer<UInt32>) -> Float {
        let profile = profile(counts)
        guard profile.total > 0 else { return 0 }
        if levels < 256 { return packing(profile).bits }
        return 2 * Float(profile.most) > profile.total
            ? min(plainBits(profile), flaggedBits(profile)) : plainBits(profile)
    }

    /// The symbol that flags should tell from the others, or nil where they do not pay.
    func usualSymbol(_ counts: UnsafePointer<UInt32>) -> UInt8? {
        let profile = profile(counts)
        guard 2 * Float(profile.most) > profile.total, flaggedBits(profile) < plainBits(profile) else { return nil }
        return UInt8(profile.usual)
    }
}

/// Within a tenth, for numbers of 0 to 100.
private func exp2(_ value: Float) -> Float {
    let whole = value.rounded(.down)
    return Float(sign: .plus, exponent: Int(whole), significand: 1 + value - whole)
}

/// Within 0.01, for positive numbers that are normal; finite of zero.
@inline(__always)
private func log2(_ value: Float) -> Float {
    let pattern = value.bitPattern
    let exponent = Float(Int32(truncatingIfNeeded: pattern &>> 23) &- 127)
    let mantissa = Float(bitPattern: pattern & 0x7F_FFFF | 0x3F80_0000)
    return exponent + (2 - mantissa * (1 / 3)) * mantissa - 5 / 3
}
