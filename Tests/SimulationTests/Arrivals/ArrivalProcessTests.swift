internal import Simulation
internal import Testing

@Suite struct ArrivalProcessTests {
    private func arrivals(_ process: ArrivalProcess, boards: Int, seconds: Int64, seed: UInt64 = 1) throws -> [[Int64]]
    {
        var scenario = Scenario(
            uplinks: [.constant(name: "wire", bitsPerSecond: 1, roundTrip: 0)], duration: seconds * second)
        scenario.boards = boards
        scenario.arrivals = process
        scenario.seed = seed
        let comparison = try PolicyComparison(scenario, choices: ChoiceSet([.local(1)]), contestants: [])
        return (0..<boards).map {
            Array(comparison.arrivals[comparison.boardStarts[$0]..<comparison.boardStarts[$0 + 1]])
        }
    }

    @Test func camerasKeepTheirPeriod() throws {
        let boards = try arrivals(.periodic(period: second / 4), boards: 50, seconds: 10)
        for board in boards {
            #expect(board.count == 40)
            #expect(zip(board, board.dropFirst()).allSatisfy { $1 - $0 == second / 4 })
        }
        #expect(Set(boards.map { $0[0] }).count == 50, "phases differ")
    }

    /// The number in a time has the variance of its mean.
    @Test func poissonHasItsRate() throws {
        let boards = try arrivals(.poisson(mean: second / 10), boards: 40, seconds: 1_000, seed: 9)
        let count = Double(boards.reduce(0) { $0 + $1.count })
        #expect(abs(count - 400_000) < 4 * 400_000.0.squareRoot())
        let gaps = boards.flatMap { board in zip(board, board.dropFirst()).map { Double($1 - $0) / 1e8 } }
        let beyond = Double(gaps.count { $0 > 1 }) / Double(gaps.count)
        #expect(abs(beyond - 0.367879) < 0.004, "1 ÷ e of the gaps exceed their mean")
        #expect(boards.allSatisfy { board in zip(board, board.dropFirst()).allSatisfy { $0 < $1 } })
    }

    @Test func burstsHaveTheirMeanRate() throws {
        let process = ArrivalProcess.bursts(count: 5, period: 100 * millisecond, gap: 2 * second)
        #expect(process.meanPeriod == Double(2_400 * millisecond) / 5)
        let boards = try arrivals(process, boards: 20, seconds: 5_000)
        let count = Double(boards.reduce(0) { $0 + $1.count })
        #expect(abs(count / (20 * 5_000 / 0.48) - 1) < 0.02)
        let gaps = boards.flatMap { board in zip(board, board.dropFirst()).map { $1 - $0 } }
        #expect(abs(Double(gaps.count { $0 == 100 * millisecond }) / Double(gaps.count) - 0.8) < 0.005)
    }

    @Test func boardsAndSeedsDiffer() throws {
        let one = try arrivals(.poisson(mean: second), boards: 2, seconds: 100, seed: 1)
        #expect(one[0] != one[1])
        #expect(try arrivals(.poisson(mean: second), boards: 2, seconds: 100, seed: 2)[0] != one[0])
        #expect(try arrivals(.poisson(mean: second), boards: 2, seconds: 100, seed: 1) == one)
    }
}
