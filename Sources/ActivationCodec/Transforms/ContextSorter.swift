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
    private var classes = ScratchBuffer()
    private var sorted = ScratchBuffer()
    private var payload = ScratchBuffer()
    /// Of each class, how often each symbol occurs; twice, so that equal neighbours do not wait for each other.
    private let counts = UnsafeMutablePointer<UInt32>.allocate(capacity: 2 * fineClasses * 256)
    private let limits = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: fineClasses)
    private let sample = UnsafeMutablePointer<UInt32>.allocate(capacity: ContextOrder.sumLimit)
    private let front = UnsafeMutablePointer<UnsafeMutablePointer<UInt8>>.allocate(
        capacity: ContextOrder.maximumBuckets)
    private let back = UnsafeMutablePointer<UnsafeMutablePointer<UInt8>>.allocate(
        capacity: ContextOrder.maximumBuckets)

    deinit {
        limits.deallocate()
        counts.deallocate()
        sample.deallocate()
        front.deallocate()
        back.deallocate()
    }

    /// The payload of a field whose pixels and margins are set; valid until the next call.
    ///
    /// - Parameter levels: how many levels a symbol can name; 256 for codes.
    mutating func sort(_ field: borrowing SymbolField, levels: Int) -> UnsafeBufferPointer<UInt8> {
        let limits = quantileLimits(field)
        classify(field, limits: limits, symbols: levels)
        var joined = joinClasses(limits: limits, levels: levels)
        deal(field, classOf: joined.classOf, buckets: joined.buckets)
        return write(&joined.buckets, levels: levels)
    }

    // MARK: Classes

    /// Ends of classes of about equal share, the last beyond all sums.
    private func quantileLimits(_ field: borrowing SymbolField) -> [Int] {
        let sample = sample
        sample.update(repeating: 0, count: ContextOrder.sumLimit)
        // A prime, so that the sample goes through pixels and lanes alike.
        let step = field.symbolCount > 16384 ? 7 : 1
        let (lanes, stride) = (field.lanes, field.stride)
        var total = 0
        var lane = 0
        for row in 0..<field.height {
            let first = UnsafePointer(field.row(row))
            while lane < lanes &* field.width {
                let above = first + (lane &- stride)
                let sum =
                    2 &* (Int(first[lane &- lanes]) &+ Int(above.pointee)) &+ Int((above - lanes).pointee)
                    &+ Int(above[lanes])
                sample[sum] &+= 1
                total &+= 1
                lane &+= step
            }
            lane &-= lanes &* field.width
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

    /// Notes the class of every symbol and counts the symbols of each.
    private mutating func classify(_ field: borrowing SymbolField, limits classLimits: [Int], symbols: Int) {
        for (index, limit) in classLimits.dropLast().enumerated() { limits[index] = UInt16(limit) }
        let limits = UnsafeBufferPointer(UnsafeMutableBufferPointer(rebasing: limits[..<(classLimits.count - 1)]))
        let counts = counts
        let others = counts + Self.fineClasses * 256
        counts.update(repeating: 0, count: 2 * Self.fineClasses * 256)
        var output = classes.reserve(field.symbolCount).baseAddress!
        let rowSymbols = field.lanes * field.width
        for row in 0..<field.height {
            var arguments = ContextOrder.classifier(limits, of: field, row: row, to: output, stride: field.lanes)
            LaneKernels.table.pointee.context_u8(&arguments, ck_range(first: 0, last: field.width))
            let symbols = UnsafePointer(field.row(row))
            var index = 0
            while index &+ 2 <= rowSymbols {
                counts[Int(output[index]) &<< 8 | Int(symbols[index])] &+= 1
                others[Int(output[index &+ 1]) &<< 8 | Int(symbols[index &+ 1])] &+= 1
                index &+= 2
            }
            if index < rowSymbols { counts[Int(output[index]) &<< 8 | Int(symbols[index])] &+= 1 }
            output += rowSymbols
        }
        for index in 0..<classLimits.count * 256 { counts[index] &+= others[index] }
    }

    // MARK: Buckets

    /// Joins neighbouring classes while that makes the estimate smaller.
    ///
    /// - Returns: the bucket of each class, and the buckets with their limits and sizes; `counts` are then theirs.
    private func joinClasses(limits: [Int], levels: Int) -> (classOf: [UInt8], buckets: [ContextOrder.Bucket]) {
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
        var classOf = [UInt8](repeating: 0, count: limits.count)
        var buckets: [ContextOrder.Bucket] = []
        for (index, classes) in members.enumerated() {
            for fine in classes { classOf[fine] = UInt8(index) }
            if classes[0] != index { row(index).update(from: row(classes[0]), count: levels) }
            let count = (0..<levels).reduce(0) { $0 + Int(row(index)[$1]) }
            buckets.append(ContextOrder.Bucket(limit: limits[classes[classes.count - 1]], count: count))
        }
        return (classOf, buckets)
    }

    /// Puts every symbol into its bucket, those of the first half of the lanes from the front, the others from the back.
    private mutating func deal(_ field: borrowing SymbolField, classOf: [UInt8], buckets: [ContextOrder.Bucket]) {
        var start = sorted.reserve(field.symbolCount).baseAddress!
        for (index, bucket) in buckets.enumerated() {
            front[index] = start
            start += bucket.count
            back[index] = start
        }
        var fine = UnsafePointer(classes.reserve(field.symbolCount).baseAddress!)
        let lanes = field.lanes
        let half = lanes / 2
        let (front, back) = (front, back)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.fineClasses) { bucketOf in
            for (index, bucket) in classOf.enumerated() { bucketOf[index] = bucket }
            let bucketOf = UnsafePointer(bucketOf.baseAddress!)
            for row in 0..<field.height {
                var pixel = UnsafePointer(field.row(row))
                for _ in 0..<field.width {
                    for lane in 0..<half {
                        let first = Int(bucketOf[Int(fine[lane])])
                        let next = front[first]
                        next.pointee = pixel[lane]
                        front[first] = next + 1
                        let second = Int(bucketOf[Int(fine[lane &+ half])])
                        let last = back[second] - 1
                        last.pointee = pixel[lane &+ half]
                        back[second] = last
                    }
                    if lanes & 1 == 1 {
                        let second = Int(bucketOf[Int(fine[lanes &- 1])])
                        let last = back[second] - 1
                        last.pointee = pixel[lanes &- 1]
                        back[second] = last
                    }
                    fine += lanes
                    pixel += lanes
                }
            }
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
