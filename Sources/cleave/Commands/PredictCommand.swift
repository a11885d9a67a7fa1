internal import ArgumentParser
internal import FoundationEssentials
internal import ModelGraph
internal import ModelStore
internal import Planning

/// `mobilenet.cleave=board/edge.json`
struct MeasuredNetwork: ExpressibleByArgument {
    let package: String
    let profile: String

    init?(argument: String) {
        guard let mark = argument.lastIndex(of: "=") else { return nil }
        package = String(argument[..<mark])
        profile = String(argument[argument.index(after: mark)...])
        guard !package.isEmpty, !profile.isEmpty else { return nil }
    }
}

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Say what a network would take on a machine that it was never run on.",
        discussion: """
            From a machine's characterisation, which `cleave characterize` wrote. What is predicted can stand in place of what `cleave \
            profile --only edge` measures. With --measured, networks that were measured on that machine tell how far predictions \
            are off, each predicted without its own measurements, beside Neurosurgeon's regressions.

            Examples:
              cleave predict mobilenet.cleave --device board.json --output profiles/
              cleave predict --device board.json --measured a.cleave=a/edge.json --measured b.cleave=b/edge.json
            """)

    @Argument(help: "The package of the network.")
    var package: String?

    @Option(help: ArgumentHelp("What `cleave characterize` wrote.", valueName: "file"))
    var device: String

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Write edge.json or cloud.json to this folder.", valueName: "folder"))
    var output: String?

    @Flag(help: "The machine is the server.")
    var cloud = false

    @Option(
        help: ArgumentHelp("A network and its profile on the machine; repeat for each.", valueName: "package=profile"))
    var measured: [MeasuredNetwork] = []

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if (package == nil) == measured.isEmpty { throw ValidationError("name a package, or networks with --measured") }
    }

    func run() throws {
        let machine = try read(DeviceCharacterization.self, device)
        guard let package else { return try compare(machine) }
        let opened = try OpenedPackage(path: package, verifying: .sectionsOnUse)
        let role: DeviceProfile.Role = cloud ? .cloud : .edge
        let profile = machine.profile(
            of: opened.structure, model: ModelIdentity(name: "\(opened.card.name)", digest: "\(opened.digest)"),
            role: role, command: CommandLine.arguments.joined(separator: " "))
        if let output { try ProfileFolder(path: output).write(profile, as: "\(role).json") }
        if json { return print(String(decoding: try profile.json(), as: UTF8.self)) }
        let slowest = profile.nodes.sorted { $0.timing.median > $1.timing.median }.prefix(10)
        var table = TextTable("slowest layers", "operator", "#ms")
        for node in slowest { table.add(node.name, node.kind, node.timing.median.millisecondsText) }
        print(
            "\(opened.card.name) in \(machine.precision) on \(machine.threads) thread\(machine.threads == 1 ? "" : "s") of "
                + "\(machine.provenance.cpu): \(profile.wholeNetwork.median.millisecondsText) ms predicted\n")
        print(table.text)
    }

    private func compare(_ machine: DeviceCharacterization) throws {
        var networks: [(name: String, graph: Graph, profile: DeviceProfile)] = []
        for network in measured {
            let opened = try OpenedPackage(path: network.package, verifying: .sectionsOnUse)
            let profile = try read(DeviceProfile.self, network.profile)
            guard profile.model.digest == "\(opened.digest)" else {
                throw CommandError("\(network.profile): measured on another package than \(network.package)")
            }
            guard profile.precision == machine.precision, profile.threads == machine.threads,
                profile.provenance.instructionSet == machine.provenance.instructionSet
            else {
                throw CommandError(
                    "\(network.profile): \(profile.precision), \(profile.threads) threads, \(profile.provenance.instructionSet); "
                        + "\(device) is of \(machine.precision), \(machine.threads), \(machine.provenance.instructionSet)"
                )
            }
            networks.append(("\(opened.card.name)", opened.structure, profile))
        }
        let errors = try PredictionErrors(machine, networks: networks)
        if json { return print(try jsonText(errors)) }
        print(errors.table)
    }

    private func read<Document: ProfileDocument>(_ type: Document.Type, _ path: String) throws -> Document {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandError("\(path): cannot be read")
        }
        return try Document.read(data, named: path)
    }
}

extension PredictionErrors {
    /// Errors of totals with their sign; of layers the median.
    fileprivate var table: String {
        func percent(_ share: Double, isSigned: Bool = false) -> String {
            (isSigned && share > 0 ? "+" : "") + (100 * share).fixed(1) + " %"
        }
        var table = TextTable(
            "network", "#ms", "#total, characterised", "#layer", "#total, others learnt too", "#layer",
            "#total, Neurosurgeon", "#layer")
        for row in rows {
            table.add(
                row.network, row.milliseconds.fixed(2), percent(row.characterized.total, isSigned: true),
                percent(row.characterized.medianLayer), percent(row.leftOut.total, isSigned: true),
                percent(row.leftOut.medianLayer), percent(row.neurosurgeon.total, isSigned: true),
                percent(row.neurosurgeon.medianLayer))
        }
        let (own, learnt, neurosurgeon) = (medians(\.characterized), medians(\.leftOut), medians(\.neurosurgeon))
        table.add(
            "median of all", "", percent(own.total), percent(own.medianLayer), percent(learnt.total),
            percent(learnt.medianLayer), percent(neurosurgeon.total), percent(neurosurgeon.medianLayer))
        return table.text
    }
}
