internal import Simulation
internal import Testing

@Suite struct SimulatorTests {
    /// 1 Mbit/s for 100 ms, nothing for 100 ms, again and again; a round trip of 20 ms.
    private func onAndOff() throws -> LinkTrace {
        try LinkTrace(
            name: "on and off",
            segments: [
                .init(duration: 100 * millisecond, bitsPerSecond: 1_000_000, roundTrip: 20 * millisecond),
                .init(duration: 100 * millisecond, bitsPerSecond: 0, roundTrip: 20 * millisecond),
            ])
    }

    private func run(_ scenario: Scenario, _ choice: Choice, policy: Policy = .fixed(1)) throws -> Outcome {
        var simulator = try Simulator(
            scenario, choices: ChoiceSet([.local(200 * millisecond), choice]), policy: policy)
        return simulator.run()
    }

    /// A world in which `count` pictures come to each board, the first at 1 ns and the others after a period each.
    private func burst(_ trace: LinkTrace, count: Int, period: Int64, boards: Int = 1) throws -> Scenario {
        var scenario = Scenario.patient(
            trace, duration: 2 + Int64(count - 1) * period, arrivals: .bursts(count: count, period: period, gap: 1))
        scenario.boards = boards
        let expected = (0..<boards).flatMap { _ in (0..<count).map { 1 + Int64($0) * period } }
        // The gap before a burst is drawn: a seed with the shortest is soon found.
        for seed in 1...1_000 as ClosedRange<UInt64> {
            scenario.seed = seed
            let arrivals = try PolicyComparison(scenario, choices: ChoiceSet([.local(1)]), contestants: []).arrivals
            if arrivals == expected { return scenario }
        }
        throw SimulationError(.invalidScenario, "no seed up to 1,000 gives a burst at 1 ns", at: "test")
    }

    @Test func handComputed() throws {
        let scenario = try burst(try onAndOff(), count: 2, period: 15 * millisecond)
        let cut = Choice.remote(
            edge: 30 * millisecond - 1, encode: 5 * millisecond, bytes: 5_000, cloud: 50 * millisecond, answer: 1_250)
        let outcome = try run(scenario, cut)
        // First: head to 30 ms, 40 ms of sending to 70, in the cloud at 80, computed at 130, in the dead half; 1,250 bytes pass
        // from 200 to 210 ms, back at 220.
        // Second: head to 60 ms, the uplink is busy to 70, sending to 100 and from 200 to 210, in the cloud at 220, computed at
        // 270, 1,250 bytes pass to 280, back at 290.
        #expect(outcome.latencies == [220 * millisecond - 1, 275 * millisecond - 1])
        #expect(outcome.uploadedBytes == 10_000)
        #expect(outcome.answerBytes == 2_500)
        #expect(outcome.sendingTime == 40 * millisecond + 140 * millisecond)
        #expect(outcome.receivingTime == 80 * millisecond + 10 * millisecond)
        #expect(outcome.edgeBusy == 2 * (30 * millisecond - 1))
        #expect(outcome.cloudBusy == [100 * millisecond])
        #expect(outcome.remote == 2 && outcome.cloudWait == 0 && outcome.timeouts == 0)
    }

    @Test func theBoardFinishesWhatTheCloudMisses() throws {
        let dead = try LinkTrace(name: "dead", segments: [.init(duration: second, bitsPerSecond: 0)])
        var scenario = Scenario(uplinks: [dead], duration: 10 * second)
        scenario.arrivals = .periodic(period: second)
        scenario.agent.deadline = 300 * millisecond
        scenario.agent.maximumTimeouts = 2
        let cut = Choice.remote(
            edge: 80 * millisecond, encode: 10 * millisecond, bytes: 1_000, cloud: millisecond,
            remainder: 130 * millisecond)
        let outcome = try run(scenario, cut)
        // Two pictures wait for the deadline, which begins with the head's end; from then on there is no connection to wait for, and
        // nothing is encoded.
        let late = (70 + 300 + 130) * millisecond
        #expect(outcome.latencies == [late, late] + Array(repeating: 200 * millisecond, count: 8))
        #expect(outcome.timeouts == 2)
        #expect(outcome.unasked == 8)
        #expect(outcome.remote == 0)
        #expect(outcome.uploadedBytes == 0)
    }

    @Test func theLinkComesBack() throws {
        let trace = try LinkTrace(
            name: "tunnel",
            segments: [
                .init(duration: 4 * second, bitsPerSecond: 0),
                .init(duration: 60 * second, bitsPerSecond: 8_000_000),
            ])
        var scenario = Scenario(uplinks: [trace], duration: 20 * second)
        scenario.agent.maximumTimeouts = 1
        scenario.agent.lastRetry = second
        let outcome = try run(
            scenario, .remote(edge: millisecond, bytes: 1_000, cloud: millisecond, remainder: 199 * millisecond))
        #expect(outcome.timeouts == 1)
        #expect(outcome.unasked >= 2 && outcome.unasked <= 5)
        #expect(outcome.remote == 20 - outcome.timeouts - outcome.unasked)
        #expect(outcome.latencies.last == 3 * millisecond, "1 ms on the board, 1 of sending, 1 in the cloud")
    }

