internal import EdgeAgent
internal import Glibc
internal import WireTestSupport
internal import Testing

/// The estimator on simulated arrivals, without sockets or clocks.
@Suite struct LinkEstimatorTests {
    /// A link whose rate changes once, in front of a server that is sometimes late to look.
    private struct Simulation {
        var generator: SeededGenerator
        let rates: (before: Double, after: Double)
        let change = 5.0
        let roundTrip: Double
        /// When the link has sent all it was given.
        var free = 0.0

        /// Sends a frame at `time` and returns what the edge then knows.
        mutating func send(_ bytes: Int, at time: Double, epoch: ContinuousClock.Instant) -> FramePassage {
            let header = 200
            let encoding = Double.random(in: 0.0002...0.001, using: &generator)
            let start = transmit(header, from: max(free, time))
            let end = transmit(bytes - header, from: max(start, time + encoding))
            free = end
            // The server looks some microseconds late; one time in twenty much later, one time in forty at all at once.
            func late() -> Double {
                let usual = -log(Double.random(in: 0.001...1, using: &generator)) * 20e-6
                return Double.random(in: 0...1, using: &generator) < 0.05 ? usual + 0.03 : usual
            }
            var seenStart = start + late()
            let seenEnd = max(end, seenStart) + late()
            if Double.random(in: 0...1, using: &generator) < 0.025 { seenStart = seenEnd - 0.00001 }
            let answered = seenEnd + 0.004 + roundTrip
            func cloud(_ seconds: Double) -> Duration { .nanoseconds(Int64((seconds + 1_000) * 1e9)) }
            return FramePassage(
                bytes: bytes, firstChunkBytes: header, firstSent: epoch + .seconds(time),
                lastSent: epoch + .seconds(time + encoding), answered: epoch + .seconds(answered),
                receiveStart: cloud(seenStart), receiveEnd: cloud(seenEnd), resultSent: cloud(seenEnd + 0.004),
                queue: .milliseconds(1))
        }

        private func transmit(_ bytes: Int, from start: Double) -> Double {
            let bits = 8 * Double(bytes)
            guard start < change else { return start + bits / rates.after }
            let first = bits / rates.before
            if start + first <= change { return start + first }
            return change + (bits - (change - start) * rates.before) / rates.after
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>) func followsAStepWithinTwoSeconds(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let before = exp(Double.random(in: log(1e6)...log(40e6), using: &generator))
        let factor = exp(Double.random(in: log(1.3)...log(6), using: &generator))
        let after = min(60e6, max(0.5e6, Bool.random(using: &generator) ? before * factor : before / factor))
        var link = Simulation(
            generator: generator, rates: (before, after), roundTrip: Double.random(in: 0.001...0.08, using: &generator))
        var estimator = LinkEstimator()
        let epoch = ContinuousClock.now
        // Five to twenty frames a second, of a codec's usual spread and as large as the slower link carries.
        let size = min(Int.random(in: 8_000...40_000, using: &generator), Int(min(before, after) * 0.2 / 8 / 1.6))
        let period = max(0.05, 1.2 * 8 * Double(size) * 1.3 / min(before, after))
        var time = 0.0
        var (checks, misses) = (0, 0)
        while time < 12 {
            let bytes = Int(Double(size) * Double.random(in: 0.7...1.3, using: &generator))
            let passage = link.send(bytes, at: time, epoch: epoch)
            estimator.observe(passage)
            let now = (passage.answered - epoch) / .seconds(1)
            for (rate, isSettled) in [(before, (2.5..<link.change).contains(now)), (after, now >= link.change + 2)]
            where isSettled {
                let estimate = try #require(estimator.uplink)
                checks += 1
                if abs(estimate / rate - 1) > 0.1 { misses += 1 }
            }
            time += period
        }
        // A window in which stalls and bunches outnumber the rest is rare, and over with the next frames.
        #expect(checks > 30 && misses * 10 <= checks, "seed \(seed): \(misses) of \(checks) off by more than a tenth")
        let roundTrip = try #require(estimator.roundTrip)
        #expect(abs(roundTrip - link.roundTrip) < 0.0015 + 8 * 200 / after, "seed \(seed)")
        #expect(try #require(estimator.jitter) < 0.05)
        #expect(estimator.cloudWait == 0.001)
    }

