internal import AllocationCounter
internal import InferenceEngine
internal import ModelGraph
internal import TestSupport
internal import Testing

/// One after another: the count is one for all threads that are watched.
@Suite(.serialized, .enabled(if: allocation_counting_is_available(), "a sanitizer owns malloc"))
struct SteadyStateTests {
    /// Allocations of the caller and of `pool`'s workers during `body`.
    private func allocations(of pool: WorkerPool, _ body: () throws -> Void) rethrows -> UInt64 {
        var context: UInt8 = 0
        // Nobody else uses the pool, so that each of its threads runs one part.
        pool.run(parts: pool.width, context: &context) { _, _, _ in count_allocations_of_this_thread(true) }
        count_allocations_of_this_thread(true)
        defer {
            pool.run(parts: pool.width, context: &context) { _, _, _ in count_allocations_of_this_thread(false) }
            count_allocations_of_this_thread(false)
        }
        let before = allocation_count()
        try body()
        return allocation_count() - before
    }

    @Test(arguments: [1, 2])
    func everyThreadIsWatched(width: Int) {
        let pool = WorkerPool(width: width)
        var context: UInt8 = 0
        let count = allocations(of: pool) {
            pool.run(parts: width, context: &context) { _, _, _ in
                UnsafeMutableRawPointer.allocate(byteCount: 100, alignment: 64).deallocate()
            }
        }
        #expect(count == width)
    }

    @Test(arguments: [1, 2], 0..<4)
    func runsAllocateNothing(width: Int, index: Int) throws {
        let pool = WorkerPool(width: width)
        let float = try PreparedModel(TestGraphs.all[index])
        let integer = try PreparedModel(
            MinMaxQuantization.quantized(TestGraphs.all[index], seed: 1),
            options: PreparationOptions(defaultInput: .natural))
        let banded = try PreparedModel(TestGraphs.all[index], options: PreparationOptions(cacheByteCount: 4096))
        for model in [float, integer, banded] {
            #expect(model.nodesWithoutKernel.isEmpty)
            let session = InferenceSession(model, pool: pool)
            try session.run()
            #expect(try allocations(of: pool) { for _ in 0..<100 { try session.run() } } == 0)
        }
    }

    @Test(arguments: [1, 2])
    func measuredRunsAllocateNothing(width: Int) throws {
        let pool = WorkerPool(width: width)
        let model = try PreparedModel(TestGraphs.residual())
        let session = InferenceSession(model, pool: pool)
        var times = LayerTimes(for: model)
        try session.run(measuring: &times)
        let count = try allocations(of: pool) {
            for _ in 0..<100 { try session.run(measuring: &times) }
        }
        #expect(count == 0)
    }
}
