internal import Simulation
internal import Testing

/// A server alone: everything else takes no time. Waits against the formulas of queueing theory.
@Suite struct QueueingTheoryTests {
    private let service: Int64 = 10 * millisecond

    /// The mean wait in multiples of the service time.
    private func meanWait(
        load: Double, workers: Int = 1, variation: Scenario.Variation, pictures: Double, seed: UInt64
    ) throws -> Double {
        let gap = Double(service) / load / Double(workers)
        var scenario = Scenario.patient(
            .constant(name: "wire", bitsPerSecond: 1_000_000_000, roundTrip: 0), duration: Int64(gap * pictures),
            arrivals: .poisson(mean: Int64(gap)))
        scenario.seed = seed
        scenario.pool.workers = workers
        scenario.cloudVariation = variation
        let choices = ChoiceSet([.local(second), .remote(cloud: service)])
        var simulator = try Simulator(scenario, choices: choices, policy: .fixed(1))
        let outcome = simulator.run()
        #expect(outcome.remote == outcome.latencies.count)
        #expect(outcome.served == outcome.remote)
        return Double(outcome.cloudWait) / Double(outcome.served) / Double(service)
    }

    /// W = ρ ÷ 2(1 − ρ), Pollaczek and Khinchin for constant service.
    @Test(arguments: [0.2, 0.5, 0.8], [1, 2] as [UInt64])
    func constantService(load: Double, seed: UInt64) throws {
        let wait = try meanWait(load: load, variation: .none, pictures: 200_000, seed: seed)
        let expected = load / (2 * (1 - load))
        #expect(abs(wait / expected - 1) < 0.05, "load \(load), seed \(seed): \(wait), expected \(expected)")
    }

    /// W = ρ ÷ (1 − ρ); the mean of n waits has the variance ρ(2 + 5ρ − 4ρ² + ρ³) ÷ (1 − ρ)⁴n (Daley 1968).
    @Test(arguments: [0.2, 0.5, 0.8], [1, 2] as [UInt64])
    func exponentialService(load: Double, seed: UInt64) throws {
        let pictures = 300_000.0
        let wait = try meanWait(load: load, variation: .exponential, pictures: pictures, seed: seed)
        let expected = load / (1 - load)
        let variance = load * (2 + 5 * load - 4 * load * load + load * load * load) / (1 - load).squared.squared
        let bound = 4 * (variance / pictures).squareRoot()
        #expect(abs(wait - expected) < bound, "load \(load), seed \(seed): \(wait), expected \(expected) ± \(bound)")
    }

    /// W = C(c, ρ) ÷ c(1 − ρ), with Erlang's C.
    @Test(arguments: [2, 5])
    func severalWorkers(workers: Int) throws {
        let load = 0.75
        let wait = try meanWait(load: load, workers: workers, variation: .exponential, pictures: 300_000, seed: 3)
        let offered = load * Double(workers)
        var (term, sum) = (1.0, 0.0)
        for count in 0..<workers {
            sum += term
            term *= offered / Double(count + 1)
        }
        let waiting = term / (1 - load) / (sum + term / (1 - load))
        let expected = waiting / (Double(workers) * (1 - load))
        #expect(abs(wait / expected - 1) < 0.08, "\(workers) workers: \(wait), expected \(expected)")
    }
}

extension Double {
    fileprivate var squared: Double { self * self }
}
