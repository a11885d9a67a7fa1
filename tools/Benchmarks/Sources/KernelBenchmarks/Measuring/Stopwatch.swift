internal import CMachinePeaks

/// Takes the time of short computations of the calling thread.
///
/// It counts the time that the thread computed, so that a machine busy with other things disturbs less: what remains of
/// them is the caches they use.
package struct Stopwatch: Sendable {
    package var sampleCount: Int
    /// What one sample lasts at least: short computations are repeated within it.
    package var sampleSeconds: Double

    package init(sampleCount: Int, sampleSeconds: Double) {
        precondition(sampleCount > 0)
        (self.sampleCount, self.sampleSeconds) = (sampleCount, sampleSeconds)
    }

    private func seconds(_ repeats: Int, _ run: () -> Void) -> Double {
        let start = mp_thread_nanoseconds()
        for _ in 0..<repeats { run() }
        return Double(mp_thread_nanoseconds() - start) * 1e-9
    }

    /// Seconds that one run takes, in ascending order, after a warm-up as long as a sample.
    package func samples(_ run: () -> Void) -> [Double] {
        var repeats = 1
        while true {
            let took = seconds(repeats, run)
            if took >= sampleSeconds { break }
            let growth = took > 0 ? min(1.2 * sampleSeconds / took, 16) : 16
            repeats = max(repeats + 1, Int(Double(repeats) * growth))
        }
        return (0..<sampleCount).map { _ in seconds(repeats, run) / Double(repeats) }.sorted()
    }

    package func medianSeconds(_ run: () -> Void) -> Double {
        let samples = samples(run)
        return samples[samples.count / 2]
    }

    /// What is possible rather than usual: for peaks.
    package func shortestSeconds(_ run: () -> Void) -> Double { samples(run)[0] }
}
