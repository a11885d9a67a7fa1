internal import Dispatch
internal import InferenceEngine
internal import Synchronization
internal import Testing

@Suite struct WorkerPoolTests {
    /// How often each part of a job ran; kept in place so that parts can find it through a raw pointer.
    private final class Tally: Sendable {
        let counts: [Counter]
        let wrongTotals = Counter()

        final class Counter: Sendable {
            let value = Atomic<Int>(0)
        }

        init(parts: Int) {
            counts = (0..<parts).map { _ in Counter() }
        }

        var values: [Int] { counts.map { $0.value.load(ordering: .relaxed) } }

        /// Runs one job on `pool` that counts its parts here.
        func run(on pool: WorkerPool) {
            pool.run(parts: counts.count, context: Unmanaged.passUnretained(self).toOpaque()) { context, part, parts in
                let tally = Unmanaged<Tally>.fromOpaque(context).takeUnretainedValue()
                if parts != tally.counts.count { tally.wrongTotals.value.add(1, ordering: .relaxed) }
                tally.counts[part].value.add(1, ordering: .relaxed)
            }
        }
    }

    @Test(arguments: 1...4)
    func everyPartRunsOnce(width: Int) {
        let pool = WorkerPool(width: width)
        for parts in 0...width + 3 {
            let tally = Tally(parts: parts)
            for _ in 0..<500 { tally.run(on: pool) }
            #expect(tally.values == [Int](repeating: 500, count: parts))
            #expect(tally.wrongTotals.value.load(ordering: .relaxed) == 0)
        }
    }

    /// What a part wrote, plainly, is there when `run` returns.
    @Test func resultsAreVisibleToTheCaller() {
        let pool = WorkerPool(width: 3)
        var values = [Int](repeating: 0, count: 3)
        var mismatches = 0
        for round in 1...2000 {
            values.withUnsafeMutableBufferPointer { values in
                for part in 0..<3 { values[part] = round + part - 1 }
                pool.run(parts: 3, context: values.baseAddress!) { context, part, _ in
                    let values = UnsafeMutablePointer(mutating: context.assumingMemoryBound(to: Int.self))
                    values[part] += 1
                }
            }
            if values != [round, round + 1, round + 2] { mismatches += 1 }
        }
        #expect(mismatches == 0)
    }

    @Test func callersOnSeveralThreadsShareThePool() {
        let pool = WorkerPool(width: 3)
        let tallies = (0..<4).map { Tally(parts: $0 + 1) }
        DispatchQueue.concurrentPerform(iterations: tallies.count) { caller in
            for _ in 0..<2000 { tallies[caller].run(on: pool) }
        }
        for (caller, tally) in tallies.enumerated() {
            #expect(tally.values == [Int](repeating: 2000, count: caller + 1))
        }
    }

    /// Between jobs the caller does enough for the workers to fall asleep now and then.
    @Test func sleepersWake() {
        let pool = WorkerPool(width: 2)
        let tally = Tally(parts: 2)
        var sum: UInt64 = 0
        for round in 0..<60 {
            for step in 0..<UInt64(round % 6) * 500_000 { sum = sum &* 31 &+ step }
            tally.run(on: pool)
        }
        #expect(tally.values == [60, 60], "\(sum)")
    }

    @Test func aJobMayStartAnother() {
        final class Nested: Sendable {
            let pool = WorkerPool(width: 2)
            let inner = Tally(parts: 2)
        }
        let nested = Nested()
        for _ in 0..<200 {
            nested.pool.run(parts: 2, context: Unmanaged.passUnretained(nested).toOpaque()) { context, _, _ in
                let nested = Unmanaged<Nested>.fromOpaque(context).takeUnretainedValue()
                nested.inner.run(on: nested.pool)
            }
        }
        #expect(nested.inner.values == [400, 400])
    }

    /// Returns only if every worker is woken, spinning or asleep, and joined.
    @Test func releasingAPoolEndsItsThreads() {
        for round in 0..<100 {
            let pool = WorkerPool(width: 1 + round % 4)
            if round % 3 == 0 { Tally(parts: 2).run(on: pool) }
        }
    }
}

extension WorkerPoolTests {
    private final class Counts: Sendable {
        let values: Mutex<[Int]>

        init(count: Int) {
            values = Mutex([Int](repeating: 0, count: count))
        }
    }

    /// More pieces of work than threads, taken as threads become free.
    @Test(arguments: 1...3)
    func everyIndexIsTakenOnce(width: Int) {
        let pool = WorkerPool(width: width)
        for count in [0, 1, 2, 7, 100] {
            let counts = Counts(count: count)
            pool.forEach(count) { index in counts.values.withLock { $0[index] += 1 } }
            #expect(counts.values.withLock(\.self) == [Int](repeating: 1, count: count))
        }
    }
}
