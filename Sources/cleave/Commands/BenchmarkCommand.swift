internal import ArgumentParser
internal import Foundation
internal import InferenceEngine
internal import ModelGraph
internal import ModelStore
internal import Planning
internal import ProgramSettings
internal import SplitExecution

struct BenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Time a whole network, or a head, in this process.",
        discussion: """
            A run is timed from its input in memory to its answer in memory. The time to the first answer counts from before \
            the package is opened. With --serve the process answers lines on its standard input: `run N` with the times of N \
            further runs, one line of JSON each, until the input ends; in between it uses no processor.

            Examples:
              cleave benchmark mobilenet.cleave
              cleave benchmark mobilenet.cleave --precision int8 --threads 1 --runs 200
              cleave benchmark mobilenet.cleave --precision int8 --cut middle --json
            """)

    enum Precision: String, Encodable, ExpressibleByArgument, CaseIterable {
        case float32, bfloat16, int8
    }

    @Argument(help: "The package.")
    var package: String

    @Option(help: "What to compute in.")
    var precision: Precision = .float32

    @Option(help: ArgumentHelp("Only the head of this cut, in int8: middle, a number or tensor names joined by +."))
    var cut: String?

    @Option(help: ArgumentHelp("Runs before the first that counts.", valueName: "n"))
    var warmup: Int = 10

    @Option(help: ArgumentHelp("Counted runs.", valueName: "n"))
    var runs: Int = 50

    @Option(help: "Kernels to use: \(InstructionSet.available.map(\.rawValue).joined(separator: ", ")).")
    var kernels: InstructionSet = .best

    @Option(
        help: ArgumentHelp(
            "The network's input, float32 little-endian, row-major; several one after another are all answered, the first is timed.",
            valueName: "file"))
    var input: String?

    @Option(
        help: ArgumentHelp(
            "Write the first output, float32 little-endian, for each input; with --cut the first boundary tensor's codes.",
            valueName: "file"))
    var output: String?

    @Flag(help: "Print JSON, with every run's time.")
    var json = false

    @Flag(help: "Stay, and run when told to on standard input.")
    var serve = false

    @OptionGroup var machine: MachineOptions

    func validate() throws {
        if !(0...100_000).contains(warmup) { throw ValidationError("--warmup: expected 0...100000, got \(warmup)") }
        if !(1...100_000).contains(runs) { throw ValidationError("--runs: expected 1...100000, got \(runs)") }
        if cut != nil && precision != .int8 {
            throw ValidationError("--cut: a head runs in int8; add --precision int8")
        }
    }

    func run() throws {
        let start = ContinuousClock.now
        let opened = try OpenedPackage(path: package, verifying: .sectionsOnUse)
        let subject = try makeSubject(opened)
        let inputs = try input.map { try Self.tensors(at: $0, for: subject.model) } ?? [Self.noise(for: subject.model)]
        try subject.feed(inputs[0])
        try subject.run()
        let firstAnswer = ContinuousClock.now - start

        if let output {
            var answers = Data()
            for tensors in inputs {
                try subject.feed(tensors)
                try subject.run()
                answers.append(subject.firstOutput())
            }
            try answers.write(to: URL(fileURLWithPath: output), options: .atomic)
        }
        if serve {
            try printLine(try report(opened, subject, firstAnswer))
            return try serveRuns(of: subject, on: inputs[0])
        }
        _ = try times(of: subject, on: inputs[0], runs: warmup)
        let times = try times(of: subject, on: inputs[0], runs: runs)
        let report = try report(opened, subject, firstAnswer, times)
        print(json ? try jsonText(report) : report.text)
    }

    private func makeSubject(_ opened: OpenedPackage) throws -> BenchmarkSubject {
        let pool = WorkerPool(width: machine.threads)
        if let cut {
            let quantized = try opened.requiredQuantizedGraph()
            let cut = try CutEnumerator().cuts(of: quantized.graph).cut(matching: cut)
            return .head(try HeadRunner(quantized, cut: cut, pool: pool, instructionSet: kernels))
        }
        if precision == .bfloat16 && !kernels.hasBFloat16 {
            throw CommandError("--precision: this CPU does not compute in bfloat16 with \(kernels.rawValue) kernels")
        }
        let options = PreparationOptions(
            instructionSet: kernels, allowsBFloat16: precision == .bfloat16, workers: pool)
        let model =
            switch precision {
            case .float32, .bfloat16: try PreparedModel(try opened.graph(), options: options)
            case .int8: try PreparedModel(try opened.requiredQuantizedGraph(), options: options)
            }
        return .whole(InferenceSession(model, pool: pool))
    }

    private func times(of subject: BenchmarkSubject, on tensors: [Tensor], runs: Int) throws -> [Duration] {
        try (0..<runs).map { _ in
            // A run may overwrite its input.
            try subject.feed(tensors)
            let start = ContinuousClock.now
            try subject.run()
            return ContinuousClock.now - start
        }
    }

    private func serveRuns(of subject: BenchmarkSubject, on tensors: [Tensor]) throws {
        while let line = readLine() {
            let words = line.split(separator: " ")
            guard words.count == 2, words[0] == "run", let runs = Int(words[1]), (1...100_000).contains(runs) else {
                throw CommandError("standard input: expected \"run N\", N in 1...100000, got \"\(line)\"")
            }
            let times = try times(of: subject, on: tensors, runs: runs)
            try printLine(["nanoseconds": times.map(\.wholeNanoseconds)])
        }
    }

    private func report(
        _ opened: OpenedPackage, _ subject: BenchmarkSubject, _ firstAnswer: Duration, _ times: [Duration] = []
    ) throws -> BenchmarkReport {
        let model = subject.model
        return BenchmarkReport(
            model: "\(opened.card.name)", digest: "\(opened.digest)", version: Cleave.toolVersion,
            precision: precision.rawValue, cut: subject.cutName(in: opened.structure), threads: machine.threads,
            kernels: model.instructionSet.rawValue, nodesWithoutKernel: model.nodesWithoutKernel,
            firstAnswerNanoseconds: firstAnswer.wholeNanoseconds, peakBytes: try peakResidentBytes(),
            arenaBytes: model.arenaByteCount, weightBytes: model.weightByteCount,
            nanoseconds: times.isEmpty ? nil : times.map(\.wholeNanoseconds),
            timing: times.isEmpty ? nil : Timing(samples: times))
    }

    /// One JSON object on one line, sent at once.
    private func printLine(_ value: some Encodable) throws {
        print(String(decoding: try JSONEncoder().encode(value), as: UTF8.self))
        fflush(nil)
    }
}

