package import NIOCore

/// Runs tasks on an event loop, so that reading a socket and handling what it brought needs no change of thread.
package final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    package init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

extension EventLoopGroup {
    /// Runs `body` on this group's only loop, or as usual when it has several.
    package func withPreferredExecutor<Result: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
    ) async rethrows -> Result {
        var loops = makeIterator()
        let executor = loops.next().flatMap { loops.next() == nil ? EventLoopExecutor($0) : nil }
        return try await withTaskExecutorPreference(executor, operation: body)
    }
}
