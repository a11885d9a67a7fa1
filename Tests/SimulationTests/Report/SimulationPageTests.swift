private import Foundation
internal import Simulation
internal import Testing

@Suite struct SimulationPageTests {
    private func page(_ name: String) throws -> String {
        let trace = try LinkTrace(
            name: name,
            segments: [
                .init(duration: 5 * second, bitsPerSecond: 4_000_000), .init(duration: 2 * second, bitsPerSecond: 0),
            ])
        var scenario = Scenario(uplinks: [trace], duration: 30 * second)
        scenario.boards = 2
        let comparison = try PolicyComparison(scenario, choices: try TestNetwork(seed: 2).choices())
        return SimulationPage(comparison, model: name, facts: [("trace", name)]).html
    }

    /// Names of elements, in order, with what is opened closed again.
    private func isWellFormed(_ html: String) -> Bool {
        var open: [Substring] = []
        for match in html.matches(of: /<(\/?)([a-z0-9]+)((?: [A-Za-z0-9-]+="[^"<>]*")*)>/) {
            if match.1.isEmpty {
                open.append(match.2)
            } else if open.popLast() != match.2 {
                return false
            }
        }
        return open.isEmpty && !html.dropFirst(20).contains("<!")
    }

    @Test func isWellFormedAndSelfContained() throws {
        let html = try page("bus & <b>\"tram\"</b>")
        #expect(isWellFormed(html))
        #expect(html.contains("bus &amp; &lt;b&gt;"))
        #expect(!html.contains("<script") && !html.contains("http://") && !html.contains("https://"))
        for contestant in PolicyComparison.Contestant.allCases { #expect(html.contains(contestant.title)) }
        #expect(!html.contains("nan") && !html.contains("∞"))
    }
}
