/// Takes the time of short computations.
package struct Stopwatch: Sendable {
    package var sampleCount: Int
    /// What one sample lasts at least: short computations are repeated within it.
    package var sampleDuration: Duration

    package init(sampleCount: Int, sampleDuration: Duration) {
        precondition(sampleCount > 0)
        (self.sampleCount, self.sampleDuration) = (sampleCount, sampleDuration)
    }

    /// Seconds that one run takes, in ascending order, after a warm-up as long as a sample.
    package func samples(_ run: () -> Void) -> [Double] {
        let clock = ContinuousClock()
        run()
        var repeats = 1
        while true {
            let took = clock.measure { for _ in 0..<repeats { run() } }
            if took >= sampleDuration { break }
            let wanted = took == .zero ? 16 : 1.2 * (sampleDuration / took)
            repeats = max(repeats + 1, Int(Double(repeats) * min(wanted, 16)))
        }
        return (0..<sampleCount).map { _ in
            clock.measure { for _ in 0..<repeats { run() } } / .seconds(1) / Double(repeats)
        }.sorted()
    }

    package func medianSeconds(_ run: () -> Void) -> Double {
        let samples = samples(run)
        return samples[samples.count / 2]
    }

    /// What is possible rather than usual: for peaks.
    package func shortestSeconds(_ run: () -> Void) -> Double { samples(run)[0] }
}
