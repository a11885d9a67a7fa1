internal import CZlib

/// A compressor of our own for packed symbols: Huffman codes and runs, no other matches.
///
/// The bytes of a boundary tensor repeat each other only where nothing happens, so a search for matches finds runs of one
/// byte or loses. This compressor looks for nothing else: it counts the bytes of a block, decides from their frequencies how
/// long a run must be to pay for a match at distance one, and codes the block with codes of its own (RFC 1951 §3.2.7). The
/// result is a zlib stream (RFC 1950) that any zlib decodes. Against `Z_RLE` of stock zlib it needs no window, no hash and
/// no lazy step, and its blocks are as long as the band, not 16,383 symbols.
///
/// Memory is kept from call to call.
struct BlockDeflater: ~Copyable {
    private var runs = UnsafeMutableBufferPointer<Run>(start: nil, count: 0)
    private var packing = CodeLengthPacking()
    private let work: UnsafeMutablePointer<Work>

    /// Bytes that repeat the one before them and are sent as matches.
    private struct Run {
        let start: UInt32
        let count: UInt32
    }

    /// Tables of one block.
    private struct Work {
        /// Two more than may be used: the fixed code has them.
        static let literalCodes = 288
        /// Four histograms, so that equal neighbours do not wait for each other.
        let counts = UnsafeMutablePointer<UInt32>.allocate(capacity: 4 * 256)
        let literalCounts = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: literalCodes)
        let literalLengths = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: literalCodes)
        let codes = UnsafeMutablePointer<UInt32>.allocate(capacity: literalCodes)
        /// The shortest run that becomes a match, by byte.
        let shortestRun = UnsafeMutablePointer<Int>.allocate(capacity: 256)

        func deallocate() {
            counts.deallocate()
            literalCounts.deallocate()
            literalLengths.deallocate()
            codes.deallocate()
            shortestRun.deallocate()
        }
    }

    init() {
        work = .allocate(capacity: 1)
        work.initialize(to: Work())
    }

    deinit {
        work.pointee.deallocate()
        work.deallocate()
        runs.deallocate()
    }

    /// Longest input of one block: its bytes and frequencies stay in the second-level cache.
    private static var blockBytes: Int { 128 << 10 }
    private static var endOfBlock: Int { 256 }
    /// Codes of literals and lengths are no longer, so that four go into a word behind the seven bits that may be in it.
    private static var longestCode: Int { 14 }
    private static var longestRun: Int { 258 }
    /// Bytes that the writer may store past what it has written.
    private static var slack: Int { 8 }
    /// Blocks below this do not repay a code of their own and take the fixed one (RFC 1951 §3.2.6).
    private static var shortBlock: Int { 128 }

    /// Compresses all of `input` into one zlib stream.
    ///
    /// - Parameter blockEnds: where a block must end because the bytes after it are of another kind: ascending, the last the
    ///   end of `input`. Long blocks are divided further.
    /// - Returns: the number of bytes written, or nil when the stream does not fit `output`.
    mutating func compress(
        _ input: UnsafeBufferPointer<UInt8>, blockEnds: [Int] = [], into output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int? {
        guard input.count > 0, output.count > 6 + Self.slack else { return nil }
        // CMF: deflate, 32 KiB window; FLG: fastest, and the check bits.
        output[0] = 0x78
        output[1] = 0x01
        var writer = BitWriter(UnsafeMutableBufferPointer(rebasing: output[2...]))
        var start = 0
        for blockEnd in blockEnds.isEmpty ? [input.count] : blockEnds {
            while start < blockEnd {
                let end = min(start + Self.blockBytes, blockEnd)
                guard
                    writeBlock(
                        UnsafeBufferPointer(rebasing: input[start..<end]), isLast: end == input.count, to: &writer)
                else { return nil }
                start = end
            }
        }
        guard let written = writer.finish(reserving: 4) else { return nil }
        let sum = UInt32(truncatingIfNeeded: adler32_z(1, input.baseAddress, input.count))
        UnsafeMutableRawPointer(output.baseAddress! + 2 + written).storeBytes(of: sum.bigEndian, as: UInt32.self)
        return 2 + written + 4
    }

    private mutating func writeBlock(
        _ input: UnsafeBufferPointer<UInt8>, isLast: Bool, to writer: inout BitWriter
    ) -> Bool {
        let mostRuns = input.count / 4 + 1
        if runs.count < mostRuns {
            runs.deallocate()
            runs = .allocate(capacity: mostRuns)
        }
        let work = work.pointee
        count(input, work)
        let runCount = findRuns(input, work)
        let lengths = work.literalLengths
        let isFixed = input.count < Self.shortBlock
        if isFixed {
            for symbol in lengths.indices { lengths[symbol] = PrefixCode.fixedLength(ofLiteral: symbol) }
        } else {
            PrefixCode.fillLengths(
                lengths.baseAddress!, counts: UnsafeBufferPointer(work.literalCounts), limit: Self.longestCode)
        }
        PrefixCode.fillCodes(work.codes, lengths: UnsafeBufferPointer(lengths))
        guard
            isFixed
                ? writer.add(isLast ? 0b011 : 0b010, bits: 3) : writeHeader(isLast: isLast, work, to: &writer)
        else { return false }
        return writeSymbols(
            input, UnsafeBufferPointer(rebasing: runs[..<runCount]), codes: work.codes,
            distanceBits: isFixed ? 5 : 1, to: &writer)
    }

    // MARK: Counting

    private func count(_ input: UnsafeBufferPointer<UInt8>, _ work: Work) {
        let counts = work.counts
        counts.update(repeating: 0, count: 4 * 256)
        let base = input.baseAddress!
        var index = 0
        while index &+ 8 <= input.count {
            var word = UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)
            for lane in 0..<8 {
                counts[(lane & 3) &* 256 &+ Int(word & 255)] &+= 1
                word &>>= 8
            }
            index &+= 8
        }
        while index < input.count {
            counts[Int(base[index])] &+= 1
            index &+= 1
        }
        // A match costs about as much as a rare literal, its extra bits and one bit of distance.
        let matchBits: Float = 9
        let total = Float(input.count)
        for byte in 0..<256 {
            let frequency = counts[byte] &+ counts[256 &+ byte] &+ counts[512 &+ byte] &+ counts[768 &+ byte]
            let bits = max(1, binaryLogarithm(total / Float(max(frequency, 1))))
            work.shortestRun[byte] = max(4, Int(matchBits / bits) &+ 1)
        }
    }

    /// Within 0.09 of it, for positive finite numbers.
    private func binaryLogarithm(_ value: Float) -> Float {
        Float(Int(value.exponent)) + value.significand - 1
    }

    /// Fills `runs` and the frequencies of literals and lengths.
    ///
    /// - Returns: the number of runs.
    private func findRuns(_ input: UnsafeBufferPointer<UInt8>, _ work: Work) -> Int {
        let frequencies = work.literalCounts
        for symbol in 0..<256 {
            frequencies[symbol] =
                work.counts[symbol] &+ work.counts[256 &+ symbol] &+ work.counts[512 &+ symbol]
                &+ work.counts[768 &+ symbol]
        }
        for symbol in 256..<Work.literalCodes { frequencies[symbol] = 0 }
        frequencies[Self.endOfBlock] = 1
        let base = input.baseAddress!
        let runs = runs.baseAddress!
        var found = 0
        func add(from start: Int, count: Int) {
            let byte = Int(base[start])
            guard count >= work.shortestRun[byte] else { return }
            runs[found] = Run(
                start: UInt32(truncatingIfNeeded: start &+ 1), count: UInt32(truncatingIfNeeded: count))
            found &+= 1
            frequencies[byte] &-= UInt32(truncatingIfNeeded: count)
            var left = count
            while left > 0 {
                let length = Self.matchLength(of: left)
                frequencies[257 &+ Int(RunLengthCode.index(of: length))] &+= 1
                left &-= length
            }
        }
        // Bytes that equal their successor are bits, 64 at a time: most tell at a glance that no run begins.
        let pairs = input.count - 1
        var start = 0
        /// Where a run began that the last bits seen are part of.
        var open: Int?
        while start < pairs {
            let bits = equalSuccessors(base + start, count: min(64, pairs &- start))
            var begins = bits & (bits &>> 1) & (bits &>> 2) & (bits &>> 3)
            if let first = open {
                let ones = (~bits).trailingZeroBitCount
                if ones < 64 {
                    add(from: first, count: start &+ ones &- first)
                    open = nil
                    // They begin nothing.
                    begins &= begins &+ 1
                }
            }
            if open == nil {
                while begins != 0 {
                    let first = begins.trailingZeroBitCount
                    let ones = (~(bits &>> UInt64(first))).trailingZeroBitCount
                    let end = first &+ ones
                    if end == 64 { break }
                    add(from: start &+ first, count: ones)
                    begins &= UInt64.max &<< UInt64(end)
                }
                let last = (~bits).leadingZeroBitCount
                if last > 0 { open = start &+ 64 &- last }
            }
            start &+= 64
        }
        if let first = open { add(from: first, count: pairs &- first) }
        return found
    }

    /// A bit for each of up to 64 bytes, the lowest first: whether the next byte is the same.
    @inline(__always)
    private func equalSuccessors(_ bytes: UnsafePointer<UInt8>, count: Int) -> UInt64 {
        var bits: UInt64 = 0
        if count == 64 {
            for group in 0..<8 {
                let word = UnsafeRawPointer(bytes + 8 &* group).loadUnaligned(as: UInt64.self).littleEndian
                let next = UnsafeRawPointer(bytes + (8 &* group &+ 1)).loadUnaligned(as: UInt64.self).littleEndian
                // The product gathers the lowest bits of eight bytes in the highest byte.
                let same = ((zeroBytes(word ^ next) &>> 7) &* 0x0102_0408_1020_4080) &>> 56
                bits |= same &<< UInt64(8 &* group)
            }
        } else {
            for index in 0..<count where bytes[index] == bytes[index &+ 1] { bits |= 1 &<< UInt64(index) }
        }
        return bits
    }

    /// The length of the first match of so many bytes; no remainder of one or two, which have no length code.
    @inline(__always)
    private static func matchLength(of left: Int) -> Int {
        left <= longestRun ? left : min(longestRun, left &- 3)
    }

    /// 0x80 in each byte that is zero, else 0 (exact, no carries between bytes).
    @inline(__always)
    private func zeroBytes(_ word: UInt64) -> UInt64 {
        let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
        return ~(((word & low) &+ low) | word | low)
    }

    // MARK: Writing

    /// Block header, code lengths as RFC 1951 §3.2.7 packs them; one distance code, for distance one.
    private mutating func writeHeader(isLast: Bool, _ work: Work, to writer: inout BitWriter) -> Bool {
        let lengths = work.literalLengths
        var used = Work.literalCodes
        while used > 257, lengths[used - 1] == 0 { used -= 1 }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Work.literalCodes + 1) { sequence in
            // The distance code's only length follows the literals'.
            for index in 0..<used { sequence[index] = lengths[index] }
            sequence[used] = 1
            packing.reset()
            packing.add(UnsafeBufferPointer(rebasing: sequence[...used]))
            return packing.write(literalCodes: used, distanceCodes: 1, isLast: isLast, to: &writer)
        }
    }

    private func writeSymbols(
        _ input: UnsafeBufferPointer<UInt8>, _ runs: UnsafeBufferPointer<Run>, codes: UnsafePointer<UInt32>,
        distanceBits: UInt32, to writer: inout BitWriter
    ) -> Bool {
        guard var position = input.baseAddress else { return writer.add(codes[Self.endOfBlock]) }
        let start = position
        let end = start + input.count
        for run in runs {
            let match = start + Int(run.start)
            guard writeLiterals(position, to: match, codes, to: &writer) else { return false }
            var left = Int(run.count)
            position = match + left
            while left > 0 {
                let length = Self.matchLength(of: left)
                left &-= length
                // A code of up to 14 bits, up to five extra bits, up to five of the distance.
                guard writer.room >= 8 else { return false }
                let index = RunLengthCode.index(of: length)
                writer.append(codes[257 &+ index])
                // The extra bits, then the code of distance one: zeros, only one in a code of the block's own.
                let extra = UInt32(RunLengthCode.extraBits[index])
                writer.append(UInt32(length &- Int(RunLengthCode.first[index])), bits: extra &+ distanceBits)
                writer.flush()
            }
        }
        return writeLiterals(position, to: end, codes, to: &writer) && writer.add(codes[Self.endOfBlock])
    }

    @inline(__always)
    private func writeLiterals(
        _ first: UnsafePointer<UInt8>, to end: UnsafePointer<UInt8>, _ codes: UnsafePointer<UInt32>,
        to writer: inout BitWriter
    ) -> Bool {
        var position = first
        while position < end {
            // Room is checked once for as many literals as surely fit: none takes more than two bytes.
            let fitting = min(end - position, writer.room / 2)
            guard fitting > 0 else { return false }
            let stop = position + fitting
            while position + 4 <= stop {
                writer.append(codes[Int(position[0])])
                writer.append(codes[Int(position[1])])
                writer.append(codes[Int(position[2])])
                writer.append(codes[Int(position[3])])
                writer.flush()
                position += 4
            }
            while position < stop {
                writer.append(codes[Int(position.pointee)])
                writer.flush()
                position += 1
            }
        }
        return true
    }
}
