internal import AllocationCounter
private import ModelGraph
private import Planning
internal import Testing

/// The count is one for all threads that are watched: one test at a time.
@Suite(.serialized, .enabled(if: allocation_counting_is_available(), "a sanitizer owns malloc"))
struct DecisionLookupTests {
    @Test func allocatesNothing() throws {
        let graph = Graph.resNet50Shaped()
        var generator = SeededGenerator(seed: 9)
        let model = try CostModel(
            cuts: CutEnumerator().cuts(of: graph), profiles: .random(additive: graph, using: &generator),
            link: .mobile4G)
        let table = try #require(try Planner(model).plan(.latency).decisions)
        var policy = SwitchingPolicy()
        var sum = 0
        count_allocations_of_this_thread(true)
        let before = allocation_count()
        for step in 0..<10_000 {
            let conditions = DecisionTable.Conditions(
                uplink: 1e4 * Double(step + 1), roundTrip: 0.01, cloudWait: 0.001)
            sum += table.fastest(conditions) + policy.decide(table, conditions)
        }
        let count = allocation_count() - before
        count_allocations_of_this_thread(false)
        #expect(count == 0)
        #expect(sum > 0)
    }
}
