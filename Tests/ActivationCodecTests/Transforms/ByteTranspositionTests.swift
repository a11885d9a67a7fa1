internal import ActivationCodec
internal import Testing

@Suite struct ByteTranspositionTests {
    /// Around the tile (8) and the row block (64), with strides that leave a margin; the margin must stay untouched.
    @Test(arguments: [0, 1, 2, 7, 8, 9, 15, 16, 63, 64, 65, 71, 131], [0, 1, 3, 7, 8, 9, 16, 23, 64, 67])
    func equalsTheDefinition(rows: Int, columns: Int) {
        let seed: UInt64 = 0xC0DE_0100
        var generator = SeededGenerator(seed: seed)
        let sourceStride = columns + 3
        let destinationStride = rows + 5
        let source = (0..<max(1, rows * sourceStride)).map { _ in UInt8.random(in: 0...254, using: &generator) }
        var destination = [UInt8](repeating: 255, count: max(1, columns * destinationStride))
        source.withUnsafeBufferPointer { source in
            destination.withUnsafeMutableBufferPointer {
                transposeBytes(
                    source.baseAddress!, stride: sourceStride, rows: rows, columns: columns, to: $0.baseAddress!,
                    stride: destinationStride)
            }
        }
        var expected = [UInt8](repeating: 255, count: destination.count)
        for row in 0..<rows {
            for column in 0..<columns {
                expected[column * destinationStride + row] = source[row * sourceStride + column]
            }
        }
        #expect(destination == expected, "seed \(seed)")
    }
}
