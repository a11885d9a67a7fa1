internal import Simulation
internal import TestSupport
internal import Testing

@Suite struct LinkTraceTests {
    /// 1 Mbit/s for 100 ms (12,500 bytes), nothing for 100 ms, 2 Mbit/s for 50 ms (12,500 bytes).
    private let trace: LinkTrace

    init() throws {
        trace = try LinkTrace(
            name: "steps",
            segments: [
                .init(duration: 100 * millisecond, bitsPerSecond: 1_000_000, roundTrip: 30 * millisecond),
                .init(duration: 100 * millisecond, bitsPerSecond: 0),
                .init(duration: 50 * millisecond, bitsPerSecond: 2_000_000, roundTrip: 10 * millisecond),
            ])
    }

    @Test(arguments: [
        (0, 0, 0), (5_000, 0, 40), (12_500, 0, 100), (12_501, 0, 200.004), (5_000, 80, 210), (2_500, 150, 210),
        (25_000, 0, 250), (25_001, 0, 250.008), (62_500, 0, 600), (25_000, 100, 350),
    ])
    func transfersSpanSegmentsAndPasses(bytes: Int64, startMilliseconds: Double, endMilliseconds: Double) {
        let end = trace.end(ofSending: bytes, from: Int64(startMilliseconds * 1e6))
        #expect(end == Int64((endMilliseconds * 1e6).rounded()))
    }

    @Test func nothingPassesOverADeadLink() throws {
        let dead = try LinkTrace(name: "dead", segments: [.init(duration: second, bitsPerSecond: 0)])
        #expect(dead.end(ofSending: 1, from: 5) == nil)
        #expect(dead.end(ofSending: 0, from: 5) == 5)
        #expect(dead.bytes(from: 0, to: 10 * second) == 0)
        let slow = try LinkTrace(
            name: "slow",
            segments: [.init(duration: 1, bitsPerSecond: 1), .init(duration: 86_400 * second, bitsPerSecond: 0)])
        #expect(slow.end(ofSending: 1_000_000_000_000, from: 0) == nil, "later than a century is never")
    }

    @Test func packetsDoNotOvertake() {
        #expect(trace.roundTrip(at: 50 * millisecond) == 30 * millisecond)
        // Sent at 99 ms it is back at 129 ms; sent at 101 ms, over a shorter path, no earlier than at 130 ms.
        #expect(trace.roundTrip(at: 101 * millisecond) == 29 * millisecond)
        #expect(trace.roundTrip(at: 160 * millisecond) == 0)
        #expect(trace.roundTrip(at: 240 * millisecond) == 10 * millisecond)
    }

    @Test func answersAreThoseOfAPlainWalk() throws {
        let seed: UInt64 = 11
        var generator = SplitMix64(seed: seed)
        for round in 0..<1_000 {
            let segments = LinkTrace.randomSegments(using: &generator, roundTrips: 0...50 * millisecond)
            let trace = try LinkTrace(name: "random", segments: segments)
            let start = Int64.random(in: 0...3 * second, using: &generator)
            let bytes = Int64.random(in: 1...100_000, using: &generator)
            let end = try #require(trace.end(ofSending: bytes, from: start), "seed \(seed), round \(round)")
            // All have passed at the end, and a nanosecond earlier they have not.
            #expect(trace.bytes(from: start, to: end) >= bytes, "seed \(seed), round \(round)")
            #expect(trace.bytes(from: start, to: end - 1) < bytes, "seed \(seed), round \(round)")
            #expect(walk(segments, bytes, from: start) == end, "seed \(seed), round \(round)")
            let later = start + .random(in: 0...second, using: &generator)
            #expect(
                later + trace.roundTrip(at: later) >= start + trace.roundTrip(at: start), "seed \(seed), round \(round)"
            )
        }
    }

    /// Segment by segment from the list.
    private func walk(_ segments: [LinkTrace.Segment], _ bytes: Int64, from start: Int64) -> Int64 {
        var needed = Int128(bytes) * 8_000_000_000
        var segmentStart: Int64 = 0
        for pass in 0..<100_000 {
            let segment = segments[pass % segments.count]
            let from = max(start, segmentStart)
            segmentStart += segment.duration
            guard from < segmentStart else { continue }
            let passing = Int128(segment.bitsPerSecond) * Int128(segmentStart - from)
            if passing >= needed {
                let rate = Int128(segment.bitsPerSecond)
                return from + Int64((needed + rate - 1) / rate)
            }
            needed -= passing
        }
        return -1
    }

    @Test func scalingKeepsTimes() {
        let double = trace.scaled(by: 2, roundTrip: 5 * millisecond)
        #expect(double.period == trace.period)
        #expect(double.end(ofSending: 25_000, from: 0) == 100 * millisecond)
        #expect(double.roundTrip(at: 120 * millisecond) == 5 * millisecond)
        #expect(double.meanRate == 2 * trace.meanRate)
    }

    @Test func limitsAreKept() {
        let wrong: [(LinkTrace.Segment, SimulationError.Code)] = [
            (.init(duration: 0, bitsPerSecond: 1), .invalidNumber),
            (.init(duration: -1, bitsPerSecond: 1), .invalidNumber),
            (.init(duration: .max, bitsPerSecond: 1), .invalidNumber),
            (.init(duration: 1, bitsPerSecond: -1), .invalidNumber),
            (.init(duration: 1, bitsPerSecond: .max), .invalidNumber),
            (.init(duration: 1, bitsPerSecond: 1, roundTrip: -1), .invalidNumber),
        ]
        for (segment, code) in wrong {
            let error = #expect(throws: SimulationError.self) { try LinkTrace(name: "t", segments: [segment]) }
            #expect(error?.code == code)
            #expect(error?.location == "t, interval 1")
        }
        #expect(throws: SimulationError.self) { try LinkTrace(name: "t", segments: []) }
    }
}
