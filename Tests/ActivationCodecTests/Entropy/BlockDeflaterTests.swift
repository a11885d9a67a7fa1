internal import ActivationCodec
internal import Testing

/// Every stream of our own compressor is one that stock zlib decodes to the same bytes.
@Suite struct BlockDeflaterTests {
    /// Encodes one band and hands its payload to zlib's `uncompress`.
    private func check(_ bytes: [UInt8], _ note: Comment) throws {
        let signature = TensorSignature(shape: [bytes.count], scale: 1, zeroPoint: 0)
        let frame = try encodeFrame(
            id: 1, [TensorSource(signature, layout: .rowMajor, mode: CodecMode(.lossless8, .blocks), codes: bytes)],
            bandBytes: 1 << 24)
        let container = ContainerSurgery(frame)
        let band = try #require(container.bandOffsets.first, note)
        let payload = frame[(band + 28)...]
        if container.bytes[band + 2] == 1 {
            #expect(stockInflate(payload, length: bytes.count) == bytes, note)
        } else {
            #expect(Array(payload) == bytes, note)
        }
        #expect(try decodeFrame(frame).tensors == [bytes], note)
    }

    @Test(arguments: 0..<40)
    func everyStatisticDecodes(round: Int) throws {
        let seed = 0xC0DE_0600 + UInt64(round)
        var generator = SeededGenerator(seed: seed)
        let count = [1, 2, 3, 7, 8, 9, 100, 1000, 4097, 70_000, 300_000].randomElement(using: &generator)!
        let alphabet = Int.random(in: 1...256, using: &generator)
        let runs = Int.random(in: 1...600, using: &generator)
        let skew = Int.random(in: 1...6, using: &generator)
        var bytes: [UInt8] = []
        while bytes.count < count {
            // The least of several draws is skewed towards small values.
            let value = (0..<skew).map { _ in Int.random(in: 0..<alphabet, using: &generator) }.min()!
            let run = generator.next() % 3 == 0 ? Int.random(in: 1...runs, using: &generator) : 1
            bytes.append(contentsOf: repeatElement(UInt8(value), count: min(run, count - bytes.count)))
        }
        try check(bytes, "seed \(seed): \(count) bytes of \(alphabet) values, runs to \(runs), skew \(skew)")
    }

    /// Around the longest match (258), and remainders of one and two, which have no length code.
    @Test func everyRunLengthDecodes() throws {
        for length in Array(1...20) + Array(250...270) + Array(510...525) + [100_000, 131_072, 131_073, 262_145] {
            try check([1, 2] + [UInt8](repeating: 7, count: length) + [3, 4], "a run of \(length)")
            try check([UInt8](repeating: 0, count: length), "nothing but a run of \(length)")
        }
    }

    /// Frequencies that grow like Fibonacci numbers ask for codes longer than 15 bits.
    @Test func codesAreLimitedInLength() throws {
        var bytes: [UInt8] = []
        var (a, b) = (1, 1)
        for value in 0..<24 {
            bytes.append(contentsOf: (0..<a).map { _ in UInt8(value) })
            (a, b) = (b, a + b)
        }
        let seed: UInt64 = 0xC0DE_0650
        var generator = SeededGenerator(seed: seed)
        bytes.shuffle(using: &generator)
        try check(bytes, "seed \(seed)")
    }
}
