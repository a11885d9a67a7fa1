/// A link's rate over time: constant within each segment, and from the beginning again after the last.
///
/// Times are whole nanoseconds and rates whole bits a second, so what passes in a time is a whole number of 10⁻⁹ bits: every
/// answer below is exact.
package struct LinkTrace: Hashable, Sendable {
    package struct Segment: Hashable, Sendable {
        /// In nanoseconds, > 0.
        package var duration: Int64
        /// ≥ 0; nothing passes at 0.
        package var bitsPerSecond: Int64
        /// In nanoseconds, ≥ 0; `nil` where the trace does not say.
        package var roundTrip: Int64?

        package init(duration: Int64, bitsPerSecond: Int64, roundTrip: Int64? = nil) {
            self.duration = duration
            self.bitsPerSecond = bitsPerSecond
            self.roundTrip = roundTrip
        }
    }

    /// What a trace may hold: nothing below overflows within it.
    package enum Limit {
        package static let segments = 4_000_000
        package static let bitsPerSecond: Int64 = 1_000_000_000_000
        /// Thirty days.
        package static let duration: Int64 = 30 * 86_400 * 1_000_000_000
        /// An hour.
        package static let roundTrip: Int64 = 3_600 * 1_000_000_000
    }

    package let name: String
    /// The length of one pass, in nanoseconds.
    package let period: Int64
    private let starts: [Int64]
    private let rates: [Int64]
    /// In 10⁻⁹ bits, from the beginning of a pass to that of each segment, and to the end.
    private let passed: [Int128]
    private let roundTrips: [Int64]
    /// By segment: what is sent in it arrives no earlier than this, in the time of the pass (see `roundTrip`).
    private let holds: [Int64]
    /// Whether the trace itself states round trips.
    package let hasRoundTrips: Bool

    /// - Throws: `SimulationError` for no segment, too many, or one out of `Limit`; `name` is its location.
    package init(name: String, segments: [Segment]) throws(SimulationError) {
        guard !segments.isEmpty else { throw SimulationError(.empty, "the trace has no intervals", at: name) }
        guard segments.count <= Limit.segments else {
            throw SimulationError(.tooLarge, "more than \(Limit.segments) intervals", at: name)
        }
        var (time, bits) = (Int64(0), Int128(0))
        var (starts, passed): ([Int64], [Int128]) = ([], [])
        starts.reserveCapacity(segments.count)
        passed.reserveCapacity(segments.count + 1)
        for (index, segment) in segments.enumerated() {
            guard (1...Limit.duration).contains(segment.duration), time <= Limit.duration - segment.duration else {
                throw SimulationError(
                    .invalidNumber, "expected intervals longer than 0 that last 30 days at most together",
                    at: "\(name), interval \(index + 1)")
            }
            guard (0...Limit.bitsPerSecond).contains(segment.bitsPerSecond) else {
                throw SimulationError(
                    .invalidNumber, "expected 0 to 10¹² bit/s, got \(segment.bitsPerSecond)",
                    at: "\(name), interval \(index + 1)")
            }
            guard (0...Limit.roundTrip).contains(segment.roundTrip ?? 0) else {
                throw SimulationError(
                    .invalidNumber, "expected a round trip of 0 to 1 h", at: "\(name), interval \(index + 1)")
            }
            starts.append(time)
            passed.append(bits)
            time += segment.duration
            bits += Int128(segment.bitsPerSecond) * Int128(segment.duration)
        }
        passed.append(bits)
        self.init(
            name: name, period: time, starts: starts, rates: segments.map(\.bitsPerSecond), passed: passed,
            roundTrips: segments.map { $0.roundTrip ?? 0 },
            hasRoundTrips: segments.contains { $0.roundTrip != nil })
    }

    private init(
        name: String, period: Int64, starts: [Int64], rates: [Int64], passed: [Int128], roundTrips: [Int64],
        hasRoundTrips: Bool
    ) {
        self.name = name
        self.period = period
        self.starts = starts
        self.rates = rates
        self.passed = passed
        self.roundTrips = roundTrips
        self.hasRoundTrips = hasRoundTrips
        // Over two passes, as the end of one holds up the beginning of the next.
        var holds = [Int64](repeating: 0, count: starts.count)
        var latest = Int64.min
        for pass in [-period, 0] {
            for index in starts.indices {
                holds[index] = latest
                let end = (index + 1 < starts.count ? starts[index + 1] : period) + pass
                latest = max(latest, end + roundTrips[index])
            }
        }
        self.holds = holds
    }

    /// - Precondition: `bitsPerSecond` and `roundTrip` are within `Limit`.
    package static func constant(name: String, bitsPerSecond: Int64, roundTrip: Int64) -> LinkTrace {
        precondition((0...Limit.bitsPerSecond).contains(bitsPerSecond) && (0...Limit.roundTrip).contains(roundTrip))
        let hour: Int64 = 3_600_000_000_000
        return LinkTrace(
            name: name, period: hour, starts: [0], rates: [bitsPerSecond],
            passed: [0, Int128(bitsPerSecond) * Int128(hour)], roundTrips: [roundTrip], hasRoundTrips: true)
    }

    /// Every rate multiplied by `factor`, and `roundTrip` in place of the trace's own.
    /// - Precondition: `factor` is finite and > 0, `roundTrip` within `Limit`.
    package func scaled(by factor: Double, roundTrip: Int64? = nil) -> LinkTrace {
        precondition(factor.isFinite && factor > 0 && (0...Limit.roundTrip).contains(roundTrip ?? 0))
        var (bits, passed) = (Int128(0), [Int128]())
        let rates = rates.map { Int64(min(Double($0) * factor, Double(Limit.bitsPerSecond)).rounded()) }
        for index in starts.indices {
            passed.append(bits)
            let end = index + 1 < starts.count ? starts[index + 1] : period
            bits += Int128(rates[index]) * Int128(end - starts[index])
        }
        return LinkTrace(
            name: name, period: period, starts: starts, rates: rates, passed: passed + [bits],
            roundTrips: roundTrip.map { [Int64](repeating: $0, count: starts.count) } ?? roundTrips,
            hasRoundTrips: hasRoundTrips || roundTrip != nil)
    }

    package var segmentCount: Int { starts.count }

    /// In bit/s, over a whole pass.
    package var meanRate: Double { Double(passed[starts.count]) / Double(period) }

    /// The rate at `time` ≥ 0, in bit/s.
    package func rate(at time: Int64) -> Int64 { rates[segment(at: time % period)] }

    /// When the last of `bytes` has left that begin to be sent at `start`; `nil` when that is not within a century.
    /// - Complexity: O(log segments).
    package func end(ofSending bytes: Int64, from start: Int64) -> Int64? {
        guard bytes > 0 else { return start }
        let whole = passed[starts.count]
        guard whole > 0 else { return nil }
        let (pass, offset) = start.quotientAndRemainder(dividingBy: period)
        let first = segment(at: offset)
        let sent = passed[first] + Int128(rates[first]) * Int128(offset - starts[first])
        var target = sent + Int128(bytes) * 8_000_000_000
        var passes = Int128(pass)
        var index = first
        if target > whole {
            // What is left after whole passes is in 1...whole, so the end lies in a segment with a rate.
            let (more, rest) = (target - 1).quotientAndRemainder(dividingBy: whole)
            passes += more
            target = rest + 1
            index = 0
        }
        guard passes * Int128(period) < Self.century else { return nil }
        // The first segment by whose end the target has passed; mostly the first or one of the next.
        var step = 1
        var high = index
        while passed[high + 1] < target {
            index = high + 1
            high = min(high + step, starts.count - 1)
            step *= 2
        }
        while index < high {
            let middle = (index + high) / 2
            if passed[middle + 1] < target { index = middle + 1 } else { high = middle }
        }
        let rate = Int128(rates[index])
        let within = (target - passed[index] + rate - 1) / rate
        return Int64(passes) * period + starts[index] + Int64(within)
    }

    private static let century = Int128(100 * 366 * 86_400) * 1_000_000_000

    /// Whole bytes that pass from `start` to `end`.
    package func bytes(from start: Int64, to end: Int64) -> Int64 {
        Int64((passedBits(until: end) - passedBits(until: start)) / 8_000_000_000)
    }

    /// How long after `time` the reply to what is sent at that time comes back: the segment's round trip, or more where an
    /// earlier and longer one is still under way, as packets do not overtake each other.
    package func roundTrip(at time: Int64) -> Int64 {
        let offset = time % period
        let index = segment(at: offset)
        return max(roundTrips[index], holds[index] - offset)
    }

    /// In 10⁻⁹ bits, since time 0.
    private func passedBits(until time: Int64) -> Int128 {
        let (pass, offset) = time.quotientAndRemainder(dividingBy: period)
        let index = segment(at: offset)
        return Int128(pass) * passed[starts.count] + passed[index]
            + Int128(rates[index]) * Int128(offset - starts[index])
    }

    /// The segment in force at a time of a pass.
    private func segment(at offset: Int64) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= offset { low = middle } else { high = middle }
        }
        return low
    }
}
