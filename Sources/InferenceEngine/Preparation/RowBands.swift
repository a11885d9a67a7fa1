internal import CKernels
internal import ModelGraph

/// Steps of which each reads what the one before wrote, computed some rows at a time: what one leaves for the next stays in
/// the cache, and takes no room in the arena.
struct BandedSteps: Sendable {
    struct Stage: Sendable {
        /// What computes the stage's rows.
        let step: Step
        /// What changes its pixels in place, one after the other.
        let changes: [Step]
        let window: RowWindow
        /// Of one row of the result.
        let rowByteCount: Int
    }

    let stages: [Stage]
    /// Rows of the last result that are computed together.
    let bandRows: Int
    /// Rows that are kept of each result, by stage; none of the last, which is a tensor.
    let keptRows: [Int]

    init(_ stages: [Stage], bandRows: Int) {
        self.stages = stages
        self.bandRows = bandRows
        keptRows = Self.keptRows(stages, for: bandRows)
    }

    private static func keptRows(_ stages: [Stage], for bandRows: Int) -> [Int] {
        var rows = bandRows
        var kept = [0]
        for stage in stages.dropFirst().reversed() {
            rows = stage.window.mostInputRows(for: rows)
            kept.append(rows)
        }
        return kept.reversed()
    }

    /// Bytes that a band goes through: the rows kept, and those of the result.
    static func byteCount(_ stages: [Stage], bandRows: Int) -> Int {
        zip(stages, keptRows(stages, for: bandRows)).reduce(stages[stages.count - 1].rowByteCount * bandRows) {
            $0 + $1.0.rowByteCount * $1.1
        }
    }

    var steps: [Step] { stages.flatMap { [$0.step] + $0.changes } }

    /// What is read of tensors: the first stage's operands, and the other operands of those after it.
    var reads: [BufferView] {
        steps[0].reads + steps.dropFirst().flatMap { $0.reads.dropFirst() }
    }

    /// Of `reads`, those whose memory the result may take.
    var replaceableReads: [Int] {
        // Rows at the edge of another thread's share are read by both, so nothing that is read under windows.
        guard let last = stages.last, last.changes.isEmpty, stages.count > 1 else { return [] }
        let operands = last.step.reads.count - 1
        let first = reads.count - operands
        return last.step.work.replaceableReads.filter { $0 > 0 }.map { first + $0 - 1 }
    }
}

extension Step {
    /// The steps that this one joins, or itself.
    var parts: [Step] {
        if case .banded(let banded) = work { banded.steps } else { [self] }
    }

    /// The rows under the step's windows; `nil` for a step that has none, or computes no range of rows by itself.
    fileprivate var window: RowWindow? {
        let geometry: ck_geometry
        switch work {
        case .convolutionU8(let arguments, _): geometry = arguments.geometry
        case .convolutionF32(let arguments, let weights):
            if case .winograd = weights.method { return nil }
            geometry = arguments.geometry
        case .maxPoolU8(let arguments): geometry = arguments.geometry
        case .maxPoolF32(let arguments): geometry = arguments.geometry
        case .averagePoolU8(let arguments): geometry = arguments.geometry
        case .averagePoolF32(let arguments): geometry = arguments.geometry
        default: return nil
        }
        let window = RowWindow(geometry)
        return window.isDivisible ? window : nil
    }

    /// The pixels that the step makes of the pixels in their place; `nil` for other steps.
    fileprivate var changedPixels: Int? {
        switch work {
        case .addU8(_, let pixels), .multiplyU8(_, let pixels), .lookupU8(_, _, let pixels), .addF32(_, let pixels),
            .multiplyF32(_, let pixels), .clampF32(_, let pixels):
            pixels
        case .unaryF32(_, let count): writes[0].stride > 0 ? count / writes[0].stride : nil
        default: nil
        }
    }

    private var elementBytes: Int {
        switch work {
        case .convolutionU8, .maxPoolU8, .averagePoolU8, .addU8, .multiplyU8, .lookupU8: 1
        default: 4
        }
    }

    /// Bytes of so many pixels of the result, without gaps.
    fileprivate func resultByteCount(pixels: Int) -> Int { pixels * writes[0].stride * elementBytes }

    /// Bytes read again for each band.
    fileprivate var weightByteCount: Int {
        switch work {
        case .convolutionU8(_, let weights), .convolutionF32(_, let weights): weights.byteCount
        default: 0
        }
    }
}

/// Joins steps in bands where what they hand on would not stay in the cache.
///
/// The rule: bands go through at most half the cache, which leaves room for weights and for what is read; steps whose
/// result takes less than that are left alone, and so are weights, read again for each band, of more than a quarter.
///
/// One core of Zen 4 with 1 MiB of L2 and a quick L3, time without bands over time with them: MobileNetV2 in float32 1.03
/// (activations 6.0 → 1.2 MB), EfficientNet-B0 1.02, SqueezeNet 1.02; in int8, where all but one or two results fit,
/// 1.00. From an eighth of the cache per band to all of it makes less difference than runs do.
struct BandPlan {
    private let steps: [Step]
    private let buffers: [BufferPlan]
    private let kept: Set<BufferID>
    /// Bytes of a core's own cache.
    private let cache: Int

