private import Foundation

/// Numbers that depend on the seed and a place alone, so that all policies meet the same world.
///
/// - SeeAlso: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014
struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// The generator of one part of the world: a stream, and a number within it.
    init(seed: UInt64, stream: UInt64, number: UInt64) {
        var mixer = SeededGenerator(seed: seed)
        mixer.state ^= mixer.next() &+ stream &* 0xD6E8_FEB8_6659_FD93
        mixer.state ^= mixer.next() &+ number &* 0xA076_1D64_78BD_642F
        state = mixer.next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// In 0..<1, a multiple of 2⁻⁵³.
    mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }
}

extension SeededGenerator {
    /// Exponential of mean 1.
    mutating func exponential() -> Double { -log1p(-fraction()) }

    /// exp(σ·N), by Box and Muller.
    mutating func logNormal(_ sigma: Double) -> Double {
        let radius = (2 * exponential()).squareRoot()
        return exp(sigma * radius * cos(2 * .pi * fraction()))
    }
}
