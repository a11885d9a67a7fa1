internal import CKernels
internal import Testing

@Suite struct TranspositionTests {
    /// Around the tile (8) and the row block (64), with pitches that leave a margin; the margin must stay untouched.
    @Test(arguments: [0, 1, 2, 7, 8, 9, 15, 16, 63, 64, 65, 71, 131], [0, 1, 3, 7, 8, 9, 16, 23, 64, 67])
    func equalsTheDefinition(rows: Int, columns: Int) {
        let seed: UInt64 = 0xC0DE_0100
        var generator = SeededGenerator(seed: seed)
        let (fromPitch, toPitch) = (columns + 3, rows + 5)
        // No more than is read and written, so that the pages behind see what is too much.
        let from = Fenced<UInt8>(
            (0..<max(0, rows * fromPitch - 3)).map { _ in UInt8.random(in: 0...254, using: &generator) })
        let to = Fenced<UInt8>([UInt8](repeating: 255, count: max(0, columns * toPitch - 5)))
        ck_transpose_u8(from.pointer, fromPitch, to.pointer, toPitch, rows, columns)
        var expected = [UInt8](repeating: 255, count: to.count)
        for row in 0..<rows {
            for column in 0..<columns {
                expected[column * toPitch + row] = from.pointer[row * fromPitch + column]
            }
        }
        #expect(to.guardIsIntact && to.values == expected, "seed \(seed)")
    }
}
