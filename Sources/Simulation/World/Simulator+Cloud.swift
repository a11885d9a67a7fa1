extension Simulator {
    /// A frame is complete at the server of its board.
    mutating func receive(_ frame: Int) {
        let server = Int(frames[frame].board) % servers.count
        guard !servers[server].freeWorkers.isEmpty || servers[server].waiting < scenario.pool.queueLimit else {
            frames[frame].stage = .toBoard
            let back = frames[frame].roundTrip - frames[frame].roundTrip / 2
            events.add(.refused, at: now + back, subject: frame, number: frames[frame].number)
            return
        }
        frames[frame].stage = .inQueue
        frames[frame].received = now
        servers[server].queue.append(
            Server.Entry(frame: Int32(frame), number: frames[frame].number, choice: frames[frame].choice))
        servers[server].waiting += 1
        dispatch(server)
    }

    /// Gives waiting frames to free workers.
    mutating func dispatch(_ server: Int) {
        // Out of the simulator while its frames are looked at.
        var queue = FIFO<Server.Entry>()
        swap(&queue, &servers[server].queue)
        defer { swap(&queue, &servers[server].queue) }
        while !servers[server].freeWorkers.isEmpty {
            while let first = queue.all.first, !counts(first) { _ = queue.popFirst() }
            guard let first = queue.all.first else { return }
            let limit = scenario.pool.batch
            let batch: [Server.Entry]
            if limit == 1 {
                batch = queue.popFirst().map { [$0] } ?? []
            } else {
                let fits = { [self] (entry: Server.Entry) in entry.choice == first.choice && counts(entry) }
                let due = frames[Int(first.frame)].received + scenario.pool.batchWindow
                if now < due && queue.all.lazy.filter(fits).prefix(limit).count < limit {
                    events.add(.batchDue, at: due, subject: server)
                    return
                }
                batch = queue.take(limit, where: fits)
            }
            start(batch, at: server)
        }
    }

    private func counts(_ entry: Server.Entry) -> Bool {
        frames[Int(entry.frame)].number == entry.number && frames[Int(entry.frame)].stage == .inQueue
    }

    private mutating func start(_ batch: [Server.Entry], at server: Int) {
        guard let worker = servers[server].freeWorkers.popLast() else { return }
        servers[server].waiting -= batch.count
        var (longest, sum) = (Int64(0), Int64(0))
        for entry in batch {
            let frame = Int(entry.frame)
            frames[frame].stage = .inService
            frames[frame].serviceStart = now
            outcome.cloudWait += now - frames[frame].received
            let time = choices.all[Int(entry.choice)].cloud.scaled(by: frames[frame].cloudFactor)
            longest = max(longest, time)
            sum += time
        }
        outcome.served += batch.count
        let time = longest + (sum - longest).scaled(by: scenario.pool.batchShare)
        outcome.cloudBusy[server] += time
        let threads = batch.first.map { choices.all[Int($0.choice)].cloudThreads } ?? 1
        outcome.cloudThreadTime += Double(time) * Double(max(1, threads))
        inService[Int(worker)] = batch
        events.add(.served, at: now + time, subject: Int(worker))
    }

    mutating func finishService(of worker: Int) {
        let server = worker / scenario.pool.workers
        let batch = inService[worker]
        inService[worker].removeAll(keepingCapacity: true)
        servers[server].freeWorkers.append(Int32(worker))
        for entry in batch {
            let frame = Int(entry.frame)
            // The board may have given it up.
            guard frames[frame].number == entry.number, frames[frame].stage == .inService else { continue }
            let uplink = uplinks[uplink(of: Int(frames[frame].board))]
            let bytes = choices.all[Int(entry.choice)].answerBytes
            frames[frame].stage = .toBoard
            frames[frame].serviceEnd = now
            outcome.answerBytes += bytes
            if let end = downlinks[uplink.trace].end(ofSending: bytes, from: now + uplink.offset) {
                outcome.receivingTime += end - uplink.offset - now
                let back = frames[frame].roundTrip - frames[frame].roundTrip / 2
                events.add(
                    .answered, at: end - uplink.offset + back, subject: frame, number: frames[frame].number)
            }
        }
        dispatch(server)
    }

    // MARK: Back on the board

    mutating func takeAnswer(_ frame: Int) {
        let board = Int(frames[frame].board)
        let (sent, served) = (frames[frame].sendEnd, frames[frame].serviceEnd)
        boards[board].timeouts = 0
        if frames[frame].sendEnd > frames[frame].sendStart {
            boards[board].estimate.addTransfer(
                of: choices.all[Int(frames[frame].choice)].uploadBytes, in: sent - frames[frame].sendStart, at: now)
        }
        // The cloud says how long the frame waited and was computed; the rest of the time was the link's.
        boards[board].estimate.addAnswer(
            delay: now - sent - (served - frames[frame].received),
            wait: frames[frame].serviceStart - frames[frame].received)
        complete(frame, remotely: true)
    }

    mutating func takeRefusal(_ frame: Int) {
        boards[Int(frames[frame].board)].timeouts = 0
        outcome.refusals += 1
        finishOnBoard(frame)
    }
}