    private func passage(
        bytes: Int = 10_000, spacing: Duration, sending: Duration = .zero, at instant: ContinuousClock.Instant
    ) -> FramePassage {
        FramePassage(
            bytes: bytes, firstChunkBytes: 0, firstSent: instant - .milliseconds(20),
            lastSent: instant - .milliseconds(20) + sending, answered: instant, receiveStart: .seconds(1),
            receiveEnd: .seconds(1) + spacing, resultSent: .seconds(1) + spacing, queue: .zero)
    }

    @Test func aFrameThatWaitedForTheEncoderIsABoundOnly() {
        let start = ContinuousClock.now
        var estimator = LinkEstimator()
        for step in 0..<4 {
            estimator.observe(passage(spacing: .milliseconds(8), at: start + .milliseconds(100 * step)))
        }
        #expect(estimator.uplink == 1e7)
        // Slower than the link because the encoder was: no reason to believe in a slower link.
        estimator.observe(
            passage(spacing: .milliseconds(80), sending: .milliseconds(79), at: start + .milliseconds(450)))
        #expect(estimator.uplink == 1e7)
        // Faster than the link was, two seconds later: it must be faster now.
        for step in 0..<3 {
            let later = start + .milliseconds(2_500 + 100 * step)
            estimator.observe(passage(spacing: .milliseconds(2), sending: .milliseconds(2), at: later))
        }
        #expect(estimator.uplink == 4e7)
    }

    @Test func aTimeoutSaysThatTheLinkIsSlow() {
        let start = ContinuousClock.now
        var estimator = LinkEstimator()
        for step in 0..<4 {
            estimator.observe(passage(spacing: .milliseconds(8), at: start + .milliseconds(100 * step)))
        }
        for step in 0..<3 {
            estimator.observeTimeout(bytes: 10_000, within: .seconds(1), at: start + .seconds(2 + step))
        }
        #expect(estimator.uplink == 8e4)
        // What is believed to be slower already stays.
        estimator.observeTimeout(bytes: 10_000, within: .milliseconds(100), at: start + .seconds(6))
        #expect(estimator.uplink == 8e4)
    }

    @Test func probesOnlyInSilence() {
        let start = ContinuousClock.now
        var estimator = LinkEstimator()
        #expect(estimator.dueProbe(at: start) != nil)
        #expect(estimator.dueProbe(at: start + .milliseconds(500)) == nil)
        #expect(estimator.dueProbe(at: start + .milliseconds(1_000)) != nil)
        estimator.observe(passage(spacing: .milliseconds(1), at: start + .milliseconds(1_900)))
        #expect(estimator.dueProbe(at: start + .milliseconds(2_500)) == nil)
        #expect(estimator.dueProbe(at: start + .milliseconds(2_900)) != nil)
        estimator.observeProbe(
            roundTrip: .milliseconds(3), bytes: 8_192, spacing: .milliseconds(8), at: start + .milliseconds(2_950))
        #expect(estimator.uplink != nil && estimator.roundTrip != nil)
    }

    @Test func aServiceThatKeepsItsClockToItselfTeachesNothing() {
        var estimator = LinkEstimator()
        var silent = passage(spacing: .milliseconds(8), at: .now)
        (silent.receiveStart, silent.receiveEnd, silent.resultSent) = (.zero, .zero, .zero)
        estimator.observe(silent)
        #expect(estimator.uplink == nil && estimator.roundTrip == nil)
        // Nor does one whose clock runs backwards.
        silent.receiveStart = .seconds(2)
        silent.receiveEnd = .seconds(1)
        estimator.observe(silent)
        #expect(estimator.uplink == nil)
    }
}
