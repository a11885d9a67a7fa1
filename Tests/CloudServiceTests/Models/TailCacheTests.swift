internal import CloudService
internal import ModelGraph
internal import Synchronization
internal import WireTestSupport
internal import Testing

@Suite struct TailCacheTests {
    @Test func preparesOnceForAllWhoAsk() async throws {
        let preparations = Counter()
        let queue = ComputeQueue(threads: 1, capacity: 8)
        var model = ToyCompletionModel()
        model.beforePreparing = { preparations.increment() }
        let cache = TailCache(capacity: 2, queue: queue)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask { [model] in _ = try await cache.tail(of: model, boundary: ToyNetwork.boundary) }
            }
            try await group.waitForAll()
        }
        #expect(preparations.value == 1)
        try await queue.shutdown()
    }

    @Test func dropsTheTailUnusedForLongest() async throws {
        let preparations = Counter()
        let queue = ComputeQueue(threads: 1, capacity: 8)
        let cache = TailCache(capacity: 2, queue: queue)
        func use(_ digest: String) async throws {
            var model = ToyCompletionModel()
            model.digest = digest
            model.beforePreparing = { preparations.increment() }
            _ = try await cache.tail(of: model, boundary: ToyNetwork.boundary)
        }
        try await use("a")
        try await use("b")
        try await use("a")
        try await use("c")
        #expect(preparations.value == 3)
        #expect(await cache.count == 2)
        try await use("a")
        #expect(preparations.value == 3)
        try await use("b")
        #expect(preparations.value == 4)
        try await queue.shutdown()
    }

    @Test func failuresAreNotKept() async throws {
        let preparations = Counter()
        let queue = ComputeQueue(threads: 1, capacity: 8)
        var model = ToyCompletionModel()
        model.beforePreparing = { preparations.increment() }
        let cache = TailCache(capacity: 2, queue: queue)
        for _ in 0..<2 {
            await #expect(throws: GraphError.self) { _ = try await cache.tail(of: model, boundary: ["nothing"]) }
        }
        #expect(preparations.value == 2)
        #expect(await cache.count == 0)
        try await queue.shutdown()
    }
}

private final class Counter: Sendable {
    private let count = Atomic(0)
    var value: Int { count.load(ordering: .relaxed) }
    func increment() { count.add(1, ordering: .relaxed) }
}
