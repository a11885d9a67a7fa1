internal import Glibc
package import Planning

extension RunningCosts.BoardPower {
    /// Measures the board at rest and at work.
    ///
    /// - Parameters:
    ///   - threads: that `work` keeps busy.
    ///   - work: a run of a network.
    /// - Throws: `PowerMeterError`, or what `work` throws.
    package static func measure(
        with meter: PowerMeter, threads: Int, rest: Duration = .seconds(1), workDuration: Duration = .seconds(2),
        _ work: () throws -> Void
    ) throws -> RunningCosts.BoardPower {
        let idle = try meter.measure(for: rest) { usleep(20_000) }
        // The first runs fill caches.
        for _ in 0..<3 { try work() }
        let busy = try meter.measure(for: workDuration, work)
        var power = RunningCosts.BoardPower(
            idle: idle.mean, perBusyThread: max(0, busy.mean - idle.mean) / Double(threads),
            source: "Measured by \(meter.source), \(threads) busy threads.")
        power.peak = busy.peak
        return power
    }
}
