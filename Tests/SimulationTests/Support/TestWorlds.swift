internal import Planning
internal import Simulation

let millisecond: Int64 = 1_000_000
let second: Int64 = 1_000_000_000

extension Choice {
    /// Everything on the board.
    static func local(_ edge: Int64) -> Choice { Choice(label: "edge-only", strategy: .edgeOnly, edge: edge) }

    static func remote(
        _ label: String = "cut", edge: Int64 = 0, encode: Int64 = 0, bytes: Int64 = 0, cloud: Int64 = 0,
        answer: Int64 = 0,
        remainder: Int64 = 0
    ) -> Choice {
        Choice(
            label: label, strategy: .split, edge: edge, encode: encode, uploadBytes: bytes, cloud: cloud,
            answerBytes: answer, remainder: remainder)
    }
}

extension Scenario {
    /// One board whose agent never loses patience and never drops a picture.
    static func patient(_ trace: LinkTrace, duration: Int64, arrivals: ArrivalProcess) -> Scenario {
        var scenario = Scenario(uplinks: [trace], duration: duration)
        scenario.arrivals = arrivals
        scenario.agent.deadline = 365 * 86_400 * second
        scenario.agent.depth = 1_000_000
        scenario.pool.queueLimit = 10_000_000
        return scenario
    }
}

extension LinkTrace {
    /// Something passes in the first of them.
    static func randomSegments(
        using generator: inout some RandomNumberGenerator, zeroShare: Double = 0.2,
        roundTrips: ClosedRange<Int64> = 0...0
    ) -> [Segment] {
        (0..<Int.random(in: 1...6, using: &generator)).map { place in
            let isDead = place > 0 && Double.random(in: 0..<1, using: &generator) < zeroShare
            return Segment(
                duration: .random(in: 1...400 * millisecond, using: &generator),
                bitsPerSecond: isDead ? 0 : .random(in: 100_000...20_000_000, using: &generator),
                roundTrip: .random(in: roundTrips, using: &generator))
        }
    }
}
