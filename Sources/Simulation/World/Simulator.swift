internal import Planning

/// Runs one policy through a scenario, event by event: boards, uplinks, servers.
///
/// A board computes heads and local finishes one after another on one processor; frames cross its uplink one after another;
/// servers take them first come first served. Answers are small: they follow the trace's rate but do not queue. Two runs of the same
/// scenario are equal, event for event, on every machine.
package struct Simulator {
    package let scenario: Scenario
    package let choices: ChoiceSet
    package let policy: Policy
    package let rules: CleaveRules
    let plan: ArrivalPlan
    let downlinks: [LinkTrace]

    var now: Int64 = 0
    var events = EventQueue()
    var boards: [Board] = []
    var uplinks: [Uplink] = []
    var servers: [Server] = []
    var inService: [[Server.Entry]] = []
    var frames: [Frame] = []
    var freeFrames: [Int32] = []
    var outcome: Outcome

    /// How Cleave follows the link.
    package struct CleaveRules: Hashable, Sendable {
        /// Of the newest transfer in the estimate of the link, 0...1.
        package var estimateWeight = 0.5
        /// `SwitchingPolicy`'s.
        package var margin = SwitchingPolicy().margin
        package var patience = SwitchingPolicy().patience

        package init() {}
    }

    /// - Throws: `SimulationError.invalidScenario`; also for a policy that the choices leave no choice.
    package init(
        _ scenario: Scenario, choices: ChoiceSet, policy: Policy, rules: CleaveRules = CleaveRules()
    ) throws(SimulationError) {
        try scenario.validate()
        self.init(scenario, choices, policy, rules, ArrivalPlan(scenario))
    }

    init(_ scenario: Scenario, _ choices: ChoiceSet, _ policy: Policy, _ rules: CleaveRules, _ plan: ArrivalPlan) {
        self.scenario = scenario
        self.choices = choices
        self.policy = policy
        self.rules = rules
        self.plan = plan
        downlinks = scenario.downlinks
        outcome = Outcome(pictures: plan.times.count, servers: scenario.pool.servers)
        uplinks = scenario.uplinkPlaces.map { Uplink(trace: $0.trace, offset: $0.offset) }
        let pool = scenario.pool
        servers = (0..<pool.servers).map { server in
            Server(freeWorkers: (0..<pool.workers).reversed().map { Int32(server * pool.workers + $0) })
        }
        inService = Array(repeating: [], count: pool.servers * pool.workers)
        for board in 0..<scenario.boards {
            boards.append(
                Board(
                    nextArrival: plan.starts[board], estimate: measuredLink(of: board),
                    switching: SwitchingPolicy(margin: rules.margin, patience: rules.patience),
                    probeDelay: scenario.agent.firstProbe,
                    generator: SeededGenerator(seed: scenario.seed, stream: 3, number: UInt64(board))))
        }
    }

    /// To the last answer.
    /// - Complexity: O(events · log(boards)); about eight events a picture.
    package mutating func run() -> Outcome {
        for board in boards.indices { addArrival(of: board) }
        while let event = events.next() {
            now = event.time
            let subject = Int(event.subject)
            switch event.kind {
            case .arrival: arrive(at: subject)
            case .computed: finishJob(of: subject)
            case .sent: finishTransfer(of: subject, event.number)
            case .received: if isCurrent(subject, event.number, .toCloud) { receive(subject) }
            case .served: finishService(of: subject)
            case .batchDue: dispatch(subject)
            case .answered: if isCurrent(subject, event.number, .toBoard) { takeAnswer(subject) }
            case .refused: if isCurrent(subject, event.number, .toBoard) { takeRefusal(subject) }
            case .overdue:
                if frames[subject].number == event.number && frames[subject].stage.isAway { giveUp(subject) }
            case .retry: connect(subject)
            case .probeOverdue: endProbe(of: subject, event.number)
            }
        }
        return outcome
    }

    private func isCurrent(_ frame: Int, _ number: UInt32, _ stage: Frame.Stage) -> Bool {
        frames[frame].number == number && frames[frame].stage == stage
    }

    func uplink(of board: Int) -> Int { board / scenario.camerasPerUplink }

    /// What measuring the link while connecting shows: its mean over a second.
    func measuredLink(of board: Int) -> LinkEstimate {
        let uplink = uplinks[uplink(of: board)]
        let trace = scenario.uplinks[uplink.trace]
        let time = now + uplink.offset
        let second: Int64 = 1_000_000_000
        return LinkEstimate(
            weight: rules.estimateWeight, bitsPerSecond: 8 * Double(trace.bytes(from: time, to: time + second)),
            delay: trace.roundTrip(at: time), at: now)
    }

    // MARK: Pictures

    private mutating func addArrival(of board: Int) {
        let next = boards[board].nextArrival
        guard next < plan.starts[board + 1] else { return }
        events.add(.arrival, at: plan.times[next], subject: board)
    }

    private mutating func arrive(at board: Int) {
        boards[board].waiting.append(Int32(boards[board].nextArrival))
        boards[board].nextArrival += 1
        addArrival(of: board)
        takeWaiting(of: board)
        if boards[board].waiting.count > scenario.agent.waiting, boards[board].waiting.popFirst() != nil {
            outcome.dropped += 1
        }
    }

    private mutating func takeWaiting(of board: Int) {
        while boards[board].underWay < scenario.agent.depth, let picture = boards[board].waiting.popFirst() {
            boards[board].underWay += 1
            begin(picture, on: board)
        }
    }

    private mutating func begin(_ picture: Int32, on board: Int) {
        let choice = choose(for: board, picture: Int(picture))
        if boards[board].lastChoice >= 0 && boards[board].lastChoice != Int32(choice) { outcome.switches += 1 }
        boards[board].lastChoice = Int32(choice)
        outcome.choices[Int(picture)] = Int32(choice)
        var frame = Frame(picture: picture, board: Int32(board), choice: Int32(choice), number: 0)
        (frame.edgeFactor, frame.cloudFactor) = scenario.factors(of: Int(picture))
        let place: Int
        if let free = freeFrames.popLast() {
            place = Int(free)
            frame.number = frames[place].number &+ 1
            frames[place] = frame
        } else {
            place = frames.count
            frames.append(frame)
        }
        if choices.all[choice].isRemote {
            boards[board].probeDelay = scenario.agent.firstProbe
        } else if policy.isAdaptive {
            probe(from: board)
        }
        addJob(Board.Job(frame: Int32(place), isFinish: false), to: board)
    }

    /// The answer to a picture is known.
    mutating func complete(_ frame: Int, remotely: Bool) {
        let picture = Int(frames[frame].picture)
        let board = Int(frames[frame].board)
        outcome.latencies[picture] = now - plan.times[picture]
        if remotely { outcome.remote += 1 }
        outcome.end = now
        frames[frame].stage = .free
        freeFrames.append(Int32(frame))
        boards[board].underWay -= 1
        takeWaiting(of: board)
    }

    // MARK: The board's processor

    mutating func addJob(_ job: Board.Job, to board: Int) {
        if boards[board].job == nil { start(job, on: board) } else { boards[board].jobs.append(job) }
    }

    private mutating func start(_ job: Board.Job, on board: Int) {
        let frame = Int(job.frame)
        let choice = choices.all[Int(frames[frame].choice)]
        if !job.isFinish { frames[frame].asksCloud = choice.isRemote && boards[board].isConnected }
        let time = duration(of: job)
        outcome.edgeBusy += time
        outcome.edgeThreadTime += Double(time) * Double(max(1, choice.edgeThreads))
        boards[board].job = job
        boards[board].busyUntil = now + time
        events.add(.computed, at: now + time, subject: board)
    }

    func duration(of job: Board.Job) -> Int64 {
        let frame = frames[Int(job.frame)]
        let choice = choices.all[Int(frame.choice)]
        if job.isFinish { return choice.remainder.scaled(by: frame.edgeFactor) }
        let skipsEncoding = choice.isRemote && !boards[Int(frame.board)].isConnected
        return (skipsEncoding ? choice.edge - choice.encode : choice.edge).scaled(by: frame.edgeFactor)
    }

    private mutating func finishJob(of board: Int) {
        guard let job = boards[board].job else { return }
        let frame = Int(job.frame)
        boards[board].job = nil
        if let next = boards[board].jobs.popFirst() { start(next, on: board) }
        let choice = choices.all[Int(frames[frame].choice)]
        if job.isFinish || !choice.isRemote {
            complete(frame, remotely: false)
        } else if frames[frame].asksCloud {
            let headEnd = now - choice.encode.scaled(by: frames[frame].edgeFactor)
            events.add(
                .overdue, at: max(now, headEnd + scenario.agent.deadline), subject: frame,
                number: frames[frame].number)
            frames[frame].stage = .beforeUplink
            send(
                Uplink.Transfer(
                    subject: .frame(Int32(frame), number: frames[frame].number), bytes: choice.uploadBytes),
                over: uplink(of: board))
        } else {
            outcome.unasked += 1
            finishOnBoard(frame)
        }
    }

    mutating func finishOnBoard(_ frame: Int) {
        frames[frame].stage = .finishing
        addJob(Board.Job(frame: Int32(frame), isFinish: true), to: Int(frames[frame].board))
    }
}

extension Int64 {
    /// A time that takes `factor` times as long.
    func scaled(by factor: Double) -> Int64 { factor == 1 ? self : Int64((Double(self) * factor).rounded()) }
}
