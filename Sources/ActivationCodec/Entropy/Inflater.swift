internal import CZlib

/// Decompresses zlib streams (RFC 1950, RFC 1951) whose decompressed length is known beforehand.
///
/// Made for the bands of a container: one call, one stream, output that must be filled exactly. So there is no window, no
/// state between calls, and most symbols are taken without a look at any bound: bits come in words of 56, and a table entry
/// yields up to two literals. Near either end of the memory every symbol is checked. It accepts what stock zlib accepts
/// and refuses what it refuses; tests hold it to that.
///
/// Holds 10 KB of tables, kept from call to call.
package struct Inflater: ~Copyable {
    private let tables: UnsafeMutablePointer<Tables>

    private struct Tables {
        // Room for the worst second tables there are: 310 and 146 entries, as zlib's `enough.c` counts them.
        let literals = InflateTable(indexBits: 10, capacity: 1024 + 310)
        let distances = InflateTable(indexBits: 8, capacity: 256 + 146)
        let lengths = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 288 + 32)
    }

    package init() {
        tables = .allocate(capacity: 1)
        tables.initialize(to: Tables())
    }

    deinit {
        tables.pointee.literals.deallocate()
        tables.pointee.distances.deallocate()
        tables.pointee.lengths.deallocate()
        tables.deallocate()
    }

    /// Decompresses one zlib stream that must fill `output` exactly and use up all of `input`.
    ///
    /// - Throws: `corruptPayload` when the stream is damaged, ends early, has a tail, or is shorter or longer than
    ///   `output`.
    package mutating func decompress(
        _ input: UnsafeBufferPointer<UInt8>, filling output: UnsafeMutableBufferPointer<UInt8>,
        at location: CodecError.Location
    ) throws(CodecError) {
        guard input.count > 0, output.count > 0, input.count <= UInt32.max, output.count <= UInt32.max else {
            throw CodecError(
                .corruptPayload, "zlib stream", at: location, expected: "1...2^32-1 bytes", got: "\(output.count)")
        }
        var reader = BitReader(input)
        var written = 0
        switch inflate(&reader, into: output, written: &written) {
        case nil:
            let unread = reader.unreadBytes
            guard unread == 0 else {
                throw CodecError(
                    .corruptPayload, "bytes after the zlib stream", at: location, expected: "0", got: "\(unread)")
            }
        case .short:
            throw CodecError(
                .corruptPayload, "zlib stream is short", at: location, expected: "\(output.count) bytes",
                got: "\(written)")
        case .long:
            throw CodecError(
                .corruptPayload, "zlib stream is longer than declared", at: location,
                expected: "\(output.count) bytes", got: "more, or no end")
        case .truncated:
            throw CodecError(
                .corruptPayload, "zlib stream ends early", at: location, expected: "\(output.count) bytes",
                got: "\(written)")
        case .damaged(let reason):
            throw CodecError(.corruptPayload, "zlib stream", at: location, expected: "RFC 1950", got: reason)
        }
    }

    private enum Failure {
        /// The last block ended before the output was full.
        case short
        /// The output is full and the last block has not ended.
        case long
        case truncated
        case damaged(String)
    }

    /// - Returns: nil when the stream ended, was right, and filled the output.
    private func inflate(
        _ reader: inout BitReader, into output: UnsafeMutableBufferPointer<UInt8>, written: inout Int
    ) -> Failure? {
        guard let first = reader.take(8), let second = reader.take(8) else { return .truncated }
        guard (first << 8 | second) % 31 == 0 else { return .damaged("incorrect header check") }
        guard first & 15 == 8 else { return .damaged("unknown compression method") }
        guard first >> 4 <= 7 else { return .damaged("invalid window size") }
        guard second & 0x20 == 0 else { return .damaged("a preset dictionary") }
        var isLast = false
        while !isLast {
            guard let header = reader.take(3) else { return .truncated }
            isLast = header & 1 == 1
            let failure: Failure?
            switch header >> 1 {
            case 0: failure = copyStored(&reader, output, &written)
            case 1:
                setFixedCodes()
                failure = decodeBlock(&reader, output, &written)
            case 2: failure = readCodes(&reader) ?? decodeBlock(&reader, output, &written)
            default: failure = .damaged("invalid block type")
            }
            if let failure { return failure }
        }
        guard written == output.count else { return .short }
        reader.alignToByte()
        guard let declared = reader.take(32) else { return .truncated }
        let sum = UInt32(truncatingIfNeeded: adler32_z(1, output.baseAddress, output.count))
        return UInt32(declared).byteSwapped == sum ? nil : .damaged("incorrect data check")
    }

    private func copyStored(
        _ reader: inout BitReader, _ output: UnsafeMutableBufferPointer<UInt8>, _ written: inout Int
    ) -> Failure? {
        reader.alignToByte()
        guard let length = reader.take(16), let complement = reader.take(16) else { return .truncated }
        guard length == ~complement & 0xFFFF else { return .damaged("invalid stored block lengths") }
        let source = reader.takeBytes(Int(length))
        let room = output.count - written
        let count = min(source.count, room)
        if count > 0 { (output.baseAddress! + written).update(from: source.baseAddress!, count: count) }
        written += count
        if count == length { return nil }
        return count == room ? .long : .truncated
    }

    // MARK: Codes

    private func setFixedCodes() {
        let tables = tables.pointee
        let lengths = tables.lengths
        for symbol in 0..<288 { lengths[symbol] = PrefixCode.fixedLength(ofLiteral: symbol) }
        for symbol in 0..<32 { lengths[288 + symbol] = 5 }
        _ = tables.literals.fill(UnsafeBufferPointer(rebasing: lengths[..<288]), of: .literalsAndLengths)
        _ = tables.distances.fill(UnsafeBufferPointer(rebasing: lengths[288...]), of: .distances)
    }

    /// Reads the codes of a dynamic block (RFC 1951 §3.2.7).
    private func readCodes(_ reader: inout BitReader) -> Failure? {
        let tables = tables.pointee
        let lengths = tables.lengths
        guard let counts = reader.take(14) else { return .truncated }
        let literalCount = Int(counts & 31) + 257
        let distanceCount = Int(counts >> 5 & 31) + 1
        guard literalCount <= 286, distanceCount <= 30 else {
            return .damaged("too many length or distance symbols")
        }
        for symbol in 0..<19 { lengths[symbol] = 0 }
        for index in 0..<Int(counts >> 10) + 4 {
            guard let length = reader.take(3) else { return .truncated }
            lengths[Int(CodeLengthPacking.order[index])] = UInt8(length)
        }
        guard tables.distances.fill(UnsafeBufferPointer(rebasing: lengths[..<19]), of: .codeLengths) else {
            return .damaged("invalid code lengths set")
        }
        let total = literalCount + distanceCount
        var index = 0
        while index < total {
            guard let symbol = reader.take(through: tables.distances) else { return .truncated }
            if symbol < 16 {
                lengths[index] = UInt8(symbol)
                index += 1
                continue
            }
            guard symbol > 16 || index > 0 else { return .damaged("invalid bit length repeat") }
            let extraBits: UInt64 = symbol == 16 ? 2 : symbol == 17 ? 3 : 7
            guard let extra = reader.take(extraBits) else { return .truncated }
            let count = Int(extra) + (symbol == 18 ? 11 : 3)
            guard index + count <= total else { return .damaged("invalid bit length repeat") }
            let length = symbol == 16 ? lengths[index - 1] : 0
            for _ in 0..<count {
                lengths[index] = length
                index += 1
            }
        }
        guard lengths[256] > 0 else { return .damaged("invalid code: missing end-of-block") }
        guard tables.literals.fill(UnsafeBufferPointer(rebasing: lengths[..<literalCount]), of: .literalsAndLengths)
        else { return .damaged("invalid literal/lengths set") }
        guard tables.distances.fill(UnsafeBufferPointer(rebasing: lengths[literalCount..<total]), of: .distances)
        else { return .damaged("invalid distances set") }
        return nil
    }

    // MARK: Symbols

    /// Decodes the symbols of a block, up to and with its end.
    private func decodeBlock(
        _ reader: inout BitReader, _ output: UnsafeMutableBufferPointer<UInt8>, _ written: inout Int
    ) -> Failure? {
        let literals = tables.pointee.literals
        let distances = tables.pointee.distances
        let start = output.baseAddress!
        let end = start + output.count
        var target = start + written
        defer { written = target - start }
        while true {
            // Far from both ends: a round takes at most 13 bytes of input (56 + 48 bits) and writes no more than ten
            // literals and a match, which may overrun by a word.
            while reader.hasRoomForRound, end - target >= 10 + 258 + 8 {
                reader.refill()
                var entry = literals.entry(reader.bits)
                var round = 0
                while entry.isLiteral, round < 5 {
                    UnsafeMutableRawPointer(target).storeBytes(of: entry.literalPair, as: UInt16.self)
                    target += entry.literalCount
                    reader.drop(entry.bits)
                    entry = literals.entry(reader.bits)
                    round &+= 1
                }
                if round == 5 { continue }
                reader.refill()
                if entry.isLink {
                    entry = literals.entry(reader.bits, through: entry)
                    if entry.isLiteral {
                        target.pointee = UInt8(truncatingIfNeeded: entry.literalPair)
                        target += 1
                        reader.drop(entry.bits)
                        continue
                    }
                }
                guard entry.isMatch else {
                    guard entry.isEndOfBlock else { return .damaged("invalid literal/length code") }
                    reader.drop(entry.bits)
                    return nil
                }
                reader.drop(entry.bits)
                let length = entry.base &+ reader.takeLoaded(entry.extraBits)
                var distanceEntry = distances.entry(reader.bits)
                if distanceEntry.isLink { distanceEntry = distances.entry(reader.bits, through: distanceEntry) }
                guard distanceEntry.isMatch else { return .damaged("invalid distance code") }
                reader.drop(distanceEntry.bits)
                let distance = distanceEntry.base &+ reader.takeLoaded(distanceEntry.extraBits)
                guard distance <= target - start else { return .damaged("invalid distance too far back") }
                copyMatch(target, distance: distance, length: length)
                target += length
            }
            // Near an end: one symbol, with every bound checked.
            reader.refillCarefully()
            var entry = literals.entry(reader.bits)
            if entry.isLink { entry = literals.entry(reader.bits, through: entry) }
            if entry.isLiteral {
                let bits = entry.firstLiteralBits
                guard reader.has(bits) else { return .truncated }
                guard target < end else { return .long }
                target.pointee = UInt8(truncatingIfNeeded: entry.literalPair)
                target += 1
                reader.drop(bits)
                continue
            }
            guard reader.has(max(entry.bits, 1)) else { return .truncated }
            guard entry.isMatch else {
                guard entry.isEndOfBlock else { return .damaged("invalid literal/length code") }
                reader.drop(entry.bits)
                return nil
            }
            reader.drop(entry.bits)
            guard let lengthExtra = reader.take(UInt64(entry.extraBits)) else { return .truncated }
            let length = entry.base &+ Int(lengthExtra)
            reader.refillCarefully()
            var distanceEntry = distances.entry(reader.bits)
            if distanceEntry.isLink { distanceEntry = distances.entry(reader.bits, through: distanceEntry) }
            guard reader.has(max(distanceEntry.bits, 1)) else { return .truncated }
            guard distanceEntry.isMatch else { return .damaged("invalid distance code") }
            reader.drop(distanceEntry.bits)
            guard let distanceExtra = reader.take(UInt64(distanceEntry.extraBits)) else { return .truncated }
            let distance = distanceEntry.base &+ Int(distanceExtra)
            guard distance <= target - start else { return .damaged("invalid distance too far back") }
            let count = min(length, end - target)
            for index in 0..<count { target[index] = target[index &- distance] }
            target += count
            guard count == length else { return .long }
        }
    }

    /// Copies a match that may overlap itself; writes up to seven bytes more than `length`.
    @inline(__always)
    private func copyMatch(_ target: UnsafeMutablePointer<UInt8>, distance: Int, length: Int) {
        if distance == 1 {
            let pattern = UInt64((target - 1).pointee) &* 0x0101_0101_0101_0101
            var index = 0
            while index < length {
                UnsafeMutableRawPointer(target + index).storeBytes(of: pattern, as: UInt64.self)
                index &+= 8
            }
        } else if distance >= 8 {
            var index = 0
            while index < length {
                let word = UnsafeRawPointer(target + (index &- distance)).loadUnaligned(as: UInt64.self)
                UnsafeMutableRawPointer(target + index).storeBytes(of: word, as: UInt64.self)
                index &+= 8
            }
        } else {
            for index in 0..<length { target[index] = target[index &- distance] }
        }
    }
}
