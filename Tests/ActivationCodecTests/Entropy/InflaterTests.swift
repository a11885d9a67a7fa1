internal import ActivationCodec
internal import CZlib
internal import FoundationEssentials
internal import Testing

/// The inflater takes what stock zlib takes, to the same bytes, and refuses what it refuses.
@Suite struct InflaterTests {
    /// Decompresses with ours; nil for any `corruptPayload`. Any other error is a failure.
    private static func ours(_ stream: [UInt8], length: Int) throws -> [UInt8]? {
        var inflater = Inflater()
        // Bytes after the output must stay as they are.
        var memory = [UInt8](repeating: 0xA5, count: length + 32)
        do throws(CodecError) {
            try memory.withUnsafeMutableBufferPointer { (memory) throws(CodecError) in
                try stream.withUnsafeBufferPointer { (stream) throws(CodecError) in
                    try inflater.decompress(
                        stream, filling: UnsafeMutableBufferPointer(rebasing: memory[..<length]), at: .init())
                }
            }
        } catch {
            try #require(error.code == .corruptPayload, "\(error)")
            try #require(memory[length...].allSatisfy { $0 == 0xA5 }, "wrote past the output")
            return nil
        }
        try #require(memory[length...].allSatisfy { $0 == 0xA5 }, "wrote past the output")
        return Array(memory[..<length])
    }

