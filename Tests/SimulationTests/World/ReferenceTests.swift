internal import Simulation
internal import TestSupport
internal import Testing

/// Random small worlds against one plain computation of each: no events, only sorting and running maxima.
@Suite struct ReferenceTests {
    private struct World {
        var scenario: Scenario
        var choices: [Choice]
        /// By board.
        var arrivals: [[Int64]]
    }

    private func world(_ generator: inout SplitMix64) throws -> World {
        let (boards, cameras) = (Int.random(in: 1...5, using: &generator), Int.random(in: 1...3, using: &generator))
        // Uplinks of one trace would end transfers that begin in one outage at one time, and a reference with ties proves little.
        var traces: [LinkTrace] = []
        for place in 0..<(boards + cameras - 1) / cameras {
            let trip = Int64.random(in: 0...80 * millisecond, using: &generator)
            traces.append(
                try LinkTrace(
                    name: "\(place)",
                    segments: LinkTrace.randomSegments(using: &generator, roundTrips: trip...trip)))
        }
        let arrivals: ArrivalProcess =
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: .periodic(period: .random(in: 20 * millisecond...400 * millisecond, using: &generator))
            case 1: .poisson(mean: .random(in: 50 * millisecond...300 * millisecond, using: &generator))
            default:
                .bursts(count: 4, period: .random(in: 1...90 * millisecond, using: &generator), gap: 300 * millisecond)
            }
        var scenario = Scenario.patient(traces[0], duration: 2 * second, arrivals: arrivals)
        scenario.uplinks = traces
        scenario.boards = boards
        scenario.camerasPerUplink = cameras
        scenario.downlinkFactor = [0.5, 1, 3].randomElement(using: &generator)!
        scenario.pool.servers = .random(in: 1...2, using: &generator)
        scenario.pool.workers = .random(in: 1...3, using: &generator)
        scenario.seed = generator.next()
        let cut = Choice.remote(
            edge: .random(in: 0...120 * millisecond, using: &generator),
            bytes: .random(in: 0...20_000, using: &generator),
            cloud: .random(in: 1...150 * millisecond, using: &generator),
            answer: .random(in: 0...4_000, using: &generator))
        let choices = [Choice.local(.random(in: 1...150 * millisecond, using: &generator)), cut]
        return World(scenario: scenario, choices: choices, arrivals: try scenario.arrivalTimes())
    }

    /// The latencies of the one remote choice, by board and picture.
    private func reference(_ world: World) -> [Int64] {
        let (scenario, cut) = (world.scenario, world.choices[1])
        struct Picture {
            var board: Int
            var place: Int
            var arrival: Int64
            var ready: Int64
        }
        var pictures: [Picture] = []
        for (board, arrivals) in world.arrivals.enumerated() {
            var free: Int64 = 0
            for arrival in arrivals {
                free = max(free, arrival) + cut.edge
                pictures.append(Picture(board: board, place: pictures.count, arrival: arrival, ready: free))
            }
        }
        // Uplinks: first ready, first sent.
        var atServer: [(picture: Picture, time: Int64)] = []
        let uplinks = (scenario.boards + scenario.camerasPerUplink - 1) / scenario.camerasPerUplink
        for uplink in 0..<uplinks {
            let trace = scenario.uplinks[uplink % scenario.uplinks.count]
            var free: Int64 = 0
            for picture in pictures.filter({ $0.board / scenario.camerasPerUplink == uplink }).sorted(by: {
                $0.ready < $1.ready
            }) {
                free = trace.end(ofSending: cut.uploadBytes, from: max(free, picture.ready))!
                atServer.append((picture, free + trace.roundTrip(at: free) / 2))
            }
        }
        var latencies = [Int64](repeating: -1, count: pictures.count)
        for server in 0..<scenario.pool.servers {
            var free = [Int64](repeating: 0, count: scenario.pool.workers)
            let atServer = atServer.filter { $0.picture.board % scenario.pool.servers == server }
            for (picture, time) in atServer.sorted(by: { $0.time < $1.time }) {
                let worker = free.indices.min { free[$0] < free[$1] }!
                free[worker] = max(free[worker], time) + cut.cloud
                let trace = scenario.uplinks[picture.board / scenario.camerasPerUplink % scenario.uplinks.count]
                let down = scenario.downlinkFactor == 1 ? trace : trace.scaled(by: scenario.downlinkFactor)
                let trip = trace.roundTrip(at: 0)
                latencies[picture.place] =
                    down.end(ofSending: cut.answerBytes, from: free[worker])! + trip - trip / 2 - picture.arrival
            }
        }
        return latencies
    }

    @Test func aThousandWorldsAgree() throws {
        let seed: UInt64 = 2_026
        var generator = SplitMix64(seed: seed)
        var pictures = 0
        for round in 0..<1_000 {
            let world = try world(&generator)
            var simulator = try Simulator(world.scenario, choices: ChoiceSet(world.choices), policy: .fixed(1))
            let outcome = simulator.run()
            let expected = reference(world)
            #expect(outcome.latencies == expected, "seed \(seed), round \(round)")
            #expect(
                outcome.uploadedBytes == Int64(expected.count) * world.choices[1].uploadBytes,
                "seed \(seed), round \(round)")
            pictures += expected.count
        }
        #expect(pictures > 10_000)
    }

    /// Whatever happens, no more crosses a link than it carries, and each picture has one end.
    @Test func bytesAndPicturesAreConserved() throws {
        let seed: UInt64 = 404
        var generator = SplitMix64(seed: seed)
        var (timeouts, refusals, dropped) = (0, 0, 0)
        for round in 0..<500 {
            var world = try world(&generator)
            world.scenario.agent = Scenario.Agent()
            world.scenario.agent.deadline = .random(in: 20 * millisecond...500 * millisecond, using: &generator)
            world.scenario.pool.queueLimit = .random(in: 0...3, using: &generator)
            world.scenario.pool.batch = .random(in: 1...3, using: &generator)
            var simulator = try Simulator(world.scenario, choices: ChoiceSet(world.choices), policy: .fixed(1))
            let outcome = simulator.run()
            let capacity = (0..<world.scenario.boards).reduce(Int64(0)) { sum, board in
                guard board % world.scenario.camerasPerUplink == 0 else { return sum }
                let trace = world.scenario.uplinks[
                    board / world.scenario.camerasPerUplink % world.scenario.uplinks.count]
                return sum + trace.bytes(from: 0, to: outcome.end)
            }
            let note = "seed \(seed), round \(round)"
            #expect(outcome.uploadedBytes <= capacity, "\(note)")
            #expect(outcome.uploadedBytes <= Int64(outcome.latencies.count) * world.choices[1].uploadBytes, "\(note)")
            #expect(outcome.uploadedBytes >= Int64(outcome.remote) * world.choices[1].uploadBytes, "\(note)")
            #expect(outcome.latencies.count { $0 < 0 } == outcome.dropped, "\(note)")
            #expect(
                outcome.remote + outcome.timeouts + outcome.refusals + outcome.unasked + outcome.dropped
                    == outcome.latencies.count, "\(note)")
            timeouts += outcome.timeouts
            refusals += outcome.refusals
            dropped += outcome.dropped
        }
        #expect(timeouts > 100 && refusals > 100 && dropped > 10, "seed \(seed): \(timeouts), \(refusals), \(dropped)")
    }
}

extension Scenario {
    /// By board: what a comparison says of when pictures come.
    fileprivate func arrivalTimes() throws -> [[Int64]] {
        let comparison = try PolicyComparison(self, choices: ChoiceSet([.local(1)]), contestants: [])
        return (0..<boards).map {
            Array(comparison.arrivals[comparison.boardStarts[$0]..<comparison.boardStarts[$0 + 1]])
        }
    }
}
