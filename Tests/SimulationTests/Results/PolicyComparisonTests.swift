internal import Planning
internal import Simulation
internal import TestSupport
internal import Testing

@Suite struct PolicyComparisonTests {
    private func scenario(_ generator: inout SplitMix64, calm: Bool) throws -> Scenario {
        let traces = try (0..<2).map { place in
            try LinkTrace(
                name: "\(place)",
                segments: LinkTrace.randomSegments(using: &generator, roundTrips: 0...40 * millisecond))
        }
        var scenario = Scenario(uplinks: traces, duration: 60 * second)
        scenario.boards = calm ? 1 : .random(in: 1...6, using: &generator)
        scenario.camerasPerUplink = calm ? 1 : .random(in: 1...3, using: &generator)
        scenario.arrivals =
            calm
            ? .periodic(period: 2 * second) : .poisson(mean: .random(in: 200 * millisecond...second, using: &generator))
        scenario.staggersTraces = true
        if !calm { scenario.cloudVariation = .logNormal(sigma: 0.3) }
        scenario.edgeVariation = .logNormal(sigma: 0.2)
        scenario.seed = generator.next()
        return scenario
    }

    /// No policy has a mean below the bound, whatever stands in its way.
    @Test func theBoundHolds() throws {
        let seed: UInt64 = 31
        var generator = SplitMix64(seed: seed)
        for round in 0..<40 {
            let choices = try TestNetwork(seed: UInt64(round % 5 + 1)).choices()
            let comparison = try PolicyComparison(try scenario(&generator, calm: false), choices: choices)
            #expect(comparison.runs.count == PolicyComparison.Contestant.allCases.count)
            for run in comparison.runs where run.outcome.dropped == 0 {
                #expect(
                    run.result.meanMilliseconds >= comparison.boundMilliseconds * (1 - 1e-12),
                    "seed \(seed), round \(round), \(run.result.policy)")
            }
        }
    }

    /// Where no picture meets another, to know the trace is to reach the bound.
    @Test func theClairvoyantReachesTheBoundWhenNothingQueues() throws {
        let seed: UInt64 = 32
        var generator = SplitMix64(seed: seed)
        for round in 0..<40 {
            let choices = try TestNetwork(seed: UInt64(round % 5 + 1)).choices()
            var scenario = try scenario(&generator, calm: true)
            scenario.agent.deadline = 1_000 * second
            let comparison = try PolicyComparison(scenario, choices: choices)
            let clairvoyant = try #require(comparison.result(.clairvoyant))
            #expect(
                abs(clairvoyant.meanMilliseconds / comparison.boundMilliseconds - 1) < 1e-9,
                "seed \(seed), round \(round)")
            for run in comparison.runs {
                #expect(
                    run.result.meanMilliseconds >= clairvoyant.meanMilliseconds * (1 - 1e-9),
                    "seed \(seed), round \(round), \(run.result.policy)")
            }
            let fixed = try #require(comparison.result(.bestStatic))
            for other in [PolicyComparison.Contestant.edgeOnly, .cloudOnly] {
                let result = try #require(comparison.result(other))
                #expect(fixed.meanMilliseconds <= result.meanMilliseconds * (1 + 1e-9), "seed \(seed), round \(round)")
            }
        }
    }

    /// On a link that does not change, Cleave finds the best choice and keeps it.
    @Test(arguments: [0.2, 1, 5, 50])
    func cleaveSettlesOnASteadyLink(megabits: Double) throws {
        let choices = try TestNetwork(seed: 4).choices()
        var scenario = Scenario(
            uplinks: [.constant(name: "steady", bitsPerSecond: Int64(megabits * 1e6), roundTrip: 20 * millisecond)],
            duration: 120 * second)
        scenario.agent.deadline = 2 * second
        let comparison = try PolicyComparison(scenario, choices: choices)
        let (cleave, fixed) = (try #require(comparison.result(.cleave)), try #require(comparison.result(.bestStatic)))
        #expect(cleave.meanMilliseconds <= fixed.meanMilliseconds * 1.01)
        #expect(cleave.switchesPerTenSeconds <= 0.1)
    }

    @Test func figuresAreThoseOfTheOutcome() throws {
        let wire = LinkTrace.constant(name: "wire", bitsPerSecond: 8_000_000, roundTrip: 0)
        var scenario = Scenario.patient(wire, duration: 100 * second, arrivals: .periodic(period: second))
        scenario.target = 15 * millisecond
        let cut = Choice.remote(
            edge: 10 * millisecond, bytes: 5_000, cloud: 20 * millisecond, answer: 1_000, remainder: second)
        let power = BoardPowers(
            board: .init(idle: 2, perBusyThread: 3, source: "test"),
            radio: RadioPower(perMegabit: 0.5, base: 0.25, source: "test"))
        let comparison = try PolicyComparison(
            scenario, choices: ChoiceSet([.local(10 * second), cut]), contestants: [.bestStatic], power: power)
        let result = try #require(comparison.result(.bestStatic))
        #expect(result.choice == "cut")
        #expect(result.pictures == 100)
        // 10 ms on the board, 5 of sending, 20 in the cloud, 1 back.
        #expect(result.meanMilliseconds == 36 && result.p99Milliseconds == 36)
        #expect(result.missed == 1 && result.remoteShare == 1)
        #expect(result.uploadedBytesPerPicture == 5_000)
        #expect(abs(result.joulesPerPicture - (2 * 0.036 + 3 * 0.01 + 0.5 * 0.04 + 0.25 * 0.006)) < 1e-12)
        #expect(abs(result.serverLoad - 0.02) < 1e-3)
        #expect(result.coreMillisecondsPerPicture == 20)
        #expect(result.overBound == 1)
    }

    @Test func sweepsSumUpTraces() throws {
        let choices = ChoiceSet([.local(100 * millisecond), .remote(bytes: 10_000, remainder: 100 * millisecond)])
        var sweep = TraceSweep()
        // 10 ms and 160 ms of sending.
        for rate in [8_000_000, 500_000] as [Int64] {
            let trace = LinkTrace.constant(name: "\(rate)", bitsPerSecond: rate, roundTrip: 0)
            sweep.add(
                try PolicyComparison(
                    Scenario(uplinks: [trace], duration: 10 * second), choices: choices,
                    contestants: [.edgeOnly, .bestStatic, .clairvoyant]))
        }
        let summaries = sweep.summaries
        #expect(summaries.map(\.policy) == ["edge-only", "best static choice", "clairvoyant"])
        #expect(summaries.map(\.meanMilliseconds) == [100, 55, 55])
        #expect(summaries.map(\.worstOverBound) == [10, 1, 1])
        #expect(summaries.map(\.withinThreePercent) == [0.5, 1, 1])
        #expect(summaries[0].overStatic == 5.5 && summaries[0].worseThanStatic == 1)
    }
}
