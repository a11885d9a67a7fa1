internal import ArgumentParser
internal import FoundationEssentials
internal import ModelStore
internal import Planning
internal import Simulation

/// What the policies of `cleave simulate` choose from, and how.
struct SimulatedChoiceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Run only this: \(PolicyComparison.Contestant.allCases.map(\.rawValue).joined(separator: ", ")); may be repeated.",
            valueName: "policy"))
    var policy: [PolicyComparison.Contestant] = []

    @Option(help: ArgumentHelp("Multiply the edge's times: a board so many times slower.", valueName: "factor"))
    var edgeSlowdown: Double = 1

    @Option(help: ArgumentHelp("Divide the cloud's times: a server so many times faster.", valueName: "factor"))
    var cloudSpeedup: Double = 1

    @Option(help: ArgumentHelp("The largest share of pictures whose top-1 may change, 0...1.", valueName: "share"))
    var maxLoss: Double?

    @Flag(help: "The picture itself must not leave the edge.")
    var keepPicture = false

    @Option(help: ArgumentHelp("The codec mode of the Neurosurgeon- and DADS-style policies.", valueName: "mode"))
    var rivalCodec: String = "8bit/rle"

    @Option(help: ArgumentHelp("Of the newest transfer in the estimate of the link.", valueName: "share"))
    var estimateWeight: Double = Simulator.CleaveRules().estimateWeight

    @Option(
        help: ArgumentHelp(
            "The gain for which Cleave changes its choice, as a share of the latency.", valueName: "share"))
    var margin: Double = Simulator.CleaveRules().margin

    @Option(help: ArgumentHelp("Pictures in a row that must ask for a change.", valueName: "n"))
    var patience: Int = Simulator.CleaveRules().patience

    func validate() throws {
        for (name, value) in [("--edge-slowdown", edgeSlowdown), ("--cloud-speedup", cloudSpeedup)]
        where !(value > 0 && value <= 1e6) {
            throw ValidationError("\(name): expected more than 0 and at most 10⁶, got \(value)")
        }
        if let maxLoss, !(0...1).contains(maxLoss) {
            throw ValidationError("--max-loss: expected 0...1, got \(maxLoss)")
        }
        if !(estimateWeight > 0 && estimateWeight <= 1) { throw ValidationError("--estimate-weight: expected 0...1") }
        if !(margin >= 0 && margin < 1) { throw ValidationError("--margin: expected 0...1, got \(margin)") }
        if patience < 1 { throw ValidationError("--patience: expected 1 or more, got \(patience)") }
    }

    var contestants: [PolicyComparison.Contestant] {
        policy.isEmpty
            ? PolicyComparison.Contestant.allCases : PolicyComparison.Contestant.allCases.filter(policy.contains)
    }

    var rules: Simulator.CleaveRules {
        var rules = Simulator.CleaveRules()
        rules.estimateWeight = estimateWeight
        rules.margin = margin
        rules.patience = patience
        return rules
    }

    func profiles(in folder: ProfileFolder, of package: OpenedPackage) throws -> ProfileSet {
        var set = try folder.profiles()
        guard set.edge.model.digest == "\(package.digest)" else {
            throw CommandError(
                "\(folder.path): measured on digest \(set.edge.model.digest), but \(package.path) has \(package.digest); profile again"
            )
        }
        set.edge.scale(by: edgeSlowdown)
        set.cloud.scale(by: 1 / cloudSpeedup)
        return set
    }

    func choices(_ model: CostModel) throws -> ChoiceSet {
        var constraints = PlanConstraints(maximumAccuracyLoss: maxLoss)
        if keepPicture { constraints.privacy = .nodesBeforeBoundary(1) }
        return try ChoiceSet(model, constraints: constraints, rivalMode: rivalCodec)
    }
}
