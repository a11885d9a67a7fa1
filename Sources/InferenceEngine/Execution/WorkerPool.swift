internal import CKernels
internal import Glibc
internal import Synchronization

/// A fixed set of threads that divide one piece of work between them and the caller (fork-join).
///
/// Workers spin for a short while after work, then sleep, so that back-to-back layers start in well under a
/// microsecond and an idle process uses no processor. When several callers come at once, one has the workers and the
/// others do their work alone: threads are never oversubscribed.
///
/// `@unchecked Sendable` invariant: `job` is written only by the caller that holds `claim`, before it publishes a new
/// `generation`, and read by workers only between that and their decrement of `pending`.
package final class WorkerPool: @unchecked Sendable {
    /// A part of a job: the context given to `run`, the part's number, and the number of parts.
    ///
    /// A C function, because handing a Swift closure to other threads would allocate its escaping form for each job.
    package typealias PartBody = @convention(c) (UnsafeRawPointer, Int, Int) -> Void

    private struct Job {
        var context: UnsafeRawPointer
        var parts: Int
        var body: PartBody
    }

    /// Threads that take part, the caller included.
    package let width: Int

    private let shared = Shared()
    private var threads: [pthread_t] = []

    /// What the workers hold on to; apart from the pool, so that releasing the pool ends them.
    private final class Shared: @unchecked Sendable {
        let claim = Atomic<Bool>(false)
        let generation = Atomic<Int>(0)
        let pending = Atomic<Int>(0)
        let sleepers = Atomic<Int>(0)
        let isStopping = Atomic<Bool>(false)
        var job: Job?
        let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

        init() {
            pthread_mutex_init(lock, nil)
            pthread_cond_init(wake, nil)
        }

        deinit {
            pthread_cond_destroy(wake)
            pthread_mutex_destroy(lock)
            wake.deallocate()
            lock.deallocate()
        }

        func wakeSleepers() {
            guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
            pthread_mutex_lock(lock)
            pthread_cond_broadcast(wake)
            pthread_mutex_unlock(lock)
        }

        /// Returns when there is a generation after `seen`.
        func waitForGeneration(after seen: Int) -> Int {
            for _ in 0..<WorkerPool.spinLimit {
                let current = generation.load(ordering: .acquiring)
                if current != seen { return current }
                ck_spin_hint()
            }
            pthread_mutex_lock(lock)
            sleepers.add(1, ordering: .sequentiallyConsistent)
            var current = generation.load(ordering: .sequentiallyConsistent)
            while current == seen {
                pthread_cond_wait(wake, lock)
                current = generation.load(ordering: .sequentiallyConsistent)
            }
            sleepers.subtract(1, ordering: .sequentiallyConsistent)
            pthread_mutex_unlock(lock)
            return current
        }

        /// Returns when every worker has done its part, or found that it has none.
        func waitForWorkers() {
            var polls = 0
            while pending.load(ordering: .acquiring) != 0 {
                polls += 1
                // A worker that is late may be waiting for this very processor.
                if polls < WorkerPool.spinLimit { ck_spin_hint() } else { sched_yield() }
            }
        }

        func work(as part: Int) {
            var seen = 0
            while true {
                seen = waitForGeneration(after: seen)
                if isStopping.load(ordering: .acquiring) { return }
                if let job, part < job.parts { job.body(job.context, part, job.parts) }
                pending.subtract(1, ordering: .releasing)
            }
        }
    }

    /// What one thread needs to start.
    private final class Worker {
        let shared: Shared
        let part: Int

        init(shared: Shared, part: Int) {
            self.shared = shared
            self.part = part
        }

        func run() { shared.work(as: part) }
    }

    /// Polls before sleeping: from 20 µs to 1 ms, as long as the processor's pause takes; longer than the gap between two
    /// layers, shorter than a scheduler's slice.
    private static let spinLimit = 20_000

    /// - Parameter width: threads that take part, the caller included; at least 1, sensibly no more than there are cores.
    package init(width: Int) {
        precondition(width >= 1, "a pool has at least the caller's own thread")
        self.width = width
        for part in 1..<width {
            let worker = Unmanaged.passRetained(Worker(shared: shared, part: part))
            var thread = pthread_t()
            let status = pthread_create(
                &thread, nil,
                { argument in
                    guard let argument else { return nil }
                    Unmanaged<Worker>.fromOpaque(argument).takeRetainedValue().run()
                    return nil
                }, worker.toOpaque())
            precondition(status == 0, "pthread_create failed with \(status)")
            threads.append(thread)
        }
    }

    deinit {
        shared.isStopping.store(true, ordering: .releasing)
        shared.generation.add(1, ordering: .sequentiallyConsistent)
        shared.wakeSleepers()
        for thread in threads { pthread_join(thread, nil) }
    }

    /// Runs `body` for each part 0..<`parts` and returns when all are done; never allocates.
    ///
    /// `parts` beyond `width`, or all of them when another caller has the workers, run one after another here.
    package func run(parts: Int, context: UnsafeRawPointer, body: PartBody) {
        let isParallel =
            parts > 1 && parts <= width
            && shared.claim.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
        guard isParallel else {
            for part in 0..<max(parts, 0) { body(context, part, parts) }
            return
        }
        shared.job = Job(context: context, parts: parts, body: body)
        shared.pending.store(width - 1, ordering: .relaxed)
        shared.generation.add(1, ordering: .sequentiallyConsistent)
        shared.wakeSleepers()
        body(context, 0, parts)
        shared.waitForWorkers()
        shared.claim.store(false, ordering: .releasing)
    }
}
