internal import CKernels

/// Deals the symbols of a band into buckets by their contexts and chooses the buckets: the encoder's side of
/// ``ContextOrder``.
///
/// Sums are first divided finely, at quantiles of a sample; then neighbouring classes are joined as long as the estimated
/// size falls, so that a small band pays for few codes and a large one gets many. Memory is kept from band to band.
struct ContextSorter: ~Copyable {
    /// Where each block of the payload ends; a block's bytes share a code.
    private(set) var blockEnds: [Int] = []

    private static let fineClasses = 16

    /// A bucket under way: where in `sorted` the next symbols go.
    private struct Ends {
        /// For the first half of the lanes; moves up.
        var front: UInt32
        /// One beyond, for the other half; moves down.
        var back: UInt32
    }

    /// Of each symbol, as the field lists them.
    private var sums = ScratchBuffer<UInt16>()
    private var sorted = ScratchBuffer<UInt8>()
    /// Of the symbols of a row.
    private var places = ScratchBuffer<UInt32>()
    private var payload = ScratchBuffer<UInt8>()
    /// Of each class, how often each symbol occurs; twice, so that equal neighbours do not wait for each other.
    private let counts = UnsafeMutablePointer<UInt32>.allocate(capacity: 2 * fineClasses * 256)
    /// The class, then the bucket, of each sum.
    private let classOfSum = UnsafeMutablePointer<UInt8>.allocate(capacity: ContextOrder.sumLimit)
    private let sample = UnsafeMutablePointer<UInt32>.allocate(capacity: ContextOrder.sumLimit)
    /// Of each bucket, where the next symbols go.
    private let ends = UnsafeMutablePointer<Ends>.allocate(capacity: ContextOrder.maximumBuckets)

    deinit {
        classOfSum.deallocate()
        counts.deallocate()
        sample.deallocate()
        ends.deallocate()
    }

    /// The payload of a field whose pixels and margins are set; valid until the next call.
    ///
    /// - Parameter levels: how many levels a symbol can name; 256 for codes.
    mutating func sort(_ field: borrowing SymbolField, levels: Int) -> UnsafeBufferPointer<UInt8> {
        let sums = sums.reserve(field.symbolCount).baseAddress!
        for row in 0..<field.height {
            ContextOrder.sum(row: row, of: field, west: 2, to: sums + row * field.lanes * field.width)
        }
        let limits = quantileLimits(UnsafeBufferPointer(start: sums, count: field.symbolCount))
        setClasses(limits)
        count(field, sums: sums)
        var buckets = joinClasses(limits: limits, levels: levels)
        setClasses(buckets.map(\.limit))
        deal(field, sums: sums, buckets: buckets)
        return write(&buckets, levels: levels)
    }

    // MARK: Classes

    /// Ends of classes of about equal share, the last beyond all sums.
    private func quantileLimits(_ sums: UnsafeBufferPointer<UInt16>) -> [Int] {
        let sample = sample
        sample.update(repeating: 0, count: ContextOrder.sumLimit)
        // Numbers of lanes are mostly multiples of eight: a step that shares no factor with them meets every lane.
        let step = sums.count > 16384 ? 7 : 1
        var total = 0
        var index = 0
        while index < sums.count {
            sample[Int(sums[index])] &+= 1
            total &+= 1
            index &+= step
        }
        var limits: [Int] = []
        var share = 0
        for value in 0..<ContextOrder.sumLimit - 1 where limits.count < Self.fineClasses - 1 {
            share += Int(sample[value])
            // Of what is left, an equal part for each class that is left: sums that fill several shares cost one class.
            guard share > 0, share * (Self.fineClasses - limits.count) >= total else { continue }
            limits.append(value + 1)
            total -= share
            share = 0
        }
        return limits + [ContextOrder.lastLimit]
    }

    private func setClasses(_ limits: [Int]) {
        var sum = 0
        for (index, limit) in limits.enumerated() {
            let end = min(limit, ContextOrder.sumLimit)
            (classOfSum + sum).initialize(repeating: UInt8(index), count: end - sum)
            sum = end
        }
    }

