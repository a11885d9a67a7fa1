internal import Planning

extension Simulator {
    mutating func choose(for board: Int, picture: Int) -> Int {
        switch policy {
        case .edgeOnly: return choices.edgeOnly
        case .cloudOnly: return choices.cloudOnly ?? choices.edgeOnly
        case .fixed(let choice): return choice
        case .chain: return choices.chain.fastest(boards[board].estimate.conditions)
        case .dads:
            return choices.dads.fastest(
                boards[board].estimate.conditions, keepingUpWith: scenario.arrivals.meanPeriod / 1e9)
        case .cleave:
            guard !choices.table.isEmpty else { return choices.edgeOnly }
            let conditions = boards[board].estimate.conditions
            return choices.tableChoices[boards[board].switching.decide(choices.table, conditions)]
        case .clairvoyant: return foresee(board, picture)
        }
    }

    /// The choice that will be the fastest from now on, what is before it on the board and in its uplink known.
    private func foresee(_ board: Int, _ picture: Int) -> Int {
        guard boards[board].isConnected else { return choices.edgeOnly }
        var free = boards[board].job == nil ? now : boards[board].busyUntil
        for job in boards[board].jobs.all { free += duration(of: job) }
        let uplink = uplinks[uplink(of: board)]
        let path = Path(
            up: scenario.uplinks[uplink.trace], down: downlinks[uplink.trace], offset: uplink.offset,
            factors: scenario.factors(of: picture))
        var uplinkFree = now
        if uplink.current != nil {
            guard let end = uplink.end else { return choices.edgeOnly }
            uplinkFree = end
        }
        for transfer in uplink.queue.all {
            guard let end = path.end(ofSending: transfer.bytes, from: uplinkFree) else { return choices.edgeOnly }
            uplinkFree = end
        }
        return path.fastest(
            of: choices, from: free, uplinkFree: uplinkFree, deadline: scenario.agent.deadline,
            including: choices.edgeOnly
        ).choice
    }
}
