private import FoundationEssentials
internal import Reports

/// A plan as one HTML page: no script, no external resource, light and dark.
package enum PlanReport {
    package enum BarOrder: Hashable, Sendable {
        /// From the network's input to its output.
        case graph
        /// From the fastest on.
        case total
    }

    /// - Parameters:
    ///   - order: of the stacked bars.
    ///   - maximumBars: how many cuts, the best ones, get a bar beside the baselines.
    package static func html(_ plan: SplitPlan, order: BarOrder = .total, maximumBars: Int = 40) -> String {
        var page = ReportPage(
            title: "Split plan for \(plan.model.name)", subtitle: subtitle(plan), style: styleSheet)
        page.addTiles(tiles(plan))
        page.addSection("Why", reasons(plan))
        page.addSection("Where the time goes", bars(plan, order: order, maximumBars: maximumBars))
        page.addSection("If the uplink were slower or faster", sensitivity(plan))
        if let decisions = plan.decisions, !decisions.isEmpty {
            page.addSection("What is fastest on which link", decisionMap(plan, decisions))
        }
        page.addSection("Bytes against time", paretoFront(plan))
        page.addSection("Options", table(plan))
        page.addSection("What this rests on", sources(plan))
        return page.html
    }

    private static func subtitle(_ plan: SplitPlan) -> String {
        "Objective: \(plan.objective.name). Link: \(plan.link.name), \(plan.link.uplink.text) up, "
            + "\(plan.link.downlink.text) down, \(plan.link.roundTrip.text) round trip. Model \(plan.model.digest)."
    }

    private static func tiles(_ plan: SplitPlan) -> [(name: String, value: String)] {
        let cost = plan.chosen.cost
        var tiles: [(name: String, value: String)] = [
            ("latency", cost.latency.text),
            ("pipelined", "\(significant(cost.throughput))/s"),
            ("uploaded", cost.uplinkBytes.text),
            ("computed on the edge", cost.edgeTime.text),
        ]
        for (name, baseline) in [("vs cloud-only (JPEG)", plan.cloudOnly), ("vs edge-only", plan.edgeOnly)]
        where baseline.option.strategy != plan.chosen.strategy {
            if let ratio = plan.objective.ratio(baseline.option, over: plan.chosen) {
                tiles.append((name, "\(fixed(ratio, 2))×"))
            }
        }
        return tiles
    }

    private static func reasons(_ plan: SplitPlan) -> Markup {
        .element("ul", [("class", "reasons")], .joined((plan.reasons + plan.details).map { .element("li", [], $0) }))
    }

    private static func table(_ plan: SplitPlan) -> Markup {
        let headings = [
            "", "option", "head nodes", "uploaded", "latency", "edge", "link", "cloud", "answers/s", "top-1 kept",
            "× chosen",
        ]
        let head = Markup.joined(
            headings.enumerated().map { column, heading in
                .element("th", column == 1 ? [("class", "name")] : [], heading)
            })
        let rows = plan.ranking.enumerated().map { rank, option in
            let cells = [
                "\(option.headNodeCount)", option.cost.uplinkBytes.text, option.cost.latency.text,
                option.cost.edgeTime.text, (option.cost.latency - option.cost.edgeTime - option.cost.cloudTime).text,
                option.cost.cloudTime.text, significant(option.cost.throughput),
                option.top1Agreement.map { "\(fixed(100 * $0, 1)) %" } ?? "–",
                plan.objective.ratio(option, over: plan.chosen).map { fixed($0, 2) } ?? "–",
            ]
            return Markup.element(
                "tr", option == plan.chosen ? [("class", "chosen")] : [],
                .element("td", [], "\(rank + 1)")
                    + .element("td", [("class", "name wrap")], option.label + (option.isComposed ? " (composed)" : ""))
                    + .joined(cells.map { .element("td", [], $0) }))
        }
        let left = plan.search.allowedOptions - plan.ranking.count
        return .element(
            "p", [("class", "sub")],
            "\(plan.search.cuts) cuts\(plan.search.isExhaustive ? "" : ", not all there are,") in every measured codec mode: "
                + "\(plan.search.allowedOptions) options allowed. One row for each cut, in its best mode"
                + (left > 0 ? "; \(left) options are not shown." : "."))
            + .element(
                "div", [("class", "scroll")],
                .element(
                    "table", [], .element("thead", [], .element("tr", [], head)) + .element("tbody", [], .joined(rows)))
            )
    }

    private static func sources(_ plan: SplitPlan) -> Markup {
        let headings = [
            "profile", "host", "processor", "kernel", "instruction set", "compiler", "date", "command", "tool",
        ]
        let rows = plan.sources.map { source in
            let measured = source.provenance
            let cells = [
                source.title, measured.host, "\(measured.cpu) (\(measured.cores) cores)", measured.kernel,
                measured.instructionSet, measured.compiler, measured.date.formatted(.iso8601),
            ]
            return Markup.element(
                "tr", [],
                .joined(cells.map { .element("td", [("class", "name")], $0) })
                    + .element("td", [("class", "name")], .element("code", [], measured.command))
                    + .element("td", [("class", "name")], measured.toolVersion))
        }
        return .element("p", [("class", "sub")], "Link \(plan.link.name): \(plan.link.source)")
            + .element(
                "div", [("class", "scroll")],
                .element(
                    "table", [],
                    .element(
                        "thead", [],
                        .element("tr", [], .joined(headings.map { .element("th", [("class", "name")], $0) })))
                        + .element("tbody", [], .joined(rows))))
    }
}

extension Objective {
    var name: String {
        switch self {
        case .latency: "latency"
        case .p95Latency: "latency at the 95th percentile"
        case .throughput: "throughput"
        case .uplinkBytes: "bytes uploaded"
        case .edgeTime: "time on the edge"
        case .energy: "energy on the edge"
        case .cloudTime: "core time in the cloud"
        case .money: "money"
        }
    }
}
