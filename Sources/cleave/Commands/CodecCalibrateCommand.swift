internal import ArgumentParser
internal import Foundation
internal import ImageInput
internal import InferenceEngine
internal import ModelGraph
internal import ModelStore
internal import Planning
internal import Profiling
internal import Quantization

extension CodecCommand {
    struct Calibrate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "calibrate",
            abstract: "Find what fewer levels save and cost at each cut, and keep the best quantisers in the package.",
            discussion: """
                For each cut, quantisers of 2 to 16 levels are designed channel by channel on the calibration pictures. On the \
                validation pictures each is measured: bytes, coding times on one core, and what int8 head and coding together \
                change in the float32 network's answers. Without --validation every second picture of the calibration folder \
                validates.

                The loss is the top-1 accuracy lost, taken a standard error above what was measured, or, without labels, the share of pictures whose answer changes. What lies on \
                the front of size and divergence goes into the package, where `cleave profile` and `cleave plan --max-loss` find \
                it, and cleave-edge and `cleave evaluate` take it by name. The package's digest changes: profile after this.

                Unless cuts are named, those are taken whose boundary is about as small as that of any cut with a smaller head.

                Examples:
                  cleave codec calibrate squeezenet.cleave --calibration photos/ --validation labelled/
                  cleave codec calibrate squeezenet.cleave --calibration photos/ --cut concat13 --cut concat16 -o other.cleave
                  cleave codec calibrate resnet50.cleave --calibration photos/ --all-cuts --limit 50 --json
                """)

        @Argument(help: "A quantised package.")
        var package: String

        @Option(help: ArgumentHelp("Pictures to design quantisers on.", valueName: "folder|file"))
        var calibration: String

        @Option(
            help: ArgumentHelp(
                "Other pictures to measure on, with labels.txt if there are labels.", valueName: "folder|file"))
        var validation: String?

        @Option(help: "A cut: middle, a number or tensor names joined by +; may be repeated.")
        var cut: [String] = []

        @Flag(help: "Every cut whose boundary can be sent.")
        var allCuts = false

        @Option(help: ArgumentHelp("Design, and measure, on at most so many pictures each.", valueName: "n"))
        var limit: Int = 100

        @Option(help: ArgumentHelp("Keep codings that lose at most this, 0...1.", valueName: "share"))
        var maxLoss: Double = 0.1

        @Option(
            name: .shortAndLong, help: ArgumentHelp("The package to write; in place unless given.", valueName: "file"))
        var output: String?

        @Flag(help: "Print the report as JSON.")
        var json = false

        @OptionGroup var machine: MachineOptions

        func validate() throws {
            if limit < 1 { throw ValidationError("--limit: expected 1 or more, got \(limit)") }
            if !(0...1).contains(maxLoss) { throw ValidationError("--max-loss: expected 0...1, got \(maxLoss)") }
            if allCuts && !cut.isEmpty { throw ValidationError("--all-cuts: not together with --cut") }
        }

        func run() throws {
            let start = ContinuousClock.now
            let opened = try OpenedPackage(path: package, verifying: .everything)
            _ = try opened.graph()
            let quantized = try opened.requiredQuantizedGraph()
            let (designing, measured) = try pictures(for: opened)
            let cuts = try chosenCuts(of: quantized)
            let work = try CodecCalibration(quantized, cuts: cuts, pool: WorkerPool(width: machine.threads))
            let designs = try work.design(
                count: designing.count, input: designing.tensors, progress: ProgressBar("designing quantisers").update)
            let benches = try work.measure(
                designs, count: measured.count, input: measured.tensors, label: measured.label,
                progress: ProgressBar("measuring codings").update)
            let codecs = zip(cuts, benches).map { cut, bench in
                CutCodec(bench, boundary: cut.boundary.map { quantized.graph[$0].name }, maximumLoss: maxLoss)
            }

            var card = opened.card
            let measuredBoundaries = Set(codecs.map(\.boundary))
            card.codecs =
                (card.codecs ?? []).filter { !measuredBoundaries.contains($0.boundary) }
                + codecs.filter { !$0.settings.isEmpty }
            let path = output ?? package
            let digest = try ModelPackage(card, quantized: quantized).write(to: path)
            let report = Report(
                package: path, digest: "\(digest)", designedOn: designing.count, measuredOn: measured.count,
                isLabelled: benches.contains { $0.referenceTop1 != nil },
                seconds: (ContinuousClock.now - start) / .seconds(1),
                cuts: zip(benches, codecs).map { Report.CutTable($0, kept: Set($1.settings.map(\.name))) })
            print(json ? try jsonText(report) : report.text)
        }

        private func pictures(for opened: OpenedPackage) throws -> (design: PicturePart, measure: PicturePart) {
            let calibrating = try PictureSet(folder: calibration, for: opened)
            if let validation {
                return (
                    PicturePart(calibrating, Array(0..<calibrating.count), limit: limit),
                    try PicturePart(PictureSet(folder: validation, for: opened), limit: limit)
                )
            }
            guard calibrating.count >= 2 else {
                throw CommandError("\(calibration): one picture cannot both calibrate and validate; give --validation")
            }
            let halves = (0...1).map { Array(stride(from: $0, to: calibrating.count, by: 2)) }
            return (
                PicturePart(calibrating, halves[0], limit: limit), PicturePart(calibrating, halves[1], limit: limit)
            )
        }

        private func chosenCuts(of quantized: QuantizedGraph) throws -> [Cut] {
            let all = CutEnumerator().cuts(of: quantized.graph)
            let isCodable = { (value: ValueID) in quantized[value] != nil }
            guard cut.isEmpty else {
                return try cut.map { name in
                    let cut = try all.cut(matching: name)
                    guard !cut.isEdgeOnly, cut.headOutputs.isEmpty, cut.boundary.allSatisfy(isCodable) else {
                        throw CommandError(
                            "cut \(name): has no quantised boundary, or keeps an output of the network in the head")
                    }
                    return cut
                }
            }
            let chosen =
                allCuts
                ? all.indices.filter { position in
                    !all.isEdgeOnly(at: position) && all.headOutputs(at: position).isEmpty
                        && all.boundary(at: position).allSatisfy(isCodable)
                } : all.frontier(isCodable: isCodable)
            guard !chosen.isEmpty else { throw CommandError("\(package): no cut has a quantised boundary") }
            return chosen.map { all[$0] }
        }
    }
}

