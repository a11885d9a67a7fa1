extension DecisionTable {
    /// What can change while a plan is in use.
    package enum Condition: String, Hashable, Sendable, Codable {
        case uplink, roundTrip, cloudWait
    }

    /// Where one condition, the others staying, makes another option the fastest.
    package struct Change: Hashable, Sendable {
        package var condition: Condition
        /// In bit/s for the uplink, in seconds for the others; > 0.
        package var value: Double
        /// Whether the change comes above the value; below it otherwise.
        package var isAbove: Bool
        /// A position in `options`.
        package var option: Int
    }

    /// The nearest changes in each direction; exact, as lines cross.
    /// - Precondition: the table is not empty.
    package func changes(from here: Conditions) -> [Change] {
        let inverse = 1 / here.uplink
        let delay = here.roundTrip + here.cloudWait
        let isRemote = fastest(here) < remoteCount
        var changes: [Change] = []
        func add(_ condition: Condition, _ value: Double, isAbove: Bool, _ option: Int) {
            guard value.isFinite, value > 0 else { return }
            changes.append(Change(condition: condition, value: value, isAbove: isAbove, option: option))
        }
        if isRemote {
            let own = fastest(here)
            // Slower: the next line becomes lower, or edge-only does before.
            let crossing = inverseUplink(of: own, reaching: edgeOnly - delay)
            let next = own + 1 < remoteCount ? starts[own + 1] : .infinity
            if next < crossing {
                add(.uplink, 1 / next, isAbove: false, own + 1)
            } else {
                add(.uplink, 1 / crossing, isAbove: false, remoteCount)
            }
            if own > 0 { add(.uplink, 1 / starts[own], isAbove: true, own - 1) }
        } else if let (option, crossing) = lastRemote(before: inverse, within: edgeOnly - delay) {
            add(.uplink, 1 / crossing, isAbove: true, option)
        }
        guard remoteCount > 0, edgeOnly.isFinite else { return changes }
        let remote = fastestRemote(inverse)
        let room = edgeOnly - lines[remote](inverse)
        let other = isRemote ? remoteCount : remote
        add(.roundTrip, room - here.cloudWait, isAbove: isRemote, other)
        add(.cloudWait, room - here.roundTrip, isAbove: isRemote, other)
        return changes
    }

    /// 1 ÷ uplink at which the option takes `time` without delays; infinite where none is so slow.
    private func inverseUplink(of option: Int, reaching time: Double) -> Double {
        let line = lines[option]
        return line.slope > 0 ? (time - line.intercept) / line.slope : .infinity
    }

    /// The slowest uplink beyond `inverse` at which a remote option takes no longer than `time`, delays aside.
    private func lastRemote(before inverse: Double, within time: Double) -> (option: Int, inverse: Double)? {
        guard remoteCount > 0 else { return nil }
        for option in (0...fastestRemote(inverse)).reversed() where lines[option](starts[option]) <= time {
            let end = option + 1 < remoteCount ? min(starts[option + 1], inverse) : inverse
            return (option, min(end, inverseUplink(of: option, reaching: time)))
        }
        return nil
    }
}
