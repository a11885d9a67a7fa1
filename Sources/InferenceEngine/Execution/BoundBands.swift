internal import CKernels
internal import Glibc
internal import ModelGraph

/// Joined steps with the addresses of one session filled in.
struct BoundBands {
    struct Stage {
        /// What computes the stage's rows, then what changes them in place. Operands other than what the stage before
        /// leaves are whole tensors, and so is the last stage's result.
        let works: [BoundWork]
        let nodeIndices: [Int]
        let window: RowWindow
        let rowByteCount: Int
        /// Of the kept rows, in scratch.
        let offset: Int
    }

    /// What a thread knows about a stage, in scratch.
    private struct Progress {
        /// The rows that are wanted of the stage.
        var wanted = 0..<0
        /// Of these, the rows that it has to compute.
        var missing = 0..<0
        /// The first row that is kept, and the end of what has been computed.
        var first = 0
        var end = 0
    }

    let stages: [Stage]
    private let bandRows: Int
    private let timesOffset: Int
    private let workScratchOffset: Int
    let scratchByteCount: Int

    /// - Parameter bind: fills in a step's addresses; returns its work and the scratch that needs.
    init(_ banded: BandedSteps, bind: (Step) -> (work: BoundWork, scratchBytes: Int)) {
        var end = 0
        func reserve(_ byteCount: Int) -> Int {
            defer { end = (end + byteCount + 63) / 64 * 64 }
            return end
        }
        _ = reserve(banded.stages.count * MemoryLayout<Progress>.stride)
        timesOffset = reserve(banded.steps.count * MemoryLayout<UInt64>.stride)
        var workScratch = 0
        stages = zip(banded.stages, banded.keptRows).map { stage, keptRows in
            let bound = ([stage.step] + stage.changes).map(bind)
            workScratch = max(workScratch, bound.map(\.scratchBytes).max() ?? 0)
            return Stage(
                works: bound.map(\.work), nodeIndices: ([stage.step] + stage.changes).map { $0.node?.index ?? -1 },
                window: stage.window, rowByteCount: stage.rowByteCount,
                offset: reserve(stage.rowByteCount * keptRows))
        }
        workScratchOffset = reserve(workScratch)
        bandRows = banded.bandRows
        scratchByteCount = end
    }

    private var window: RowWindow { stages[stages.count - 1].window }

    private var workCount: Int { stages.reduce(0) { $0 + $1.works.count } }

    /// The parts that the rows can be divided into.
    var mostParts: Int { window.batch * window.outputRows }

    /// Nanoseconds that a part spent in each work of all stages, if it measured them.
    private func times(_ scratch: UnsafeMutableRawPointer) -> UnsafeMutablePointer<UInt64> {
        (scratch + timesOffset).assumingMemoryBound(to: UInt64.self)
    }

    /// Divides the time of a run between the nodes, as the part with this scratch, which measured, divided its own.
    func divide(_ nanoseconds: UInt64, measuredIn scratch: UnsafeMutableRawPointer, into times: inout LayerTimes) {
        let measured = UnsafeBufferPointer(start: self.times(scratch), count: workCount)
        let total = max(1, measured.reduce(0, +))
        var work = 0
        for index in stages.lazy.flatMap(\.nodeIndices) {
            let share = UInt64(Double(nanoseconds) * Double(measured[work]) / Double(total))
            if index >= 0 { times.nanoseconds[index] += share } else { times.otherNanoseconds += share }
            work += 1
        }
    }

    func run(
        part: Int, of parts: Int, kernels: KernelTable, scratch: UnsafeMutableRawPointer, measures: Bool
    ) {
        let progress = scratch.bindMemory(to: Progress.self, capacity: stages.count)
        if measures { times(scratch).update(repeating: 0, count: workCount) }
        var row = mostParts * part / parts
        let end = mostParts * (part + 1) / parts
        while row < end {
            let (image, first) = row.quotientAndRemainder(dividingBy: window.outputRows)
            let last = min(window.outputRows, first + end - row)
            progress.update(repeating: Progress(), count: stages.count)
            for start in stride(from: first, to: last, by: bandRows) {
                plan(start..<min(start + bandRows, last), progress)
                for stage in stages.indices {
                    run(stage, image, progress, kernels: kernels, scratch: scratch, measures: measures)
                }
            }
            row += last - first
        }
    }

    /// Which rows each stage has to compute for `rows` of the result.
    private func plan(_ rows: Range<Int>, _ progress: UnsafeMutablePointer<Progress>) {
        var wanted = rows
        for index in stages.indices.reversed() {
            progress[index].wanted = wanted
            progress[index].missing =
                min(max(wanted.lowerBound, progress[index].end), wanted.upperBound)..<wanted.upperBound
            guard index > 0 else { return }
            wanted =
                progress[index].missing.isEmpty
                ? progress[index - 1].end..<progress[index - 1].end
                : stages[index].window.inputRows(for: progress[index].missing)
        }
    }

    private static func nanoseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }

    private func run(
        _ index: Int, _ image: Int, _ progress: UnsafeMutablePointer<Progress>, kernels: KernelTable,
        scratch: UnsafeMutableRawPointer, measures: Bool
    ) {
        let (stage, state) = (stages[index], progress[index])
        let isLast = index == stages.count - 1
        let kept = scratch + stage.offset
        if !isLast {
            // What the next stage has read for the last time makes room.
            let (from, to) = (state.first, state.wanted.lowerBound)
            if from < to, state.end > to {
                memmove(kept, kept + (to - from) * stage.rowByteCount, (state.end - to) * stage.rowByteCount)
            }
            progress[index].first = to
        }
        guard !state.missing.isEmpty else { return }
        let source = index == 0 ? nil : UnsafeRawPointer(scratch + stages[index - 1].offset)
        let target = isLast ? nil : kept + (state.missing.lowerBound - state.wanted.lowerBound) * stage.rowByteCount
        var band = RowBand(
            window: stage.window, image: image, inputRows: stage.window.inputRows(for: state.missing),
            outputRows: state.missing, source: source, target: target)
        if isLast, let change = stage.works.dropFirst().last {
            // What is changed in place is where the last change leaves it.
            let row = image * stage.window.outputRows + state.missing.lowerBound
            band.target = change.output + row * stage.rowByteCount
        }
        let times = times(scratch) + stages[..<index].reduce(0) { $0 + $1.works.count }
        for (number, work) in stage.works.enumerated() {
            let start = measures ? Self.nanoseconds() : 0
            work.limited(to: band).run(part: 0, of: 1, kernels: kernels, scratch: scratch + workScratchOffset)
            if measures { times[number] += Self.nanoseconds() - start }
            if number == 0 { band = band.inPlace }
        }
        progress[index].end = state.missing.upperBound
    }
}
