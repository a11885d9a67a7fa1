internal import EdgeAgent
internal import WireTestSupport
internal import Testing

@Suite struct BackoffTests {
    @Test func growsToItsMaximumWithJitter() {
        var generator = SeededGenerator(seed: 1)
        var backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(1), multiplier: 2)
        for nominal in [100, 200, 400, 800, 1000, 1000, 1000] {
            let delay = backoff.next(using: &generator)
            #expect(delay >= .milliseconds(nominal) / 2 && delay <= .milliseconds(nominal))
        }
        backoff.reset()
        #expect(backoff.next(using: &generator) <= .milliseconds(100))
        backoff.saturate()
        #expect(backoff.next(using: &generator) >= .milliseconds(500))
    }
}
