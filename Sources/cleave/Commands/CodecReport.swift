internal import Foundation
internal import Profiling

/// What `cleave codec bench` measured, as a page, a table and data.
struct CodecReport {
    let model: String
    let benches: [BoundaryBench]

    /// Writes `codec-bench.html`, `.csv` and `.json` into a folder, which is made if need be.
    func write(to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (kind, text) in [("html", page), ("csv", table), ("json", try jsonText(records))] {
            try Data(text.utf8).write(
                to: URL(fileURLWithPath: "\(folder)/codec-bench.\(kind)"), options: .atomic)
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
                    losslessTop1: bench.losslessTop1, coding: point.name, isOnFront: front.contains(point.name),
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

    private var page: String {
        """
        <!doctype html><html lang="en"><meta charset="utf-8"><title>Codec bench: \(escaped(model))</title>
        <style>body{font:14px system-ui;margin:2em auto;max-width:60em}td,th{padding:.2em .7em;text-align:right}
        td:first-child,th:first-child{text-align:left}tr.front{font-weight:600}svg text{font:11px system-ui}</style>
        <h1>\(escaped(model))</h1>
        <p>Changes are against the same split without loss; zlib compresses the int8 bytes channels last.</p>
        \(benches.map(section).joined(separator: "\n"))
        </html>

        """
    }

    private func section(_ bench: BoundaryBench) -> String {
        let front = Set(bench.front.map(\.name))
        let rows = bench.points.map { point in
            """
            <tr\(front.contains(point.name) ? " class=\"front\"" : "")><td>\(escaped(point.name))</td>\
            <td>\(point.medianBytes)</td><td>\(point.bitsPerElement.fixed(3))</td><td>\(point.encodeRate.fixed(0))</td>\
            <td>\(point.decodeRate.fixed(0))</td><td>\(point.top1Change.map { ($0 * 100).fixed(1) } ?? "–")</td>\
            <td>\((point.agreement * 100).fixed(1))</td><td>\(point.cosine.fixed(4))</td>\
            <td>\(point.divergence.fixed(4))</td></tr>
            """
        }
        return """
            <h2>\(escaped(bench.boundary))</h2>
            <p>\(bench.elements) elements, \(bench.pictures) pictures\
            \(bench.losslessTop1.map { ", top-1 without loss \(($0 * 100).fixed(1)) %" } ?? "")</p>
            \(plot(bench))
            <table><tr><th>coding</th><th>bytes</th><th>bit/element</th><th>encode MB/s</th><th>decode MB/s</th>\
            <th>top-1, points</th><th>same answer, %</th><th>cosine</th><th>KL, nats</th></tr>
            \(rows.joined(separator: "\n"))
            </table>
            """
    }

    /// Agreement over bits per element.
    private func plot(_ bench: BoundaryBench) -> String {
        let (width, height, margin) = (640.0, 280.0, 40.0)
        let most = max(1, bench.points.map(\.bitsPerElement).max() ?? 8)
        let least = min(0.9, bench.points.map(\.agreement).min() ?? 0)
        func x(_ bits: Double) -> Double { margin + bits / most * (width - 2 * margin) }
        func y(_ agreement: Double) -> Double {
            height - margin - (agreement - least) / (1 - least) * (height - 2 * margin)
        }
        let line = bench.front.map { "\(x($0.bitsPerElement).fixed(1)),\(y($0.agreement).fixed(1))" }
        let dots = bench.points.map { point in
            """
            <circle cx="\(x(point.bitsPerElement).fixed(1))" cy="\(y(point.agreement).fixed(1))" r="4" \
            fill="\(point.quantizers.isEmpty ? "#888" : "#06c")"><title>\(escaped(point.name))</title></circle>
            """
        }
        let marks = (0...Int(most)).map { bits in
            "<text x=\"\(x(Double(bits)).fixed(1))\" y=\"\((height - 22).fixed(0))\" text-anchor=\"middle\">\(bits)</text>"
        }
        return """
            <svg width="\(width.fixed(0))" height="\(height.fixed(0))" role="img">
            <polyline fill="none" stroke="#06c" points="\(line.joined(separator: " "))"/>
            \(dots.joined())\(marks.joined())
            <text x="\(margin.fixed(0))" y="\((margin - 8).fixed(0))">same answer: top 100 %, bottom \
            \((least * 100).fixed(0)) %</text>
            <text x="\((width - margin).fixed(0))" y="\((height - 6).fixed(0))" text-anchor="end">bits an element</text>
            </svg>
            """
    }

    private func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
    }
}
