/// Estimates uplink, round trip, jitter and the cloud's wait from the frames that pass, without sockets or clocks.
///
/// The rate of a frame is that of its bytes after the first chunk between the arrivals of the first chunk and the last, on the cloud's
/// clock: neither the round trip nor the clocks' offset enters. While a link without a queue waits for the encoder it is idle, which
/// does not count; a frame that arrives as slowly as it was encoded tells only that the link is no slower. The estimate is the median, weighted by bytes, of what the last one and a half seconds saw: bursts and pauses of
/// single frames do not move it, and a second after a change of rate the frames since outvote those before.
package struct LinkEstimator: Sendable {
    package struct Configuration: Sendable {
        /// How long a frame counts.
        package var window: Duration = .milliseconds(1_500)
        /// So many frames count however old they are.
        package var leastSamples = 5
        /// Bytes after the first chunk below which a frame says nothing of the rate.
        package var leastBytes = 512
        /// After so long without frames a probe is due, and again after each such time.
        package var probeInterval: Duration = .seconds(1)
        package var probeBytes = 8 << 10

        package init() {}
    }

    private struct Sample {
        var instant: ContinuousClock.Instant
        var value: Double
        var weight: Double
    }

    private let configuration: Configuration
    /// Bits per second.
    private var rates: [Sample] = []
    /// Bits per second that the link reached at least.
    private var bounds: [Sample] = []
    /// Seconds.
    private var roundTrips: [Sample] = []
    private var waits: [Sample] = []
    /// In seconds: without a queue before the link; forgotten slowly.
    private var leastRoundTrip: Double?
    private var lastHeard: ContinuousClock.Instant?
    private var lastProbe: ContinuousClock.Instant?

    /// In bit/s; `nil` before anything was learnt.
    package private(set) var uplink: Double?
    /// In seconds: low among recent ones, as frames ahead in the queue make others late.
    package private(set) var roundTrip: Double?
    /// In seconds: the mean difference between round trips that follow each other, smoothed as RFC 3550 does.
    package private(set) var jitter: Double?
    /// In seconds.
    package private(set) var cloudWait: Double?

    package init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
    }

    /// A frame was answered.
    package mutating func observe(_ passage: FramePassage) {
        let now = passage.answered
        lastHeard = now
        // Services that do not tell their clock say nothing of the link.
        guard passage.receiveEnd > .zero, passage.receiveEnd >= passage.receiveStart,
            passage.resultSent >= passage.receiveEnd
        else { return }
        let trip = now - passage.firstSent - (passage.resultSent - passage.receiveStart)
        observe(roundTrip: trip, at: now)
        let bytes = passage.bytes - passage.firstChunkBytes
        // The encoder hands over pieces of a chunk's size; the link waits for the first of them unless frames are queued.
        let piece = min(1, Double(FrameChunker.targetBytes) / Double(max(1, bytes)))
        let queued = trip.seconds - (leastRoundTrip ?? trip.seconds)
        let idle = max(0, (passage.lastSent - passage.firstSent).seconds * piece - max(0, queued))
        observe(bytes: bytes, spacing: (passage.receiveEnd - passage.receiveStart).seconds, idle: idle, at: now)
        add(Sample(instant: now, value: max(0, passage.queue.seconds), weight: 1), to: \.waits)
        cloudWait = median(waits)
    }

    /// A probe was answered.
    package mutating func observeProbe(
        roundTrip: Duration, bytes: Int, spacing: Duration, at now: ContinuousClock.Instant
    ) {
        lastHeard = now
        observe(bytes: bytes, spacing: spacing.seconds, idle: 0, at: now)
        observe(roundTrip: roundTrip, at: now)
    }

    /// A frame or a probe of `bytes` was not answered within `time`: the link is at most as fast as that.
    package mutating func observeTimeout(bytes: Int, within time: Duration, at now: ContinuousClock.Instant) {
        lastHeard = now
        guard bytes > 0, time > .zero else { return }
        let rate = 8 * Double(bytes) / time.seconds
        // What is believed to be slower already stays.
        guard uplink.map({ $0 > rate }) ?? true else { return }
        add(Sample(instant: now, value: rate, weight: Double(bytes)), to: \.rates)
        uplink = median(rates)
    }

    /// The bytes of a probe to send now, if the link has been silent for long enough.
    package mutating func dueProbe(at now: ContinuousClock.Instant) -> Int? {
        let last = [lastHeard, lastProbe].compactMap { $0 }.max()
        if let last, now - last < configuration.probeInterval { return nil }
        lastProbe = now
        return configuration.probeBytes
    }

    /// - Parameters:
    ///   - spacing: between the arrivals, in seconds.
    ///   - idle: how much of that the link waited for the encoder.
    private mutating func observe(bytes: Int, spacing: Double, idle: Double, at now: ContinuousClock.Instant) {
        guard bytes >= configuration.leastBytes, spacing > 0 else { return }
        let busy = spacing - idle
        if busy < spacing / 5 {
            add(Sample(instant: now, value: 8 * Double(bytes) / spacing, weight: Double(bytes)), to: \.bounds)
        } else {
            add(Sample(instant: now, value: 8 * Double(bytes) / busy, weight: Double(bytes)), to: \.rates)
        }
        let reached = median(bounds)
        // Frames that had to wait for the link tell its rate; the others may say that it became faster since.
        let newest = rates.last.map { now - $0.instant <= configuration.window } ?? false
        let measured = median(rates)
        uplink = newest ? measured : [measured, reached].compactMap { $0 }.max()
    }

    private mutating func observe(roundTrip time: Duration, at now: ContinuousClock.Instant) {
        let seconds = max(0, time.seconds)
        if let previous = roundTrips.last?.value {
            let difference = abs(seconds - previous)
            jitter = jitter.map { $0 + (difference - $0) / 16 } ?? difference
        }
        leastRoundTrip = leastRoundTrip.map { min(seconds, $0 + (seconds - $0) / 256) } ?? seconds
        add(Sample(instant: now, value: seconds, weight: 1), to: \.roundTrips)
        roundTrip = quantile(0.25, of: roundTrips)
    }

    private mutating func add(_ sample: Sample, to samples: WritableKeyPath<LinkEstimator, [Sample]>) {
        self[keyPath: samples].append(sample)
        let surplus = self[keyPath: samples].count - configuration.leastSamples
        guard surplus > 0 else { return }
        let old = self[keyPath: samples].prefix(surplus).count { sample.instant - $0.instant > configuration.window }
        self[keyPath: samples].removeFirst(old)
    }

    private func median(_ samples: [Sample]) -> Double? { quantile(0.5, of: samples) }

    /// The least value that, with those below it, holds the share of the weight.
    private func quantile(_ share: Double, of samples: [Sample]) -> Double? {
        let total = samples.reduce(0) { $0 + $1.weight }
        var below = 0.0
        for sample in samples.sorted(by: { $0.value < $1.value }) {
            below += sample.weight
            if below >= share * total { return sample.value }
        }
        return nil
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
