internal import ArgumentParser
internal import FoundationEssentials
internal import KernelBenchmarks

@main
struct KernelBenchmarksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernel-benchmarks", abstract: "Measure the compute kernels on the layers of networks.",
        subcommands: [MeasureCommand.self, PeaksCommand.self, CountCommand.self], defaultSubcommand: MeasureCommand.self
    )
}

struct TimingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Samples, of which the median counts.", valueName: "n"))
    var samples = 25

    @Option(help: ArgumentHelp("What a sample lasts at least.", valueName: "milliseconds"))
    var sampleTime = 2

    var stopwatch: Stopwatch { Stopwatch(sampleCount: samples, sampleDuration: .milliseconds(sampleTime)) }

    /// Peaks are the best that was seen: short samples, more of them.
    var peakStopwatch: Stopwatch { Stopwatch(sampleCount: max(samples, 25), sampleDuration: .milliseconds(1)) }

    func validate() throws {
        guard (1...10_000).contains(samples) else {
            throw ValidationError("--samples: expected 1...10000, got \(samples)")
        }
        guard (0...10_000).contains(sampleTime) else {
            throw ValidationError("--sample-time: expected 0...10000, got \(sampleTime)")
        }
    }
}

struct LayerOptions: ParsableArguments {
    @Argument(help: "Shape files: tools/Benchmarks/shapes/resnet50.txt", completion: .file(extensions: ["txt"]))
    var shapes: [String]

    @Option(
        parsing: .upToNextOption,
        help:
            "Instruction sets of this machine: \(KernelCalls.available.joined(separator: ", ")); the best if not given."
    )
    var kernels: [String] = []

    @Option(parsing: .upToNextOption, help: "Number systems.")
    var arithmetic: [Arithmetic] = Arithmetic.allCases

    func validate() throws {
        for name in kernels where !KernelCalls.available.contains(name) {
            let available = KernelCalls.available.joined(separator: ", ")
            throw ValidationError("--kernels: expected one of \(available), got '\(name)'")
        }
    }

    func networks() throws -> [(name: String, layers: [LayerShape])] {
        try shapes.map { path in
            let text: String
            do {
                text = try String(contentsOfFile: path, encoding: .utf8)
            } catch {
                throw ValidationError("\(path): not a text file that can be read")
            }
            return (
                URL(filePath: path).deletingPathExtension().lastPathComponent, try ShapeFile(text, path: path).layers
            )
        }
    }

    /// - Parameter weightBytes: see `KernelCalls`.
    func calls(weightBytes: Int = 0) -> [KernelCalls] {
        let names = kernels.isEmpty ? KernelCalls.available.suffix(1) : kernels[...]
        return names.compactMap { KernelCalls(instructionSet: $0, weightBytes: weightBytes) }
    }
}

extension Arithmetic: ExpressibleByArgument {}
