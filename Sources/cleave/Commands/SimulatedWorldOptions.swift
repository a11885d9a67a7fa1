internal import ArgumentParser
internal import Foundation
internal import Planning
internal import Simulation

/// Boards, arrivals and servers of `cleave simulate`.
struct SimulatedWorldOptions: ParsableArguments {
    enum Arrivals: String, CaseIterable, ExpressibleByArgument {
        case periodic, poisson, bursts
    }

    @Option(help: ArgumentHelp("Boards with a camera each.", valueName: "n"))
    var boards: Int = 1

    @Option(help: ArgumentHelp("Cameras that share one uplink.", valueName: "n"))
    var camerasPerUplink: Int = 1

    @Option(help: "\(Arrivals.allCases.map(\.rawValue).joined(separator: ", ")).")
    var arrivals: Arrivals = .periodic

    @Option(help: ArgumentHelp("Pictures a second of each board; within bursts, of the burst.", valueName: "rate"))
    var fps: Double = 1

    @Option(help: ArgumentHelp("Pictures of a burst.", valueName: "n"))
    var burst: Int = 10

    @Option(help: ArgumentHelp("Mean pause between bursts, in seconds.", valueName: "s"))
    var burstGap: Double = 30

    @Option(
        help: ArgumentHelp(
            "Length of the run in seconds: 600, or with --each-trace the trace's own, unless given.", valueName: "s"))
    var duration: Double?

    @Option(help: ArgumentHelp("Of everything that is drawn at random.", valueName: "n"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Servers; each board keeps to one.", valueName: "n"))
    var servers: Int = 1

    @Option(help: ArgumentHelp("Pictures that a server computes at once.", valueName: "n"))
    var workers: Int = 1

    @Option(help: ArgumentHelp("Pictures that may wait at a server.", valueName: "n"))
    var queue: Int = 64

    @Option(help: ArgumentHelp("Pictures of one cut that are computed together.", valueName: "n"))
    var batch: Int = 1

    @Option(help: ArgumentHelp("How long a batch may wait to fill.", valueName: "ms"))
    var batchWindow: Double = 0

    @Option(
        help: ArgumentHelp(
            "What each further picture of a batch costs, as a share of one alone: what `cleave profile --batches` measured, else 1, unless given.",
            valueName: "share"))
    var batchShare: Double?

    @Option(
        help: ArgumentHelp("Milliseconds the cloud has for a picture before the board finishes it.", valueName: "ms"))
    var deadlineMs: Double = 500

    @Option(help: ArgumentHelp("Later answers count as missed.", valueName: "ms"))
    var target: Double = 250

    @Option(help: ArgumentHelp("Pictures of one board under way at once.", valueName: "n"))
    var depth: Int = 2

    @Flag(help: "Spread compute times as the profiles' 90th percentiles lie over their medians.")
    var jitter = false

    func validate() throws {
        for (name, value) in [
            ("--fps", fps), ("--burst-gap", burstGap), ("--duration", duration ?? 1), ("--deadline-ms", deadlineMs),
            ("--target", target),
        ] where !(value > 0 && value <= 1e7) {
            throw ValidationError("\(name): expected more than 0 and at most 10⁷, got \(value)")
        }
        if !(batchWindow >= 0 && batchWindow <= 1e6) { throw ValidationError("--batch-window: expected 0 to 10⁶") }
    }

    /// In whole nanoseconds.
    var durationNanoseconds: Int64? { duration.map { Int64($0 * 1e9) } }

    func scenario(
        _ traces: [LinkTrace], duration: Int64, links: SimulatedLinkOptions, profiles: ProfileSet
    ) throws -> Scenario {
        var scenario = Scenario(uplinks: traces, duration: duration)
        scenario.boards = boards
        scenario.camerasPerUplink = camerasPerUplink
        scenario.downlinkFactor = links.downlinkScale
        scenario.staggersTraces = boards > 1
        let period = max(1, Int64(1e9 / fps))
        scenario.arrivals =
            switch arrivals {
            case .periodic: .periodic(period: period)
            case .poisson: .poisson(mean: period)
            case .bursts: .bursts(count: burst, period: period, gap: Int64(burstGap * 1e9))
            }
        scenario.seed = seed
        scenario.pool.servers = servers
        scenario.pool.workers = workers
        scenario.pool.queueLimit = queue
        scenario.pool.batch = batch
        scenario.pool.batchWindow = Int64(batchWindow * 1e6)
        scenario.pool.batchShare = batchShare ?? min(1, max(0, profiles.cloud.batchShare ?? 1))
        scenario.agent.deadline = Int64(deadlineMs * 1e6)
        scenario.agent.depth = depth
        scenario.target = Int64(target * 1e6)
        if jitter {
            scenario.edgeVariation = profiles.edge.variation
            scenario.cloudVariation = profiles.cloud.variation
        }
        return scenario
    }
}

extension DeviceProfile {
    /// A logarithmic normal distribution with this profile's median and 90th percentile.
    fileprivate var variation: Scenario.Variation {
        let ratio = wholeNetwork.p90.inSeconds / wholeNetwork.median.inSeconds
        return ratio.isFinite && ratio > 1 ? .logNormal(sigma: log(ratio) / 1.2816) : .none
    }
}
