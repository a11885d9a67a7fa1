/// The policies on many traces, each trace a world of its own.
package struct TraceSweep: Sendable, Codable {
    package struct Row: Sendable, Codable {
        package var trace: String
        package var seconds: Double
        package var meanMegabits: Double
        package var boundMilliseconds: Double
        /// By contestant, in the order in which they were run.
        package var results: [PolicyResult]

        package init(_ comparison: PolicyComparison) {
            let trace = comparison.scenario.uplinks[0]
            self.trace = trace.name
            seconds = Double(comparison.scenario.duration) / 1e9
            meanMegabits = trace.meanRate / 1e6
            boundMilliseconds = comparison.boundMilliseconds
            results = comparison.runs.map(\.result)
        }
    }

    /// One policy over all traces, each trace counting the same.
    package struct Summary: Sendable, Codable {
        package var policy: String
        package var meanMilliseconds: Double
        /// The mean over traces of a trace's mean over its bound; the largest; and the share of traces at most 1.03.
        package var overBound: Double
        package var worstOverBound: Double
        package var withinThreePercent: Double
        /// Of the best static choice of each trace: the mean ratio, the largest, and the traces on which it is exceeded by a thousandth.
        package var overStatic: Double?
        package var worstOverStatic: Double?
        package var worseThanStatic: Int?
        package var p95Milliseconds: Double
        package var missed: Double
        package var uploadedBytesPerPicture: Double
        package var joulesPerPicture: Double
        package var switchesPerTenSeconds: Double
        package var mostSwitchesPerTenSeconds: Double
    }

    package private(set) var rows: [Row] = []

    package init() {}

    package mutating func add(_ comparison: PolicyComparison) { rows.append(Row(comparison)) }

    package var summaries: [Summary] {
        guard let first = rows.first else { return [] }
        return first.results.indices.map { place in
            let results = rows.map { $0.results[place] }
            func mean(_ value: (PolicyResult) -> Double) -> Double {
                results.reduce(0) { $0 + value($1) } / Double(results.count)
            }
            let ratios = rows.compactMap { row in
                row.results.first { $0.policy == PolicyComparison.Contestant.bestStatic.title }
                    .map { row.results[place].meanMilliseconds / $0.meanMilliseconds }
            }
            return Summary(
                policy: results[0].policy, meanMilliseconds: mean(\.meanMilliseconds), overBound: mean(\.overBound),
                worstOverBound: results.map(\.overBound).max() ?? 0,
                withinThreePercent: mean { $0.overBound <= 1.03 ? 1 : 0 },
                overStatic: ratios.isEmpty ? nil : ratios.reduce(0, +) / Double(ratios.count),
                worstOverStatic: ratios.max(), worseThanStatic: ratios.isEmpty ? nil : ratios.count { $0 > 1.001 },
                p95Milliseconds: mean(\.p95Milliseconds),
                missed: mean(\.missed), uploadedBytesPerPicture: mean(\.uploadedBytesPerPicture),
                joulesPerPicture: mean(\.joulesPerPicture), switchesPerTenSeconds: mean(\.switchesPerTenSeconds),
                mostSwitchesPerTenSeconds: results.map(\.switchesPerTenSeconds).max() ?? 0)
        }
    }
}
