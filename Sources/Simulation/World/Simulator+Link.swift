extension Simulator {
    mutating func send(_ transfer: Uplink.Transfer, over uplink: Int) {
        uplinks[uplink].queue.append(transfer)
        if uplinks[uplink].current == nil { startTransfer(over: uplink) }
    }

    private mutating func startTransfer(over uplink: Int) {
        while var transfer = uplinks[uplink].queue.popFirst() {
            if case .frame(let frame, let number) = transfer.subject {
                // The board has given it up meanwhile.
                guard frames[Int(frame)].number == number, frames[Int(frame)].stage == .beforeUplink else { continue }
                frames[Int(frame)].stage = .inUplink
                frames[Int(frame)].sendStart = now
            }
            let offset = uplinks[uplink].offset
            let trace = scenario.uplinks[uplinks[uplink].trace]
            let end = trace.end(ofSending: transfer.bytes, from: now + offset).map { $0 - offset }
            transfer.start = now
            uplinks[uplink].number &+= 1
            uplinks[uplink].current = transfer
            uplinks[uplink].end = end
            let number = uplinks[uplink].number
            if let end { events.add(.sent, at: end, subject: uplink, number: number) }
            if case .probe = transfer.subject {
                events.add(.probeOverdue, at: now + scenario.agent.deadline, subject: uplink, number: number)
            }
            return
        }
    }

    mutating func finishTransfer(of uplink: Int, _ number: UInt32) {
        guard uplinks[uplink].number == number, let transfer = uplinks[uplink].current else { return }
        count(transfer, bytes: transfer.bytes)
        uplinks[uplink].current = nil
        switch transfer.subject {
        case .probe(let board):
            boards[Int(board)].isProbing = false
            boards[Int(board)].estimate.addTransfer(of: transfer.bytes, in: now - transfer.start, at: now)
        case .frame(let place, _):
            let frame = Int(place)
            let roundTrip = scenario.uplinks[uplinks[uplink].trace].roundTrip(at: now + uplinks[uplink].offset)
            frames[frame].sendEnd = now
            frames[frame].roundTrip = roundTrip
            frames[frame].stage = .toCloud
            events.add(.received, at: now + roundTrip / 2, subject: frame, number: frames[frame].number)
        }
        startTransfer(over: uplink)
    }

    private mutating func count(_ transfer: Uplink.Transfer, bytes: Int64) {
        outcome.uploadedBytes += bytes
        outcome.sendingTime += now - transfer.start
        if case .probe = transfer.subject { outcome.probeBytes += bytes }
    }

    /// Ends the current transfer before it is done, and returns the bytes that have passed.
    private mutating func cutOff(_ uplink: Int) -> Int64 {
        guard let transfer = uplinks[uplink].current else { return 0 }
        let offset = uplinks[uplink].offset
        let bytes = scenario.uplinks[uplinks[uplink].trace].bytes(from: transfer.start + offset, to: now + offset)
        count(transfer, bytes: bytes)
        uplinks[uplink].current = nil
        uplinks[uplink].number &+= 1
        startTransfer(over: uplink)
        return bytes
    }

    // MARK: Failure

    /// The cloud's time for the frame is over.
    mutating func giveUp(_ frame: Int) {
        let board = Int(frames[frame].board)
        switch frames[frame].stage {
        case .inUplink:
            // Before the link is cut off: the next transfer must not find the frame there.
            frames[frame].stage = .finishing
            let bytes = cutOff(uplink(of: board))
            boards[board].estimate.addTransfer(of: bytes, in: now - frames[frame].sendStart, at: now)
        case .inQueue: servers[board % servers.count].waiting -= 1
        default: break
        }
        outcome.timeouts += 1
        boards[board].timeouts += 1
        if boards[board].timeouts >= scenario.agent.maximumTimeouts && boards[board].isConnected {
            boards[board].isConnected = false
            boards[board].retries = 0
            scheduleRetry(of: board)
        }
        finishOnBoard(frame)
    }

    private mutating func scheduleRetry(of board: Int) {
        var delay = scenario.agent.firstRetry
        for _ in 0..<boards[board].retries where delay < scenario.agent.lastRetry {
            delay = min(2 * delay, scenario.agent.lastRetry)
        }
        boards[board].retries = min(boards[board].retries + 1, 64)
        let spread = 0.5 + 0.5 * boards[board].generator.fraction()
        events.add(.retry, at: now + max(1, delay.scaled(by: spread)), subject: board)
    }

    /// Succeeds where anything passes at all. Once no more pictures come, nobody needs the link.
    mutating func connect(_ board: Int) {
        guard boards[board].nextArrival < plan.starts[board + 1] || boards[board].underWay > 0 else { return }
        let uplink = uplinks[uplink(of: board)]
        guard scenario.uplinks[uplink.trace].rate(at: now + uplink.offset) > 0 else { return scheduleRetry(of: board) }
        boards[board].isConnected = true
        boards[board].timeouts = 0
        boards[board].estimate = measuredLink(of: board)
    }

    // MARK: Measuring

    /// Measures the link where no transfer has for long.
    mutating func probe(from board: Int) {
        guard boards[board].isConnected, !boards[board].isProbing,
            now - boards[board].estimate.lastSample >= boards[board].probeDelay
        else { return }
        boards[board].probeDelay = min(2 * boards[board].probeDelay, scenario.agent.lastProbe)
        boards[board].isProbing = true
        send(
            Uplink.Transfer(subject: .probe(board: Int32(board)), bytes: scenario.agent.probeBytes),
            over: uplink(of: board))
    }

    mutating func endProbe(of uplink: Int, _ number: UInt32) {
        guard uplinks[uplink].number == number, let transfer = uplinks[uplink].current,
            case .probe(let board) = transfer.subject
        else { return }
        boards[Int(board)].isProbing = false
        let bytes = cutOff(uplink)
        boards[Int(board)].estimate.addTransfer(of: bytes, in: now - transfer.start, at: now)
    }
}
