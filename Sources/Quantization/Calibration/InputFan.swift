package import InferenceEngine
package import ModelGraph
internal import Synchronization

/// The tensors of input number 0..<count, as the graph wants them; asked for from several threads at once.
package typealias InputSource = @Sendable (Int) throws -> [Tensor]

/// Works on many inputs, one on each thread, and hands the results over in the inputs' order.
///
/// Every input is worked on by one thread from beginning to end, so results do not depend on the number of threads.
package struct InputFan<Worker>: ~Copyable {
    private let pool: WorkerPool
    private let count: Int
    private let input: InputSource
    private let makeWorker: () throws -> Worker

    /// Inputs between two reports of progress, for each thread; results are kept for so many.
    private static var stretch: Int { 4 }

    /// - Parameter makeWorker: makes what one thread works with; called at most once for each thread, before work starts.
    package init(
        _ pool: WorkerPool, count: Int, input: @escaping InputSource, makeWorker: @escaping () throws -> Worker
    ) {
        self.pool = pool
        self.count = count
        self.input = input
        self.makeWorker = makeWorker
    }

    /// - Parameters:
    ///   - work: on any thread, with a worker that nothing else uses meanwhile.
    ///   - collect: on the caller's thread, in order of input.
    ///   - progress: called with the number of inputs done.
    /// - Returns: the workers.
    /// - Throws: what the first input that fails throws.
    @discardableResult
    package func run<Result>(
        _ work: (inout Worker, [Tensor]) throws -> Result, collect: (Result) throws -> Void,
        progress: (Int) -> Void = { _ in }
    ) throws -> [Worker] {
        var workers = try (0..<min(pool.width, max(count, 1))).map { _ in try makeWorker() }
        let chunk = workers.count * Self.stretch
        for first in stride(from: 0, to: count, by: chunk) {
            let size = min(chunk, count - first)
            var results = [Swift.Result<Result, any Error>?](repeating: nil, count: size)
            results.withUnsafeMutableBufferPointer { results in
                workers.withUnsafeMutableBufferPointer { workers in
                    // Each thread has its own worker, and writes only results of the inputs it took.
                    nonisolated(unsafe) let (results, workers) = (results, workers)
                    withoutActuallyEscaping(work) { work in
                        nonisolated(unsafe) let work = work
                        let next = Atomic<Int>(0)
                        let input = input
                        pool.forEach(workers.count) { thread in
                            while true {
                                let index = next.add(1, ordering: .relaxed).oldValue
                                guard index < size else { return }
                                results[index] = Swift.Result { try work(&workers[thread], try input(first + index)) }
                            }
                        }
                    }
                }
            }
            for result in results { try collect(result!.get()) }
            progress(first + size)
        }
        return workers
    }
}
