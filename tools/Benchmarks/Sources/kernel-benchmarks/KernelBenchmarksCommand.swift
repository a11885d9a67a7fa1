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

    var stopwatch: Stopwatch { Stopwatch(sampleCount: samples, sampleSeconds: Double(sampleTime) * 1e-3) }

    /// Peaks are the best that was seen: short samples, more of them.
    var peakStopwatch: Stopwatch { Stopwatch(sampleCount: max(samples, 25), sampleSeconds: 1e-3) }

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

    @Option(
        parsing: .upToNextOption,
        help: "Number systems (u8, f32, bf16: convolutions in bf16, the rest in f32); all if not given.")
    var arithmetic: [Arithmetic] = []

    @Flag(inversion: .prefixedNo, help: "Convolve f32 layers by Winograd's algorithm where that is faster.")
    var winograd = true

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

    /// The tables asked for with the number systems asked for, where the table has them.
    /// - Parameter weightBytes: see `KernelCalls`.
    /// - Throws: when nothing is left.
    func calls(weightBytes: Int = 0) throws -> [(calls: KernelCalls, arithmetic: Arithmetic)] {
        let names = kernels.isEmpty ? KernelCalls.available.suffix(1) : kernels[...]
        let calls = names.compactMap {
            KernelCalls(instructionSet: $0, weightBytes: weightBytes, usesWinograd: winograd)
        }
        .flatMap { calls in
            calls.arithmetics.filter { arithmetic.isEmpty || arithmetic.contains($0) }.map { (calls, $0) }
        }
        guard !calls.isEmpty else {
            let wanted = arithmetic.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--arithmetic: \(names.joined(separator: ", ")) has no kernels in \(wanted)")
        }
        return calls
    }
}

extension Arithmetic: ExpressibleByArgument {}
