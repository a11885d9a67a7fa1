/// A number of bytes, never negative.
package struct ByteCount: Hashable, Sendable, Comparable, Codable {
    package let bytes: Int64

    /// - Precondition: `bytes` ≥ 0.
    package init(_ bytes: Int64) {
        precondition(bytes >= 0)
        self.bytes = bytes
    }

    package init(_ bytes: Int) {
        self.init(Int64(bytes))
    }

    package static let zero = ByteCount(0)

    package static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }

    package static func + (left: ByteCount, right: ByteCount) -> ByteCount {
        let (sum, overflow) = left.bytes.addingReportingOverflow(right.bytes)
        return ByteCount(overflow ? .max : sum)
    }

    package init(from decoder: any Decoder) throws {
        bytes = try decoder.nonNegativeInteger()
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }
}

/// A link's speed in bit/s: finite and > 0.
package struct BitRate: Hashable, Sendable, Comparable, Codable {
    package let bitsPerSecond: Double

    /// - Precondition: finite and > 0.
    package init(bitsPerSecond: Double) {
        precondition(bitsPerSecond.isFinite && bitsPerSecond > 0)
        self.bitsPerSecond = bitsPerSecond
    }

    package static func megabits(_ megabitsPerSecond: Double) -> BitRate {
        BitRate(bitsPerSecond: megabitsPerSecond * 1e6)
    }

    package static func < (left: BitRate, right: BitRate) -> Bool { left.bitsPerSecond < right.bitsPerSecond }

    /// The time `size` occupies the link, in whole nanoseconds.
    package func transferTime(of size: ByteCount) -> Duration { .nanoseconds(nanoseconds(of: size)) }

    /// As `transferTime`; saturates at three years, so that sums do not overflow.
    func nanoseconds(of size: ByteCount) -> Int64 {
        let nanoseconds = (8e9 * Double(size.bytes) / bitsPerSecond).rounded()
        return nanoseconds < 1e17 ? Int64(nanoseconds) : 100_000_000_000_000_000
    }

    package init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer().decode(Double.self)
        guard value.isFinite, value > 0 else {
            throw decoder.invalidNumber("expected a finite number of bit/s > 0, got \(value)")
        }
        bitsPerSecond = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bitsPerSecond)
    }
}

extension Duration {
    /// Rounded to the nearest; saturates beyond ±292 years.
    package var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let half: Int64 = attoseconds < 0 ? -500_000_000 : 500_000_000
        let (sum, sumOverflow) = whole.addingReportingOverflow((attoseconds + half) / 1_000_000_000)
        return overflow || sumOverflow ? (seconds < 0 ? .min : .max) : sum
    }

    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    package var inMilliseconds: Double { inSeconds * 1e3 }

    /// Rounded to whole nanoseconds; saturates.
    static func nanoseconds(rounding nanoseconds: Double) -> Duration {
        .nanoseconds(Int64(exactly: nanoseconds.rounded()) ?? (nanoseconds < 0 ? .min : .max))
    }
}

/// A duration in JSON: a whole number of nanoseconds, 0...`limit`. Keys that hold one end in `Nanoseconds`.
struct Nanoseconds: Codable {
    let duration: Duration

    /// A day and some: sums over every node of a network do not overflow.
    private static let limit: Int64 = 100_000_000_000_000

    init(_ duration: Duration) {
        self.duration = duration
    }

    init(from decoder: any Decoder) throws {
        let nanoseconds = try decoder.nonNegativeInteger()
        guard nanoseconds <= Self.limit else {
            throw decoder.invalidNumber("expected at most \(Self.limit), got \(nanoseconds)")
        }
        duration = .nanoseconds(nanoseconds)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(duration.wholeNanoseconds)
    }
}

extension Decoder {
    func nonNegativeInteger() throws -> Int64 {
        let value = try singleValueContainer().decode(Int64.self)
        guard value >= 0 else { throw invalidNumber("expected a number ≥ 0, got \(value)") }
        return value
    }

    func invalidNumber(_ message: String) -> PlanningError {
        PlanningError(.invalidNumber, message, at: codingPath.fieldPath)
    }
}

extension [any CodingKey] {
    /// `nodes[3].timing.medianNanoseconds`
    var fieldPath: String {
        reduce(into: "") { path, key in
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                path += (path.isEmpty ? "" : ".") + key.stringValue
            }
        }
    }
}
