internal import Simulation

/// What `cleave simulate` prints and writes.
struct SimulationTables {
    private enum Source {
        case comparison(PolicyComparison)
        case sweep(TraceSweep)
    }

    private let source: Source

    init(_ comparison: PolicyComparison) { source = .comparison(comparison) }

    init(_ sweep: TraceSweep) { source = .sweep(sweep) }

    // MARK: For people

    var text: String {
        switch source {
        case .comparison(let comparison): text(of: comparison)
        case .sweep(let sweep): text(of: sweep)
        }
    }

    private func text(of comparison: PolicyComparison) -> String {
        var table = TextTable(
            "policy", "#mean ms", "#p95", "#p99", "#× bound", "#missed %", "#sent kB", "#energy J", "#load %",
            "#wait ms",
            "#switches/10 s", "#cloud %", "#fell back", "#dropped")
        for run in comparison.runs {
            let result = run.result
            table.add(
                result.policy, result.meanMilliseconds.fixed(1), result.p95Milliseconds.fixed(1),
                result.p99Milliseconds.fixed(1), result.overBound.fixed(3), (100 * result.missed).fixed(2),
                (result.uploadedBytesPerPicture / 1e3).fixed(2), result.joulesPerPicture.fixed(3),
                (100 * result.serverLoad).fixed(1), result.meanCloudWaitMilliseconds.fixed(2),
                result.switchesPerTenSeconds.fixed(2), (100 * result.remoteShare).fixed(1),
                "\(result.timeouts + result.refusals + result.unasked)", "\(result.dropped)")
        }
        var lines = [
            "\(comparison.arrivals.count) pictures of \(comparison.scenario.boards) boards; the least possible mean is "
                + "\(comparison.boundMilliseconds.fixed(1)) ms", "", table.text,
        ]
        if let best = comparison.result(.bestStatic)?.choice {
            lines += [
                "", "best static choice: \(best.map { $0.isASCII || $0 == "·" ? $0 : "?" }.map(String.init).joined())",
            ]
        }
        return lines.joined(separator: "\n")
    }

    private func text(of sweep: TraceSweep) -> String {
        var table = TextTable(
            "policy", "#mean ms", "#p95", "#× bound", "#worst", "#within 3 %", "#× static", "#worst", "#worse on",
            "#missed %",
            "#sent kB", "#energy J", "#switches/10 s", "#most")
        for summary in sweep.summaries {
            table.add(
                summary.policy, summary.meanMilliseconds.fixed(1), summary.p95Milliseconds.fixed(1),
                summary.overBound.fixed(3), summary.worstOverBound.fixed(3),
                (100 * summary.withinThreePercent).fixed(1), summary.overStatic?.fixed(3) ?? "–",
                summary.worstOverStatic?.fixed(3) ?? "–", summary.worseThanStatic.map(String.init) ?? "–",
                (100 * summary.missed).fixed(2), (summary.uploadedBytesPerPicture / 1e3).fixed(2),
                summary.joulesPerPicture.fixed(3), summary.switchesPerTenSeconds.fixed(2),
                summary.mostSwitchesPerTenSeconds.fixed(2))
        }
        return "\(sweep.rows.count) traces, each counting the same\n\n" + table.text
    }

    // MARK: For programs

    func json() throws -> String {
        switch source {
        case .comparison(let comparison):
            try jsonText(
                ComparisonRecord(
                    boards: comparison.scenario.boards, pictures: comparison.arrivals.count,
                    seconds: Double(comparison.scenario.duration) / 1e9, seed: comparison.scenario.seed,
                    boundMilliseconds: comparison.boundMilliseconds, results: comparison.runs.map(\.result)))
        case .sweep(let sweep):
            try jsonText(SweepRecord(summaries: sweep.summaries, traces: sweep.rows))
        }
    }

    private struct ComparisonRecord: Encodable {
        var boards: Int
        var pictures: Int
        var seconds: Double
        var seed: UInt64
        var boundMilliseconds: Double
        var results: [PolicyResult]
    }

    private struct SweepRecord: Encodable {
        var summaries: [TraceSweep.Summary]
        var traces: [TraceSweep.Row]
    }

    var csv: String {
        let header =
            "trace,policy,choice,pictures,dropped,mean_ms,p50_ms,p95_ms,p99_ms,over_bound,missed,bytes,joules,"
            + "core_ms,server_load,busiest_server_load,cloud_wait_ms,switches_per_10s,remote,timeouts,refusals,unasked"
        let lines: [String] =
            switch source {
            case .comparison(let comparison): comparison.runs.map { Self.line("", $0.result) }
            case .sweep(let sweep): sweep.rows.flatMap { row in row.results.map { Self.line(row.trace, $0) } }
            }
        return ([header] + lines).joined(separator: "\n") + "\n"
    }

    private static func line(_ trace: String, _ result: PolicyResult) -> String {
        // Names of files and of tensors are strangers'.
        let names = [trace, result.policy, result.choice ?? ""].map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }
        let figures = [
            result.meanMilliseconds, result.p50Milliseconds, result.p95Milliseconds, result.p99Milliseconds,
            result.overBound, result.missed, result.uploadedBytesPerPicture, result.joulesPerPicture,
            result.coreMillisecondsPerPicture, result.serverLoad, result.busiestServerLoad,
            result.meanCloudWaitMilliseconds, result.switchesPerTenSeconds, result.remoteShare,
        ].map { $0.fixed(5) }
        let counts = [result.timeouts, result.refusals, result.unasked].map { "\($0)" }
        return (names + ["\(result.pictures)", "\(result.dropped)"] + figures + counts).joined(separator: ",")
    }
}
