/// A world to simulate: boards with cameras, their links, a pool of servers.
package struct Scenario: Sendable {
    /// The servers. Each board keeps to one of them, as its stream does.
    package struct Pool: Hashable, Sendable {
        package var servers = 1
        /// Pictures that one server computes at once.
        package var workers = 1
        /// Pictures that may wait at one server; it refuses more.
        package var queueLimit = 64
        /// Pictures of one cut that a worker computes together.
        package var batch = 1
        /// How long a worker waits for a batch to fill, in nanoseconds.
        package var batchWindow: Int64 = 0
        /// What each further picture of a batch costs, as a share of one alone.
        package var batchShare = 1.0

        package init() {}
    }

    /// How the agent on the board behaves (`EdgeAgent`), whatever policy chooses its cuts.
    package struct Agent: Hashable, Sendable {
        /// For the cloud's part of one picture, from the head's end; then the board finishes it. In nanoseconds.
        package var deadline: Int64 = 500_000_000
        /// Pictures under way at once.
        package var depth = 2
        /// Pictures that may wait for a place; the oldest of more is dropped.
        package var waiting = 8
        /// So many deadlines missed in a row, and the link counts as lost until it connects again.
        package var maximumTimeouts = 3
        /// Delays before attempts to connect, in nanoseconds: doubled each time, spread over half of it.
        package var firstRetry: Int64 = 200_000_000
        package var lastRetry: Int64 = 30_000_000_000
        /// An adaptive policy that sends no pictures sends so many bytes to measure the link, first after this time, then after
        /// twice the time, up to the last.
        package var firstProbe: Int64 = 1_000_000_000
        package var lastProbe: Int64 = 8_000_000_000
        package var probeBytes: Int64 = 2_048

        package init() {}
    }

    /// How compute times spread around their medians; drawn for each picture, the same for every policy.
    package enum Variation: Hashable, Sendable {
        case none
        case exponential
        /// exp(σ·N): the median stays 1.
        case logNormal(sigma: Double)
    }

    package var boards = 1
    /// Cameras behind one uplink, first come first served.
    package var camerasPerUplink = 1
    /// By uplink in turn.
    package var uplinks: [LinkTrace]
    /// The rate of the way back, as a multiple of the way there.
    package var downlinkFactor = 1.0
    /// Whether uplinks begin at different places in their traces.
    package var staggersTraces = false
    package var arrivals = ArrivalProcess.periodic(period: 1_000_000_000)
    /// Pictures come for so long, in nanoseconds.
    package var duration: Int64
    package var seed: UInt64 = 1
    package var pool = Pool()
    package var agent = Agent()
    package var edgeVariation = Variation.none
    package var cloudVariation = Variation.none
    /// Later answers count as missed, in nanoseconds.
    package var target: Int64 = 250_000_000

    package init(uplinks: [LinkTrace], duration: Int64) {
        self.uplinks = uplinks
        self.duration = duration
    }

    /// The most pictures of one run.
    package static let mostFrames = 50_000_000

    /// - Throws: `SimulationError.invalidScenario` that names the setting.
    package func validate() throws(SimulationError) {
        func check(_ condition: Bool, _ expected: String, _ setting: String) throws(SimulationError) {
            guard condition else { throw SimulationError(.invalidScenario, "expected \(expected)", at: setting) }
        }
        let year: Int64 = 366 * 86_400_000_000_000
        try check(!uplinks.isEmpty, "at least one trace", "traces")
        try check((1...1_000_000).contains(boards), "1 to 10⁶", "boards")
        try check((1...10_000).contains(camerasPerUplink), "1 to 10⁴", "cameras per uplink")
        try check((1...year).contains(duration), "1 ns to a year", "duration")
        try check(downlinkFactor.isFinite && downlinkFactor > 0 && downlinkFactor <= 1e6, "0 to 10⁶", "downlink")
        try check((1...100_000).contains(pool.servers) && (1...10_000).contains(pool.workers), "1 to 10⁵", "servers")
        try check((0...10_000_000).contains(pool.queueLimit), "0 to 10⁷", "queue")
        try check((1...10_000).contains(pool.batch) && (0...year).contains(pool.batchWindow), "1 to 10⁴", "batch")
        try check((0...1).contains(pool.batchShare), "0 to 1", "batch share")
        try check((1...year).contains(agent.deadline) && (1...year).contains(target), "more than 0", "deadline")
        try check((1...1_000_000).contains(agent.depth) && agent.waiting >= 1, "1 or more", "depth")
        try check(agent.maximumTimeouts >= 1 && agent.probeBytes >= 1, "1 or more", "agent")
        try check(
            (1...year).contains(agent.firstRetry) && (agent.firstRetry...year).contains(agent.lastRetry)
                && (1...year).contains(agent.firstProbe) && (agent.firstProbe...year).contains(agent.lastProbe),
            "more than 0", "agent")
        try arrivals.validate()
        try check(
            Double(duration) / arrivals.meanPeriod * Double(boards) <= Double(Self.mostFrames),
            "at most \(Self.mostFrames) pictures", "boards, duration and arrivals together")
    }
}

extension Scenario.Variation {
    /// A factor for one compute time.
    func factor(using generator: inout SeededGenerator) -> Double {
        switch self {
        case .none: 1
        case .exponential: generator.exponential()
        case .logNormal(let sigma): generator.logNormal(sigma)
        }
    }
}
