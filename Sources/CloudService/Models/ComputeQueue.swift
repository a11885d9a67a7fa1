private import NIOPosix
private import Synchronization

/// Runs computations on threads of its own, in order, with a bound on how many wait.
///
/// A computation takes milliseconds of a whole core: on the cooperative pool or an event loop it would hold up everyone's
/// input and output.
package final class ComputeQueue: Sendable {
    /// What a computation returned, and how long it waited and ran.
    package struct Completion<Result: Sendable>: Sendable {
        package let result: Result
        package let queued: Duration
        package let computed: Duration
    }

    private let threads: NIOThreadPool
    private let capacity: Int
    private let pending = Mutex(0)

    /// - Parameters:
    ///   - threads: how many computations run at once, at least 1.
    ///   - capacity: how many may run or wait, at least `threads`.
    package init(threads: Int, capacity: Int) {
        precondition(threads >= 1 && capacity >= threads)
        self.threads = NIOThreadPool(numberOfThreads: threads)
        self.threads.start()
        self.capacity = capacity
    }

    /// Computations that run or wait.
    package var depth: Int { pending.withLock { $0 } }

    /// Runs `body` when its turn comes; a cancelled caller's turn is given up.
    ///
    /// - Parameter deadline: after this it is not started any more.
    /// - Throws: `CloudError.overloaded` at once when the queue is full, `CloudError.deadlineExceeded`, `CancellationError`,
    ///   or what `body` throws.
    package func run<Result: Sendable>(
        deadline: ContinuousClock.Instant? = nil, _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Completion<Result> {
        let isAccepted = pending.withLock { pending in
            guard pending < capacity else { return false }
            pending += 1
            return true
        }
        guard isAccepted else { throw CloudError(.overloaded, "\(capacity) computations run or wait") }
        defer { pending.withLock { $0 -= 1 } }
        let submitted = ContinuousClock.now
        return try await threads.runIfActive {
            let started = ContinuousClock.now
            if let deadline, started >= deadline {
                throw CloudError(.deadlineExceeded, "the deadline passed \(started - deadline) before its turn")
            }
            let result = try body()
            return Completion(result: result, queued: started - submitted, computed: ContinuousClock.now - started)
        }
    }

    /// Ends the threads once the computations under way are done; nothing may be run afterwards.
    package func shutdown() async throws {
        try await threads.shutdownGracefully()
    }
}
