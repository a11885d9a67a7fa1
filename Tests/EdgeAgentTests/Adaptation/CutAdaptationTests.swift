internal import EdgeAgent
internal import Planning
internal import WireTestSupport
internal import Testing

@Suite struct CutAdaptationTests {
    private let split = CutChoice(boundary: ["features"], codec: "8bit/zlib1")
    private let start = ContinuousClock.now

    /// A frame of 20 kB that took `milliseconds` on the link, answered at `time` seconds.
    private func passage(_ milliseconds: Double, at time: Double) -> FramePassage {
        FramePassage(
            bytes: 20_000, firstChunkBytes: 0, firstSent: start + .seconds(time - 0.005 - milliseconds / 1e3),
            lastSent: start + .seconds(time - 0.005 - milliseconds / 1e3), answered: start + .seconds(time),
            receiveStart: .seconds(100), receiveEnd: .seconds(100 + milliseconds / 1e3),
            resultSent: .seconds(100 + milliseconds / 1e3), queue: .zero)
    }

    @Test func beginsWithThePlansOwnLink() throws {
        var fast = try CutAdaptation(FollowedPlan.make(uplink: .megabits(20)))
        let decision = fast.decide()
        #expect(decision.choice == split)
        #expect(decision.record.uplinkMbps == 20 && decision.record.roundTripMs == 5)
        #expect(!decision.record.isSwitch && decision.record.jitterMs == nil)
        var slow = try CutAdaptation(FollowedPlan.make(uplink: .megabits(1)))
        #expect(slow.decide().choice == CutChoice(boundary: []))
        #expect(fast.boundaries == [["features"]])
    }

    @Test func followsTheLinkWithoutHurry() throws {
        var adaptation = try CutAdaptation(
            FollowedPlan.make(uplink: .megabits(20)), policy: SwitchingPolicy(margin: 0.05, patience: 3))
        #expect(adaptation.decide().choice == split)
        var choices: [CutChoice] = []
        var switches = 0
        for step in 0..<60 {
            // 20 Mbit/s, then 1.6 for three seconds, then 20 again.
            let milliseconds = (20..<40).contains(step) ? 100.0 : 8
            adaptation.estimator.observe(passage(milliseconds, at: 0.15 * Double(step)))
            let decision = adaptation.decide()
            if decision.record.isSwitch { switches += 1 }
            choices.append(decision.choice)
        }
        #expect(choices[..<22].allSatisfy { $0 == split })
        #expect(choices[35] == CutChoice(boundary: []) && choices[59] == split)
        #expect(switches == 2)
    }

    @Test func timeoutsLeadToTheEdge() throws {
        var adaptation = try CutAdaptation(FollowedPlan.make(uplink: .megabits(20)))
        let choice = adaptation.decide().choice
        for step in 0..<6 {
            adaptation.observeTimeout(of: choice, within: .milliseconds(500), at: start + .seconds(step))
            _ = adaptation.decide()
        }
        let decision = adaptation.decide()
        #expect(decision.choice == CutChoice(boundary: []) && decision.record.uplinkMbps < 0.5)
        #expect(decision.record.predictedMs == 61)
    }

    /// The agent cannot send JPEGs: cuts that only the JPEG beats are its fastest.
    @Test func aJPEGThatBeatsEveryCutDoesNotHideThem() throws {
        let plan = try FollowedPlan.make(uplink: .megabits(20), jpeg: 500)
        #expect(plan.chosen.strategy == .cloudOnly)
        var adaptation = try CutAdaptation(plan)
        #expect(adaptation.decide().choice == split)
    }

    @Test func refusesAPlanForSomethingElse() throws {
        let plan = try FollowedPlan.make(objective: .energy)
        let error = #expect(throws: EdgeError.self) { try CutAdaptation(plan) }
        #expect(error?.code == .unusablePlan)
    }
}