    /// Counts the symbols of each class, those of the first half of the lanes and those of the others apart.
    private func count(_ field: borrowing SymbolField, sums: UnsafePointer<UInt16>) {
        let (first, second, classOfSum) = (counts, counts + Self.fineClasses * 256, classOfSum)
        first.update(repeating: 0, count: 2 * Self.fineClasses * 256)
        var sums = sums
        let lanes = field.lanes
        let half = lanes / 2
        for row in 0..<field.height {
            var pixel = UnsafePointer(field.row(row))
            for _ in 0..<field.width {
                for lane in 0..<half {
                    let other = lane &+ half
                    first[Int(classOfSum[Int(sums[lane])]) &<< 8 | Int(pixel[lane])] &+= 1
                    second[Int(classOfSum[Int(sums[other])]) &<< 8 | Int(pixel[other])] &+= 1
                }
                if lanes & 1 == 1 {
                    let other = lanes &- 1
                    second[Int(classOfSum[Int(sums[other])]) &<< 8 | Int(pixel[other])] &+= 1
                }
                sums += lanes
                pixel += lanes
            }
        }
        for index in 0..<Self.fineClasses * 256 { first[index] &+= second[index] }
    }

    // MARK: Buckets

    /// Joins neighbouring classes while that makes the estimate smaller.
    ///
    /// - Returns: the buckets with their limits and sizes; `counts` are then theirs.
    private func joinClasses(limits: [Int], levels: Int) -> [ContextOrder.Bucket] {
        let estimate = CodeEstimate(levels: levels)
        func row(_ index: Int) -> UnsafeMutablePointer<UInt32> { counts + index * 256 }
        var members = limits.indices.map { [$0] }
        var costs = limits.indices.map { estimate.bits(row($0)) }
        let scratch = UnsafeMutablePointer<UInt32>.allocate(capacity: 256)
        defer { scratch.deallocate() }
        func jointCost(_ index: Int) -> Float {
            for symbol in 0..<levels {
                scratch[symbol] = row(members[index][0])[symbol] &+ row(members[index + 1][0])[symbol]
            }
            return estimate.bits(scratch)
        }
        var joint = members.indices.dropLast().map(jointCost)
        while members.count > 1 {
            let gains = joint.indices.map { costs[$0] + costs[$0 + 1] - joint[$0] }
            guard let best = gains.indices.max(by: { gains[$0] < gains[$1] }), gains[best] > 0 else { break }
            let (into, from) = (row(members[best][0]), row(members[best + 1][0]))
            for symbol in 0..<levels { into[symbol] &+= from[symbol] }
            costs[best] = joint[best]
            costs.remove(at: best + 1)
            members[best] += members.remove(at: best + 1)
            joint.remove(at: best)
            if best > 0 { joint[best - 1] = jointCost(best - 1) }
            if best < joint.count { joint[best] = jointCost(best) }
        }
        var buckets: [ContextOrder.Bucket] = []
        for (index, classes) in members.enumerated() {
            if classes[0] != index { row(index).update(from: row(classes[0]), count: levels) }
            let count = (0..<levels).reduce(0) { $0 + Int(row(index)[$1]) }
            buckets.append(ContextOrder.Bucket(limit: limits[classes[classes.count - 1]], count: count))
        }
        return buckets
    }

