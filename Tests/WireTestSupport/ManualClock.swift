private import Synchronization

/// A clock that moves only when a test moves it.
package final class ManualClock: Clock {
    package struct Instant: InstantProtocol {
        fileprivate var sinceStart: Duration = .zero

        package func advanced(by duration: Duration) -> Instant { Instant(sinceStart: sinceStart + duration) }
        package func duration(to other: Instant) -> Duration { other.sinceStart - sinceStart }
        package static func < (left: Instant, right: Instant) -> Bool { left.sinceStart < right.sinceStart }
    }

    private struct State {
        var now = Instant()
        var nextSleeper = 0
        var sleepers: [Int: (deadline: Instant, continuation: CheckedContinuation<Void, any Error>)] = [:]
    }

    private final class Flag: Sendable {
        let isSet = Atomic(false)
    }

    private let state = Mutex(State())

    package init() {}

    package var now: Instant { state.withLock { $0.now } }
    package var minimumResolution: Duration { .zero }

    package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let sleeper = state.withLock { state in
            state.nextSleeper += 1
            return state.nextSleeper
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state -> Result<Void, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.now >= deadline { return .success(()) }
                    state.sleepers[sleeper] = (deadline, continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: sleeper) }?.continuation.resume(throwing: CancellationError())
        }
    }

    package func advance(by duration: Duration) {
        let woken = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let woken = state.sleepers.filter { $0.value.deadline <= state.now }
            for sleeper in woken.keys { state.sleepers[sleeper] = nil }
            return woken.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume() }
    }

    /// Moves on, step by step, until `body` has returned: for waits that begin at a moment the test cannot see.
    package func advance<Result: Sendable>(
        by step: Duration, until body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let isOver = Flag()
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                defer { isOver.isSet.store(true, ordering: .releasing) }
                return try await body()
            }
            while !isOver.isSet.load(ordering: .acquiring) {
                advance(by: step)
                await Task.yield()
            }
            guard let result = try await group.next() ?? nil else { throw CancellationError() }
            return result
        }
    }
}
