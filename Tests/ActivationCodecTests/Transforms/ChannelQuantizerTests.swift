internal import ActivationCodec
internal import Testing

@Suite struct ChannelQuantizerTests {
    /// Every pair of bounds and every code, against the definition: the nearest level, and at most half a step of error.
    @Test(arguments: [2, 3, 4, 8, 16])
    func everyRangeAndCode(levels: Int) throws {
        var codes = [UInt8](repeating: 0, count: levels)
        var table = [UInt8](repeating: 0, count: 256)
        for lower in 0...255 {
            for upper in lower...255 {
                codes.withUnsafeMutableBufferPointer {
                    ChannelQuantizer.fillCodes(
                        $0.baseAddress!, levels: levels, lower: UInt8(lower), upper: UInt8(upper))
                }
                table.withUnsafeMutableBufferPointer {
                    ChannelQuantizer.fillLevels(
                        $0.baseAddress!, levels: levels, lower: UInt8(lower), upper: UInt8(upper))
                }
                let step = (upper - lower + levels - 2) / (levels - 1)
                try #require(Int(codes[0]) == lower && Int(codes[levels - 1]) == upper)
                for code in 0...255 {
                    let level = Int(table[code])
                    let clipped = min(max(code, lower), upper)
                    let error = abs(Int(codes[level]) - clipped)
                    guard 2 * error <= step else {
                        Issue.record("\(code) in \(lower)...\(upper): level \(level), error \(error), step \(step)")
                        return
                    }
                    // No other level is nearer, and of two equally near the upper one is taken.
                    if level > 0, abs(Int(codes[level - 1]) - clipped) < error {
                        Issue.record("\(code) in \(lower)...\(upper): level \(level - 1) is nearer than \(level)")
                        return
                    }
                    if level + 1 < levels, abs(Int(codes[level + 1]) - clipped) <= error {
                        Issue.record("\(code) in \(lower)...\(upper): level \(level + 1) is as near as \(level)")
                        return
                    }
                }
            }
        }
    }

    /// Pins the arithmetic: these bytes are the wire's meaning.
    @Test func knownValues() {
        func codes(_ levels: Int, _ lower: UInt8, _ upper: UInt8) -> [UInt8] {
            (0..<levels).map { ChannelQuantizer.code(ofLevel: $0, levels: levels, lower: lower, upper: upper) }
        }
        #expect(codes(4, 0, 255) == [0, 85, 170, 255])
        #expect(codes(4, 10, 20) == [10, 13, 17, 20])
        #expect(codes(4, 0, 1) == [0, 0, 1, 1])
        #expect(codes(16, 0, 255) == (0..<16).map { UInt8($0 * 17) })
        #expect(codes(16, 0, 100) == [0, 7, 13, 20, 27, 33, 40, 47, 53, 60, 67, 73, 80, 87, 93, 100])
        #expect(codes(3, 0, 5) == [0, 3, 5])
    }
}
