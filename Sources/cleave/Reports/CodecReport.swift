internal import Foundation
internal import Profiling
internal import Reports

/// What `cleave codec bench` measured, as a page, a table and data.
struct CodecReport {
    let model: String
    let benches: [BoundaryBench]
    let uploads: PictureUploadBench

    /// Writes `codec-bench.html`, `.csv` and `.json`, and `codec-bench-pictures.csv`, into a folder, which is made if need be.
    func write(to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (name, text) in [
            (".html", page), (".csv", table), (".json", try jsonText(records)), ("-pictures.csv", pictureTable),
        ] {
            try Data(text.utf8).write(
                to: URL(fileURLWithPath: "\(folder)/codec-bench\(name)"), options: .atomic)
        }
    }

    private struct Record: Encodable {
        var model: String
        var boundary: String
        var elements: Int
        var pictures: Int
        var losslessTop1: Double?
        var coding: String
        var isOnFront: Bool
        var encodedBytes: Int
        var bitsPerElement: Double
        var encodeMegabytesPerSecond: Double
        var decodeMegabytesPerSecond: Double
        var top1Change: Double?
        var top1Agreement: Double
        var outputCosine: Double
        var divergence: Double
    }

    private var records: [Record] {
        benches.flatMap { bench in
            let front = Set(bench.front.map(\.name))
            return bench.points.map { point in
                Record(
                    model: model, boundary: bench.boundary, elements: bench.elements, pictures: bench.pictures,
                    losslessTop1: bench.referenceTop1, coding: point.name, isOnFront: front.contains(point.name),
                    encodedBytes: point.medianBytes, bitsPerElement: point.bitsPerElement,
                    encodeMegabytesPerSecond: point.encodeRate, decodeMegabytesPerSecond: point.decodeRate,
                    top1Change: point.top1Change, top1Agreement: point.agreement, outputCosine: point.cosine,
                    divergence: point.divergence)
            }
        }
    }

    private var table: String {
        let header =
            "model,boundary,elements,pictures,coding,front,bytes,bits_per_element,encode_mb_s,decode_mb_s,"
            + "top1_change,top1_agreement,cosine,kl_nats"
        let lines = records.map { record in
            // Names of tensors come from strangers' files.
            let names = [record.model, record.boundary].map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }
            return
                (names + [
                    "\(record.elements)", "\(record.pictures)", record.coding, record.isOnFront ? "1" : "0",
                    "\(record.encodedBytes)", record.bitsPerElement.fixed(4),
                    record.encodeMegabytesPerSecond.fixed(1), record.decodeMegabytesPerSecond.fixed(1),
                    record.top1Change?.fixed(4) ?? "", record.top1Agreement.fixed(4), record.outputCosine.fixed(5),
                    record.divergence.fixed(5),
                ]).joined(separator: ",")
        }
        return ([header] + lines).joined(separator: "\n") + "\n"
    }

    private var pictureTable: String {
        let lines = uploads.points.map { point in
            [
                "\(point.quality)", "\(point.medianBytes)", point.top1?.fixed(4) ?? "", point.agreement.fixed(4),
            ].joined(separator: ",")
        }
        return (["jpeg_quality,bytes,top1,top1_agreement"] + lines).joined(separator: "\n") + "\n"
    }

    private var page: String {
        var page = ReportPage(
            title: "Coding the activations of \(model)",
            subtitle: "Changes are against the same split without loss; zlib compresses the int8 bytes channels last. "
                + "* is on the front of size and divergence.")
        for bench in benches {
            let lossless = bench.referenceTop1.map { ", top-1 without loss \(($0 * 100).fixed(1)) %" } ?? ""
            let facts = Markup.element("p", [], "\(bench.elements) elements, \(bench.pictures) pictures\(lossless)")
            page.addSection(bench.boundary, facts + Self.plot(bench) + Self.points(bench) + comparison(bench))
        }
        page.addSection("The picture itself as a JPEG", Self.points(uploads))
        return page.html
    }

    private static func points(_ bench: BoundaryBench) -> Markup {
        let front = Set(bench.front.map(\.name))
        return ReportPage.table(
            [
                "coding", "bytes", "bit/element", "encode MB/s", "decode MB/s", "top-1, points", "same answer, %",
                "cosine", "KL, nats",
            ],
            bench.points.map { point in
                [
                    point.name + (front.contains(point.name) ? " *" : ""), "\(point.medianBytes)",
                    point.bitsPerElement.fixed(3), point.encodeRate.fixed(0), point.decodeRate.fixed(0),
                    point.top1Change.map { ($0 * 100).fixed(1) } ?? "–", (point.agreement * 100).fixed(1),
                    point.cosine.fixed(4), point.divergence.fixed(4),
                ]
            })
    }

    /// The boundary against a JPEG of the picture that answers as well.
    private func comparison(_ bench: BoundaryBench) -> Markup {
        guard let best = bench.cheapestAgainst(uploads) else { return .element("p", [], "No JPEG answers as well.") }
        return .element(
            "p", [],
            "\(best.point.name) takes \(best.point.medianBytes) bytes, a JPEG of the picture that answers as well "
                + "\(best.bytes): \(best.ratio.fixed(2)) of it.")
    }

    private static func points(_ uploads: PictureUploadBench) -> Markup {
        ReportPage.table(
            ["quality", "bytes", "top-1, %", "same answer, %"],
            uploads.points.map { point in
                [
                    "\(point.quality)", "\(point.medianBytes)", point.top1.map { ($0 * 100).fixed(1) } ?? "–",
                    (point.agreement * 100).fixed(1),
                ]
            })
    }

    /// Agreement over bits per element; calibrated quantisers in colour.
    private static func plot(_ bench: BoundaryBench) -> Markup {
        let (width, height, margin) = (640.0, 280.0, 40.0)
        let most = max(1, bench.points.map(\.bitsPerElement).max() ?? 8)
        let least = min(0.9, bench.points.map(\.agreement).min() ?? 0)
        func x(_ bits: Double) -> Double { margin + bits / most * (width - 2 * margin) }
        func y(_ agreement: Double) -> Double {
            height - margin - (agreement - least) / (1 - least) * (height - 2 * margin)
        }
        func text(_ text: String, _ x: Double, _ y: Double, anchor: String) -> Markup {
            .element("text", [("x", x.fixed(1)), ("y", y.fixed(1)), ("text-anchor", anchor)], text)
        }
        let line = bench.front.map { "\(x($0.bitsPerElement).fixed(1)),\(y($0.agreement).fixed(1))" }
        var drawing = Markup.element(
            "polyline", [("style", "stroke:var(--accent)"), ("points", line.joined(separator: " "))])
        for point in bench.points {
            let colour = point.quantizers.isEmpty ? "var(--soft)" : "var(--accent)"
            drawing += .element(
                "circle",
                [
                    ("cx", x(point.bitsPerElement).fixed(1)), ("cy", y(point.agreement).fixed(1)), ("r", "4"),
                    ("style", "fill:\(colour)"),
                ], .element("title", [], point.name))
        }
        for bits in 0...Int(most) { drawing += text("\(bits)", x(Double(bits)), height - 22, anchor: "middle") }
        drawing += text(
            "same answer: top 100 %, bottom \((least * 100).fixed(0)) %", margin, margin - 8, anchor: "start")
        drawing += text("bits an element", width - margin, height - 6, anchor: "end")
        return ReportPage.drawing(
            width: width, height: height, label: "Share of the same answers over bits an element", drawing)
    }
}
