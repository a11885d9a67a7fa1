internal import ArgumentParser
internal import FoundationEssentials
internal import ModelGraph
internal import ModelStore
internal import Planning
internal import Simulation

extension PolicyComparison.Contestant: ExpressibleByArgument {}

struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Replay link traces over measured profiles, and compare ways to choose the cut.",
        discussion: """
            Boards with cameras, their uplinks and a pool of servers, event by event: queues, deadlines, outages and fallback as \
            cleave-edge has them. Compares edge-only, uploading a JPEG, the best choice in hindsight that never changes, \
            Neurosurgeon's and DADS's ways to choose, Cleave's, and one that knows the trace.

            A trace is a file, or a folder of files: JSON ([{"duration_ms", "bandwidth_kbps", "latency_ms"}, …]), columns of seconds \
            and Mbit/s, or Mahimahi's.

            Examples:
              cleave simulate digits.cleave --profiles profiles/ --trace traces/4g/ --boards 1000 --servers 4 --report fleet.html
              cleave simulate digits.cleave --profiles profiles/ --trace bus.log --rtt 60 --arrivals poisson --fps 2 --json
              cleave simulate digits.cleave --profiles profiles/ --trace traces/3g/ --each-trace --csv sweep.csv
              cleave simulate digits.cleave --profiles profiles/ --link 3g --edge-slowdown 4 --keep-picture
            """)

    @Argument(help: "The package that was profiled.")
    var package: String

    @Option(help: ArgumentHelp("The folder that `cleave profile` wrote.", valueName: "folder"))
    var profiles: String

    @OptionGroup(title: "Link") var links: SimulatedLinkOptions
    @OptionGroup(title: "World") var world: SimulatedWorldOptions
    @OptionGroup(title: "Choices") var choosing: SimulatedChoiceOptions

    @Flag(help: "Make each trace a world of its own, and sum up over the traces.")
    var eachTrace = false

    @Option(help: ArgumentHelp("Write an HTML report.", valueName: "file"))
    var report: String?

    @Option(
        help: ArgumentHelp(
            "Write the figures as CSV: a row for each policy, and with --each-trace each trace.", valueName: "file"))
    var csv: String?

    @Flag(help: "Print the figures as JSON.")
    var json = false

    func validate() throws {
        if eachTrace && report != nil { throw ValidationError("--report: not together with --each-trace") }
    }

    func run() throws {
        let opened = try OpenedPackage(path: package, verifying: .sectionsOnUse)
        let set = try choosing.profiles(in: ProfileFolder(path: profiles), of: opened)
        let traces = try links.traces()
        let model = try CostModel(
            cuts: CutEnumerator().cuts(of: opened.structure), profiles: set, link: links.plannedLink)
        let choices = try choosing.choices(model)
        let power = BoardPowers(radio: links.radioPower)
        func compare(_ traces: [LinkTrace], duration: Int64) throws -> PolicyComparison {
            let scenario = try world.scenario(traces, duration: duration, links: links, profiles: set)
            return try PolicyComparison(
                scenario, choices: choices, contestants: choosing.contestants, rules: choosing.rules, power: power,
                staticCandidates: eachTrace ? 8 : 4)
        }
        let tables: SimulationTables
        if eachTrace {
            var sweep = TraceSweep()
            let bar = ProgressBar("simulating")
            for (index, trace) in traces.enumerated() {
                sweep.add(try compare([trace], duration: world.durationNanoseconds ?? trace.period))
                bar.update(index + 1, traces.count)
            }
            tables = SimulationTables(sweep)
        } else {
            let comparison = try compare(traces, duration: world.durationNanoseconds ?? 600_000_000_000)
            if let report {
                let page = SimulationPage(
                    comparison, model: "\(opened.card.name)", facts: facts(comparison.scenario, set, traces))
                try writeText(page.html, to: report)
            }
            tables = SimulationTables(comparison)
        }
        if let csv { try writeText(tables.csv, to: csv) }
        print(json ? try tables.json() : tables.text)
    }

    private func facts(
        _ scenario: Scenario, _ profiles: ProfileSet, _ traces: [LinkTrace]
    ) -> [(name: String, value: String)] {
        let names = traces.prefix(3).map(\.name).joined(separator: ", ")
        return [
            ("command", CommandLine.arguments.joined(separator: " ")),
            ("traces", "\(traces.count): \(names)\(traces.count > 3 ? ", …" : "")"),
            ("boards, cameras behind one uplink", "\(scenario.boards), \(scenario.camerasPerUplink)"),
            ("arrivals", "\(scenario.arrivals)"),
            ("deadline of the cloud", "\(scenario.agent.deadline / 1_000_000) ms"),
            ("edge", "\(profiles.edge.provenance.cpu), \(profiles.edge.provenance.command)"),
            ("cloud", "\(profiles.cloud.provenance.cpu), \(profiles.cloud.provenance.command)"),
        ]
    }
}
