/// Packed symbols: symbol `i` lies in byte `i / s` at bit `(i mod s) · (8 / s)`, with `s` symbols per byte (2 or 4).
///
/// The symbols of the planes of a band follow each other without alignment; only the last byte is padded, with zeros.
enum SymbolPacking {
    /// Bytes that `count` symbols fill.
    static func byteCount(symbols count: Int, precision: Precision) -> Int {
        let perByte = precision.symbolsPerByte
        return count / perByte + (count % perByte == 0 ? 0 : 1)
    }

    /// Looks up the symbols of `codes` in a table of 256 and packs them from symbol position `start` on.
    ///
    /// Bytes are written from their first symbol on, so `packed` needs no clearing.
    static func pack(
        _ codes: UnsafePointer<UInt8>, count: Int, through table: UnsafePointer<UInt8>, precision: Precision,
        to packed: UnsafeMutablePointer<UInt8>, from start: Int
    ) {
        let perByte = precision.symbolsPerByte
        let bits = precision.bits
        var index = 0
        var position = start

        func packOne() {
            let slot = position % perByte
            let symbol = table[Int(codes[index])] &<< UInt8(truncatingIfNeeded: slot &* bits)
            let byte = packed + position / perByte
            byte.pointee = slot == 0 ? symbol : byte.pointee | symbol
            index &+= 1
            position &+= 1
        }

        while index < count, position % perByte != 0 { packOne() }
        var output = packed + position / perByte
        let bulkEnd = index &+ (count &- index) / perByte &* perByte
        position &+= bulkEnd &- index
        if precision == .quantized4 {
            while index < bulkEnd {
                let pair = codes + index
                output.pointee = table[Int(pair[0])] | (table[Int(pair[1])] &<< 4)
                output += 1
                index &+= 2
            }
        } else {
            while index < bulkEnd {
                let four = codes + index
                let low = table[Int(four[0])] | (table[Int(four[1])] &<< 2)
                let high = (table[Int(four[2])] &<< 4) | (table[Int(four[3])] &<< 6)
                output.pointee = low | high
                output += 1
                index &+= 4
            }
        }
        while index < count { packOne() }
    }

    /// Unpacks `count` symbols from symbol position `start` on and looks each up in a table of `precision.levelCount`.
    static func unpack(
        _ packed: UnsafePointer<UInt8>, from start: Int, count: Int, through table: UnsafePointer<UInt8>,
        precision: Precision, to codes: UnsafeMutablePointer<UInt8>
    ) {
        let perByte = precision.symbolsPerByte
        let bits = precision.bits
        let mask = UInt8(truncatingIfNeeded: precision.levelCount &- 1)
        var index = 0
        var position = start

        func unpackOne() {
            let shift = UInt8(truncatingIfNeeded: position % perByte &* bits)
            codes[index] = table[Int((packed[position / perByte] &>> shift) & mask)]
            index &+= 1
            position &+= 1
        }

        while index < count, position % perByte != 0 { unpackOne() }
        var input = packed + position / perByte
        let bulkEnd = index &+ (count &- index) / perByte &* perByte
        position &+= bulkEnd &- index
        if precision == .quantized4 {
            while index < bulkEnd {
                let byte = Int(input.pointee)
                codes[index] = table[byte & 15]
                codes[index &+ 1] = table[byte &>> 4]
                input += 1
                index &+= 2
            }
        } else {
            while index < bulkEnd {
                let byte = Int(input.pointee)
                codes[index] = table[byte & 3]
                codes[index &+ 1] = table[(byte &>> 2) & 3]
                codes[index &+ 2] = table[(byte &>> 4) & 3]
                codes[index &+ 3] = table[byte &>> 6]
                input += 1
                index &+= 4
            }
        }
        while index < count { unpackOne() }
    }
}