    @Test func aFullServerRefuses() throws {
        let wire = LinkTrace.constant(name: "wire", bitsPerSecond: 1_000_000_000, roundTrip: 10 * millisecond)
        var scenario = try burst(wire, count: 4, period: 1)
        scenario.pool.queueLimit = 1
        let outcome = try run(scenario, .remote(cloud: 100 * millisecond, remainder: 40 * millisecond))
        // One is computed, one waits, two are refused; the board finishes these one after the other.
        #expect(outcome.refusals == 2)
        #expect(outcome.remote == 2)
        #expect(outcome.latencies[0] == 110 * millisecond)
        #expect(outcome.latencies[1] == 210 * millisecond - 1)
        #expect(outcome.latencies[2] == 50 * millisecond)
        #expect(outcome.latencies[3] == 90 * millisecond - 1)
    }

    @Test func stalePicturesAreDropped() throws {
        let wire = LinkTrace.constant(name: "wire", bitsPerSecond: 1_000_000_000, roundTrip: 0)
        var scenario = try burst(wire, count: 6, period: 1)
        scenario.agent.depth = 1
        scenario.agent.waiting = 2
        let outcome = try run(scenario, .remote(), policy: .edgeOnly)
        // One runs; of five that come meanwhile the two newest are kept.
        #expect(outcome.dropped == 3)
        #expect(outcome.latencies == [200 * millisecond, -1, -1, -1, 400 * millisecond - 4, 600 * millisecond - 5])
    }

    @Test func camerasShareAnUplink() throws {
        // 100 ms of sending each; both heads are done at once.
        let link = LinkTrace.constant(name: "link", bitsPerSecond: 800_000, roundTrip: 0)
        var scenario = try burst(link, count: 1, period: 1, boards: 2)
        #expect(try run(scenario, .remote(bytes: 10_000)).latencies == [100 * millisecond, 100 * millisecond])
        scenario.camerasPerUplink = 2
        #expect(try run(scenario, .remote(bytes: 10_000)).latencies == [100 * millisecond, 200 * millisecond])
    }

    @Test func batchesWaitAndShare() throws {
        let wire = LinkTrace.constant(name: "wire", bitsPerSecond: 1_000_000_000, roundTrip: 0)
        var scenario = try burst(wire, count: 5, period: 2 * millisecond)
        scenario.pool.batch = 3
        scenario.pool.batchWindow = 10 * millisecond
        scenario.pool.batchShare = 0.25
        let outcome = try run(scenario, .remote(cloud: 20 * millisecond))
        // At 0, 2 and 4 ms: a full batch at 4 ms takes 20 + 2·5 ms. At 6 and 8 ms: due at 16 ms, the worker is free at 34 ms, 25 ms.
        #expect(outcome.latencies.map { $0 / millisecond } == [34, 32, 30, 53, 51])
        #expect(outcome.cloudBusy == [55 * millisecond])
        scenario.pool.batch = 10
        // Nobody comes any more: the first batch begins when the first has waited 10 ms.
        #expect(try run(scenario, .remote(cloud: 20 * millisecond)).latencies[0] == 50 * millisecond)
    }

    @Test func runsAreEqual() throws {
        var scenario = Scenario(uplinks: [try onAndOff()], duration: 60 * second)
        scenario.boards = 7
        scenario.staggersTraces = true
        scenario.arrivals = .poisson(mean: 300 * millisecond)
        scenario.cloudVariation = .exponential
        let cut = Choice.remote(
            edge: 20 * millisecond, bytes: 4_000, cloud: 30 * millisecond, remainder: 150 * millisecond)
        let (first, second) = (try run(scenario, cut), try run(scenario, cut))
        #expect(first.latencies == second.latencies)
        scenario.seed = 2
        #expect(try run(scenario, cut).latencies != first.latencies)
    }

    @Test func impossibleWorldsAreRefused() {
        let wire = LinkTrace.constant(name: "wire", bitsPerSecond: 1, roundTrip: 0)
        let changes: [(inout Scenario) -> Void] = [
            { $0.uplinks = [] }, { $0.boards = 0 }, { $0.duration = 0 }, { $0.pool.workers = 0 },
            { $0.agent.deadline = 0 }, { $0.arrivals = .periodic(period: 0) }, { $0.boards = 1_000_000 },
            { $0.arrivals = .bursts(count: 0, period: 1, gap: 1) }, { $0.downlinkFactor = .nan }, { $0.pool.batch = 0 },
        ]
        for (place, change) in changes.enumerated() {
            var scenario = Scenario(uplinks: [wire], duration: 1_000 * second)
            change(&scenario)
            let error = #expect(throws: SimulationError.self, "change \(place)") { try scenario.validate() }
            #expect(error?.code == .invalidScenario)
        }
    }
}
