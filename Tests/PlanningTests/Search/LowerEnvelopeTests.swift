private import Planning
internal import Testing

@Suite struct LowerEnvelopeTests {
    @Test(arguments: 0..<300 as Range<UInt64>)
    func isTheLowestLineEverywhere(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        // Whole numbers in a narrow range, so that ties and parallel lines occur.
        let lines = (0..<Int.random(in: 1...40, using: &generator)).map { _ in
            LowerEnvelope.Line(
                intercept: Double(Int.random(in: 0...20, using: &generator)),
                slope: Double(Int.random(in: 0...20, using: &generator)))
        }
        let envelope = LowerEnvelope(lines)
        let starts = envelope.segments.map(\.start)
        #expect(starts.first == 0 && zip(starts, starts.dropFirst()).allSatisfy { $0 < $1 }, "seed \(seed)")
        let probes = starts + [0] + (0..<50).map { _ in Double.random(in: 0...30, using: &generator) }
        for x in probes {
            let expected = try #require(lines.map { $0(x) }.min())
            let found = lines[try #require(envelope.lowest(at: x))](x)
            #expect(abs(found - expected) <= 1e-12 * max(1, expected), "seed \(seed), x \(x)")
        }
    }

    @Test func isEmptyWithoutLines() {
        #expect(LowerEnvelope([]).segments.isEmpty)
        #expect(LowerEnvelope([]).lowest(at: 1) == nil)
    }

    @Test func crossesWhereTheLinesMeet() {
        let envelope = LowerEnvelope([.init(intercept: 10, slope: 0), .init(intercept: 4, slope: 3)])
        #expect(envelope.segments.map(\.line) == [1, 0])
        #expect(envelope.segments.map(\.start) == [0, 2])
    }
}
