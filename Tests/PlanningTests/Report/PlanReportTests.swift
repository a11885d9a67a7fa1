private import Foundation
private import ModelGraph
private import Planning
internal import Testing

@Suite struct PlanReportTests {
    private func plan(
        seed: UInt64, _ constraints: PlanConstraints = PlanConstraints(), hostile name: String = "test-net"
    ) throws -> SplitPlan {
        var generator = SeededGenerator(seed: seed)
        let graph = Graph.random(nodes: 9, using: &generator)
        let cuts = CutEnumerator().cuts(of: graph)
        var profiles = ProfileSet.random(graph, cuts: cuts, using: &generator)
        profiles.edge.model.name = name
        profiles.edge.provenance.command = name
        let model = try CostModel(cuts: cuts, profiles: profiles, link: .mobile4G)
        return try Planner(model).plan(.latency, constraints: constraints)
    }

    /// Every element opened is closed, in order; attributes are quoted; no stray `<` or `&`.
    private func wellFormednessProblem(_ html: String) -> String? {
        var open: [String] = []
        var rest = Substring(html)
        while let start = rest.firstIndex(where: { $0 == "<" || $0 == "&" }) {
            rest = rest[start...]
            if rest.first == "&" {
                guard rest.prefixMatch(of: /&(amp|lt|gt|quot|#39);/) != nil else {
                    return "stray & at \(rest.prefix(20))"
                }
                rest = rest.dropFirst()
            } else if let match = rest.prefixMatch(of: /<!DOCTYPE html>/) {
                rest = rest[match.range.upperBound...]
            } else if let match = rest.prefixMatch(of: /<\/([a-z0-9]+)>/) {
                guard open.popLast() == String(match.1) else { return "unexpected \(match.0)" }
                rest = rest[match.range.upperBound...]
            } else if let match = rest.prefixMatch(of: /<([a-z0-9]+)( [A-Za-z0-9-]+="[^"<>]*")*>/) {
                open.append(String(match.1))
                rest = rest[match.range.upperBound...]
            } else {
                return "stray < at \(rest.prefix(40))"
            }
        }
        return open.isEmpty ? nil : "left open: \(open)"
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func isWellFormed(seed: UInt64) throws {
        let constraints = seed % 2 == 0 ? PlanConstraints() : PlanConstraints(privacy: .nodesBeforeBoundary(1))
        let plan = try plan(seed: seed, constraints)
        for order in [PlanReport.BarOrder.graph, .total] {
            #expect(wellFormednessProblem(PlanReport.html(plan, order: order, maximumBars: 5)) == nil, "seed \(seed)")
        }
    }

    @Test func theCheckItselfFindsFaults() {
        #expect(wellFormednessProblem("<p><b></p></b>") != nil)
        #expect(wellFormednessProblem("<p>") != nil)
        #expect(wellFormednessProblem("<p>a & b</p>") != nil)
        #expect(wellFormednessProblem("<p title=\"a\">a &amp; b</p>") == nil)
    }

    @Test func escapesWhatModelsAndHostsAreCalled() throws {
        let html = PlanReport.html(try plan(seed: 3, hostile: "<script>alert(\"x\")</script>&'\u{1B}[31m"))
        #expect(wellFormednessProblem(html) == nil)
        #expect(!html.contains("<script"))
        #expect(!html.contains("\u{1B}"))
        #expect(html.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;"))
    }

    @Test func needsNothingFromOutside() throws {
        let html = PlanReport.html(try plan(seed: 4))
        for reference in ["http:", "https:", "src=", "href=", "url(", "@import"] {
            #expect(!html.contains(reference), "\(reference)")
        }
    }

    @Test func drawsAsManyBarsAsAsked() throws {
        let plan = try plan(seed: 5)
        let labels = { (count: Int) in
            PlanReport.html(plan, maximumBars: count).matches(of: /text-anchor="end"><title>/).count
        }
        let splits = plan.ranking.filter { $0.strategy == .split }.count
        #expect(splits > 3)
        #expect(labels(3) == 5)
        #expect(labels(1_000) == splits + 2)
        #expect(labels(0) == 2)
    }

    @Test func theTextTableAligns() throws {
        let plan = try plan(seed: 6)
        let text = PlanTable.text(plan, limit: 4)
        let blocks = text.components(separatedBy: "\n\n")
        #expect(blocks.count == 2)
        #expect(blocks[0].components(separatedBy: "\n") == plan.reasons)
        let lines = blocks[1].components(separatedBy: "\n").filter { !$0.isEmpty && !$0.hasPrefix("…") }
        #expect(Set(lines.map(\.count)).count == 1, "\(text)")
        #expect(lines.filter { $0.hasPrefix(">") }.count == 1)
        #expect(lines.contains { $0.contains("edge-only") } && lines.contains { $0.contains("cloud-only (JPEG)") })
    }

    @Test func theTextTableCarriesNoControlCharacters() throws {
        let text = PlanTable.text(try plan(seed: 7, hostile: "\u{1B}]0;gotcha\u{7}"))
        #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    }
}
