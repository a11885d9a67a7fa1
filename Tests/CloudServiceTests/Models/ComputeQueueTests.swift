internal import CloudService
internal import WireTestSupport
internal import Testing

@Suite struct ComputeQueueTests {
    @Test func refusesWhatItCannotHold() async throws {
        let queue = ComputeQueue(threads: 1, capacity: 2)
        let gate = Gate()
        try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask { try await queue.run { gate.pass(returning: 1) }.result }
            await gate.waitUntilReached()
            group.addTask { try await queue.run { 2 }.result }
            while queue.depth < 2 { await Task.yield() }
            await #expect(throws: CloudError(.overloaded, "2 computations run or wait")) { try await queue.run { 3 }.result }
            gate.open()
            var results: Set<Int> = []
            for try await result in group { results.insert(result) }
            #expect(results == [1, 2])
        }
        #expect(queue.depth == 0)
        #expect(try await queue.run { 4 }.result == 4)
        try await queue.shutdown()
    }

    @Test func doesNotStartWhatIsLate() async throws {
        let queue = ComputeQueue(threads: 1, capacity: 2)
        do {
            _ = try await queue.run(deadline: .now) { Issue.record("started") }
            Issue.record("no error")
        } catch let error as CloudError {
            #expect(error.code == .deadlineExceeded)
        }
        try await queue.shutdown()
    }

    @Test func saysHowLongItTook() async throws {
        let queue = ComputeQueue(threads: 1, capacity: 1)
        let before = ContinuousClock.now
        let completion = try await queue.run { 1 }
        #expect(completion.queued + completion.computed <= ContinuousClock.now - before)
        try await queue.shutdown()
    }
}
