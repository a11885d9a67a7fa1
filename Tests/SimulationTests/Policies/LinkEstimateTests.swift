internal import Planning
internal import Simulation
internal import Testing

@Suite struct LinkEstimateTests {
    @Test func averagesTheTimeOfABit() {
        var estimate = LinkEstimate(weight: 0.5, bitsPerSecond: 1e6, delay: 40 * millisecond, at: 0)
        #expect(abs(estimate.conditions.uplink - 1e6) < 1e-3)
        // 3 Mbit/s: the mean of 1 and 1/3 µs a bit is 2/3.
        estimate.addTransfer(of: 3_750, in: 10 * millisecond, at: 7)
        #expect(abs(estimate.conditions.uplink - 1.5e6) < 1e-3)
        #expect(estimate.lastSample == 7)
        estimate.addAnswer(delay: 60 * millisecond, wait: 10 * millisecond)
        #expect(abs(estimate.conditions.roundTrip - 0.05) < 1e-12)
        #expect(abs(estimate.conditions.cloudWait - 0.005) < 1e-12)
    }

    @Test func anOutageIsASlowLink() {
        var estimate = LinkEstimate(weight: 0.5, bitsPerSecond: 0, delay: 0, at: 0)
        #expect(abs(estimate.conditions.uplink - 1_000) < 1e-9)
        estimate.addTransfer(of: 0, in: second, at: 1)
        #expect(abs(estimate.conditions.uplink - 1_000) < 1e-9)
        estimate.addTransfer(of: 125_000, in: second, at: 2)
        #expect(abs(estimate.conditions.uplink - 1e6) < 1e-3, "it is back")
        // However long nothing passed, the sample counts as an eighth of the rate.
        estimate.addTransfer(of: 1, in: 100 * second, at: 3)
        #expect(abs(estimate.conditions.uplink - 1e6 / 4.5) < 1e-3)
    }
}
