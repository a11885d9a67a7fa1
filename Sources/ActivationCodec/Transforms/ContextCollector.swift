/// Takes the symbols of a band out of buckets, in the order of the walk of ``ContextOrder``.
///
/// Memory is kept from band to band.
struct ContextCollector: ~Copyable {
    private var expanded = ScratchBuffer<UInt8>()
    private var buckets: [ContextOrder.Bucket] = []
    private let bucketOfSum = UnsafeMutablePointer<UInt8>.allocate(capacity: ContextOrder.sumLimit)
    private let front = UnsafeMutablePointer<UnsafePointer<UInt8>>.allocate(capacity: ContextOrder.maximumBuckets)
    private let back = UnsafeMutablePointer<UnsafePointer<UInt8>>.allocate(capacity: ContextOrder.maximumBuckets)
    private var sums = ScratchBuffer<UInt16>()

    deinit {
        bucketOfSum.deallocate()
        front.deallocate()
        back.deallocate()
    }

    /// Fills a field, arranged and with its rows above set, from a payload.
    ///
    /// - Parameter levels: how many levels a symbol can name; 256 for codes.
    /// - Throws: `corruptPayload` when the payload is none.
    mutating func collect(
        _ payload: UnsafeBufferPointer<UInt8>, into field: borrowing SymbolField, levels: Int,
        at location: CodecError.Location
    ) throws(CodecError) {
        let start = try parse(payload, symbols: field.symbolCount, levels: levels, at: location)
        let isRight = expand(
            UnsafeBufferPointer(rebasing: payload[start...]), symbols: field.symbolCount, levels: levels)
        guard isRight else {
            throw CodecError(
                .corruptPayload, "bucket of symbols", at: location, expected: "symbols and flags that fit",
                got: "others")
        }
        walk(field)
        guard buckets.indices.allSatisfy({ front[$0] == back[$0] }) else {
            throw CodecError(
                .corruptPayload, "symbols sorted by context", at: location, expected: "as many as the contexts take",
                got: "more or fewer")
        }
    }

    /// Reads the records; afterwards the buckets hold `symbols` symbols and fill what follows the records exactly.
    ///
    /// - Returns: where their bytes begin.
    private mutating func parse(
        _ payload: UnsafeBufferPointer<UInt8>, symbols: Int, levels: Int, at location: CodecError.Location
    ) throws(CodecError) -> Int {
        func wrong(_ what: String, _ expected: String, _ got: Int) -> CodecError {
            CodecError(.corruptPayload, what, at: location, expected: expected, got: "\(got)")
        }
        let count = Int(payload[0])
        guard (1...ContextOrder.maximumBuckets).contains(count) else {
            throw wrong("number of buckets", "1...\(ContextOrder.maximumBuckets)", count)
        }
        let start = 1 + count * ContextOrder.recordLength
        guard payload.count >= start else { throw wrong("bucket records", "\(start) bytes", payload.count) }
        buckets.removeAll(keepingCapacity: true)
        var (symbolsLeft, bytesLeft, last) = (symbols, payload.count - start, -1)
        for index in 0..<count {
            let record = payload.baseAddress! + (1 + index * ContextOrder.recordLength)
            func number(_ offset: Int, bytes: Int) -> Int {
                (0..<bytes).reduce(0) { $0 | Int(record[offset + $1]) << (8 * $1) }
            }
            var bucket = ContextOrder.Bucket(limit: number(0, bytes: 2), count: number(4, bytes: 3))
            bucket.others = number(7, bytes: 3)
            let usual = record[3]
            switch record[2] {
            case 0: bucket.form = .bytes
            case 1: bucket.form = .flags(usual: usual)
            case 2...8 where levels <= LevelQuantizer.levelLimits.upperBound:
                let perByte = Int(record[2])
                guard LevelPacking.fits(levels: levels, perByte: perByte) else { fallthrough }
                bucket.form = .digits(perByte: perByte)
            default: throw wrong("form of a bucket", "one that \(levels) levels have", Int(record[2]))
            }
            let hasFlags = record[2] == 1
            guard hasFlags ? bucket.others <= bucket.count : bucket.others == 0 && usual == 0 else {
                throw wrong("record of a bucket", "others among its symbols", bucket.others)
            }
            guard bucket.limit > last, index < count - 1 || bucket.limit == ContextOrder.lastLimit else {
                throw wrong("limit of a bucket", "ascending, the last \(ContextOrder.lastLimit)", bucket.limit)
            }
            last = bucket.limit
            symbolsLeft -= bucket.count
            bytesLeft -= bucket.byteCount
            buckets.append(bucket)
        }
        guard symbolsLeft == 0, bytesLeft == 0 else {
            throw wrong("sizes of buckets", "\(symbols) symbols in \(payload.count) bytes", symbols - symbolsLeft)
        }
        return start
    }