    /// Puts every symbol into its bucket, those of the first half of the lanes from the front, the others from the back.
    ///
    /// Row by row, first the places, then the symbols: were it one loop, every look at a counter would wait until the address
    /// of every store before it is known.
    private mutating func deal(
        _ field: borrowing SymbolField, sums: UnsafePointer<UInt16>, buckets: [ContextOrder.Bucket]
    ) {
        var start: UInt32 = 0
        for (index, bucket) in buckets.enumerated() {
            let end = start &+ UInt32(truncatingIfNeeded: bucket.count)
            (ends + index).initialize(to: Ends(front: start, back: end))
            start = end
        }
        let sorted = sorted.reserve(field.symbolCount).baseAddress!
        let (lanes, rowSymbols) = (field.lanes, field.lanes * field.width)
        let half = lanes / 2
        let places = places.reserve(rowSymbols).baseAddress!
        let (ends, bucketOfSum) = (ends, classOfSum)
        var sums = sums
        for row in 0..<field.height {
            var pixelPlaces = places
            for _ in 0..<field.width {
                for lane in 0..<half {
                    let first = Int(bucketOfSum[Int(sums[lane])])
                    pixelPlaces[lane] = ends[first].front
                    ends[first].front &+= 1
                    let second = Int(bucketOfSum[Int(sums[lane &+ half])])
                    ends[second].back &-= 1
                    pixelPlaces[lane &+ half] = ends[second].back
                }
                if lanes & 1 == 1 {
                    let second = Int(bucketOfSum[Int(sums[lanes &- 1])])
                    ends[second].back &-= 1
                    pixelPlaces[lanes &- 1] = ends[second].back
                }
                sums += lanes
                pixelPlaces += lanes
            }
            let symbols = UnsafePointer(field.row(row))
            for index in 0..<rowSymbols { sorted[Int(places[index])] = symbols[index] }
        }
    }

    // MARK: Payload

    /// Chooses the form of each bucket, writes the payload and notes its blocks.
    private mutating func write(_ buckets: inout [ContextOrder.Bucket], levels: Int) -> UnsafeBufferPointer<UInt8> {
        let symbols = buckets.reduce(0) { $0 + $1.count }
        let memory = payload.reserve(ContextOrder.maximumPayload(symbols: symbols) + 8)
        let start = memory.baseAddress!
        var output = start + 1 + buckets.count * ContextOrder.recordLength
        blockEnds.removeAll(keepingCapacity: true)
        blockEnds.append(output - start)
        var input = UnsafePointer(sorted.reserve(symbols).baseAddress!)
        let estimate = CodeEstimate(levels: levels)
        for index in buckets.indices {
            let source = UnsafeBufferPointer(start: input, count: buckets[index].count)
            if levels == 256 {
                if let usual = estimate.usualSymbol(counts + index * 256) {
                    let (flags, others) = Self.writeFlags(source, usual: usual, to: output)
                    buckets[index].form = .flags(usual: usual)
                    buckets[index].others = others
                    blockEnds.append(output + flags - start)
                } else {
                    output.update(from: input, count: source.count)
                }
            } else {
                let perByte = estimate.packing(counts + index * 256).perByte
                if perByte == 1 {
                    output.update(from: input, count: source.count)
                } else {
                    LevelPacking.pack(source, levels: levels, perByte: perByte, to: output)
                    buckets[index].form = .digits(perByte: perByte)
                }
            }
            output += buckets[index].byteCount
            input += source.count
            if output - start > blockEnds[blockEnds.count - 1] { blockEnds.append(output - start) }
        }
        start[0] = UInt8(buckets.count)
        for (index, bucket) in buckets.enumerated() {
            bucket.write(to: start + 1 + index * ContextOrder.recordLength)
        }
        return UnsafeBufferPointer(start: start, count: output - start)
    }

    /// Writes a bit a symbol, then the symbols that are not the usual one.
    private static func writeFlags(
        _ symbols: UnsafeBufferPointer<UInt8>, usual: UInt8, to output: UnsafeMutablePointer<UInt8>
    ) -> (flagBytes: Int, others: Int) {
        let flagBytes = (symbols.count + 7) / 8
        var others = output + flagBytes
        var index = 0
        for byte in 0..<flagBytes {
            var flags: UInt8 = 0
            for bit in 0..<min(8, symbols.count - 8 * byte) {
                let symbol = symbols[index]
                let flag: UInt8 = symbol == usual ? 0 : 1
                flags |= flag &<< UInt8(truncatingIfNeeded: bit)
                // Stored in any case and kept where it counts: no branch to mispredict.
                others.pointee = symbol
                others += Int(flag)
                index &+= 1
            }
            output[byte] = flags
        }
        return (flagBytes, others - output - flagBytes)
    }
}
