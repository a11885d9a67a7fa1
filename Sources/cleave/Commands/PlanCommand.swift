internal import ArgumentParser
internal import FoundationEssentials
internal import ModelGraph
internal import ModelStore
internal import Planning

extension Objective: ExpressibleByArgument {}

/// `energy=0.5`
struct WeighedObjective: ExpressibleByArgument {
    let term: Goal.Term

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let objective = Objective(rawValue: String(parts[0])), let weight = Double(parts[1]),
            weight.isFinite, weight > 0
        else { return nil }
        term = Goal.Term(objective, weight: weight)
    }
}

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Choose where to cut, from measured profiles, and say why.",
        discussion: """
            Costs every legal cut in every codec mode measured, and compares with uploading a JPEG and with running \
            everything on the edge.

            Examples:
              cleave plan digits.cleave --profiles profiles/ --link 4g
              cleave plan digits.cleave --profiles profiles/ --uplink 5 --rtt 40 --max-loss 0.01 --report plan.html
              cleave plan digits.cleave --profiles profiles/ --link wifi --keep-picture --plan plan.json
              cleave plan digits.cleave --profiles profiles/ --link 3g --objective energy --then latency --tolerance 0.1
              cleave plan digits.cleave --profiles profiles/ --link 4g --wait 15 --deadline 100 --explain
            """)

    @Argument(help: "The package that was profiled.")
    var package: String

    @Option(help: ArgumentHelp("The folder that `cleave profile` wrote.", valueName: "folder"))
    var profiles: String

    @Option(
        help: ArgumentHelp(
            "The link: \(LinkProfile.presets.map(\.name).joined(separator: ", ")), or a JSON profile; the profiles' link.json unless given.",
            valueName: "name|file"))
    var link: String?

    @Option(help: ArgumentHelp("Uplink in Mbit/s, in place of the link's.", valueName: "mbit"))
    var uplink: Double?

    @Option(help: ArgumentHelp("Round trip in milliseconds, in place of the link's.", valueName: "ms"))
    var rtt: Double?

    @Option(
        help: ArgumentHelp(
            "Multiply the edge's times: a board so many times slower than the one profiled.", valueName: "factor"))
    var edgeSlowdown: Double = 1

    @Flag(help: "The camera delivers pixels: unpacking a file costs the edge nothing.")
    var rawCamera = false

    @Option(help: ArgumentHelp("How long a picture waits in the cloud before it is computed.", valueName: "ms"))
    var wait: Double = 0

    @Option(help: "\(Objective.allCases.map(\.rawValue).joined(separator: ", ")).")
    var objective: Objective = .latency

    @Option(
        help: ArgumentHelp(
            "Then this, among what comes within --tolerance of the best; may be repeated.", valueName: "objective"))
    var then: [Objective] = []

    @Option(help: ArgumentHelp("What --then may give away, as a share of the best.", valueName: "share"))
    var tolerance: Double = 0.05

    @Option(
        help: ArgumentHelp(
            "Weigh this against --objective (which counts 1), each in multiples of the least possible; may be repeated.",
            valueName: "objective=weight"))
    var weigh: [WeighedObjective] = []

    @Option(
        help: ArgumentHelp(
            "The board's power and the server's prices, as JSON (cleave.running-costs); costs.json of the profiles, if there is one, unless given.",
            valueName: "file"))
    var costs: String?

    @Option(
        help: ArgumentHelp(
            "The most top-1 accuracy that may be lost, 0...1; without labels, the share of pictures that may change.",
            valueName: "share"))
    var maxLoss: Double?

    @Option(help: ArgumentHelp("The most bytes to send for one picture.", valueName: "bytes"))
    var maxUplinkBytes: Int?

    @Option(help: ArgumentHelp("The latency that no picture may exceed.", valueName: "ms"))
    var deadline: Double?

    @Option(help: ArgumentHelp("The edge's peak memory, in MiB.", valueName: "MiB"))
    var maxEdgeMemory: Double?

    @Option(
        help: ArgumentHelp(
            "The head's integer weights, in MiB: what a package of the head alone weighs.", valueName: "MiB"))
    var maxPackageSize: Double?

    @Option(
        help: ArgumentHelp(
            "Data allowed in a month of 30 days, at --frames-per-second.", valueName: "GB"))
    var monthlyData: Double?

    @Option(help: ArgumentHelp("Pictures a second, for --monthly-data.", valueName: "rate"))
    var framesPerSecond: Double?

    @Flag(help: "The picture itself must not leave the edge.")
    var keepPicture = false

    @Option(
        help: ArgumentHelp(
            "Privacy floor: this node runs on the edge, and nothing before it is sent.", valueName: "node"))
    var notBefore: String?

    @Option(
        help: ArgumentHelp(
            "Privacy floor: whatever is sent is the result of at least so many layers.", valueName: "layers"))
    var minLayers: Int?

    @Flag(help: "Say also what the runners-up cost and what would change the choice.")
    var explain = false

    @Option(help: ArgumentHelp("Rows of the table.", valueName: "n"))
    var top: Int = 12

    @Option(help: ArgumentHelp("Write an HTML report.", valueName: "file"))
    var report: String?

    @Option(help: ArgumentHelp("Write the plan for cleave-edge.", valueName: "file"))
    var plan: String?

    @Flag(help: "Print the plan as JSON; with --explain the explanation.")
    var json = false

    func validate() throws {
        for (name, value) in [
            ("--uplink", uplink), ("--edge-slowdown", edgeSlowdown), ("--deadline", deadline),
            ("--max-edge-memory", maxEdgeMemory), ("--max-package-size", maxPackageSize),
            ("--monthly-data", monthlyData),
            ("--frames-per-second", framesPerSecond),
        ] {
            // Up to what any unit below can hold.
            if let value, !(value > 0 && value <= 1e9) {
                throw ValidationError("\(name): expected more than 0 and at most 10⁹, got \(value)")
            }
        }
        if !(wait >= 0 && wait < 3.6e6) { throw ValidationError("--wait: expected 0 or more, got \(wait)") }
        if !(tolerance >= 0 && tolerance < 1e6) {
            throw ValidationError("--tolerance: expected 0 or more, got \(tolerance)")
        }
        if !then.isEmpty && !weigh.isEmpty { throw ValidationError("--then and --weigh exclude each other") }
        if (monthlyData == nil) != (framesPerSecond == nil) {
            throw ValidationError("--monthly-data and --frames-per-second belong together")
        }
        if let rtt, !(rtt.isFinite && rtt >= 0 && rtt < 3.6e6) {
            throw ValidationError("--rtt: expected ≥ 0, got \(rtt)")
        }
        if let maxLoss, !(0...1).contains(maxLoss) {
            throw ValidationError("--max-loss: expected 0...1, got \(maxLoss)")
        }
        if let maxUplinkBytes, maxUplinkBytes < 0 {
            throw ValidationError("--max-uplink-bytes: expected ≥ 0, got \(maxUplinkBytes)")
        }
        if let minLayers, minLayers < 1 { throw ValidationError("--min-layers: expected 1 or more, got \(minLayers)") }
        if [keepPicture, notBefore != nil, minLayers != nil].count(where: { $0 }) > 1 {
            throw ValidationError("of --keep-picture, --not-before and --min-layers one is enough")
        }
        if top < 1 { throw ValidationError("--top: expected 1 or more, got \(top)") }
    }

    func run() throws {
        let opened = try OpenedPackage(path: package, verifying: .sectionsOnUse)
        let folder = ProfileFolder(path: profiles)
        var set = try folder.profiles()
        if set.edge.model.digest != "\(opened.digest)" {
            throw CommandError(
                "\(profiles): measured on digest \(set.edge.model.digest), but \(package) has \(opened.digest); profile again"
            )
        }
        set.edge.scale(by: edgeSlowdown)
        for index in set.otherEdges.indices { set.otherEdges[index].scale(by: edgeSlowdown) }
        if rawCamera { set.input.edgeDecode = nil }
        let model = try CostModel(
            cuts: CutEnumerator().cuts(of: opened.structure), profiles: set, link: try chosenLink(folder),
            cloudWait: .microseconds(Int64(wait * 1_000)),
            costs: try costs.map(folder.costs) ?? folder.measuredCosts() ?? RunningCosts())
        var constraints = PlanConstraints(maximumAccuracyLoss: maxLoss)
        constraints.maximumUplink = [maxUplinkBytes.map { ByteCount($0) }, dataPerPicture].compactMap { $0 }.min()
        constraints.maximumLatency = deadline.map { .microseconds(Int64($0 * 1_000)) }
        constraints.maximumEdgeMemory = maxEdgeMemory.map { ByteCount(Int64($0 * 1_048_576)) }
        constraints.maximumPackage = maxPackageSize.map { ByteCount(Int64($0 * 1_048_576)) }
        if keepPicture { constraints.privacy = .nodesBeforeBoundary(1) }
        if let minLayers { constraints.privacy = .nodesBeforeBoundary(minLayers) }
        if let notBefore { constraints.privacy = .notBefore(node: notBefore) }
        let result = try Planner(model).plan(goal, constraints: constraints)
        if let report { try writeText(PlanReport.html(result), to: report) }
        if let plan { try Data(try result.json()).write(to: URL(fileURLWithPath: plan), options: .atomic) }
        if json {
            let text = try explain ? PlanExplanation(result).json() : result.json()
            print(String(decoding: text, as: UTF8.self))
        } else {
            print(PlanTable.text(result, limit: top, explains: explain))
        }
    }

    private var goal: Goal {
        if !weigh.isEmpty { return .weighted([Goal.Term(objective)] + weigh.map(\.term)) }
        return then.isEmpty ? .one(objective) : .lexicographic([objective] + then, tolerance: tolerance)
    }

    /// What a month's data leaves for one picture.
    private var dataPerPicture: ByteCount? {
        guard let monthlyData, let framesPerSecond else { return nil }
        return ByteCount(Int64(monthlyData * 1e9 / (framesPerSecond * 30 * 24 * 3_600)))
    }

    private func chosenLink(_ folder: ProfileFolder) throws -> LinkProfile {
        var chosen: LinkProfile
        if let link {
            chosen = try LinkProfile.preset(named: link) ?? folder.link(at: link)
        } else if let measured = try folder.measuredLink() {
            chosen = measured
        } else if let uplink {
            chosen = LinkProfile(
                name: "given", roundTrip: .milliseconds(20), uplink: .megabits(uplink), downlink: .megabits(uplink),
                source: "given on the command line; round trip 20 ms unless given; downlink as the uplink")
        } else {
            throw ValidationError("--link: needed, as \(profiles) has no link.json")
        }
        if let uplink {
            chosen.uplink = .megabits(uplink)
            chosen.name += " at \(uplink) Mbit/s"
        }
        if let rtt { chosen.roundTrip = .microseconds(Int64(rtt * 1000)) }
        return chosen
    }
}
