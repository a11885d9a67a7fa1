package import Planning

/// What a board knows of its link and of the cloud, from past transfers alone.
///
/// The time per bit is averaged, not the bits per time: a choice's latency is linear in 1 ÷ uplink, so with the mean of that
/// the choice of least expected latency is the one of least latency at the mean. An outage is no measure of the link that comes
/// back: one sample counts at most eight times the mean, and a link four times as fast as the mean is back.
package struct LinkEstimate: Hashable, Sendable {
    /// The share of the newest sample, 0...1.
    package var weight: Double
    private var secondsPerBit: Double
    private var delay: Double
    private var wait = 0.0
    /// When a transfer was last seen, in nanoseconds.
    package private(set) var lastSample: Int64

    /// - Parameters:
    ///   - bitsPerSecond: as measured while connecting.
    ///   - delay: the round trip, in nanoseconds.
    package init(weight: Double, bitsPerSecond: Double, delay: Int64, at time: Int64) {
        self.weight = weight
        secondsPerBit = 1 / max(bitsPerSecond, Self.slowest)
        self.delay = Double(delay) / 1e9
        lastSample = time
    }

    /// In bit/s: what an outage counts as.
    private static let slowest = 1_000.0
    private static let mostSlower = 8.0
    private static let isBack = 4.0

    /// - Parameters:
    ///   - bytes: that passed in `duration` nanoseconds.
    package mutating func addTransfer(of bytes: Int64, in duration: Int64, at time: Int64) {
        let sample = Double(max(1, duration)) / 1e9 / max(8 * Double(bytes), 1)
        let counted = min(sample, Self.mostSlower * secondsPerBit, 1 / Self.slowest)
        if counted * Self.isBack < secondsPerBit {
            secondsPerBit = counted
        } else {
            secondsPerBit += weight * (counted - secondsPerBit)
        }
        lastSample = time
    }

    /// - Parameters:
    ///   - delay: from the end of sending to the answer, the cloud's own time taken off, in nanoseconds.
    ///   - wait: until the cloud began to compute, in nanoseconds.
    package mutating func addAnswer(delay: Int64, wait: Int64) {
        self.delay += weight * (Double(delay) / 1e9 - self.delay)
        self.wait += weight * (Double(wait) / 1e9 - self.wait)
    }

    package var conditions: DecisionTable.Conditions {
        DecisionTable.Conditions(uplink: 1 / secondsPerBit, roundTrip: delay, cloudWait: wait)
    }
}
