private import ModelGraph
private import Planning

/// Times the planner on graphs of known shape, from the profiles to the plan, and a look-up in its decision table.
@main
enum PlannerBenchmarks {
    static func main() throws {
        var generator = SeededGenerator(seed: 1)
        let subjects: [(name: String, graph: Graph)] = [
            ("ResNet-50's wiring", .resNet50Shaped()), ("Inception-v3's wiring", .inceptionV3Shaped()),
            ("chain of 1,000 nodes", .chain(1_000)),
            ("random DAG of 1,000 nodes", .random(nodes: 1_000, using: &generator)),
            ("50 branches of 20 nodes", .branches(50, length: 20)),
        ]
        print("graph                         nodes     cuts  exhaustive  plan, ms (median of 7, least)   look-up, ns")
        for (name, graph) in subjects {
            let profiles = ProfileSet.random(additive: graph, using: &generator)
            var plan: SplitPlan?
            let times = try (0..<8).map { _ in
                let start = ContinuousClock.now
                let model = try CostModel(cuts: CutEnumerator().cuts(of: graph), profiles: profiles, link: .mobile4G)
                plan = try Planner(model).plan(.latency, rankingLimit: 100)
                return ContinuousClock.now - start
            }.dropFirst().sorted()
            guard let plan, let table = plan.decisions else { fatalError("a plan of these profiles has a table") }
            print(
                pad(name, 28), pad("\(graph.nodes.count)", 6, left: true), pad("\(plan.search.cuts)", 8, left: true),
                pad(plan.search.isExhaustive ? "yes" : "no", 11, left: true),
                pad("\(milliseconds(times[3])), \(milliseconds(times[0]))", 31, left: true),
                pad("\(lookUpNanoseconds(table))", 14, left: true))
        }
    }

    private static func lookUpNanoseconds(_ table: DecisionTable) -> Int {
        let count = 1_000_000
        var sum = 0
        let start = ContinuousClock.now
        for step in 0..<count {
            let conditions = DecisionTable.Conditions(
                uplink: 1e4 * Double(step + 1), roundTrip: 1e-6 * Double(step % 1_000), cloudWait: 0)
            sum &+= table.fastest(conditions)
        }
        let elapsed = ContinuousClock.now - start
        precondition(sum >= 0)
        return Int(elapsed / .nanoseconds(1)) / count
    }

    private static func milliseconds(_ time: Duration) -> String {
        let tenths = Int((time / .microseconds(100)).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return left ? space + text : text + space
    }
}

extension Graph {
    fileprivate static func chain(_ length: Int) -> Graph {
        var graph = Graph(name: "chain")
        graph.outputs = [graph.addChain("c", from: graph.addInput("input", activation), length: length)]
        return graph
    }

    fileprivate static func branches(_ count: Int, length: Int) -> Graph {
        var graph = Graph(name: "branches")
        let input = graph.addInput("input", activation)
        graph.outputs = [graph.add("concat", (0..<count).map { graph.addChain("b\($0)", from: input, length: length) })]
        return graph
    }
}
