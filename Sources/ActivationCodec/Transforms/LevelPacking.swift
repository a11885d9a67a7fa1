/// Levels packed as digits: as many to a byte as 256 holds, `byte = Σ level[i] · L^i`.
///
/// Two levels go eight to a byte, three five — but four serve better, see below —, four go four, five and six three, up to
/// sixteen two. A prefix code spends at least a bit on a byte, so this is how an element comes to cost less than one, and a
/// byte's levels are each other's context.
///
/// The order of the elements of a plane is by pairs of rows, column by column: (0,0) (1,0) (0,1) (1,1) (0,2) … Four
/// neighbours in this order are a square of 2×2, eight are 2×4. On SqueezeNet's boundaries at three and four levels a square
/// codes 6 to 7 % smaller than a run of four or five along the row.
enum LevelPacking {
    /// Levels that share a byte; with three levels four, since a square beats a row of five.
    static func symbolsPerByte(levels: Int) -> Int {
        switch levels {
        case 2: 8
        case 3, 4: 4
        case 5, 6: 3
        default: 2
        }
    }

    static func byteCount(symbols count: Int, levels: Int) -> Int {
        let perByte = symbolsPerByte(levels: levels)
        return count / perByte + (count % perByte == 0 ? 0 : 1)
    }

    /// Whether a byte holds so many levels.
    static func fits(levels: Int, perByte: Int) -> Bool {
        var packings = 1
        for _ in 0..<perByte { packings *= levels }
        return packings <= 256
    }

    /// Bytes beyond the last symbol that ``unpack(_:levels:perByte:to:)`` may write.
    static let expansionSlack = 16

    /// Packs all symbols; the last byte is filled up with level 0.
    ///
    /// - Parameters:
    ///   - perByte: as many levels as fit a byte, or fewer.
    ///   - bytes: room for a byte for each `perByte` symbols, rounded up.
    static func pack(
        _ symbols: UnsafeBufferPointer<UInt8>, levels: Int, perByte: Int, to bytes: UnsafeMutablePointer<UInt8>
    ) {
        let radix = UInt8(levels)
        guard var input = symbols.baseAddress else { return }
        let whole = symbols.count / perByte
        switch perByte {
        case 8:
            // Two levels: bits.
            for index in 0..<whole {
                // The product collects the lowest bit of byte i in bit 56 + i, without carries.
                let word = UnsafeRawPointer(input).loadUnaligned(as: UInt64.self).littleEndian
                bytes[index] = UInt8(truncatingIfNeeded: (word &* 0x0102_0408_1020_4080) &>> 56)
                input += 8
            }
        case 4:
            let square = radix &* radix
            let cube = square &* radix
            for index in 0..<whole {
                bytes[index] = input[0] &+ input[1] &* radix &+ input[2] &* square &+ input[3] &* cube
                input += 4
            }
        case 3:
            for index in 0..<whole {
                bytes[index] = input[0] &+ (input[1] &+ input[2] &* radix) &* radix
                input += 3
            }
        case 2:
            for index in 0..<whole {
                bytes[index] = input[0] &+ input[1] &* radix
                input += 2
            }
        default:
            for index in 0..<whole {
                var byte: UInt8 = 0
                for digit in stride(from: perByte &- 1, through: 0, by: -1) { byte = byte &* radix &+ input[digit] }
                bytes[index] = byte
                input += perByte
            }
        }
        let rest = symbols.count % perByte
        guard rest > 0 else { return }
        var byte: UInt8 = 0
        for digit in stride(from: rest - 1, through: 0, by: -1) { byte = byte &* radix &+ input[digit] }
        bytes[whole] = byte
    }

    /// Unpacks bytes of which each is below L^k, k being `perByte`.
    ///
    /// - Parameter symbols: receives k symbols a byte; ``expansionSlack`` bytes more must fit.
    /// - Returns: false when a byte is no packing of `levels` levels.
    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>, levels: Int, perByte: Int, to symbols: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 256) { table in
            var packings = 1
            for _ in 0..<perByte { packings *= levels }
            for byte in 0..<256 {
                var digits: UInt64 = 0
                var rest = byte
                for digit in 0..<perByte {
                    digits |= UInt64(rest % levels) << UInt64(8 * digit)
                    rest /= levels
                }
                table[byte] = digits
            }
            var output = UnsafeMutableRawPointer(symbols)
            var greatest: UInt8 = 0
            for byte in bytes {
                greatest = max(greatest, byte)
                output.storeBytes(of: table[Int(byte)].littleEndian, as: UInt64.self)
                output += perByte
            }
            return Int(greatest) < packings
        }
    }
}

extension LevelQuantizer {
    /// Turns a plane's codes into levels, in the order of ``LevelPacking``.
    ///
    /// - Parameters:
    ///   - width: of a row; divides `count`.
    ///   - table: ``ChannelQuantizer/levelTableSize`` bytes of scratch.
    func fillLevels(
        _ levels: UnsafeMutablePointer<UInt8>, of codes: UnsafePointer<UInt8>, count: Int, width: Int, channel: Int,
        table: UnsafeMutablePointer<UInt8>
    ) {
        let intervals = levelCount &- 1
        let first = row(ofChannel: channel) &* intervals
        var start = 0
        for level in 0..<intervals {
            let end = Int(thresholds[first &+ level])
            if end > start {
                ChannelQuantizer.fill(table, from: start, to: end, with: level)
                start = end
            }
        }
        ChannelQuantizer.fill(table, from: start, to: 256, with: intervals)
        var row = codes
        let end = codes + count
        var output = levels
        while row + 2 &* width <= end {
            let below = row + width
            for column in 0..<width {
                output[0] = table[Int(row[column])]
                output[1] = table[Int(below[column])]
                output += 2
            }
            row = below + width
        }
        while row < end {
            output.pointee = table[Int(row.pointee)]
            output += 1
            row += 1
        }
    }

    /// Turns a plane's levels, in the order of ``LevelPacking``, into codes.
    func fillCodes(
        _ codes: UnsafeMutablePointer<UInt8>, of levels: UnsafePointer<UInt8>, count: Int, width: Int, channel: Int
    ) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16) { table in
            let first = self.row(ofChannel: channel) &* levelCount
            for level in 0..<levelCount { table[level] = self.codes[first &+ level] }
            var row = codes
            let end = codes + count
            var input = levels
            while row + 2 &* width <= end {
                let below = row + width
                for column in 0..<width {
                    row[column] = table[Int(input[0])]
                    below[column] = table[Int(input[1])]
                    input += 2
                }
                row = below + width
            }
            while row < end {
                row.pointee = table[Int(input.pointee)]
                input += 1
                row += 1
            }
        }
    }
}
