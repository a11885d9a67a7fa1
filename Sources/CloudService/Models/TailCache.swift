/// Prepared tails, shared by all sessions.
///
/// Preparing a tail is done once, however many sessions ask for it at the same time. When there are more tails than
/// `capacity`, the one unused for longest is dropped; it is prepared again when next asked for.
package actor TailCache {
    private struct Key: Hashable {
        let digest: String
        let boundary: [String]
    }

    private struct Entry {
        let preparation: Task<any CompletionTail, any Error>
        var lastUse: UInt64
    }

    private let capacity: Int
    private let queue: ComputeQueue
    private var entries: [Key: Entry] = [:]
    private var uses: UInt64 = 0

    /// - Parameters:
    ///   - capacity: how many tails are kept, at least 1.
    ///   - queue: where tails are prepared.
    package init(capacity: Int, queue: ComputeQueue) {
        precondition(capacity >= 1)
        self.capacity = capacity
        self.queue = queue
    }

    /// The tail after `boundary`, prepared now if it is not kept.
    /// - Throws: what `makeTail(boundary:)` throws, or `CloudError.overloaded`; failures are not kept.
    package func tail(of model: any CompletionModel, boundary: [String]) async throws -> any CompletionTail {
        let key = Key(digest: model.digest, boundary: boundary)
        uses += 1
        if let entry = entries[key] {
            entries[key]?.lastUse = uses
            return try await entry.preparation.value
        }
        // Not a child task: a session that goes away must not take the preparation from those that also wait for it.
        let preparation = Task { [queue] in
            try await queue.run { try model.makeTail(boundary: boundary) }.result
        }
        entries[key] = Entry(preparation: preparation, lastUse: uses)
        evict()
        do {
            return try await preparation.value
        } catch {
            if entries[key]?.preparation == preparation { entries[key] = nil }
            throw error
        }
    }

    package var count: Int { entries.count }

    private func evict() {
        while entries.count > capacity, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            entries[oldest.key] = nil
        }
    }
}