    /// Spreads every bucket to one byte a symbol and sets `front` and `back` to its ends.
    ///
    /// - Returns: false when a bucket's bytes are no packing of its symbols.
    private mutating func expand(_ bytes: UnsafeBufferPointer<UInt8>, symbols: Int, levels: Int) -> Bool {
        // A false payload may have the walk take any bucket for every symbol, from either end: room for that on both sides,
        // where it reads what it likes, before the ends are found not to meet.
        let memory = expanded.reserve(3 * symbols + LevelPacking.expansionSlack).baseAddress!
        guard var input = bytes.baseAddress else { return symbols == 0 }
        var output = memory + symbols
        for (index, bucket) in buckets.enumerated() {
            let source = UnsafeBufferPointer(start: input, count: bucket.byteCount)
            switch bucket.form {
            case .bytes: output.update(from: input, count: bucket.count)
            case .flags(let usual):
                guard Self.spread(source, bucket, usual: usual, to: output) else { return false }
            case .digits(let perByte):
                guard LevelPacking.unpack(source, levels: levels, perByte: perByte, to: output) else { return false }
                let all = source.count * perByte
                guard (bucket.count..<all).allSatisfy({ output[$0] == 0 }) else { return false }
            }
            // Levels beyond the last would be looked up where no code is.
            guard levels == 256 || (0..<bucket.count).allSatisfy({ Int(output[$0]) < levels }) else { return false }
            front[index] = UnsafePointer(output)
            output += bucket.count
            back[index] = UnsafePointer(output)
            input += bucket.byteCount
        }
        return true
    }

    /// Turns flags and the symbols that are not the usual one into symbols.
    private static func spread(
        _ source: UnsafeBufferPointer<UInt8>, _ bucket: ContextOrder.Bucket, usual: UInt8,
        to output: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        let flagBytes = source.count - bucket.others
        let flags = source.baseAddress!
        var flagged = 0
        for index in 0..<flagBytes { flagged += flags[index].nonzeroBitCount }
        guard flagged == bucket.others else { return false }
        let padding = 8 * flagBytes - bucket.count
        guard padding == 0 || flags[flagBytes - 1] >> UInt8(8 - padding) == 0 else { return false }
        var others = flags + flagBytes
        var target = output
        let pattern = UInt64(usual) &* 0x0101_0101_0101_0101
        for index in 0..<flagBytes {
            UnsafeMutableRawPointer(target).storeBytes(of: pattern, as: UInt64.self)
            var bits = flags[index]
            while bits != 0 {
                target[bits.trailingZeroBitCount] = others.pointee
                others += 1
                bits &= bits &- 1
            }
            target += 8
        }
        return true
    }

    private mutating func walk(_ field: borrowing SymbolField) {
        let lanes = field.lanes
        let half = lanes / 2
        let sums = sums.reserve(lanes * field.width).baseAddress!
        let (front, back, bucketOfSum) = (front, back, bucketOfSum)
        var sum = 0
        for (index, bucket) in buckets.enumerated() {
            let end = min(bucket.limit, ContextOrder.sumLimit)
            (bucketOfSum + sum).initialize(repeating: UInt8(index), count: end - sum)
            sum = end
        }
        for row in 0..<field.height {
            field.fillLeft(ofRow: row)
            // What stands above; the symbol to the left is added as it comes.
            ContextOrder.sum(row: row, of: field, west: 0, to: sums)
            var above = UnsafePointer(sums)
            var pixel = field.row(row)
            for _ in 0..<field.width {
                let left = pixel - lanes
                for lane in 0..<half {
                    let first = Int(bucketOfSum[Int(above[lane]) &+ 2 &* Int(left[lane])])
                    let taken = front[first]
                    pixel[lane] = taken.pointee
                    front[first] = taken + 1
                    let second = Int(bucketOfSum[Int(above[lane &+ half]) &+ 2 &* Int(left[lane &+ half])])
                    let last = back[second] - 1
                    pixel[lane &+ half] = last.pointee
                    back[second] = last
                }
                if lanes & 1 == 1 {
                    let second = Int(bucketOfSum[Int(above[lanes &- 1]) &+ 2 &* Int(left[lanes &- 1])])
                    let last = back[second] - 1
                    pixel[lanes &- 1] = last.pointee
                    back[second] = last
                }
                above += lanes
                pixel += lanes
            }
            field.fillRight(ofRow: row)
        }
    }
}
