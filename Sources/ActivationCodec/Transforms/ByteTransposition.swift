/// Transposes a matrix of bytes: `destination[c · destinationStride + r] = source[r · sourceStride + c]`.
///
/// Works through 8×8 tiles held in eight words, inside blocks of 64 rows so that both sides stay in the first-level cache
/// whatever the strides are. The memory of the two matrices must not overlap.
///
/// - Complexity: O(rows · columns).
package func transposeBytes(
    _ source: UnsafePointer<UInt8>, stride sourceStride: Int, rows: Int, columns: Int,
    to destination: UnsafeMutablePointer<UInt8>, stride destinationStride: Int
) {
    let rowsPerBlock = 64
    let tiledRows = rows & ~7
    let tiledColumns = columns & ~7
    var block = 0
    while block < tiledRows {
        let blockEnd = min(block &+ rowsPerBlock, tiledRows)
        var column = 0
        while column < tiledColumns {
            var row = block
            while row < blockEnd {
                transposeTile(
                    source + (row &* sourceStride &+ column), sourceStride,
                    destination + (column &* destinationStride &+ row), destinationStride)
                row &+= 8
            }
            column &+= 8
        }
        block = blockEnd
    }
    copyTransposed(
        source, sourceStride, rows: 0..<tiledRows, columns: tiledColumns..<columns, destination, destinationStride)
    copyTransposed(source, sourceStride, rows: tiledRows..<rows, columns: 0..<columns, destination, destinationStride)
}

/// The edges that do not fill a tile.
private func copyTransposed(
    _ source: UnsafePointer<UInt8>, _ sourceStride: Int, rows: Range<Int>, columns: Range<Int>,
    _ destination: UnsafeMutablePointer<UInt8>, _ destinationStride: Int
) {
    for column in columns {
        let line = destination + column &* destinationStride
        for row in rows {
            line[row] = source[row &* sourceStride &+ column]
        }
    }
}

/// Transposes 8×8 bytes by exchanging halves, quarters and eighths of the rows.
@inline(__always)
private func transposeTile(
    _ source: UnsafePointer<UInt8>, _ sourceStride: Int,
    _ destination: UnsafeMutablePointer<UInt8>, _ destinationStride: Int
) {
    @inline(__always)
    func load(_ row: Int) -> UInt64 {
        UInt64(
            littleEndian: UnsafeRawPointer(source + row &* sourceStride).loadUnaligned(as: UInt64.self))
    }
    @inline(__always)
    func store(_ row: Int, _ value: UInt64) {
        UnsafeMutableRawPointer(destination + row &* destinationStride)
            .storeBytes(of: value.littleEndian, as: UInt64.self)
    }
    @inline(__always)
    func exchange(_ low: inout UInt64, _ high: inout UInt64, _ shift: UInt64, _ mask: UInt64) {
        let difference = ((low &>> shift) ^ high) & mask
        high ^= difference
        low ^= difference &<< shift
    }
    var a = load(0)
    var b = load(1)
    var c = load(2)
    var d = load(3)
    var e = load(4)
    var f = load(5)
    var g = load(6)
    var h = load(7)
    let words: UInt64 = 0x0000_0000_FFFF_FFFF
    exchange(&a, &e, 32, words)
    exchange(&b, &f, 32, words)
    exchange(&c, &g, 32, words)
    exchange(&d, &h, 32, words)
    let halves: UInt64 = 0x0000_FFFF_0000_FFFF
    exchange(&a, &c, 16, halves)
    exchange(&b, &d, 16, halves)
    exchange(&e, &g, 16, halves)
    exchange(&f, &h, 16, halves)
    let bytes: UInt64 = 0x00FF_00FF_00FF_00FF
    exchange(&a, &b, 8, bytes)
    exchange(&c, &d, 8, bytes)
    exchange(&e, &f, 8, bytes)
    exchange(&g, &h, 8, bytes)
    store(0, a)
    store(1, b)
    store(2, c)
    store(3, d)
    store(4, e)
    store(5, f)
    store(6, g)
    store(7, h)
}
