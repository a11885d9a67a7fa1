internal import Reports

extension PlanReport {
    private static let width = 1000.0
    private static let height = 360.0
    private static let plot = (left: 84.0, right: 968.0, top: 14.0, bottom: 310.0)

    /// Which option is the fastest at each uplink and each delay (round trip and wait), both axes logarithmic.
    static func decisionMap(_ plan: SplitPlan, _ decisions: DecisionTable) -> Markup {
        let now = (
            uplink: plan.link.uplink.bitsPerSecond,
            delay: max(1e-4, plan.plannedConditions.roundTrip + plan.plannedConditions.cloudWait)
        )
        let x = ChartAxis.logarithmic(
            min(1e5, now.uplink)...max(1e9, now.uplink), pixels: (plot.left, plot.right))
        let y = ChartAxis.logarithmic(
            min(1e-3, now.delay)...max(1, now.delay), pixels: (plot.bottom, plot.top))
        let columns = x.samples(160)
        let rows = y.samples(60)
        let step = (x: (plot.right - plot.left) / 159, y: (plot.bottom - plot.top) / 59)
        var drawing = Markup()
        var seen: Set<Int> = []
        for delay in rows {
            // Neighbours of one colour are one rectangle.
            var start = 0
            var last = -1
            for column in 0...columns.count {
                let option =
                    column < columns.count
                    ? decisions.fastest(.init(uplink: columns[column], roundTrip: delay, cloudWait: 0)) : -2
                if column > 0 && option != last {
                    seen.insert(last)
                    let left = max(plot.left, x.position(columns[start]) - step.x / 2)
                    let right = min(plot.right, x.position(columns[column - 1]) + step.x / 2 + 0.3)
                    drawing += .element(
                        "rect",
                        [
                            ("x", fixed(left, 2)), ("y", fixed(y.position(delay) - step.y / 2, 2)),
                            ("width", fixed(right - left, 2)), ("height", fixed(step.y + 0.3, 2)),
                            ("style", "fill:\(colour(of: last, decisions))"),
                        ], .element("title", [], decisions.options[last].label))
                    start = column
                }
                last = option
            }
        }
        for tick in x.ticks {
            drawing += text(
                BitRate(bitsPerSecond: tick).text, x.position(tick), plot.bottom + 20, "soft", anchor: "middle")
        }
        for tick in y.ticks {
            drawing += text(
                significant(tick * 1e3) + " ms", plot.left - 8, y.position(tick) + 4, "soft", anchor: "end")
        }
        drawing += line(x.position(now.uplink), plot.top, x.position(now.uplink), plot.bottom, "now")
        drawing += line(plot.left, y.position(now.delay), plot.right, y.position(now.delay), "now")
        drawing += text("uplink", (plot.left + plot.right) / 2, plot.bottom + 40, "soft", anchor: "middle")
        let names = seen.sorted().map { (colour(of: $0, decisions), decisions.options[$0].label) }
        return .element(
            "p", [("class", "sub")],
            "Up: round trip and wait in the cloud together. The dashed lines are the link planned for.")
            + legend(names)
            + ReportPage.drawing(
                width: width, height: height, label: "The fastest option over uplink and delay", drawing)
    }

    /// Greens for edge-only, violet for the JPEG, oranges for cuts, the deeper the later in the network.
    private static func colour(of option: Int, _ decisions: DecisionTable) -> String {
        switch decisions.options[option].strategy {
        case .edgeOnly: return "var(--line-edgeOnly)"
        case .cloudOnly: return "var(--line-cloudOnly)"
        case .split:
            let splits = decisions.options.filter { $0.strategy == .split }
                .sorted { ($0.headNodeCount, $0.label) < ($1.headNodeCount, $1.label) }
            let place = splits.firstIndex(of: decisions.options[option]) ?? 0
            let share = splits.count > 1 ? Double(place) / Double(splits.count - 1) : 0.5
            return "hsl(\(fixed(48 - 40 * share, 0)) 85% \(fixed(68 - 26 * share, 0))%)"
        }
    }

    /// Every option shown as a point of bytes sent and latency; those that no other beats in both are joined.
    static func paretoFront(_ plan: SplitPlan) -> Markup {
        let options = plan.ranking.filter { $0.cost.latency > .zero }
        let latencies = options.map { $0.cost.latency.inMilliseconds }
        let sizes = options.map { max(1, Double($0.cost.uplinkBytes.bytes)) }
        guard let low = latencies.min(), let high = latencies.max(), let small = sizes.min(), let large = sizes.max()
        else { return Markup("Nothing takes any time.") }
        let x = ChartAxis.logarithmic((small / 1.3)...(large * 1.3), pixels: (plot.left, plot.right))
        let y = ChartAxis.logarithmic((low / 1.2)...(high * 1.2), pixels: (plot.bottom, plot.top))
        var drawing = Markup()
        for tick in x.ticks {
            drawing += line(x.position(tick), plot.top, x.position(tick), plot.bottom, "rule")
            drawing += text(
                ByteCount(Int(min(tick, 1e18))).text, x.position(tick), plot.bottom + 20, "soft", anchor: "middle")
        }
        for tick in y.ticks {
            drawing += line(plot.left, y.position(tick), plot.right, y.position(tick), "rule")
            drawing += text(significant(tick) + " ms", plot.left - 8, y.position(tick) + 4, "soft", anchor: "end")
        }
        var front: [Int] = []
        for index in options.indices.sorted(by: { (sizes[$0], latencies[$0]) < (sizes[$1], latencies[$1]) })
        where front.last.map({ latencies[index] < latencies[$0] }) ?? true {
            front.append(index)
        }
        drawing += .element(
            "polyline",
            [
                (
                    "points",
                    front.map { "\(fixed(x.position(sizes[$0]), 2)),\(fixed(y.position(latencies[$0]), 2))" }
                        .joined(separator: " ")
                ), ("style", "stroke:var(--rule)"),
            ])
        for index in options.indices {
            let isChosen = options[index] == plan.chosen
            drawing += .element(
                "circle",
                [
                    ("cx", fixed(x.position(sizes[index]), 2)), ("cy", fixed(y.position(latencies[index]), 2)),
                    ("r", isChosen ? "7" : "4"), ("opacity", front.contains(index) || isChosen ? "1" : "0.35"),
                    ("style", "fill:var(--line-\(options[index].strategy.rawValue))"),
                ],
                .element(
                    "title", [],
                    "\(options[index].label): \(options[index].cost.uplinkBytes.text), \(options[index].cost.latency.text)"
                ))
        }
        drawing += text("uploaded", (plot.left + plot.right) / 2, plot.bottom + 40, "soft", anchor: "middle")
        return .element(
            "p", [("class", "sub")],
            "Latency over bytes sent. Joined: what no other option beats in both. The large point is the choice.")
            + ReportPage.drawing(width: width, height: height, label: "Latency over bytes sent", drawing)
    }
}
