internal import ActivationCodec
internal import ArgumentParser
internal import Foundation
internal import ImageInput
internal import InferenceEngine
internal import ModelGraph
internal import ModelStore
internal import Planning
internal import Quantization
internal import SplitExecution

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measure accuracy on labelled pictures: float32, int8, or split at a cut.",
        discussion: """
            The folder's labels.txt names each picture's class: `file class`, one a line. Without it only the agreement with \
            the float32 network is measured. Instead of a folder a file of such lines may be given, whose pictures lie where \
            it says, seen from the file. Intervals hold with 95 % confidence.

            Examples:
              cleave evaluate digits.cleave --images test/
              cleave evaluate squeezenet.cleave --images val.txt --arithmetic int8 --report int8.html
              cleave evaluate digits.cleave --images test/ --arithmetic int8
              cleave evaluate squeezenet.cleave --images val/ --cut middle --codec 4bit/rle --limit 200
            """)

    enum Arithmetic: String, ExpressibleByArgument, CaseIterable {
        case float32, int8
    }

    @Argument(help: "The package.")
    var package: String

    @Option(
        help: ArgumentHelp(
            "A folder of pictures, with labels.txt if there are labels, or a list of labelled pictures.",
            valueName: "folder|file"))
    var images: String

    @Option(help: "The whole network in float32 or int8; not with --cut.")
    var arithmetic: Arithmetic = .float32

    @Option(help: ArgumentHelp("Split here (int8 head, float32 tail): middle, a number or tensor names joined by +."))
    var cut: String?

    @Option(
        help: ArgumentHelp(
            "How the boundary is coded, with --cut: a mode, or a coding that the package has for this cut; 8bit/contexts unless given.",
            valueName: "coding"))
    var codec: String?

    @Option(help: ArgumentHelp("Use the first so many pictures.", valueName: "n"))
    var limit: Int?

    @Option(help: ArgumentHelp("Write the outputs, float32 little-endian, picture after picture.", valueName: "file"))
    var dump: String?

    @Option(help: ArgumentHelp("Write a page with classes and confusions.", valueName: "file.html"))
    var report: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var machine: MachineOptions

    func validate() throws {
        if codec != nil && cut == nil { throw ValidationError("--codec: only with --cut") }
        if let limit, limit < 1 { throw ValidationError("--limit: expected 1 or more, got \(limit)") }
    }

    func run() throws {
        let opened = try OpenedPackage(path: package, verifying: .everything)
        let pictures = try PictureSet(folder: images, for: opened, limit: limit)
        let pool = WorkerPool(width: machine.threads)
        let graph = try opened.graph()
        let exact = SessionPool(try PreparedModel(graph), pool: pool)
        let candidate = try makeCandidate(opened, graph, pool)

        var comparison = OutputComparison()
        var score = ClassificationScore()
        var (floatRight, gained, lost) = (0, 0, 0)
        var encodedSizes: [Int] = []
        var dumped = Data()
        let bar = ProgressBar("evaluating")
        for index in 0..<pictures.count {
            let tensors = try pictures.tensors(index)
            let expected = try exact.run(tensors)[0].array(of: Float.self)
            var got = expected
            if let candidate {
                let (outputs, bytes) = try candidate.run(tensors)
                got = outputs
                if let bytes { encodedSizes.append(bytes) }
                comparison.add(expected: expected, got: got)
            }
            if let label = pictures.items[index].label {
                guard got.indices.contains(label) else {
                    throw CommandError(
                        "\(pictures.items[index].path): labelled \(label), but the network has \(got.count) classes")
                }
                let isRight = score.add(label: label, scores: got)
                let wasRight = expected.indexOfLargest == label
                if wasRight { floatRight += 1 }
                if isRight && !wasRight { gained += 1 }
                if wasRight && !isRight { lost += 1 }
            }
            if dump != nil { got.withUnsafeBytes { dumped.append(contentsOf: $0) } }
            bar.update(index + 1, pictures.count)
        }
        if let dump { try dumped.write(to: URL(fileURLWithPath: dump), options: .atomic) }

        var result = Evaluation(
            model: "\(opened.card.name) \(opened.card.version)", digest: "\(opened.digest)",
            configuration: candidate?.description ?? "float32", pictures: pictures.count, labelled: score.count)
        if score.count > 0 {
            result.top1 = Evaluation.Share(score.top1)
            result.top5 = Evaluation.Share(score.top5)
            result.classes = score.classes
        }
        if candidate != nil {
            result.agreement = Evaluation.Share(comparison.agreement)
            result.cosine = comparison.meanCosine
            if score.count > 0 {
                result.float32Top1 = Evaluation.Share(Proportion(floatRight, of: score.count))
                result.difference = Evaluation.Difference(
                    PairedDifference(gained: gained, lost: lost, total: score.count))
            }
        }
        if let candidate, !encodedSizes.isEmpty {
            let median = encodedSizes.sorted()[encodedSizes.count / 2]
            result.medianEncodedBytes = median
            result.bitsPerElement = 8 * Double(median) / Double(candidate.boundaryElements)
        }
        if let report {
            let page = EvaluationPage(result, classNames: opened.card.labels).html
            try Data(page.utf8).write(to: URL(fileURLWithPath: report), options: .atomic)
        }
        print(json ? try jsonText(result) : result.text)
    }

    private func makeCandidate(_ opened: OpenedPackage, _ graph: Graph, _ pool: WorkerPool) throws -> Candidate? {
        if let cut {
            guard arithmetic == .float32 else { throw ValidationError("--arithmetic: not with --cut") }
            let quantized = try opened.requiredQuantizedGraph()
            let cut = try CutEnumerator().cuts(of: graph).cut(matching: cut)
            let coding = try opened.coding(
                named: codec ?? "\(CodecMode.lossless8)", at: cut.boundary.map { graph[$0].name })
            return .split(try SplitRun(quantized, cut, coding: coding, pool: pool))
        }
        guard arithmetic == .int8 else { return nil }
        let model = try PreparedModel(try opened.requiredQuantizedGraph(), options: PreparationOptions())
        return .whole(SessionPool(model, pool: pool))
    }
}