    /// - Parameter kept: buffers that are read when all steps are done.
    init(_ steps: [Step], _ buffers: [BufferPlan], keeping kept: Set<BufferID>, cache: Int) {
        self.steps = steps
        self.buffers = buffers
        self.kept = kept
        self.cache = cache
    }

    /// The steps with those that are worth it joined, and for each old step its new place.
    func joined() -> (steps: [Step], places: [Int]) {
        var joined: [Step] = []
        var places: [Int] = []
        var next = 0
        while next < steps.count {
            let run = stages(from: next)
            if run.steps > 1, exceedsCache(run.stages[0]), let bandRows = bandRows(run.stages) {
                let banded = BandedSteps(run.stages, bandRows: bandRows);
                places += Array(repeating: joined.count, count: run.steps)
                joined.append(
                    Step(
                        work: .banded(banded), reads: banded.reads, writes: steps[next + run.steps - 1].writes,
                        node: steps[next + run.steps - 1].node))
                next += run.steps
            } else {
                places.append(joined.count)
                joined.append(steps[next])
                next += 1
            }
        }
        return (joined, places)
    }

    /// As many stages from a step on as can be joined and gain from it, and the number of their steps.
    private func stages(from first: Int) -> (stages: [BandedSteps.Stage], steps: Int) {
        var stages: [BandedSteps.Stage] = []
        var count = 0
        while let stage = stage(at: first + count, after: stages.last) {
            if let last = stages.last {
                guard handsOn(first + count - 1), fills(first + count - 1, last), isWorthwhile(last, stage) else {
                    break
                }
            }
            guard bandRows(stages + [stage]) != nil else { break }
            stages.append(stage)
            count += 1 + stage.changes.count
        }
        return (stages, count)
    }

    /// A stage that begins at a step, with the changes after it.
    private func stage(at index: Int, after previous: BandedSteps.Stage?) -> BandedSteps.Stage? {
        guard steps.indices.contains(index), let window = window(at: index, after: previous) else { return nil }
        let step = steps[index]
        var changes: [Step] = []
        while handsOn(index + changes.count), changesPixels(index + changes.count + 1, window, like: step) {
            changes.append(steps[index + changes.count + 1])
        }
        return BandedSteps.Stage(
            step: step, changes: changes, window: window,
            rowByteCount: step.resultByteCount(pixels: window.outputWidth))
    }

    private func window(at index: Int, after previous: BandedSteps.Stage?) -> RowWindow? {
        if let window = steps[index].window {
            guard let rows = previous?.window else { return window }
            let isNext =
                rows.batch == window.batch && rows.outputRows == window.inputRows
                && rows.outputWidth == window.inputWidth
            return isNext ? window : nil
        }
        // The first stage may make pixels of pixels, for a window that follows.
        guard previous == nil, handsOn(index), let reader = steps[index + 1].window else { return nil }
        let window = RowWindow(pixelsReadBy: reader)
        return steps[index].changedPixels == window.outputPixels ? window : nil
    }

    /// Whether a step changes all pixels of an image in their place.
    private func changesPixels(_ index: Int, _ window: RowWindow, like step: Step) -> Bool {
        steps[index].changedPixels == window.outputPixels && steps[index].writes[0].stride == step.writes[0].stride
    }

    /// Whether all that a step writes is for the step after it, and it for nobody else.
    private func handsOn(_ index: Int) -> Bool {
        guard index + 1 < steps.count, let result = steps[index].writes.first else { return false }
        let reader = steps[index + 1]
        let buffer = buffers[result.buffer.index]
        return reader.reads.first == result && !reader.reads.dropFirst().contains { $0.buffer == result.buffer }
            && !reader.writes.contains { $0.buffer == result.buffer } && buffer.firstStep == index
            && buffer.lastStep == index + 1 && !kept.contains(result.buffer)
    }

    /// Whether a step's result, that of a stage, lies alone and without gaps.
    private func fills(_ index: Int, _ stage: BandedSteps.Stage) -> Bool {
        let byteCount = steps[index].resultByteCount(pixels: stage.window.outputPixels)
        return buffers[steps[index].writes[0].buffer.index].byteCount == byteCount
    }

    private func isWorthwhile(_ stage: BandedSteps.Stage, _ next: BandedSteps.Stage) -> Bool {
        exceedsCache(stage) && stage.step.weightByteCount <= cache / 4 && next.step.weightByteCount <= cache / 4
    }

    /// Whether little of a stage's result is left in the cache when it is complete.
    private func exceedsCache(_ stage: BandedSteps.Stage) -> Bool {
        stage.rowByteCount * stage.window.outputRows > cache / 2
    }

    /// The most rows at which what is kept fits into half the cache; `nil` if a single one does not fit into it all.
    private func bandRows(_ stages: [BandedSteps.Stage]) -> Int? {
        guard let last = stages.last else { return nil }
        guard BandedSteps.byteCount(stages, bandRows: 1) <= cache else { return nil }
        var rows = 1
        while rows < last.window.outputRows, BandedSteps.byteCount(stages, bandRows: rows + 1) <= cache / 2 {
            rows += 1
        }
        // Bands of about the same height.
        let bands = (last.window.outputRows + rows - 1) / rows
        return (last.window.outputRows + bands - 1) / bands
    }
}
