internal import CKernels
internal import ModelGraph
internal import Synchronization

/// Weights in the form that one method of one kernel table reads; prepared models may share them.
///
/// `@unchecked Sendable` invariant: they get their place before the preparation that asked for them ends, and only then
/// does anybody else see them.
final class PackedWeights: @unchecked Sendable {
    let method: ConvolutionMethod
    let byteCount: Int
    fileprivate var memory: WeightMemory?
    fileprivate var offset = 0
    fileprivate var paddingOffset = 0

    fileprivate init(_ source: WeightSource, by kernels: KernelTable) {
        method = source.method
        byteCount = source.packedByteCount(by: kernels)
    }

    var bytes: UnsafeRawPointer { address(offset) }

    /// What padding reads: one pixel of the input's zero.
    var padding: UnsafeRawPointer { address(paddingOffset) }

    fileprivate func address(_ offset: Int) -> UnsafeRawPointer {
        guard let memory else { preconditionFailure("the weights are not packed yet") }
        return UnsafeRawPointer(memory.arena.bytes.baseAddress! + offset)
    }
}

/// The memory of all weights that one preparation packed: one piece, so that large pages hold small layers, too.
private final class WeightMemory {
    let arena: Arena

    init(byteCount: Int) {
        arena = Arena(byteCount: byteCount)
    }
}

/// Collects the weights of a model that is being prepared, then packs them all.
struct WeightPacker {
    private struct Job: Sendable {
        let source: WeightSource
        let target: PackedWeights
    }

    private let kernels: KernelTable
    private let shared: SharedWeights?
    private var jobs: [Job] = []

    init(_ kernels: KernelTable, sharing shared: SharedWeights?) {
        self.kernels = kernels
        self.shared = shared
    }

    /// The packed form of `source`; not to be read before `finish`.
    mutating func packed(_ source: WeightSource) -> PackedWeights {
        if let known = shared?.weights(for: source, kernels) { return known }
        let target = PackedWeights(source, by: kernels)
        jobs.append(Job(source: source, target: target))
        return target
    }

    /// Packs what has been asked for, on all threads of `workers`, and lets go of what was read.
    consuming func finish(on workers: WorkerPool?) {
        var end = 0
        func reserve(_ byteCount: Int) -> Int {
            defer {
                end += (byteCount + TensorStorage.alignment - 1) / TensorStorage.alignment * TensorStorage.alignment
            }
            return end
        }
        for job in jobs {
            job.target.offset = reserve(job.target.byteCount)
            job.target.paddingOffset = reserve(job.source.paddingByteCount)
        }
        let memory = WeightMemory(byteCount: end)
        for job in jobs { job.target.memory = memory }
        // The largest first: what is left when threads run out of work is small.
        let jobs = jobs.sorted { $0.target.byteCount > $1.target.byteCount }
        let kernels = kernels
        let pack = { @Sendable (index: Int) in
            let (source, target) = (jobs[index].source, jobs[index].target)
            source.pack(
                by: kernels, to: UnsafeMutableRawPointer(mutating: target.bytes),
                padding: UnsafeMutableRawPointer(mutating: target.padding))
            source.values.releasePages()
        }
        if let workers { workers.forEach(jobs.count, pack) } else { jobs.indices.forEach(pack) }
        shared?.insert(jobs.map { ($0.source, $0.target) }, kernels)
    }
}

/// Packed weights that several prepared models have in common: the heads and tails of one package's cuts, or the same
/// network for several batch sizes.
///
/// It belongs to whoever owns the package, whose weights it keeps mapped. Packed weights live as long as a model uses
/// them; those packed together share one piece of memory, which lives as long as the last of them.
package final class SharedWeights: Sendable {
    private struct Key: Hashable {
        let source: WeightSource
        let instructionSet: UInt32
    }

    private struct Entry {
        weak var weights: PackedWeights?
    }

    private let entries = Mutex<[Key: Entry]>([:])

    package init() {}

    /// Bytes of all weights that models use at the moment, each counted once.
    package var byteCount: Int {
        entries.withLock { $0.values.reduce(0) { $0 + ($1.weights?.byteCount ?? 0) } }
    }

    fileprivate func weights(for source: WeightSource, _ kernels: KernelTable) -> PackedWeights? {
        entries.withLock { $0[Key(source: source, instructionSet: kernels.isa.rawValue)]?.weights }
    }

    /// Of two that packed the same at the same time, the first is kept for others.
    fileprivate func insert(_ packed: [(source: WeightSource, weights: PackedWeights)], _ kernels: KernelTable) {
        entries.withLock { entries in
            entries = entries.filter { $0.value.weights != nil }
            for (source, weights) in packed {
                let key = Key(source: source, instructionSet: kernels.isa.rawValue)
                if entries[key] == nil { entries[key] = Entry(weights: weights) }
            }
        }
    }
}
