/// Growing delays between attempts, spread at random so that many edges do not return at the same moment.
package struct Backoff: Sendable {
    package var initial: Duration = .milliseconds(200)
    package var maximum: Duration = .seconds(30)
    package var multiplier = 2.0
    private var attempts = 0

    package init(initial: Duration = .milliseconds(200), maximum: Duration = .seconds(30), multiplier: Double = 2) {
        precondition(initial > .zero && maximum >= initial && multiplier >= 1)
        self.initial = initial
        self.maximum = maximum
        self.multiplier = multiplier
    }

    /// The delay before the next attempt: between half of the nominal delay and all of it.
    package mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        var nominal = initial
        for _ in 0..<attempts where nominal < maximum { nominal = min(nominal * multiplier, maximum) }
        // Beyond this the delay no longer grows.
        attempts = min(attempts + 1, 64)
        return nominal * Double.random(in: 0.5...1, using: &generator)
    }

    /// The longest delay from now on: the cloud answered, and answered no.
    package mutating func saturate() { attempts = 64 }

    package mutating func reset() { attempts = 0 }
}
