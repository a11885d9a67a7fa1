internal import ArgumentParser
internal import FoundationEssentials
internal import InferenceEngine
internal import Planning
internal import Profiling
internal import ProgramSettings

struct CharacterizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "characterize",
        abstract: "Time layers of many shapes on this machine, once, to predict any network on it.",
        discussion: """
            Runs networks made for the purpose, some minutes on a small board. `cleave predict` then says what a network would take \
            layer by layer, without running it.

            Examples:
              cleave characterize --output board.json --threads 1
              cleave characterize --output server.json --precision float32
            """)

    @Option(name: .shortAndLong, help: ArgumentHelp("Where to write.", valueName: "file"))
    var output: String

    @Option(help: "int8, float32 or bfloat16.")
    var precision: DeviceProfile.Precision = .int8

    @Option(help: ArgumentHelp("Counted runs of each network.", valueName: "n"))
    var runs: Int = 9

    @Option(
        help: ArgumentHelp("The most multiply-adds of one network, in millions; fewer for slow boards.", valueName: "n")
    )
    var multiplyAdds: Int = 200

    @Option(help: "Kernels to use: \(InstructionSet.available.map(\.rawValue).joined(separator: ", ")).")
    var kernels: InstructionSet = .best

    @OptionGroup var machine: MachineOptions

    func validate() throws {
        if !(1...100_000).contains(runs) { throw ValidationError("--runs: expected 1...100000, got \(runs)") }
        if !(1...100_000).contains(multiplyAdds) {
            throw ValidationError("--multiply-adds: expected 1...100000, got \(multiplyAdds)")
        }
        if precision == .bfloat16 && !kernels.hasBFloat16 {
            throw ValidationError("--precision: this CPU does not compute in bfloat16 with \(kernels.rawValue) kernels")
        }
    }

    func run() throws {
        let bar = ProgressBar("characterising")
        let provenance = Provenance.current(
            command: CommandLine.arguments.joined(separator: " "), toolVersion: Cleave.toolVersion,
            instructionSet: kernels)
        let machine = try DeviceCharacterization.measure(
            precision: precision, provenance: provenance, pool: WorkerPool(width: machine.threads),
            instructionSet: kernels, multiplyAdds: multiplyAdds * 1_000_000, effort: MeasurementEffort(runs: runs),
            progress: bar.update)
        try Data(try machine.json()).write(to: URL(fileURLWithPath: output), options: .atomic)
        print("\(machine.layers.count) layers in \(output)")
    }
}