/// What is compared with the float32 network.
private enum Candidate: CustomStringConvertible {
    case whole(SessionPool)
    case split(SplitRun)

    /// - Returns: the first output, and the bytes that crossed the cut.
    func run(_ tensors: [Tensor]) throws -> (outputs: [Float], encodedBytes: Int?) {
        switch self {
        case .whole(let sessions): (try sessions.run(tensors)[0].array(of: Float.self), nil)
        case .split(let split): try split.run(tensors)
        }
    }

    var boundaryElements: Int {
        switch self {
        case .whole: 0
        case .split(let split): split.head.boundary.reduce(0) { $0 + $1.shape.elementCount }
        }
    }

    var description: String {
        switch self {
        case .whole: "int8"
        case .split(let split): "split at \(split.name), \(split.coding.name)"
        }
    }
}

/// Head, codec and tail in one process.
private struct SplitRun {
    let head: HeadRunner
    let coding: BoundaryCoding
    let name: String
    private let tail: TailRunner

    init(_ quantized: QuantizedGraph, _ cut: Cut, coding: BoundaryCoding, pool: WorkerPool) throws {
        guard !cut.isEdgeOnly else { throw CommandError("edge-only has no boundary; use --arithmetic int8") }
        guard cut.headOutputs.isEmpty else {
            throw CommandError("cut \(cut.name(in: quantized.graph)): keeps an output of the network in the head")
        }
        head = try HeadRunner(quantized, cut: cut, pool: pool)
        tail = try TailRunner(quantized, cut: cut, pool: pool)
        name = cut.name(in: quantized.graph)
        self.coding = coding
    }

    func run(_ tensors: [Tensor]) throws -> (outputs: [Float], encodedBytes: Int?) {
        try head.feed(tensors)
        try head.run()
        let sources = head.sources(coding)
        let frame = try encodeFrame(id: 0, sources)
        let outputs = try tail.complete(try decodeFrame(frame, expecting: coding.expected(of: sources)).tensors)
        return (outputs[0].array(of: Float.self), frame.count)
    }
}
