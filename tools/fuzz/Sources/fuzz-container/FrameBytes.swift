internal import CZlib
internal import Fuzzing
internal import TestSupport

/// A frame taken apart by the written format alone, to be changed and signed again.
struct FrameBytes {
    private(set) var bytes: [UInt8]

    private static let prefixLength = 24
    private static let tensorRecordLength = 32
    private static let bandRecordLength = 28

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private func field<Value: FixedWidthInteger>(at offset: Int, _: Value.Type) -> Value? {
        guard offset >= 0, offset + MemoryLayout<Value>.size <= bytes.count else { return nil }
        return Value(littleEndian: bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) })
    }

    private mutating func set(_ value: some FixedWidthInteger, at offset: Int) {
        withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
    }

    /// `nil` when the header does not fit the frame.
    private var headerLength: Int? {
        guard let length = field(at: 16, UInt32.self).map(Int.init), length >= Self.prefixLength + 4,
            length <= bytes.count
        else { return nil }
        return length
    }

    /// Where each band begins, as far as lengths can be followed.
    private var bandOffsets: [Int] {
        guard var offset = headerLength else { return [] }
        var offsets: [Int] = []
        while offset + Self.bandRecordLength <= bytes.count, let length = field(at: offset + 16, UInt32.self) {
            offsets.append(offset)
            offset += Self.bandRecordLength + Int(length)
        }
        return offsets
    }

    /// Changes the header, the record of a band or its payload; a payload that grows or shrinks has its new length in the
    /// record.
    mutating func mutate(limit: Int, using generator: inout SplitMix64) {
        guard let headerLength, let band = bandOffsets.randomElement(using: &generator) else { return }
        let room = max(limit - bytes.count, 0)
        switch Int.random(in: 0..<8, using: &generator) {
        case 0...1:
            // The length of the header follows.
            let header = Self.prefixLength..<headerLength - 4
            let changed = mutated(bytes[header], limit: header.count + room)
            bytes.replaceSubrange(header, with: changed)
            set(UInt32(truncatingIfNeeded: Self.prefixLength + changed.count + 4), at: 16)
        case 2:
            bytes.replaceSubrange(
                ..<Self.prefixLength, with: mutated(bytes[..<Self.prefixLength], limit: 24).padded(24))
        case 3:
            let record = band..<band + 24
            bytes.replaceSubrange(record, with: mutated(bytes[record], limit: 24).padded(24))
        case 4:
            // A band is sent twice, or not at all.
            let end = min(bytes.count, band + Self.bandRecordLength + Int(field(at: band + 16, UInt32.self) ?? 0))
            let copy = Bool.random(using: &generator) ? bytes[band..<end] + bytes[band..<end] : []
            bytes.replaceSubrange(band..<end, with: copy)
        case 5...6 where inflated(band) != nil:
            // Below the zlib stream, whose lengths follow.
            let payload = inflated(band) ?? []
            let changed = mutated(payload[...], limit: payload.count + room)
            let stream = deflated(changed)
            let end = min(bytes.count, band + Self.bandRecordLength + Int(field(at: band + 16, UInt32.self) ?? 0))
            bytes.replaceSubrange((band + Self.bandRecordLength)..<end, with: stream)
            set(UInt32(truncatingIfNeeded: stream.count), at: band + 16)
            set(UInt32(truncatingIfNeeded: changed.count), at: band + 20)
        default:
            let start = band + Self.bandRecordLength
            let end = min(bytes.count, start + Int(field(at: band + 16, UInt32.self) ?? 0))
            let payload = mutated(bytes[start..<end], limit: end - start + room)
            bytes.replaceSubrange(start..<end, with: payload)
            set(UInt32(truncatingIfNeeded: payload.count), at: band + 16)
        }
    }

    /// What the payload of a band decompresses to; nil when it is no zlib stream of the declared length.
    private func inflated(_ band: Int) -> [UInt8]? {
        let start = band + Self.bandRecordLength
        let end = min(bytes.count, start + Int(field(at: band + 16, UInt32.self) ?? 0))
        guard bytes[band + 2] & 1 == 1, start < end, let length = field(at: band + 20, UInt32.self), length < 1 << 16
        else { return nil }
        var output = [UInt8](repeating: 0, count: Int(length))
        var written = uLongf(length)
        let status = bytes[start..<end].withUnsafeBufferPointer { stream in
            output.withUnsafeMutableBufferPointer {
                uncompress($0.baseAddress, &written, stream.baseAddress, uLong(stream.count))
            }
        }
        return status == Z_OK && written == length ? output : nil
    }

    private func deflated(_ payload: [UInt8]) -> [UInt8] {
        var written = compressBound(uLong(payload.count))
        var output = [UInt8](repeating: 0, count: Int(written))
        output.withUnsafeMutableBufferPointer { output in
            payload.withUnsafeBufferPointer {
                _ = compress2(output.baseAddress, &written, $0.baseAddress, uLong($0.count), 1)
            }
        }
        return Array(output[..<Int(written)])
    }

    /// Makes every checksum right.
    mutating func sign() {
        guard let headerLength else { return }
        let header = crc(0, bytes[..<(headerLength - 4)])
        set(header, at: headerLength - 4)
        for offset in bandOffsets {
            let start = offset + Self.bandRecordLength
            let end = min(bytes.count, start + Int(field(at: offset + 16, UInt32.self) ?? 0))
            set(crc(crc(header, bytes[offset..<offset + 24]), bytes[start..<end]), at: offset + 24)
        }
    }

    private func crc(_ seed: UInt32, _ part: ArraySlice<UInt8>) -> UInt32 {
        guard !part.isEmpty else { return seed }
        return part.withUnsafeBufferPointer { UInt32(crc32(uLong(seed), $0.baseAddress, uInt($0.count))) }
    }
}

extension [UInt8] {
    /// Exactly `count` bytes: zeros are added where there are fewer.
    fileprivate func padded(_ count: Int) -> [UInt8] {
        Array(prefix(count)) + [UInt8](repeating: 0, count: Swift.max(count - self.count, 0))
    }
}
