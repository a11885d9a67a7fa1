internal import ArgumentParser
internal import ActivationCodec
internal import FoundationEssentials
internal import InferenceEngine
internal import ModelGraph
internal import ModelStore
internal import Planning
internal import Profiling
internal import Quantization

struct QuantizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quantize",
        abstract: "Add int8 weights and activation ranges to a package.",
        discussion: """
            Activations become uint8 with ranges measured on the calibration pictures, weights int8 per output channel. \
            With --validation, every cut is run split (int8 head, lossless codec, float32 tail) and compared with the \
            float32 network.

            Examples:
              cleave quantize digits.cleave --calibration calibration/ --validation test/
              cleave quantize mobilenet.cleave --calibration photos/ --limit 100 --method percentile:99.9 -o mobilenet-q.cleave
            """)

    @Argument(help: "The package.")
    var package: String

    @Option(help: ArgumentHelp("Pictures to measure ranges on.", valueName: "folder"))
    var calibration: String

    @Option(help: ArgumentHelp("Other pictures to measure each cut on.", valueName: "folder"))
    var validation: String?

    @Option(help: ArgumentHelp("How ranges are chosen: minmax, mse or percentile:P.", valueName: "method"))
    var method: String = "mse"

    @Option(help: ArgumentHelp("Use the first so many pictures of each folder.", valueName: "n"))
    var limit: Int = 200

    @Option(name: .shortAndLong, help: ArgumentHelp("The package to write; in place unless given.", valueName: "file"))
    var output: String?

    @Flag(help: "Print the report as JSON.")
    var json = false

    @OptionGroup var machine: MachineOptions

    private struct Report: Encodable {
        let package: String
        let digest: String
        let method: String
        let layers: [LayerFidelity]
        let cuts: [CutAccuracy]
    }

    func run() throws {
        let chosenMethod = try CalibrationMethod(method)
        guard limit >= 1 else { throw ValidationError("--limit: expected 1 or more, got \(limit)") }
        let opened = try OpenedPackage(path: package, verifying: .everything)
        let graph = try opened.graph()
        let pictures = try PictureSet(folder: calibration, for: opened, limit: limit)
        let pool = WorkerPool(width: machine.threads)

        let calibrating = ProgressBar("calibrating")
        let measured = try Calibration.measure(
            graph, method: chosenMethod, count: pictures.count, pool: pool, input: pictures.tensors,
            progress: calibrating.update)
        let quantized = Quantizer(graph, calibration: measured).quantized()
        let comparing = ProgressBar("comparing layers")
        let layers = try LayerFidelity.measure(
            quantized, count: min(pictures.count, 16), pool: pool, input: pictures.tensors, progress: comparing.update)
        let cuts = try validation.map { try measureCuts(quantized, opened, folder: $0, pool: pool) } ?? []

        var card = opened.card
        card.calibration = CalibrationSummary(
            method: chosenMethod.description, inputCount: pictures.count,
            source: "\(pictures.count) pictures of \(URL(fileURLWithPath: calibration).lastPathComponent)")
        card.layers = layers.map {
            LayerReport(
                name: $0.name, quantization: ActivationQuantization(scale: $0.scale, zeroPoint: $0.zeroPoint),
                sqnrDecibels: $0.signalToNoise ?? .infinity)
        }
        card.accuracy = cuts
        let path = output ?? package
        let digest = try ModelPackage(card, quantized: quantized).write(to: path)
        if json {
            print(
                try jsonText(
                    Report(
                        package: path, digest: "\(digest)", method: chosenMethod.description, layers: layers, cuts: cuts
                    )))
        } else {
            printTables(layers, cuts)
            print("\(path): quantised by \(chosenMethod) on \(pictures.count) pictures\n  digest  \(digest)")
        }
    }

    private func measureCuts(
        _ quantized: QuantizedGraph, _ opened: OpenedPackage, folder: String, pool: WorkerPool
    ) throws -> [CutAccuracy] {
        let pictures = try PictureSet(folder: folder, for: opened, limit: limit)
        let cuts = CutEnumerator().cuts(of: quantized.graph)
        let measuring = ProgressBar("measuring cuts")
        let profile = try CodecProfile.measure(
            quantized, cuts: Array(cuts), modes: [.lossless8],
            model: ModelIdentity(name: "\(opened.card.name)", digest: "\(opened.digest)"),
            provenance: .current(
                command: CommandLine.arguments.joined(separator: " "), toolVersion: Cleave.toolVersion,
                instructionSet: .best),
            pool: pool, instructionSet: .best, count: pictures.count, measuresAccuracy: true, input: pictures.tensors,
            progress: measuring.update)
        var entries = profile.entries.makeIterator()
        return cuts.filter { !$0.isEdgeOnly && !$0.boundary.isEmpty }.compactMap { cut in
            guard let entry = entries.next(), let cosine = entry.outputCosine, let agreement = entry.top1Agreement
            else {
                return nil
            }
            return CutAccuracy(
                boundary: cut.boundary.map { quantized.graph[$0].name },
                headOutputs: cut.headOutputs.map { quantized.graph[$0].name }, codecMode: entry.mode,
                outputCosine: cosine, top1Agreement: agreement, sampleCount: profile.images)
        }
    }

    private func printTables(_ layers: [LayerFidelity], _ cuts: [CutAccuracy]) {
        var layerTable = TextTable("activation", "#scale", "#zero point", "#SQNR dB")
        for layer in layers {
            layerTable.add(
                layer.name, "\(layer.scale)", "\(layer.zeroPoint)", layer.signalToNoise.map { $0.fixed(1) } ?? "exact")
        }
        print(layerTable.text, terminator: "\n\n")
        guard let samples = cuts.first?.sampleCount else { return }
        var cutTable = TextTable("cut (int8 head, float32 tail; \(samples) pictures)", "#cosine", "#same top-1 %")
        for cut in cuts {
            cutTable.add(
                cut.boundary.joined(separator: "+"), cut.outputCosine.fixed(5), (cut.top1Agreement * 100).fixed(1))
        }
        print(cutTable.text, terminator: "\n\n")
    }
}
