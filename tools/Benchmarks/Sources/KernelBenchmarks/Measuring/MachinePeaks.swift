internal import CMachinePeaks

/// What one core of this machine reaches at most, measured.
package struct MachinePeaks: Sendable, Codable {
    package struct Rate: Sendable, Codable {
        package let instruction: String
        package let gigaMultiplyAddsPerSecond: Double

        package init(instruction: String, gigaMultiplyAddsPerSecond: Double) {
            (self.instruction, self.gigaMultiplyAddsPerSecond) = (instruction, gigaMultiplyAddsPerSecond)
        }
    }

    package struct Bandwidth: Sendable, Codable {
        package let level: String
        /// Of the cache; of what was read where the level is memory.
        package let byteCount: Int
        package let gigabytesPerSecond: Double

        package init(level: String, byteCount: Int, gigabytesPerSecond: Double) {
            (self.level, self.byteCount, self.gigabytesPerSecond) = (level, byteCount, gigabytesPerSecond)
        }
    }

    package let rates: [Rate]
    /// From the nearest level to the farthest.
    package let bandwidths: [Bandwidth]

    package init(_ stopwatch: Stopwatch) {
        rates = Self.instructions.filter { mp_instruction_available($0) }.map { instruction in
            let rounds = 10_000
            let seconds = stopwatch.shortestSeconds { _ = mp_multiply_add(instruction, rounds) }
            return Rate(
                instruction: Self.name(instruction),
                gigaMultiplyAddsPerSecond: Double(mp_multiply_add(instruction, rounds)) / seconds * 1e-9)
        }
        var levels: [(name: String, byteCount: Int, read: Int)] = []
        for level in 1...3 {
            let byteCount = mp_cache_size(Int32(level))
            // Others may share the third level, so only a quarter of it is taken for ours.
            if byteCount > 0 { levels.append(("L\(level)", byteCount, byteCount / (level == 3 ? 4 : 2))) }
        }
        let memory = min(max(4 * (levels.last?.byteCount ?? 0), 64 << 20), 256 << 20)
        levels.append(("memory", memory, memory))
        bandwidths = levels.map { level in
            let bytes = Memory.randomBytes(level.read / 512 * 512)
            let seconds = stopwatch.shortestSeconds { _ = mp_read(bytes.raw, bytes.bytes.count, 1) }
            return Bandwidth(
                level: level.name, byteCount: level.byteCount,
                gigabytesPerSecond: Double(bytes.bytes.count) / seconds * 1e-9)
        }
    }

    package init(rates: [Rate], bandwidths: [Bandwidth]) {
        (self.rates, self.bandwidths) = (rates, bandwidths)
    }

    private static var instructions: [mp_instruction] {
        (0..<MP_INSTRUCTION_COUNT.rawValue).map { mp_instruction(rawValue: $0) }
    }

    private static func name(_ instruction: mp_instruction) -> String {
        String(cString: mp_instruction_name(instruction))
    }

    /// The rate of the instruction that the kernels of a table are built on; nil for a table that is not known here.
    package func rate(of instructionSet: String, _ arithmetic: Arithmetic) -> Rate? {
        let instruction: mp_instruction? =
            switch (instructionSet, arithmetic) {
            case ("scalar", .u8): MP_SCALAR_INTEGER
            case ("scalar", .f32): MP_SCALAR_FLOAT
            case ("avx2", .u8): MP_AVX2_VPMADDWD
            case ("avx2", .f32), ("avxvnni", .f32): MP_AVX2_FMA
            case ("avxvnni", .u8): MP_AVXVNNI_VPDPBUSD
            case ("avx512vnni", .u8): MP_AVX512VNNI_VPDPBUSD_ZMM
            case ("avx512vnni", .f32): MP_AVX512_FMA
            case ("avx512vnni", .bf16): MP_AVX512BF16_VDPBF16PS
            case ("neon", .u8): MP_NEON_SMLAL
            case ("neon-dotprod", .u8): MP_NEON_SDOT
            case ("neon", .f32), ("neon-dotprod", .f32): MP_NEON_FMLA
            default: nil
            }
        guard let instruction else { return nil }
        return rates.first { $0.instruction == Self.name(instruction) }
    }

    /// The nearest level that holds so many bytes.
    package func bandwidth(for byteCount: Int) -> Bandwidth? {
        bandwidths.first { byteCount <= $0.byteCount } ?? bandwidths.last
    }
}
