internal import CKernels
internal import Glibc
internal import Synchronization

/// A fixed set of threads that divide one piece of work between them and the caller (fork-join).
///
/// Workers spin for a short while after work, then sleep, so that back-to-back layers start in well under a
/// microsecond and an idle process uses no processor. When several callers come at once, one has the workers and the
/// others do their work alone: threads are never oversubscribed. Parts are taken, not assigned: on a busy machine, where a
/// worker may come late or not at all, the caller does its parts too and waits only for workers that took one.
///
/// `@unchecked Sendable` invariant: `job` is written only by the caller that holds `claim`, while `isOpen` is false and no
/// worker that saw it true is `active`; workers read it only while they are active and saw `isOpen` true.
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
        let isOpen = Atomic<Bool>(false)
        let active = Atomic<Int>(0)
        let nextPart = Atomic<Int>(0)
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

        /// Lets workers in, takes parts with them, and returns when all parts are done.
        func runOpen(_ job: Job) {
            self.job = job
            nextPart.store(0, ordering: .relaxed)
            isOpen.store(true, ordering: .sequentiallyConsistent)
            generation.add(1, ordering: .sequentiallyConsistent)
            wakeSleepers()
            takeParts(of: job)
            isOpen.store(false, ordering: .sequentiallyConsistent)
            var polls = 0
            while active.load(ordering: .sequentiallyConsistent) != 0 {
                polls += 1
                // A worker that took a part may be waiting for this very processor.
                if polls < WorkerPool.spinLimit { ck_spin_hint() } else { sched_yield() }
            }
        }

        private func takeParts(of job: Job) {
            while true {
                let part = nextPart.add(1, ordering: .relaxed).oldValue
                guard part < job.parts else { return }
                job.body(job.context, part, job.parts)
            }
        }

        func work() {
            var seen = 0
            while true {
                seen = waitForGeneration(after: seen)
                if isStopping.load(ordering: .acquiring) { return }
                active.add(1, ordering: .sequentiallyConsistent)
                if isOpen.load(ordering: .sequentiallyConsistent), let job { takeParts(of: job) }
                active.subtract(1, ordering: .sequentiallyConsistent)
            }
        }
    }

    /// Polls before sleeping: from 20 µs to 1 ms, as long as the processor's pause takes; longer than the gap between two
    /// layers, shorter than a scheduler's slice.
    private static let spinLimit = 20_000

    /// - Parameter width: threads that take part, the caller included; at least 1, sensibly no more than there are cores.
    package init(width: Int) {
        precondition(width >= 1, "a pool has at least the caller's own thread")
        self.width = width
        for _ in 1..<width {
            let worker = Unmanaged.passRetained(shared)
            var thread = pthread_t()
            let status = pthread_create(
                &thread, nil,
                { argument in
                    guard let argument else { return nil }
                    Unmanaged<Shared>.fromOpaque(argument).takeRetainedValue().work()
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
        shared.runOpen(Job(context: context, parts: parts, body: body))
        shared.claim.store(false, ordering: .releasing)
    }

    /// Runs `body` once for each of 0..<`count`, of any different sizes, in order as far as one thread goes: a thread that
    /// is done takes the next.
    package func forEach(_ count: Int, _ body: @Sendable (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            let queue = Queue(count: count, body: body)
            withExtendedLifetime(queue) {
                run(parts: min(width, count), context: Unmanaged.passUnretained(queue).toOpaque()) { context, _, _ in
                    let queue = Unmanaged<Queue>.fromOpaque(context).takeUnretainedValue()
                    while true {
                        let index = queue.next.add(1, ordering: .relaxed).oldValue
                        guard index < queue.count else { return }
                        queue.body(index)
                    }
                }
            }
        }
    }

    private final class Queue {
        let count: Int
        let body: @Sendable (Int) -> Void
        let next = Atomic<Int>(0)

        init(count: Int, body: @escaping @Sendable (Int) -> Void) {
            self.count = count
            self.body = body
        }
    }
}
