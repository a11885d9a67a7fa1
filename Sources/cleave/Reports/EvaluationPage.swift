internal import Quantization
internal import Reports

/// An evaluation as a page: figures, the classes that go wrong, and what they are taken for.
struct EvaluationPage {
    private let evaluation: Evaluation
    private let classNames: [String]

    /// A matrix of more classes than this is no picture any more.
    private static let mostClassesDrawn = 40
    private static let mostConfusions = 50

    init(_ evaluation: Evaluation, classNames: [String]) {
        self.evaluation = evaluation
        self.classNames = classNames
    }

    var html: String {
        var page = ReportPage(
            title: "Accuracy of \(evaluation.model)",
            subtitle: "\(evaluation.configuration), \(evaluation.pictures) pictures, \(evaluation.labelled) labelled. "
                + "Intervals hold with 95 % confidence. Model \(evaluation.digest).")
        page.addTiles(tiles)
        if !evaluation.classes.isEmpty {
            if evaluation.classes.count <= Self.mostClassesDrawn { page.addSection("Confusion", matrix) }
            page.addSection("What is taken for what", confusions)
            page.addSection("Classes, the worst first", classes)
        }
        return page.html
    }

    private func name(_ label: Int) -> String {
        classNames.indices.contains(label) ? "\(label) \(classNames[label])" : "\(label)"
    }

    private var tiles: [(name: String, value: String)] {
        func figure(_ share: Double) -> String { (100 * share).fixed(1) + " %" }
        func range(_ share: Evaluation.Share) -> String { "\(figure(share.low)) to \(figure(share.high))" }
        var tiles: [(name: String, value: String)] = []
        if let top1 = evaluation.top1 { tiles.append(("top-1, \(range(top1))", figure(top1.share))) }
        if let top5 = evaluation.top5 { tiles.append(("top-5, \(range(top5))", figure(top5.share))) }
        if let agreement = evaluation.agreement {
            tiles.append(("same as float32, \(range(agreement))", figure(agreement.share)))
        }
        if let difference = evaluation.difference {
            let name =
                "points against float32, \((100 * difference.low).fixed(2)) to \((100 * difference.high).fixed(2))"
            tiles.append((name, (100 * difference.share).fixed(2)))
        }
        if let bits = evaluation.bitsPerElement { tiles.append(("bits an element of the boundary", bits.fixed(2))) }
        return tiles
    }

    /// Rows are classes, columns answers; right answers are on the diagonal.
    private var matrix: Markup {
        let labels = Set(evaluation.classes.flatMap { [$0.label] + $0.mistakes.map(\.answer) }).sorted()
        let cell = 22.0
        let left = 190.0
        let side = Double(labels.count) * cell
        var drawing = Markup()
        for (row, label) in labels.enumerated() {
            let y = Double(row) * cell
            drawing += .element(
                "text", [("x", "\(left - 8)"), ("y", "\(y + 15)"), ("text-anchor", "end")], shortened(name(label)))
            guard let entry = evaluation.classes.first(where: { $0.label == label }) else { continue }
            let answers = [(answer: label, count: entry.right.count)] + entry.mistakes.map { ($0.answer, $0.count) }
            for (answer, count) in answers where count > 0 {
                guard let column = labels.firstIndex(of: answer) else { continue }
                let x = left + Double(column) * cell
                let share = Double(count) / Double(entry.right.total)
                let colour = answer == label ? "var(--good)" : "var(--accent)"
                let tip = "\(name(label)) taken for \(name(answer)): \(count) of \(entry.right.total)"
                drawing += .element(
                    "rect",
                    [
                        ("x", "\(x)"), ("y", "\(y)"), ("width", "\(cell - 1)"), ("height", "\(cell - 1)"),
                        ("style", "fill:\(colour)"), ("opacity", (0.15 + 0.85 * share).fixed(2)),
                    ], .element("title", [], tip))
                drawing += .element(
                    "text", [("x", "\(x + cell / 2 - 0.5)"), ("y", "\(y + 15)"), ("text-anchor", "middle")], "\(count)")
            }
        }
        return ReportPage.drawing(
            width: max(left + side, 600), height: side, label: "Rows are classes, columns answers", drawing)
    }

    private func shortened(_ text: String) -> String { text.count > 26 ? text.prefix(25) + "…" : text }

    private var confusions: Markup {
        let pairs = evaluation.classes.flatMap { entry in entry.mistakes.map { (entry, $0) } }
            .sorted { ($1.1.count, $0.0.label, $0.1.answer) < ($0.1.count, $1.0.label, $1.1.answer) }
        guard !pairs.isEmpty else { return .element("p", [], "Nothing.") }
        return ReportPage.table(
            ["class", "answer", "pictures", "of"],
            pairs.prefix(Self.mostConfusions).map { entry, mistake in
                [name(entry.label), name(mistake.answer), "\(mistake.count)", "\(entry.right.total)"]
            })
    }

    private var classes: Markup {
        let sorted = evaluation.classes.sorted { ($0.right.share, $0.label) < ($1.right.share, $1.label) }
        return ReportPage.table(
            ["class", "right", "pictures", "%", "95 % interval"],
            sorted.map { entry in
                let interval = entry.right.interval
                return [
                    name(entry.label), "\(entry.right.count)", "\(entry.right.total)",
                    (100 * entry.right.share).fixed(0),
                    "\((100 * interval.lowerBound).fixed(0)) to \((100 * interval.upperBound).fixed(0))",
                ]
            })
    }
}
