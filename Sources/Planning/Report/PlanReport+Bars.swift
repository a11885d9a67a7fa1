internal import Reports

extension PlanReport {
    private static let width = 1000.0
    private static let labelWidth = 270.0
    private static let rowHeight = 22.0

    /// One stacked bar for each of the best cuts below the two baselines; the axis is in milliseconds.
    static func bars(_ plan: SplitPlan, order: BarOrder, maximumBars: Int) -> Markup {
        var cuts = Array(plan.ranking.lazy.filter { $0.strategy == .split }.prefix(max(0, maximumBars)))
        switch order {
        case .graph: cuts.sort { $0.position < $1.position }
        case .total: cuts.sort { ($0.cost.latency, $0.position) < ($1.cost.latency, $1.position) }
        }
        let baselines = [plan.cloudOnly, plan.edgeOnly].map { ($0.option, $0.refusal != nil) }
        let rows = baselines + cuts.map { ($0, false) }
        let longest = { (options: [SplitPlan.Option]) in options.map(\.cost.latency.inMilliseconds).max() ?? 0 }
        let slowest = longest(rows.map(\.0))
        // A hopeless baseline must not squeeze the cuts: it runs off the axis instead.
        let limit = cuts.isEmpty ? slowest : 1.5 * longest(cuts)
        let axis = ChartAxis.linear(upTo: min(slowest, limit), pixels: (labelWidth, width - 70))
        let top = 24.0
        let height = top + Double(rows.count) * rowHeight + 10

        var drawing = Markup()
        for tick in axis.ticks {
            let x = axis.position(tick)
            drawing += line(x, top - 6, x, height - 6, "rule")
            drawing += text(significant(tick) + " ms", x, top - 10, "soft", anchor: "middle")
        }
        for (row, (option, isRefused)) in rows.enumerated() {
            let y = top + Double(row) * rowHeight
            drawing += bar(option, isRefused: isRefused, isChosen: option == plan.chosen, y: y, axis: axis)
        }
        if !cuts.isEmpty {
            let y = top + Double(baselines.count) * rowHeight + 1
            drawing += line(0, y, width, y, "rule")
        }
        return legend(CostComponent.allCases.map { ("var(--\($0.rawValue))", $0.name) })
            + .element(
                "svg",
                [
                    ("viewBox", "0 0 \(fixed(width, 0)) \(fixed(height, 0))"), ("role", "img"),
                    ("aria-label", "Stacked bars of the latency of each option"),
                ], drawing)
    }

    private static func bar(
        _ option: SplitPlan.Option, isRefused: Bool, isChosen: Bool, y: Double, axis: ChartAxis
    ) -> Markup {
        let label = (isChosen ? "▸ " : "") + option.label + (isRefused ? " (not allowed)" : "")
        let weight = isChosen ? "strong" : isRefused ? "soft" : ""
        var drawing = Markup.element(
            "text",
            [("x", fixed(labelWidth - 10, 1)), ("y", fixed(y + 16, 1)), ("class", weight), ("text-anchor", "end")],
            .element("title", [], label) + Markup(shortened(label, to: isChosen ? 36 : 40)))
        var start = 0.0
        for component in CostComponent.allCases {
            let time = option.cost[component]
            guard time > .zero else { continue }
            let end = start + time.inMilliseconds
            let (left, right) = (
                min(axis.position(start), axis.pixels.to), min(axis.position(end), axis.pixels.to)
            )
            drawing += .element(
                "rect",
                [
                    ("x", fixed(left, 2)), ("y", fixed(y + 4, 1)), ("width", fixed(right - left, 2)),
                    ("height", fixed(rowHeight - 7, 1)), ("opacity", isRefused ? "0.45" : "1"),
                    ("style", "fill:var(--\(component.rawValue))"),
                ], .element("title", [], "\(component.name): \(time.text)"))
            start = end
        }
        let isCutOff = axis.position(start) > axis.pixels.to + 0.01
        drawing += text(
            option.cost.latency.text + (isCutOff ? " »" : ""), min(axis.position(start), axis.pixels.to) + 6, y + 16,
            weight)
        return drawing
    }

    /// Keeps both ends of a long name: tensors of one block differ at the end.
    private static func shortened(_ text: String, to length: Int) -> String {
        guard text.count > length else { return text }
        let front = length / 3
        return text.prefix(front) + "…" + text.suffix(length - front - 1)
    }
}

extension PlanReport {
    static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) -> Markup {
        .element(
            "line",
            [("x1", fixed(x1, 2)), ("y1", fixed(y1, 2)), ("x2", fixed(x2, 2)), ("y2", fixed(y2, 2)), ("class", style)])
    }

    static func text(_ text: String, _ x: Double, _ y: Double, _ style: String, anchor: String = "start") -> Markup {
        .element(
            "text", [("x", fixed(x, 2)), ("y", fixed(y, 2)), ("class", style), ("text-anchor", anchor)], text)
    }

    static func legend(_ entries: [(colour: String, name: String)]) -> Markup {
        .element(
            "ul", [("class", "legend")],
            .joined(
                entries.map { colour, name in
                    .element("li", [], .element("i", [("style", "background:\(colour)")]) + Markup(name))
                }))
    }
}

extension CostComponent {
    var name: String {
        switch self {
        case .edgePreprocess: "preprocess (edge)"
        case .head: "head"
        case .encode: "encode"
        case .uplink: "uplink"
        case .roundTrip: "round trip"
        case .cloudWait: "wait (cloud)"
        case .decode: "decode"
        case .cloudPreprocess: "preprocess (cloud)"
        case .tail: "tail"
        case .downlink: "downlink"
        }
    }
}
