/// Length-limited Huffman codes, canonical as RFC 1951 §3.2.2 has them.
enum PrefixCode {
    /// Computes the lengths of an optimal prefix code, none above `limit`.
    ///
    /// Moffat and Katajainen, "In-place calculation of minimum-redundancy codes" (1995), then codes that are too long are
    /// shortened and the Kraft sum is repaired at the least probable of the others. One symbol alone gets one bit, as
    /// deflate wants.
    ///
    /// - Parameters:
    ///   - counts: how often each symbol occurs; the sum stays below 2³².
    ///   - lengths: receives a length for each symbol, 0 for those that do not occur.
    ///   - limit: longest code; at least the binary logarithm of the number of symbols.
    /// - Complexity: O(n) for n symbols that occur.
    static func fillLengths(
        _ lengths: UnsafeMutablePointer<UInt8>, counts: UnsafeBufferPointer<UInt32>, limit: Int
    ) {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * counts.count) { order in
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: counts.count) { tree in
                var used = 0
                var largest: UInt32 = 0
                for symbol in counts.indices {
                    lengths[symbol] = 0
                    guard counts[symbol] > 0 else { continue }
                    order[used] = UInt64(counts[symbol]) &<< 16 | UInt64(symbol)
                    largest = max(largest, counts[symbol])
                    used &+= 1
                }
                guard used > 1 else {
                    if used == 1 { lengths[Int(order[0] & 0xFFFF)] = 1 }
                    return
                }
                let sorted = UnsafeMutableBufferPointer(rebasing: order[..<used])
                sortByCount(sorted, largest: largest, scratch: order.baseAddress! + used)
                for index in 0..<used { tree[index] = UInt32(truncatingIfNeeded: sorted[index] &>> 16) }
                computeDepths(UnsafeMutableBufferPointer(rebasing: tree[..<used]))
                assign(UnsafeBufferPointer(sorted), depths: UnsafePointer(tree.baseAddress!), limit: limit, to: lengths)
            }
        }
    }

    /// Sorts by what stands above bit 16, stably, digit by digit from the lowest.
    ///
    /// - Parameters:
    ///   - largest: the largest of what stands there.
    ///   - scratch: room for as many entries.
    private static func sortByCount(
        _ entries: UnsafeMutableBufferPointer<UInt64>, largest: UInt32, scratch: UnsafeMutablePointer<UInt64>
    ) {
        let digitBits: UInt64 = 9
        let digits = 1 << Int(digitBits)
        let start = entries.baseAddress!
        var (from, to) = (start, scratch)
        var shift: UInt64 = 16
        withUnsafeTemporaryAllocation(of: Int.self, capacity: digits) { places in
            let places = places.baseAddress!
            while UInt64(largest) &>> (shift &- 16) > 0 {
                places.initialize(repeating: 0, count: digits)
                for index in entries.indices { places[Int(from[index] &>> shift) & (digits &- 1)] &+= 1 }
                var place = 0
                for digit in 0..<digits {
                    let count = places[digit]
                    places[digit] = place
                    place &+= count
                }
                for index in entries.indices {
                    let digit = Int(from[index] &>> shift) & (digits &- 1)
                    to[places[digit]] = from[index]
                    places[digit] &+= 1
                }
                swap(&from, &to)
                shift &+= digitBits
            }
        }
        if from != start { start.update(from: from, count: entries.count) }
    }

    /// Replaces ascending weights, at least two, by the depths of their leaves.
    private static func computeDepths(_ weights: UnsafeMutableBufferPointer<UInt32>) {
        let count = weights.count
        // First pass, left to right: parents.
        weights[0] &+= weights[1]
        var root = 0
        var leaf = 2
        for next in 1..<count &- 1 {
            if leaf >= count || weights[root] < weights[leaf] {
                weights[next] = weights[root]
                weights[root] = UInt32(next)
                root &+= 1
            } else {
                weights[next] = weights[leaf]
                leaf &+= 1
            }
            if leaf >= count || (root < next && weights[root] < weights[leaf]) {
                weights[next] &+= weights[root]
                weights[root] = UInt32(next)
                root &+= 1
            } else {
                weights[next] &+= weights[leaf]
                leaf &+= 1
            }
        }
        // Second pass, right to left: depths of inner nodes.
        weights[count &- 2] = 0
        var inner = count &- 3
        while inner >= 0 {
            weights[inner] = weights[Int(weights[inner])] &+ 1
            inner &-= 1
        }
        // Third pass, right to left: depths of leaves.
        var available = 1
        var depth: UInt32 = 0
        root = count &- 2
        var next = count &- 1
        while available > 0 {
            var taken = 0
            while root >= 0, weights[root] == depth {
                taken &+= 1
                root &-= 1
            }
            while available > taken {
                weights[next] = depth
                next &-= 1
                available &-= 1
            }
            available = 2 &* taken
            depth &+= 1
        }
    }

    /// Writes the lengths, `depths` being those of `sorted` symbols, the rarest and deepest first.
    private static func assign(
        _ sorted: UnsafeBufferPointer<UInt64>, depths: UnsafePointer<UInt32>, limit: Int,
        to lengths: UnsafeMutablePointer<UInt8>
    ) {
        // The Kraft sum in units of the longest code.
        let whole = 1 << limit
        var sum = 0
        for (index, entry) in sorted.enumerated() {
            let length = min(Int(depths[index]), limit)
            lengths[Int(entry & 0xFFFF)] = UInt8(length)
            sum += whole >> length
        }
        // Too long codes were cut: pay by lengthening the rarest that still can be.
        while sum > whole {
            for entry in sorted {
                let symbol = Int(entry & 0xFFFF)
                guard lengths[symbol] < limit else { continue }
                sum -= whole >> (Int(lengths[symbol]) + 1)
                lengths[symbol] += 1
                if sum <= whole { break }
            }
        }
        // What lengthening overpaid shortens the most frequent that fit. The symbol of the longest code always fits, so every
        // sweep gets closer.
        while sum < whole {
            for entry in sorted.reversed() {
                let symbol = Int(entry & 0xFFFF)
                while lengths[symbol] > 1, sum + whole >> Int(lengths[symbol]) <= whole {
                    sum += whole >> Int(lengths[symbol])
                    lengths[symbol] -= 1
                }
            }
        }
    }

    /// The lengths of the fixed code (RFC 1951 §3.2.6), symbols 0...287.
    static func fixedLength(ofLiteral symbol: Int) -> UInt8 {
        symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8
    }

    /// Packs canonical codes, first bit lowest as deflate sends them: the code from bit 8 on, its length below.
    static func fillCodes(_ codes: UnsafeMutablePointer<UInt32>, lengths: UnsafeBufferPointer<UInt8>) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 17) { next in
            next.initialize(repeating: 0)
            for length in lengths where length > 0 { next[Int(length) &+ 1] &+= 1 }
            // Here next[l + 1] counts the codes of length l; turn it into the first code of length l.
            var code: UInt32 = 0
            var shorter: UInt32 = 0
            for length in 1..<16 {
                code = (code &+ shorter) &<< 1
                shorter = next[length &+ 1]
                next[length] = code
            }
            for (symbol, length) in lengths.enumerated() {
                guard length > 0 else {
                    codes[symbol] = 0
                    continue
                }
                let value = next[Int(length)]
                next[Int(length)] = value &+ 1
                codes[symbol] = reversed(value, bits: UInt32(length)) &<< 8 | UInt32(length)
            }
        }
    }

    /// The lowest `bits` of a value, at least one, in the opposite order.
    static func reversed(_ value: UInt32, bits: UInt32) -> UInt32 {
        var value = value &<< (32 &- bits)
        value = (value &>> 1 & 0x5555_5555) | (value & 0x5555_5555) &<< 1
        value = (value &>> 2 & 0x3333_3333) | (value & 0x3333_3333) &<< 2
        value = (value &>> 4 & 0x0F0F_0F0F) | (value & 0x0F0F_0F0F) &<< 4
        return value.byteSwapped
    }
}
