/// When a board's pictures come.
package enum ArrivalProcess: Hashable, Sendable {
    /// A camera: one every `period` nanoseconds, from a phase of its own.
    case periodic(period: Int64)
    /// With independent exponential gaps of `mean` nanoseconds.
    case poisson(mean: Int64)
    /// A camera that watches for motion: `count` pictures `period` nanoseconds apart, then an exponential gap of `gap` nanoseconds.
    case bursts(count: Int, period: Int64, gap: Int64)

    /// The mean time between two pictures, in nanoseconds.
    package var meanPeriod: Double {
        switch self {
        case .periodic(let period): Double(period)
        case .poisson(let mean): Double(mean)
        case .bursts(let count, let period, let gap):
            (Double(count - 1) * Double(period) + Double(gap)) / Double(count)
        }
    }

    /// - Throws: `SimulationError` unless times are 1 ns to a day and bursts 1 to 10⁶ pictures.
    func validate() throws(SimulationError) {
        let range: ClosedRange<Int64> = 1...86_400_000_000_000
        let (times, count): ([Int64], Int) =
            switch self {
            case .periodic(let period): ([period], 1)
            case .poisson(let mean): ([mean], 1)
            case .bursts(let count, let period, let gap): ([period, gap], count)
            }
        guard times.allSatisfy(range.contains), (1...1_000_000).contains(count) else {
            throw SimulationError(
                .invalidScenario, "expected times from 1 ns to a day, bursts of 1 to 10⁶ pictures", at: "arrivals")
        }
    }

    /// The arrivals in 0..<`duration`, ascending.
    func times(until duration: Int64, using generator: inout SeededGenerator) -> [Int64] {
        var times: [Int64] = []
        func gap(_ mean: Int64) -> Int64 {
            max(1, Int64((generator.exponential() * Double(mean)).rounded()))
        }
        switch self {
        case .periodic(let period):
            var time = Int64(generator.fraction() * Double(period))
            while time < duration {
                times.append(time)
                time += period
            }
        case .poisson(let mean):
            var time = gap(mean)
            while time < duration {
                times.append(time)
                time += gap(mean)
            }
        case .bursts(let count, let period, let pause):
            var time = gap(pause)
            while time < duration {
                for picture in 0..<count where time < duration {
                    times.append(time)
                    time += picture + 1 < count ? period : 0
                }
                time += gap(pause)
            }
        }
        return times
    }
}

/// All boards' arrivals, one board after another; the same for every policy.
struct ArrivalPlan: Sendable {
    let times: [Int64]
    /// By board, where its arrivals begin; one more for the end.
    let starts: [Int]

    init(_ scenario: Scenario) {
        var times: [Int64] = []
        var starts = [0]
        for board in 0..<scenario.boards {
            var generator = SeededGenerator(seed: scenario.seed, stream: 1, number: UInt64(board))
            times += scenario.arrivals.times(until: scenario.duration, using: &generator)
            starts.append(times.count)
        }
        self.times = times
        self.starts = starts
    }
}
