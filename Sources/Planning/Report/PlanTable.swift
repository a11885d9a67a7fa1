/// A plan as aligned text for terminals.
package enum PlanTable {
    /// The reasons, then the best `limit` options; the chosen one is marked `>`.
    /// - Parameter explains: add the runners-up and what else would change the choice.
    package static func text(_ plan: SplitPlan, limit: Int = 20, explains: Bool = false) -> String {
        var rows = [["", "option", "head", "uploaded", "latency", "edge", "link", "cloud", "answers/s", "top-1 kept"]]
        for option in plan.ranking.prefix(max(0, limit)) {
            rows.append(row(option, mark: option == plan.chosen ? ">" : ""))
        }
        for baseline in [plan.cloudOnly, plan.edgeOnly]
        where !plan.ranking.prefix(max(0, limit)).contains(baseline.option) {
            rows.append(row(baseline.option, mark: baseline.refusal == nil ? "" : "×"))
        }
        let leftAligned: Set<Int> = [0, 1]
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            let cells = row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return leftAligned.contains(column) ? row[column] + space : space + row[column]
            }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
        let hidden = plan.ranking.count - min(plan.ranking.count, max(0, limit))
        let reasons = plan.reasons + (explains ? plan.details : [])
        return reasons.map(printable).joined(separator: "\n") + "\n\n" + lines.joined(separator: "\n") + "\n"
            + (hidden > 0 ? "… and \(hidden) more\n" : "")
    }

    private static func row(_ option: SplitPlan.Option, mark: String) -> [String] {
        let cost = option.cost
        return [
            mark, printable(option.label), "\(option.headNodeCount)", cost.uplinkBytes.text, cost.latency.text,
            cost.edgeTime.text, (cost.latency - cost.edgeTime - cost.cloudTime).text, cost.cloudTime.text,
            significant(cost.throughput), option.top1Agreement.map { "\(fixed(100 * $0, 1)) %" } ?? "–",
        ]
    }

    /// Names come from model files: a terminal must not obey their control characters.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? "\u{FFFD}" : $0 }))
    }
}
