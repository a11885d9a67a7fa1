private import Dispatch

/// Holds up a thread until the test lets it go on.
package final class Gate: Sendable {
    private let opened = DispatchSemaphore(value: 0)
    private let reached: AsyncStream<Void>
    private let reach: AsyncStream<Void>.Continuation

    package init() {
        (reached, reach) = AsyncStream.makeStream()
    }

    /// Blocks until the gate is opened; each opening lets one through.
    package func pass() {
        reach.yield()
        opened.wait()
    }

    package func pass<Value>(returning value: Value) -> Value {
        pass()
        return value
    }

    package func open() { opened.signal() }

    /// Returns once somebody stands before the gate.
    package func waitUntilReached() async {
        for await _ in reached { return }
    }
}