/// Some pictures of a set, spread evenly over it: folders are often sorted by class.
private struct PicturePart: Sendable {
    private let set: PictureSet
    private let indices: [Int]

    init(_ set: PictureSet, _ indices: [Int], limit: Int) {
        self.set = set
        self.indices =
            indices.count <= limit ? indices : (0..<limit).map { indices[$0 * indices.count / limit] }
    }

    init(_ set: PictureSet, limit: Int) { self.init(set, Array(0..<set.count), limit: limit) }

    var count: Int { indices.count }

    func tensors(_ index: Int) throws -> [Tensor] { try set.tensors(indices[index]) }

    func label(_ index: Int) -> Int? { set.items[indices[index]].label }
}

extension CodecCommand.Calibrate {
    /// What was measured, for people and machines.
    fileprivate struct Report: Encodable {
        struct CutTable: Encodable {
            let boundary: String
            let elements: Int
            let float32Top1: Double?
            let codings: [Coding]
        }

        struct Coding: Encodable {
            let name: String
            let isKept: Bool
            let encodedBytes: Int
            let bitsPerElement: Double
            let encodeMilliseconds: Double
            let decodeMilliseconds: Double
            /// Top-1 accuracy less the float32 network's.
            let top1Change: Double?
            let loss: Double
            let top1Agreement: Double
            let outputCosine: Double
            let divergence: Double
        }

        let package: String
        let digest: String
        let designedOn: Int
        let measuredOn: Int
        let isLabelled: Bool
        let seconds: Double
        let cuts: [CutTable]
    }
}

extension CodecCommand.Calibrate.Report.CutTable {
    fileprivate init(_ bench: BoundaryBench, kept: Set<String>) {
        boundary = bench.boundary
        elements = bench.elements
        float32Top1 = bench.referenceTop1
        codings = bench.points.map { point in
            CodecCommand.Calibrate.Report.Coding(
                name: point.name, isKept: kept.contains(point.name), encodedBytes: point.medianBytes,
                bitsPerElement: point.bitsPerElement, encodeMilliseconds: point.encode / .milliseconds(1),
                decodeMilliseconds: point.decode / .milliseconds(1), top1Change: point.top1Change, loss: point.loss,
                top1Agreement: point.agreement, outputCosine: point.cosine, divergence: point.divergence)
        }
    }

    fileprivate var text: String {
        var table = TextTable(
            "coding", "#bytes", "#bit/element", "#encode ms", "#decode ms", "#top-1, points", "#as float32", "#cosine",
            "#KL")
        for coding in codings {
            table.add(
                coding.name + (coding.isKept ? " *" : ""), "\(coding.encodedBytes)", coding.bitsPerElement.fixed(3),
                coding.encodeMilliseconds.fixed(2), coding.decodeMilliseconds.fixed(2),
                coding.top1Change.map { ($0 * 100).fixed(1) } ?? "–", (coding.top1Agreement * 100).fixed(1) + " %",
                coding.outputCosine.fixed(4), coding.divergence.fixed(4))
        }
        let accuracy = float32Top1.map { ", float32's top-1 \(($0 * 100).fixed(1)) %" } ?? ""
        return "\(boundary): \(elements) elements\(accuracy)\n\(table.text)\n"
    }
}

extension CodecCommand.Calibrate.Report {
    fileprivate var text: String {
        let kept = cuts.reduce(0) { $0 + $1.codings.count { $0.isKept } }
        let warning =
            measuredOn < 100
            ? "\nonly \(measuredOn) pictures to measure on: a loss of \((100 / Double(measuredOn)).fixed(1)) % is one picture"
            : ""
        return cuts.map(\.text).joined(separator: "\n") + """

            \(package): \(kept) codings (*) of \(cuts.count) cuts, designed on \(designedOn) pictures, measured on \
            \(measuredOn) \(isLabelled ? "with" : "without") labels in \(seconds.fixed(1)) s\(warning)
              digest  \(digest)
            """
    }
}
