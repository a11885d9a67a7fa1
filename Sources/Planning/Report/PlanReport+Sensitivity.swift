internal import Reports

extension PlanReport {
    private static let width = 1000.0
    private static let height = 380.0
    /// 100 kbit/s to 1 Gbit/s, widened to hold the plan's own link.
    private static let usualUplinks = 1e5...1e9

    /// The lowest latency of each strategy over the uplink, both axes logarithmic, above a strip of what wins.
    static func sensitivity(_ plan: SplitPlan) -> Markup {
        let now = plan.link.uplink.bitsPerSecond
        let uplinks = min(usualUplinks.lowerBound, now)...max(usualUplinks.upperBound, now)
        let x = ChartAxis.logarithmic(uplinks, pixels: (64, width - 32))
        let samples = x.samples(161)
        var curves: [(strategy: SplitPlan.Strategy, latencies: [Double])] = []
        for baseline in [plan.cloudOnly, plan.edgeOnly] {
            curves.append((baseline.option.strategy, samples.map { milliseconds(of: baseline.option, uplink: $0) }))
        }
        if !plan.splitsByUplink.isEmpty {
            let options = plan.splitsByUplink.map(\.option)
            curves.append(
                (
                    .split,
                    samples.map { uplink in options.map { milliseconds(of: $0, uplink: uplink) }.min() ?? .infinity }
                ))
        }
        let all = curves.flatMap(\.latencies).filter { $0 > 0 && $0.isFinite }
        guard let lowest = all.min(), let highest = all.max() else { return Markup("Nothing takes any time.") }
        let y = ChartAxis.logarithmic((lowest / 1.3)...(highest * 1.3), pixels: (height - 66, 14))

        var drawing = Markup()
        for tick in x.ticks {
            drawing += line(x.position(tick), y.pixels.to, x.position(tick), y.pixels.from, "rule")
            drawing += text(
                BitRate(bitsPerSecond: tick).text, x.position(tick), y.pixels.from + 18, "soft", anchor: "middle")
        }
        for tick in y.ticks {
            drawing += line(x.pixels.from, y.position(tick), x.pixels.to, y.position(tick), "rule")
            drawing += text(significant(tick) + " ms", x.pixels.from - 8, y.position(tick) + 4, "soft", anchor: "end")
        }
        drawing += line(x.position(now), y.pixels.to, x.position(now), y.pixels.from, "now")
        let isNearRight = x.position(now) > width * 0.8
        drawing += text(
            plan.link.name, x.position(now) + (isNearRight ? -5 : 5), y.pixels.to + 11, "soft",
            anchor: isNearRight ? "end" : "start")
        for curve in curves {
            let points = zip(samples, curve.latencies).filter { $1 > 0 && $1.isFinite }
                .map { "\(fixed(x.position($0), 2)),\(fixed(y.position($1), 2))" }
            drawing += .element(
                "polyline",
                [("points", points.joined(separator: " ")), ("style", "stroke:var(--line-\(curve.strategy.rawValue))")])
        }
        drawing += winners(plan, x: x, top: y.pixels.from + 30)
        return legend(curves.map { ("var(--line-\($0.strategy.rawValue))", $0.strategy.curveName) })
            + .element(
                "svg",
                [
                    ("viewBox", "0 0 \(fixed(width, 0)) \(fixed(height, 0))"), ("role", "img"),
                    ("aria-label", "Latency over uplink for cloud-only, edge-only and the best cut"),
                ], drawing)
    }

    /// A strip under the plot, coloured by what is fastest and allowed at each uplink.
    private static func winners(_ plan: SplitPlan, x: ChartAxis, top: Double) -> Markup {
        var strip = Markup()
        for range in plan.byUplink {
            let from = max(range.fromUplink?.bitsPerSecond ?? x.range.lowerBound, x.range.lowerBound)
            let to = min(range.toUplink?.bitsPerSecond ?? x.range.upperBound, x.range.upperBound)
            guard from < to else { continue }
            let (left, right) = (x.position(from), x.position(to))
            strip += .element(
                "rect",
                [
                    ("x", fixed(left, 2)), ("y", fixed(top, 1)), ("width", fixed(max(0.5, right - left - 1), 2)),
                    ("height", "12"), ("style", "fill:var(--line-\(range.option.strategy.rawValue))"),
                ],
                .element(
                    "title", [],
                    "\(range.option.label): \(range.fromUplink?.text ?? "0") to \(range.toUplink?.text ?? "∞")"))
        }
        return strip + text("fastest allowed option, each cut its own block", x.pixels.from, top + 27, "soft")
    }

    private static func milliseconds(of option: SplitPlan.Option, uplink: Double) -> Double {
        (option.cost.latency - option.cost.uplink).inMilliseconds + 8e3 * Double(option.cost.uplinkBytes.bytes) / uplink
    }
}

extension SplitPlan.Strategy {
    fileprivate var curveName: String {
        switch self {
        case .cloudOnly: "cloud-only (JPEG)"
        case .edgeOnly: "edge-only"
        case .split: "best cut"
        }
    }
}
