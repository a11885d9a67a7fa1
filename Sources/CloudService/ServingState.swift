private import Synchronization

/// Whether the server takes work: starting → serving → draining, never back.
package final class ServingState: Sendable {
    package enum Phase: Int, Comparable, Sendable {
        case starting, serving, draining

        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    private struct State {
        var phase = Phase.starting
        var nextWaiter = 0
        var waiters: [Int: (phase: Phase, continuation: CheckedContinuation<Void, Never>)] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    package var phase: Phase { state.withLock { $0.phase } }
    package var isServing: Bool { phase == .serving }

    /// Moves on; moving back has no effect.
    package func advance(to phase: Phase) {
        let reached = state.withLock { state in
            state.phase = max(state.phase, phase)
            let reached = state.waiters.filter { $0.value.phase <= state.phase }
            for waiter in reached.keys { state.waiters[waiter] = nil }
            return reached.values.map(\.continuation)
        }
        for continuation in reached { continuation.resume() }
    }

    /// Returns once `phase` is reached, or the task is cancelled.
    package func wait(for phase: Phase) async {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard state.phase < phase, !Task.isCancelled else { return true }
                    state.waiters[waiter] = (phase, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: waiter) }?.continuation.resume()
        }
    }
}
