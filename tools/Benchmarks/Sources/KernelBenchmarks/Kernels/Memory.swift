/// Cache-line aligned memory of one tensor, filled with arbitrary but repeatable values.
final class Memory {
    let bytes: UnsafeMutableRawBufferPointer

    /// Zeros.
    init(byteCount: Int) {
        bytes = .allocate(byteCount: max(byteCount, 1), alignment: 64)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { bytes.deallocate() }

    /// Any bytes.
    static func randomBytes(_ count: Int) -> Memory {
        let memory = Memory(byteCount: count)
        var state = Xorshift()
        for index in 0..<count { memory.bytes[index] = UInt8(truncatingIfNeeded: state.next()) }
        return memory
    }

    /// Values between −1 and 1.
    static func randomFloats(_ count: Int) -> Memory {
        let memory = Memory(byteCount: count * 4)
        var state = Xorshift()
        for index in 0..<count {
            let value = Float(Int32(truncatingIfNeeded: state.next())) * 0x1p-31
            memory.bytes.storeBytes(of: value, toByteOffset: index * 4, as: Float.self)
        }
        return memory
    }

    static func filled(_ count: Int, with value: Float) -> Memory {
        let memory = Memory(byteCount: count * 4)
        memory.bytes.initializeMemory(as: Float.self, repeating: value)
        return memory
    }

    var u8: UnsafeMutablePointer<UInt8> { bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) }
    var i8: UnsafeMutablePointer<Int8> { bytes.baseAddress!.assumingMemoryBound(to: Int8.self) }
    var i32: UnsafeMutablePointer<Int32> { bytes.baseAddress!.assumingMemoryBound(to: Int32.self) }
    var f32: UnsafeMutablePointer<Float> { bytes.baseAddress!.assumingMemoryBound(to: Float.self) }
    var raw: UnsafeMutableRawPointer { bytes.baseAddress! }
}

/// Marsaglia, Xorshift RNGs, 2003.
private struct Xorshift {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state >> 32
    }
}