extension BenchmarkCommand {
    /// Inputs from a file that holds one or more of them.
    private static func tensors(at path: String, for model: PreparedModel) throws -> [[Tensor]] {
        guard model.inputs.count == 1, model.inputs[0].type.elementType == .float32 else {
            let inputs = model.inputs.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
            throw CommandError("--input: the network takes \(inputs), not one float32 tensor")
        }
        let type = model.inputs[0].type
        let storage = try MappedFile(path: path).storage
        let count = storage.bytes.count
        guard count > 0, type.byteCount > 0, count.isMultiple(of: type.byteCount) else {
            throw CommandError("\(path): expected a multiple of \(type.byteCount) bytes for \(type), got \(count)")
        }
        return stride(from: 0, to: count, by: type.byteCount).map { [Tensor(type, storage: storage, byteOffset: $0)] }
    }

    /// The same numbers in -1..<1 each time; zeros for inputs that are no float32.
    private static func noise(for model: PreparedModel) -> [Tensor] {
        var state: UInt32 = 1
        return model.inputs.map { port in
            let storage = TensorStorage(byteCount: port.type.byteCount) { bytes in
                guard port.type.elementType == .float32 else {
                    _ = bytes.initializeMemory(as: UInt8.self, repeating: 0)
                    return
                }
                for index in 0..<port.type.shape.elementCount {
                    // Knuth's linear congruential generator; its upper bits are the random ones.
                    state = state &* 1_664_525 &+ 1_013_904_223
                    bytes.storeBytes(
                        of: Float(state >> 8) / Float(1 << 23) - 1, toByteOffset: 4 * index, as: Float.self)
                }
            }
            return Tensor(port.type, storage: storage)
        }
    }

    /// The most memory this process has held.
    ///
    /// From VmHWM: what `getrusage` says includes the program that started this one.
    private func peakResidentBytes() throws -> Int {
        let status = FileManager.default.contents(atPath: "/proc/self/status") ?? Data()
        for line in String(decoding: status, as: UTF8.self).split(separator: "\n") where line.hasPrefix("VmHWM:") {
            if let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) }) {
                return 1024 * kibibytes
            }
        }
        throw CommandError("/proc/self/status: has no line VmHWM")
    }
}

/// What is timed.
private enum BenchmarkSubject {
    case whole(InferenceSession)
    case head(HeadRunner)

    var model: PreparedModel {
        switch self {
        case .whole(let session): session.model
        case .head(let runner): runner.model
        }
    }

    func feed(_ tensors: [Tensor]) throws {
        switch self {
        case .whole(let session): try session.feed(tensors)
        case .head(let runner): try runner.feed(tensors)
        }
    }

    func run() throws {
        switch self {
        case .whole(let session): try session.run()
        case .head(let runner): try runner.run()
        }
    }

    /// The bytes of the network's first output, or of the boundary's first codes.
    func firstOutput() -> Data {
        switch self {
        case .whole(let session): Data(session.output(0))
        case .head(let runner): Data(runner.codes(0))
        }
    }

    func cutName(in graph: Graph) -> String? {
        switch self {
        case .whole: nil
        case .head(let runner): runner.cut.name(in: graph)
        }
    }
}

private struct BenchmarkReport: Encodable {
    var model: String
    var digest: String
    var version: String
    var precision: String
    var cut: String?
    var threads: Int
    var kernels: String
    /// Nodes that run by their definition, and so slowly.
    var nodesWithoutKernel: [String]
    var firstAnswerNanoseconds: Int64
    /// Of the process, at the time of the report.
    var peakBytes: Int
    var arenaBytes: Int
    var weightBytes: Int
    /// Of every counted run, in order.
    var nanoseconds: [Int64]?
    var timing: Timing?

    var text: String {
        let what = [precision, cut.map { "head of \($0)" }].compactMap(\.self).joined(separator: ", ")
        var lines = ["\(model), \(what), \(threads) thread\(threads == 1 ? "" : "s"), \(kernels)"]
        if let timing {
            lines.append(
                "  median \(timing.median.millisecondsText) ms   least \(timing.minimum.millisecondsText) ms   "
                    + "90th percentile \(timing.p90.millisecondsText) ms   (\(timing.runs) runs)")
        }
        lines.append("  first answer \(Duration.nanoseconds(firstAnswerNanoseconds).millisecondsText) ms after opening")
        func mebibytes(_ bytes: Int) -> String { (Double(bytes) / 1_048_576).fixed(1) + " MiB" }
        lines.append(
            "  activations \(mebibytes(arenaBytes))   packed weights \(mebibytes(weightBytes))   "
                + "process at most \(mebibytes(peakBytes))")
        if !nodesWithoutKernel.isEmpty {
            lines.append("  without a kernel: \(nodesWithoutKernel.joined(separator: ", "))")
        }
        return lines.joined(separator: "\n")
    }
}
