internal import ArgumentParser
internal import ActivationCodec
internal import Foundation
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
            Activations become uint8 with ranges measured on the calibration pictures, weights int8 per output channel. A \
            hundred pictures like those the network will see are enough; labels are not needed.

            Without options: channels of hidden activations are scaled to one another where the weights can undo it (the \
            float32 network stays the same to the last bit), the mean error of rounded weights moves into the biases, and \
            ranges are those with the least squared error. Should the signal-to-noise ratio of the answers still be below \
            \(Int(QuantizationRecipe.standardSignalToNoise)) dB, the activations that cost most stay in float32.

            The table shows how far the integer network is from float32 at each activation: the lower, the more has been \
            lost by then. With --validation, every cut is run split (int8 head, lossless codec, float32 tail) and compared \
            with the float32 network.

            Examples:
              cleave quantize digits.cleave --calibration calibration/ --validation test/
              cleave quantize mobilenet.cleave --calibration photos/ --limit 100 --method percentile:99.9 -o mobilenet-q.cleave
              cleave quantize mobilenet.cleave --calibration photos/ --float-layers first,last
              cleave quantize efficientnet.cleave --calibration photos/ --least-sqnr 20
            """)

    @Argument(help: "The package.")
    var package: String

    @Option(help: ArgumentHelp("Pictures to measure ranges on.", valueName: "folder"))
    var calibration: String

    @Option(help: ArgumentHelp("Other pictures to measure each cut on.", valueName: "folder"))
    var validation: String?

    @Option(
        help: ArgumentHelp(
            """
            How ranges are chosen: mse, minmax, entropy, percentile[:P], average[:DECAY], or auto, which \
            tries \(QuantizationRecipe.candidates.map(\.description).joined(separator: ", ")) and keeps the best.
            """, valueName: "method"))
    var method: String = "mse"

    @Option(
        help: ArgumentHelp(
            "Layers to compute in float32: first, last or names of nodes (see cleave inspect), joined by commas.",
            valueName: "names"))
    var floatLayers: String?

    @Option(
        help: ArgumentHelp(
            """
            Keep the most sensitive activations in float32 until the answers reach this signal-to-noise ratio; 0 keeps \
            everything in integers.
            """, valueName: "dB"))
    var leastSqnr: Double = QuantizationRecipe.standardSignalToNoise

    @Flag(inversion: .prefixedNo, help: "Scale channels of hidden activations to one another.")
    var equalization = true

    @Flag(inversion: .prefixedNo, help: "Move the mean error of rounded weights into the biases.")
    var biasCorrection = true

    @Option(help: ArgumentHelp("Use the first so many pictures of each folder.", valueName: "n"))
    var limit: Int = 200

    @Option(name: .shortAndLong, help: ArgumentHelp("The package to write; in place unless given.", valueName: "file"))
    var output: String?

    @Flag(help: "Print the report as JSON.")
    var json = false

    @OptionGroup var machine: MachineOptions

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit: expected 1 or more, got \(limit)") }
        guard (0...100).contains(leastSqnr) else {
            throw ValidationError("--least-sqnr: expected 0...100 dB, got \(leastSqnr)")
        }
    }

    private struct Report: Encodable {
        let package: String
        let digest: String
        let method: String
        let pictures: Int
        let seconds: Double
        /// Of the answers, on some of the calibration pictures.
        let output: OutputFidelity.Measure
        let trials: [QuantizationRecipe.Trial]
        let equalizedNodes: [String]
        /// Activations kept in float32 for their sensitivity.
        let floatActivations: [String]
        /// Nodes that compute in float32, for whatever reason.
        let floatNodes: [String]
        let layers: [LayerFidelity]
        let cuts: [CutAccuracy]
    }

    /// Below this, ranges hang on chance.
    private static let fewPictures = 16

    func run() throws {
        let start = ContinuousClock.now
        let opened = try OpenedPackage(path: package, verifying: .everything)
        let graph = try opened.graph()
        let recipe = try recipe(for: graph)
        let pictures = try PictureSet(folder: calibration, for: opened, limit: limit)
        if pictures.count < Self.fewPictures {
            warn("\(calibration): only \(pictures.count) pictures to calibrate with; 100 make ranges dependable")
        }
        let pool = WorkerPool(width: machine.threads)
        let input: InputSource = { try pictures.tensors($0) }

        var bars: [String: ProgressBar] = [:]
        func showProgress(_ title: String, _ done: Int, _ total: Int) {
            let bar = bars[title] ?? ProgressBar(title)
            bars[title] = bar
            bar.update(done, total)
        }
        let result = try recipe.quantize(graph, count: pictures.count, pool: pool, input: input, progress: showProgress)
        let quantized = result.quantized
        let layers = try LayerFidelity.measure(
            quantized, count: min(pictures.count, 16), pool: pool, input: input
        ) { showProgress("comparing layers", $0, $1) }
        let cuts = try validation.map { try measureCuts(quantized, opened, folder: $0, pool: pool) } ?? []

        var card = opened.card
        card.calibration = CalibrationSummary(
            method: result.method.description, inputCount: pictures.count,
            source: "\(pictures.count) pictures of \(URL(fileURLWithPath: calibration).lastPathComponent)")
        card.layers = layers.map {
            LayerReport(
                name: $0.name, quantization: ActivationQuantization(scale: $0.scale, zeroPoint: $0.zeroPoint),
                sqnrDecibels: $0.signalToNoise ?? .infinity)
        }
        card.accuracy = cuts
        // What was calibrated for other integers.
        card.codecs = nil
        let path = output ?? package
        let digest = try ModelPackage(card, quantized: quantized).write(to: path)
        let report = Report(
            package: path, digest: "\(digest)", method: result.method.description, pictures: pictures.count,
            seconds: (ContinuousClock.now - start) / .seconds(1), output: result.output, trials: result.trials,
            equalizedNodes: result.equalizedNodes, floatActivations: result.floatActivations,
            floatNodes: result.floatNodes, layers: layers, cuts: cuts)
        if json { print(try jsonText(report)) } else { show(report) }
    }

    private func recipe(for graph: Graph) throws -> QuantizationRecipe {
        var recipe = QuantizationRecipe()
        recipe.method = method == "auto" ? nil : try CalibrationMethod(method)
        recipe.equalizes = equalization
        recipe.correctsBiases = biasCorrection
        recipe.leastSignalToNoise = leastSqnr > 0 ? leastSqnr : nil
        let weighted = graph.nodes.filter { $0.operation.hasWeights }.map(\.name)
        for name in floatLayers?.split(separator: ",").map(String.init) ?? [] {
            switch name {
            case "first": recipe.floatNodes.formUnion(weighted.prefix(1))
            case "last": recipe.floatNodes.formUnion(weighted.suffix(1))
            default: recipe.floatNodes.insert(name)
            }
        }
        return recipe
    }

    private func warn(_ text: String) {
        FileHandle.standardError.write(Data("warning: \(text)\n".utf8))
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

    private func show(_ report: Report) {
        var layerTable = TextTable("activation", "#scale", "#zero point", "#SQNR dB")
        for layer in report.layers {
            layerTable.add(
                layer.name, "\(layer.scale)", "\(layer.zeroPoint)", layer.signalToNoise.map { $0.fixed(1) } ?? "exact")
        }
        print(layerTable.text, terminator: "\n\n")
        if let samples = report.cuts.first?.sampleCount {
            var cutTable = TextTable("cut (int8 head, float32 tail; \(samples) pictures)", "#cosine", "#same top-1 %")
            for cut in report.cuts {
                cutTable.add(
                    cut.boundary.joined(separator: "+"), cut.outputCosine.fixed(5),
                    (cut.top1Agreement * 100).fixed(1))
            }
            print(cutTable.text, terminator: "\n\n")
        }
        func list(_ names: [String]) -> String { names.isEmpty ? "none" : names.joined(separator: ", ") }
        let tried = report.trials.map { "\($0.method) \($0.output.decibels.fixed(1)) dB" }
        print(
            """
            \(report.package): quantised by \(report.method) on \(report.pictures) pictures in \(report.seconds.fixed(1)) s
              answers     \(report.output.decibels.fixed(1)) dB, \((report.output.agreement * 100).fixed(1)) % as float32's
              tried       \(tried.joined(separator: ", "))
              equalised   \(report.equalizedNodes.count) layers
              in float32  \(list(report.floatNodes))
              sensitive   \(list(report.floatActivations))
              digest      \(report.digest)
            """)
    }
}

extension Operator {
    /// Convolutions and matrix products.
    var hasWeights: Bool {
        switch self {
        case .convolution, .gemm, .matrixProduct: true
        default: false
        }
    }
}
