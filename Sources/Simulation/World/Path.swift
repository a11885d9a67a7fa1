/// What one picture takes from one board to the cloud and back where nothing else is in its way.
struct Path {
    let up: LinkTrace
    let down: LinkTrace
    /// The trace's time when the world's is 0.
    let offset: Int64
    /// On the board's and on the cloud's times.
    let factors: (edge: Double, cloud: Double)

    func end(ofSending bytes: Int64, from start: Int64) -> Int64? {
        up.end(ofSending: bytes, from: start + offset).map { $0 - offset }
    }

    /// When the answer is back; `nil` for never, or later than `deadline` after the head.
    func answer(to choice: Choice, from start: Int64, uplinkFree: Int64, deadline: Int64?) -> Int64? {
        let edge = start + choice.edge.scaled(by: factors.edge)
        guard choice.isRemote else { return edge }
        guard let sent = end(ofSending: choice.uploadBytes, from: max(edge, uplinkFree)) else { return nil }
        let roundTrip = up.roundTrip(at: sent + offset)
        let served = sent + roundTrip / 2 + choice.cloud.scaled(by: factors.cloud)
        guard let received = down.end(ofSending: choice.answerBytes, from: served + offset) else { return nil }
        let answer = received - offset + (roundTrip - roundTrip / 2)
        if let deadline, answer - (edge - choice.encode.scaled(by: factors.edge)) > deadline { return nil }
        return answer
    }

    /// The fastest choice, and when its answer is back.
    /// - Parameter deadline: as of the agent; `nil` for none.
    func fastest(
        of choices: ChoiceSet, from start: Int64, uplinkFree: Int64, deadline: Int64?, including first: Int
    ) -> (choice: Int, end: Int64) {
        var best = (choice: first, end: start + choices.all[first].edge.scaled(by: factors.edge))
        for index in choices.undominated {
            let choice = choices.all[index]
            // They ascend in the board's time, which alone is too long from here on.
            guard start + choice.edge.scaled(by: factors.edge) < best.end else { break }
            guard let end = answer(to: choice, from: start, uplinkFree: uplinkFree, deadline: deadline) else {
                continue
            }
            if end < best.end { best = (index, end) }
        }
        return best
    }
}

extension Scenario {
    /// Which trace each uplink follows, and from where.
    var uplinkPlaces: [(trace: Int, offset: Int64)] {
        (0..<(boards + camerasPerUplink - 1) / camerasPerUplink).map { uplink in
            let trace = uplink % uplinks.count
            var generator = SeededGenerator(seed: seed, stream: 4, number: UInt64(uplink))
            let offset = staggersTraces ? Int64(generator.fraction() * Double(uplinks[trace].period)) : 0
            return (trace, offset)
        }
    }

    var downlinks: [LinkTrace] { downlinkFactor == 1 ? uplinks : uplinks.map { $0.scaled(by: downlinkFactor) } }

    /// On the compute times of one picture.
    func factors(of picture: Int) -> (edge: Double, cloud: Double) {
        guard edgeVariation != .none || cloudVariation != .none else { return (1, 1) }
        var generator = SeededGenerator(seed: seed, stream: 2, number: UInt64(picture))
        return (edgeVariation.factor(using: &generator), cloudVariation.factor(using: &generator))
    }
}
