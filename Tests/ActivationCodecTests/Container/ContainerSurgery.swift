internal import CZlib

/// A container that tests take apart, change and sign again, so that damage reaches what lies behind the checksums.
///
/// Works from the written format alone, not from the codec's own code.
struct ContainerSurgery {
    var bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var headerLength: Int { Int(field(at: 16, UInt32.self)) }

    func field<Value: FixedWidthInteger>(at offset: Int, _: Value.Type) -> Value {
        Value(littleEndian: bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) })
    }

    mutating func set(_ value: some FixedWidthInteger, at offset: Int) {
        withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
    }

    /// Where each band begins, as far as lengths can be followed.
    var bandOffsets: [Int] {
        var offsets: [Int] = []
        var offset = headerLength
        while offset + 28 <= bytes.count {
            offsets.append(offset)
            offset += 28 + Int(field(at: offset + 16, UInt32.self))
        }
        return offsets
    }

    /// Makes every checksum right again.
    mutating func sign() {
        guard headerLength >= 28, headerLength <= bytes.count else { return }
        let header = crc(0, bytes[..<(headerLength - 4)])
        set(header, at: headerLength - 4)
        for offset in bandOffsets {
            let end = min(bytes.count, offset + 28 + Int(field(at: offset + 16, UInt32.self)))
            set(crc(crc(header, bytes[offset..<offset + 24]), bytes[(offset + 28)..<end]), at: offset + 24)
        }
    }

    private func crc(_ seed: UInt32, _ part: ArraySlice<UInt8>) -> UInt32 {
        guard !part.isEmpty else { return seed }
        return part.withUnsafeBufferPointer { UInt32(crc32(uLong(seed), $0.baseAddress, uInt($0.count))) }
    }
}

/// zlib's own one-call decompressor.
func stockInflate(_ stream: ArraySlice<UInt8>, length: Int) -> [UInt8]? {
    var output = [UInt8](repeating: 0, count: length)
    var written = uLongf(length)
    let status = stream.withUnsafeBufferPointer { stream in
        output.withUnsafeMutableBufferPointer {
            uncompress($0.baseAddress, &written, stream.baseAddress, uLong(stream.count))
        }
    }
    return status == Z_OK && written == length ? output : nil
}

/// zlib's own one-call compressor, level 9.
func stockDeflate(_ bytes: [UInt8]) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: Int(compressBound(uLong(bytes.count))))
    var written = uLongf(output.count)
    let status = output.withUnsafeMutableBufferPointer { output in
        bytes.withUnsafeBufferPointer { compress2(output.baseAddress, &written, $0.baseAddress, uLong($0.count), 9) }
    }
    precondition(status == Z_OK)
    return Array(output[..<Int(written)])
}