    /// The same by stock zlib: one call, output filled exactly, input used up.
    private static func stock(_ stream: [UInt8], length: Int) -> [UInt8]? {
        var input = stream
        var output = [UInt8](repeating: 0, count: length)
        return input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                var state = z_stream()
                precondition(czlib_inflate_init(&state, MAX_WBITS) == Z_OK)
                defer { inflateEnd(&state) }
                state.next_in = input.baseAddress
                state.avail_in = uInt(input.count)
                state.next_out = output.baseAddress
                state.avail_out = uInt(output.count)
                guard inflate(&state, Z_FINISH) == Z_STREAM_END, state.avail_in == 0, state.avail_out == 0 else {
                    return nil
                }
                return Array(output)
            }
        }
    }

    private static func deflate(
        _ bytes: [UInt8], level: Int32, strategy: Int32, windowBits: Int32, memoryLevel: Int32
    ) -> [UInt8] {
        var input = bytes
        var output = [UInt8](repeating: 0, count: 2 * bytes.count + 1000)
        let count = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                var state = z_stream()
                precondition(czlib_deflate_init(&state, level, windowBits, memoryLevel, strategy) == Z_OK)
                defer { deflateEnd(&state) }
                state.next_in = input.baseAddress
                state.avail_in = uInt(input.count)
                state.next_out = output.baseAddress
                state.avail_out = uInt(output.count)
                precondition(CZlib.deflate(&state, Z_FINISH) == Z_STREAM_END)
                return output.count - Int(state.avail_out)
            }
        }
        return Array(output[..<count])
    }

    /// Bytes of every kind: noise, few values, runs, repeats from near and far.
    private static func material(using generator: inout SeededGenerator) -> [UInt8] {
        let count = [1, 2, 5, 100, 1000, 5000, 70_000].randomElement(using: &generator)!
        let values = [1, 2, 3, 10, 60, 256].randomElement(using: &generator)!
        let repeats = Int.random(in: 0...3, using: &generator)
        var bytes: [UInt8] = []
        while bytes.count < count {
            if !bytes.isEmpty, Int.random(in: 0..<4, using: &generator) < repeats {
                let distance = min(
                    bytes.count, [1, 2, 3, 7, 8, 9, 300, 32_768].randomElement(using: &generator)!)
                for _ in 0..<Int.random(in: 1...400, using: &generator) { bytes.append(bytes[bytes.count - distance]) }
            } else {
                let least = (0..<3).map { _ in Int.random(in: 0..<values, using: &generator) }.min()!
                bytes.append(UInt8(least))
            }
        }
        return Array(bytes[..<count])
    }

    private static func stream(of bytes: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
        deflate(
            bytes, level: Int32.random(in: 0...9, using: &generator),
            strategy: Int32.random(in: 0...4, using: &generator),
            windowBits: Int32.random(in: 9...15, using: &generator),
            memoryLevel: Int32.random(in: 1...9, using: &generator))
    }

    @Test(arguments: 0..<60)
    func decodesWhatZlibWrites(round: Int) throws {
        let seed = 0xC0DE_0900 + UInt64(round)
        var generator = SeededGenerator(seed: seed)
        let bytes = Self.material(using: &generator)
        let stream = Self.stream(of: bytes, using: &generator)
        #expect(try Self.ours(stream, length: bytes.count) == bytes, "seed \(seed)")
    }

    /// Bits flipped, bytes cut, repeated and put in, lengths that are not the right ones: the same verdict as zlib's.
    @Test(arguments: 0..<24)
    func judgesDamageAsZlibDoes(round: Int) throws {
        let seed = 0xC0DE_0A00 + UInt64(round)
        var generator = SeededGenerator(seed: seed)
        let bytes = Array(Self.material(using: &generator).prefix(3000))
        let stream = Self.stream(of: bytes, using: &generator)
        for trial in 0..<400 {
            var damaged = stream
            var length = bytes.count
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: damaged.removeLast(Int.random(in: 0...min(12, damaged.count - 1), using: &generator))
            case 1: damaged.append(UInt8.random(in: 0...255, using: &generator))
            case 2: length += Int.random(in: -min(3, length - 1)...3, using: &generator)
            case 3:
                // Among the codes of the first block.
                let place = Int.random(in: 2..<min(damaged.count, 80), using: &generator)
                damaged[place] = UInt8.random(in: 0...255, using: &generator)
            default:
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    let bit = Int.random(in: 0..<8 * damaged.count, using: &generator)
                    damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                }
            }
            let expected = Self.stock(damaged, length: length)
            #expect(try Self.ours(damaged, length: length) == expected, "seed \(seed), trial \(trial)")
        }
    }

    /// Headers of blocks at random: most are refused somewhere in their codes, each as zlib refuses it.
    @Test func judgesRandomBlocksAsZlibDoes() throws {
        let seed: UInt64 = 0xC0DE_0B00
        var generator = SeededGenerator(seed: seed)
        var accepted = 0
        for trial in 0..<60_000 {
            var stream: [UInt8] = [0x78, 0x01]
            let count = Int.random(in: 1...60, using: &generator)
            for _ in 0..<count { stream.append(UInt8(truncatingIfNeeded: generator.next())) }
            // The last block, of codes of its own or fixed ones; lengths of few bits make codes likely.
            stream[2] = stream[2] & 0xF8 | [0b101, 0b011].randomElement(using: &generator)!
            let length = Int.random(in: 1...40, using: &generator)
            let expected = Self.stock(stream, length: length)
            if expected != nil { accepted += 1 }
            #expect(try Self.ours(stream, length: length) == expected, "seed \(seed), trial \(trial)")
        }
        // Adler-32 refuses the rest; what matters is agreement on the way.
        #expect(accepted < 60_000)
    }

    /// Codes of all lengths up to 15 bits, most of them through second tables.
    @Test func decodesLongCodes() throws {
        var bytes: [UInt8] = []
        var (a, b) = (1, 1)
        for value in 0..<22 {
            bytes.append(contentsOf: (0..<a).map { _ in UInt8(value * 11) })
            (a, b) = (b, a + b)
        }
        let seed: UInt64 = 0xC0DE_0B50
        var generator = SeededGenerator(seed: seed)
        bytes.shuffle(using: &generator)
        let stream = Self.deflate(bytes, level: 9, strategy: Z_HUFFMAN_ONLY, windowBits: 15, memoryLevel: 9)
        #expect(try Self.ours(stream, length: bytes.count) == bytes, "seed \(seed)")
    }

    /// The six ways a stream can be wrong are told apart.
    @Test func namesWhatIsWrong() throws {
        let bytes = (0..<500).map { UInt8($0 % 7) }
        let stream = Self.deflate(bytes, level: 6, strategy: 0, windowBits: 15, memoryLevel: 8)
        func message(_ stream: [UInt8], length: Int) -> String? {
            var inflater = Inflater()
            var output = [UInt8](repeating: 0, count: length)
            do throws(CodecError) {
                try output.withUnsafeMutableBufferPointer { (output) throws(CodecError) in
                    try stream.withUnsafeBufferPointer { (stream) throws(CodecError) in
                        try inflater.decompress(stream, filling: output, at: .init())
                    }
                }
                return nil
            } catch {
                return error.message
            }
        }
        #expect(message(stream, length: 500) == nil)
        #expect(message(stream, length: 501) == "zlib stream is short")
        #expect(message(stream, length: 499) == "zlib stream is longer than declared")
        #expect(message(Array(stream.dropLast()), length: 500) == "zlib stream ends early")
        #expect(message(stream + [0], length: 500) == "bytes after the zlib stream")
        #expect(message([0x79] + stream.dropFirst(), length: 500) == "zlib stream")
        #expect(message(stream.dropLast() + [stream.last! ^ 1], length: 500) == "zlib stream")
    }

    /// Replays what `tools/fuzz/run inflate` left: two bytes that give the length, less one, and a stream.
    @Test func findingsAreJudgedAsZlibDoes() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let folder = tests.appending(path: "InflateFindings")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(!names.isEmpty)
        for name in names {
            let input = Array(try Data(contentsOf: folder.appending(path: name)))
            guard input.count > 2 else { continue }
            let length = (Int(input[0]) | Int(input[1]) << 8) % (1 << 13) + 1
            let stream = Array(input[2...])
            #expect(try Self.ours(stream, length: length) == Self.stock(stream, length: length), "\(name)")
        }
    }
}
