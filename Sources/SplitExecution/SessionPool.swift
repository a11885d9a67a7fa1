package import InferenceEngine
package import ModelGraph
private import Synchronization

/// Sessions of one model, made as callers need them and kept for the next.
package final class SessionPool: Sendable {
    package let model: PreparedModel
    private let workers: WorkerPool
    private let idle = Mutex<[Parked]>([])

    /// `@unchecked Sendable` invariant: a parked session is referred to by nothing else.
    private struct Parked: @unchecked Sendable {
        let session: InferenceSession
    }

    package init(_ model: PreparedModel, pool: WorkerPool) {
        self.model = model
        workers = pool
    }

    /// Lends a session for the duration of `body`.
    package func withSession<Result>(_ body: (InferenceSession) throws -> Result) rethrows -> Result {
        let session = idle.withLock { $0.popLast() }?.session ?? InferenceSession(model, pool: workers)
        defer {
            let parked = Parked(session: session)
            idle.withLock { $0.append(parked) }
        }
        return try body(session)
    }

    /// Runs the model on tensors in plain form.
    /// - Throws: `EngineError`.
    package func run(_ tensors: [Tensor]) throws -> [Tensor] {
        try withSession { try $0.run(tensors) }
    }
}
