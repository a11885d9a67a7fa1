private import Planning
private import Reports

/// A comparison as one HTML page: no script, no external resource, light and dark.
package struct SimulationPage {
    private let comparison: PolicyComparison
    private let model: String
    /// What the page rests on, as names and values.
    private let facts: [(name: String, value: String)]

    package init(_ comparison: PolicyComparison, model: String, facts: [(name: String, value: String)]) {
        self.comparison = comparison
        self.model = model
        self.facts = facts
    }

    package var html: String {
        let scenario = comparison.scenario
        var page = ReportPage(
            title: "Simulated: \(model)",
            subtitle: "\(counted(scenario.boards, "board")) for \(significant(Double(scenario.duration) / 1e9)) s, "
                + "\(counted(scenario.pool.servers, "server")) of \(counted(scenario.pool.workers, "worker")), "
                + "seed \(scenario.seed).",
            style: Self.styleSheet)
        if let cleave = comparison.result(.cleave) { page.addTiles(tiles(cleave)) }
        page.addSection("Policies", policies)
        page.addSection("Mean latency", meanBars)
        page.addSection("How many pictures are answered within", distribution)
        page.addSection("One board over time", timeline)
        page.addSection("What the policies chose", chosen)
        page.addSection(
            "What this rests on",
            ReportPage.table(["setting", "value"], facts.map { [$0.name, $0.value] }))
        return page.html
    }

    private func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    private func tiles(_ cleave: PolicyResult) -> [(name: String, value: String)] {
        var tiles: [(name: String, value: String)] = [
            ("mean latency, Cleave", significant(cleave.meanMilliseconds) + " ms"),
            ("95th percentile", significant(cleave.p95Milliseconds) + " ms"),
            ("of the least possible mean", fixed(cleave.overBound, 3) + "×"),
            ("switches in 10 s", fixed(cleave.switchesPerTenSeconds, 2)),
        ]
        for (contestant, name) in [
            (PolicyComparison.Contestant.bestStatic, "vs best static choice"), (.cloudOnly, "vs cloud-only (JPEG)"),
            (.edgeOnly, "vs edge-only"),
        ] {
            if let other = comparison.result(contestant), cleave.meanMilliseconds > 0 {
                tiles.append((name, fixed(other.meanMilliseconds / cleave.meanMilliseconds, 2) + "×"))
            }
        }
        return tiles
    }

    private var policies: Markup {
        let rows = comparison.runs.map { run in
            let result = run.result
            return [
                result.policy + (run.contestant == .bestStatic ? result.choice.map { ": \($0)" } ?? "" : ""),
                fixed(result.meanMilliseconds, 1), fixed(result.p95Milliseconds, 1), fixed(result.p99Milliseconds, 1),
                fixed(result.overBound, 3), fixed(100 * result.missed, 2),
                fixed(result.uploadedBytesPerPicture / 1e3, 2),
                fixed(result.joulesPerPicture, 3), fixed(100 * result.serverLoad, 1),
                fixed(result.meanCloudWaitMilliseconds, 2), fixed(result.switchesPerTenSeconds, 2),
                fixed(100 * result.remoteShare, 1), "\(result.timeouts + result.refusals + result.unasked)",
            ]
        }
        return .element(
            "p", [("class", "sub")],
            "The bound, \(fixed(comparison.boundMilliseconds, 1)) ms, gives every picture its fastest choice with nothing "
                + "else in its way. Missed: dropped, or later than \(significant(Double(comparison.scenario.target) / 1e6)) ms. "
                + "Fell back: finished on the board because the cloud did not answer in time, refused, or was out of reach."
        )
            + ReportPage.table(
                [
                    "policy", "mean ms", "p95 ms", "p99 ms", "× bound", "missed %", "sent kB", "energy J",
                    "server load %", "wait ms", "switches / 10 s", "in cloud %", "fell back",
                ], rows)
    }

    /// What each policy chose, the most frequent choices first.
    private var chosen: Markup {
        var rows: [[String]] = []
        for run in comparison.runs {
            var counts = [Int](repeating: 0, count: comparison.choices.all.count)
            for choice in run.outcome.choices where choice >= 0 { counts[Int(choice)] += 1 }
            let order = counts.indices.filter { counts[$0] > 0 }.sorted { (counts[$1], $0) < (counts[$0], $1) }
            for choice in order.prefix(6) {
                rows.append([
                    comparison.choices.all[choice].label, run.result.policy,
                    fixed(100 * Double(counts[choice]) / Double(max(1, run.outcome.choices.count)), 1) + " %",
                ])
            }
        }
        return ReportPage.table(["choice", "policy", "pictures"], rows)
    }

    // MARK: Drawings

    private static let width = 1000.0

    private var meanBars: Markup {
        let (rowHeight, left) = (26.0, 190.0)
        let longest = comparison.runs.map(\.result.p95Milliseconds).max() ?? 1
        let axis = ChartAxis.linear(upTo: longest, pixels: (left, Self.width - 70))
        let height = 30 + rowHeight * Double(comparison.runs.count) + 6
        var drawing = Markup()
        for tick in axis.ticks {
            drawing += Self.line(axis.position(tick), 18, axis.position(tick), height - 4, "rule")
            drawing += Self.text(significant(tick) + " ms", axis.position(tick), 13, "soft", anchor: "middle")
        }
        for (row, run) in comparison.runs.enumerated() {
            let y = 26 + rowHeight * Double(row)
            let mean = axis.position(run.result.meanMilliseconds)
            let p95 = axis.position(run.result.p95Milliseconds)
            drawing += Self.text(run.result.policy, left - 10, y + 14, "", anchor: "end")
            drawing += .element(
                "rect",
                [
                    ("x", fixed(left, 1)), ("y", fixed(y, 1)), ("width", fixed(mean - left, 1)), ("height", "18"),
                    ("style", "fill:var(--\(run.contestant.rawValue))"),
                ])
            drawing += Self.line(mean, y + 9, max(mean, p95), y + 9, "whisker")
            drawing += Self.line(p95, y + 4, p95, y + 14, "whisker")
            drawing += Self.text(
                significant(run.result.meanMilliseconds), max(mean, p95) + 6, y + 14, "soft", anchor: "start")
        }
        let bound = axis.position(comparison.boundMilliseconds)
        drawing += Self.line(bound, 18, bound, height - 4, "now")
        return .element("p", [("class", "sub")], "Bars: means. Whiskers: 95th percentiles. Dashed: the bound.")
            + ReportPage.drawing(width: Self.width, height: height, label: "Mean latency of each policy", drawing)
    }

    private var distribution: Markup {
        let (height, left, bottom) = (320.0, 56.0, 280.0)
        let sorted = comparison.runs.map { run in run.outcome.latencies.filter { $0 > 0 }.sorted() }
        guard let low = sorted.compactMap(\.first).min(), let high = sorted.compactMap(\.last).max() else {
            return Markup("No picture was answered.")
        }
        let x = ChartAxis.logarithmic(
            Double(low) / 1.1e6...max(Double(high) / 0.9e6, Double(low) / 0.5e6), pixels: (left, Self.width - 20))
        func y(_ share: Double) -> Double { bottom - share * (bottom - 14) }
        var drawing = Markup()
        for tick in x.ticks {
            drawing += Self.line(x.position(tick), 14, x.position(tick), bottom, "rule")
            drawing += Self.text(significant(tick) + " ms", x.position(tick), bottom + 18, "soft", anchor: "middle")
        }
        for share in [0, 0.25, 0.5, 0.75, 0.95, 1] {
            drawing += Self.line(left, y(share), Self.width - 20, y(share), "rule")
            drawing += Self.text(fixed(100 * share, 0) + " %", left - 8, y(share) + 4, "soft", anchor: "end")
        }
        for (run, latencies) in zip(comparison.runs, sorted) where !latencies.isEmpty {
            let all = Double(run.outcome.latencies.count)
            let steps = min(300, latencies.count)
            let points = (1...steps).map { step in
                let place = latencies.count * step / steps - 1
                return "\(fixed(x.position(Double(latencies[place]) / 1e6), 1)),\(fixed(y(Double(place + 1) / all), 1))"
            }
            drawing += .element(
                "polyline",
                [("points", points.joined(separator: " ")), ("style", "stroke:var(--\(run.contestant.rawValue))")])
        }
        return legend
            + ReportPage.drawing(width: Self.width, height: height, label: "Share answered within a time", drawing)
    }

    /// The first board's uplink and the latencies of its pictures.
    private var timeline: Markup {
        let scenario = comparison.scenario
        let pictures = Array(
            comparison.boardStarts[0]..<min(comparison.boardStarts[1], comparison.boardStarts[0] + 300))
        guard let last = pictures.last, comparison.arrivals[last] > 0 else { return Markup("No picture came.") }
        let span = Double(comparison.arrivals[last]) * 1.01
        let (left, right, top, middle, bottom) = (70.0, Self.width - 20, 14.0, 150.0, 400.0)
        func x(_ time: Double) -> Double { left + time / span * (right - left) }
        let place = scenario.uplinkPlaces[0]
        let trace = scenario.uplinks[place.trace]
        let rates = (0...500).map { step in
            Double(trace.rate(at: Int64(span * Double(step) / 500) + place.offset)) / 1e6
        }
        let rateAxis = ChartAxis.linear(upTo: rates.max() ?? 1, pixels: (middle, top))
        let shown = comparison.runs.filter { [.cleave, .clairvoyant, .chain, .bestStatic].contains($0.contestant) }
        let highest = shown.flatMap { run in pictures.map { run.outcome.latencies[$0] } }.max() ?? 1
        let latencyAxis = ChartAxis.linear(upTo: Double(highest) / 1e6, pixels: (bottom, middle + 40))
        var drawing = Markup()
        for (axis, unit) in [(rateAxis, " Mbit/s"), (latencyAxis, " ms")] {
            for tick in axis.ticks {
                drawing += Self.line(left, axis.position(tick), right, axis.position(tick), "rule")
                drawing += Self.text(significant(tick) + unit, left - 6, axis.position(tick) + 4, "soft", anchor: "end")
            }
        }
        let seconds = ChartAxis.linear(upTo: span / 1e9, pixels: (left, right))
        for tick in seconds.ticks where tick * 1e9 <= span {
            drawing += Self.text(significant(tick) + " s", x(tick * 1e9), bottom + 18, "soft", anchor: "middle")
        }
        let ratePoints = rates.enumerated().map { step, rate in
            "\(fixed(x(span * Double(step) / 500), 1)),\(fixed(rateAxis.position(rate), 1))"
        }
        drawing += .element(
            "polyline",
            [("points", ratePoints.joined(separator: " ")), ("style", "stroke:var(--soft);stroke-width:1.2")])
        for run in shown {
            let points = pictures.filter { run.outcome.latencies[$0] >= 0 }.map { picture in
                let latency = Double(run.outcome.latencies[picture]) / 1e6
                return "\(fixed(x(Double(comparison.arrivals[picture])), 1)),\(fixed(latencyAxis.position(latency), 1))"
            }
            drawing += .element(
                "polyline",
                [
                    ("points", points.joined(separator: " ")),
                    ("style", "stroke:var(--\(run.contestant.rawValue));stroke-width:1.5"),
                ])
        }
        return .element(
            "p", [("class", "sub")],
            "Above: the uplink of the first board, from \(trace.name). Below: what its pictures took.")
            + Self.legend(of: shown)
            + ReportPage.drawing(width: Self.width, height: 430, label: "Uplink and latencies over time", drawing)
    }

    private var legend: Markup { Self.legend(of: comparison.runs) }

    private static func legend(of runs: [PolicyComparison.Run]) -> Markup {
        .element(
            "ul", [("class", "legend")],
            .joined(
                runs.map { run in
                    .element(
                        "li", [],
                        .element("i", [("style", "background:var(--\(run.contestant.rawValue))")])
                            + Markup(run.result.policy))
                }))
    }

    private static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) -> Markup {
        .element(
            "line",
            [("x1", fixed(x1, 1)), ("y1", fixed(y1, 1)), ("x2", fixed(x2, 1)), ("y2", fixed(y2, 1)), ("class", style)])
    }

    private static func text(_ text: String, _ x: Double, _ y: Double, _ style: String, anchor: String) -> Markup {
        .element("text", [("x", fixed(x, 1)), ("y", fixed(y, 1)), ("class", style), ("text-anchor", anchor)], text)
    }

    private static let styleSheet = """
        :root{--edge-only:#2f9e78;--cloud-only:#8a78d8;--static:#8b98a8;--neurosurgeon:#3f86d8;--dads:#c2559d;\
        --cleave:#e06c1b;--clairvoyant:#1b2027}
        @media(prefers-color-scheme:dark){:root{--edge-only:#45c398;--cloud-only:#a79bf0;--static:#8b98a8;\
        --neurosurgeon:#6aa9f2;--dads:#e07fbe;--cleave:#f59a52;--clairvoyant:#e7eaee}}
        svg .whisker{stroke:var(--ink);stroke-width:1.2}

        """
}
