package import Planning

/// One policy's figures.
package struct PolicyResult: Hashable, Sendable, Codable {
    package var policy: String
    /// The choice, where the policy has only one.
    package var choice: String?
    package var pictures: Int
    package var dropped: Int
    package var meanMilliseconds: Double
    package var p50Milliseconds: Double
    package var p95Milliseconds: Double
    package var p99Milliseconds: Double
    /// The mean latency over that of the best choice for each picture with nothing else in its way.
    package var overBound: Double
    /// The share of pictures dropped or answered later than the target.
    package var missed: Double
    package var uploadedBytesPerPicture: Double
    package var joulesPerPicture: Double
    /// Of the servers' cores.
    package var coreMillisecondsPerPicture: Double
    /// The share of the run in which the servers' workers computed: of all, and of the busiest server.
    package var serverLoad: Double
    package var busiestServerLoad: Double
    package var meanCloudWaitMilliseconds: Double
    /// For each board.
    package var switchesPerTenSeconds: Double
    /// The share of pictures that the cloud finished.
    package var remoteShare: Double
    package var timeouts: Int
    package var refusals: Int
    package var unasked: Int

    /// - Parameter bound: the sum of the least latencies of all pictures, in nanoseconds.
    init(
        _ name: String, choice: String?, _ outcome: Outcome, _ scenario: Scenario, bound: Double, power: BoardPowers
    ) {
        let sorted = outcome.latencies.filter { $0 >= 0 }.sorted()
        let count = max(1, outcome.latencies.count)
        let answered = Double(max(1, sorted.count))
        func percentile(_ share: Double) -> Double {
            sorted.isEmpty ? 0 : Double(sorted[max(0, Int((share * answered).rounded(.up)) - 1)]) / 1e6
        }
        let sum = sorted.reduce(0.0) { $0 + Double($1) }
        policy = name
        self.choice = choice
        pictures = outcome.latencies.count
        dropped = outcome.dropped
        meanMilliseconds = sum / answered / 1e6
        p50Milliseconds = percentile(0.5)
        p95Milliseconds = percentile(0.95)
        p99Milliseconds = percentile(0.99)
        overBound = bound > 0 ? sum / answered / (bound / Double(count)) : 1
        missed = Double(outcome.dropped + sorted.count { $0 > scenario.target }) / Double(count)
        uploadedBytesPerPicture = Double(outcome.uploadedBytes) / Double(count)
        joulesPerPicture = power.joules(outcome, latencies: sum) / Double(count)
        coreMillisecondsPerPicture = outcome.cloudThreadTime / Double(count) / 1e6
        let length = Double(max(1, scenario.duration, outcome.end)) * Double(scenario.pool.workers)
        serverLoad = outcome.cloudBusy.reduce(0.0) { $0 + Double($1) } / length / Double(scenario.pool.servers)
        busiestServerLoad = Double(outcome.cloudBusy.max() ?? 0) / length
        meanCloudWaitMilliseconds = Double(outcome.cloudWait) / Double(max(1, outcome.served)) / 1e6
        switchesPerTenSeconds =
            Double(outcome.switches) / Double(scenario.boards) / (Double(scenario.duration) / 1e10)
        remoteShare = Double(outcome.remote) / Double(count)
        timeouts = outcome.timeouts
        refusals = outcome.refusals
        unasked = outcome.unasked
    }
}

/// What boards draw: computing and waiting (`RunningCosts`), and the radio while it sends and receives.
package struct BoardPowers: Hashable, Sendable {
    package var board: RunningCosts.BoardPower
    package var radio: RadioPower?

    package init(board: RunningCosts.BoardPower = .assumed, radio: RadioPower? = nil) {
        self.board = board
        self.radio = radio
    }

    /// As the planner counts: the board idles from a picture to its answer, and draws more while it computes.
    /// - Parameter latencies: their sum, in nanoseconds.
    func joules(_ outcome: Outcome, latencies: Double) -> Double {
        let computing = board.idle * latencies / 1e9 + board.perBusyThread * outcome.edgeThreadTime / 1e9
        guard let radio else { return computing }
        return computing + radio.perMegabit * 8 * Double(outcome.uploadedBytes) / 1e6
            + radio.base * Double(outcome.sendingTime + outcome.receivingTime) / 1e9
    }
}
