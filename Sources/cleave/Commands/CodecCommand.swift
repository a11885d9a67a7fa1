internal import ActivationCodec
internal import ArgumentParser
internal import Foundation
internal import ImageInput
internal import InferenceEngine
internal import ModelGraph
internal import ModelStore
internal import Planning
internal import Profiling

struct CodecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "codec",
        abstract: "Measure how boundaries are compressed, and calibrate quantisers for cuts.",
        subcommands: [Calibrate.self, Bench.self])

    struct Bench: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "bench",
            abstract: "Rate, accuracy and time of the codec at some cuts.",
            discussion: """
                Of the pictures, evenly spread, some calibrate quantisers and the others measure them: every coding's bytes, its \
                encoding and decoding speed on one core, and what it changes in the network's answers against the same split \
                without loss (int8 head, float32 tail). zlib 1, 6 and 9 on the int8 bytes as they lie in memory are the baseline; \
                the channels as tiles of a grey JPEG are what the literature sends. The pictures themselves as JPEGs of \
                falling quality, answered by the whole float32 network, tell what sending no activations costs.

                With --output, writes codec-bench.html, .csv and .json.

                Examples:
                  cleave codec bench squeezenet.cleave --images val/ --cut concat13 --cut concat16
                  cleave codec bench resnet50.cleave --images val/ --cut middle --output bench/
                """)

        @Argument(help: "A quantised package.")
        var package: String

        @Option(help: ArgumentHelp("Pictures, with labels.txt if there are labels.", valueName: "folder"))
        var images: String

        @Option(help: "A cut: middle, a number or tensor names joined by +; may be repeated.")
        var cut: [String] = ["middle"]

        @Option(help: ArgumentHelp("Calibrate on so many of the pictures.", valueName: "n"))
        var calibration: Int = 100

        @Option(help: ArgumentHelp("Measure on at most so many of the others.", valueName: "n"))
        var limit: Int?

        @Option(name: .shortAndLong, help: ArgumentHelp("Write the report's files here.", valueName: "folder"))
        var output: String?

        @OptionGroup var machine: MachineOptions

        func validate() throws {
            if calibration < 1 { throw ValidationError("--calibration: expected 1 or more, got \(calibration)") }
            if let limit, limit < 1 { throw ValidationError("--limit: expected 1 or more, got \(limit)") }
        }

        func run() throws {
            let opened = try OpenedPackage(path: package, verifying: .everything)
            let quantized = try opened.requiredQuantizedGraph()
            let pictures = try PictureSet(folder: images, for: opened)
            guard pictures.count > calibration else {
                throw CommandError("\(images): \(pictures.count) pictures; --calibration \(calibration) leaves none")
            }
            // Folders are often sorted by class, so calibration takes pictures from all of it.
            let chosen = Set((0..<calibration).map { $0 * pictures.count / calibration })
            let measured = (0..<pictures.count).filter { !chosen.contains($0) }.prefix(limit ?? .max)
            let calibrating = try chosen.sorted().map { try pictures.tensors($0) }
            let pool = WorkerPool(width: machine.threads)
            let all = CutEnumerator().cuts(of: quantized.graph)
            var benches: [BoundaryBench] = []
            for name in cut {
                let cut = try all.cut(matching: name)
                guard !cut.isEdgeOnly, cut.headOutputs.isEmpty else {
                    throw CommandError("cut \(name): has no boundary, or keeps an output of the network in the head")
                }
                let bar = ProgressBar("measuring \(cut.name(in: quantized.graph))")
                let bench = try BoundaryBench.measure(
                    quantized, cut: cut, pool: pool, calibration: calibrating, count: measured.count,
                    input: { (try pictures.tensors(measured[$0]), pictures.items[measured[$0]].label) },
                    progress: bar.update)
                benches.append(bench)
                print(table(of: bench))
            }
            let bar = ProgressBar("measuring pictures as JPEGs")
            let uploads = try PictureUploadBench.measure(
                opened.graph(), preprocessing: pictures.preprocessing, pool: pool, count: measured.count,
                picture: { (try pictures.picture(measured[$0]), pictures.items[measured[$0]].label) },
                progress: bar.update)
            print(table(of: uploads, benches: benches))
            if let output {
                try CodecReport(
                    model: "\(opened.card.name) \(opened.card.version)", benches: benches, uploads: uploads
                ).write(to: output)
                print("report in \(output)")
            }
        }

        /// What the picture takes as a JPEG, and what the boundaries take of that at the same accuracy.
        private func table(of uploads: PictureUploadBench, benches: [BoundaryBench]) -> String {
            var table = TextTable("picture as JPEG", "#bytes", "#top-1", "#same answer")
            for point in uploads.points {
                table.add(
                    "quality \(point.quality)", "\(point.medianBytes)",
                    point.top1.map { ($0 * 100).fixed(1) + " %" } ?? "–", (point.agreement * 100).fixed(1) + " %")
            }
            let ratios = benches.map { bench in
                let best = bench.cheapestAgainst(uploads)
                let found = best.map {
                    "\($0.point.name) takes \($0.point.medianBytes) bytes, a JPEG that answers as well \($0.bytes): "
                        + "ratio \(($0.ratio).fixed(2))"
                }
                return "\(bench.boundary): \(found ?? "no JPEG answers as well, or the pictures have no labels")"
            }
            return ([table.text] + ratios).joined(separator: "\n") + "\n"
        }

        private func table(of bench: BoundaryBench) -> String {
            let front = Set(bench.front.map(\.name))
            var table = TextTable(
                "coding", "#bytes", "#bit/element", "#encode MB/s", "#decode MB/s", "#top-1", "#same answer", "#cosine",
                "#KL")
            for point in bench.points {
                table.add(
                    point.name + (front.contains(point.name) ? " *" : ""), "\(point.medianBytes)",
                    point.bitsPerElement.fixed(3), point.encodeRate.fixed(0), point.decodeRate.fixed(0),
                    point.top1Change.map { ($0 * 100).fixed(1) } ?? "–", (point.agreement * 100).fixed(1) + " %",
                    point.cosine.fixed(4), point.divergence.fixed(4))
            }
            func chosen(_ budget: Double) -> String {
                bench.smallest(losing: budget).map { "\($0.name) at \($0.bitsPerElement.fixed(2)) bit/element" }
                    ?? "none"
            }
            return """
                \(bench.boundary): \(bench.elements) elements, \(bench.pictures) pictures, top-1 without loss \
                \(bench.referenceTop1.map { ($0 * 100).fixed(1) + " %" } ?? "unknown")
                \(table.text)
                standard (at most 0.5 points lost): \(chosen(0.005)); aggressive (1 point): \(chosen(0.01))

                """
        }
    }
}
