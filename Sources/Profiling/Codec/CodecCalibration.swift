package import ActivationCodec
package import InferenceEngine
package import ModelGraph
package import Quantization
internal import SplitExecution

/// Designs the codings of many cuts at once and measures what they keep of the float32 network's answers.
///
/// The head runs once for each picture, whatever the number of cuts: a ``BoundaryTap`` offers all boundaries. Quantisers are
/// designed on histograms, for each tensor once, whichever cuts it belongs to. Pictures are spread over the threads, and
/// nothing that is found depends on their number but the times.
package struct CodecCalibration: Sendable {
    private let quantized: QuantizedGraph
    private let cuts: [Cut]
    private let pool: WorkerPool
    private let sharedWeights = SharedWeights()
    private let tapModel: BoundaryTap.Model
    /// By cut: where its tensors stand among those of the tap.
    private let positions: [[Int]]

    /// - Parameter cuts: with a quantised boundary, and without outputs of the network in the head.
    /// - Throws: `SplitExecutionError.unquantizedBoundary`, or what preparation throws.
    package init(_ quantized: QuantizedGraph, cuts: [Cut], pool: WorkerPool) throws {
        self.quantized = quantized
        self.cuts = cuts
        self.pool = pool
        let model = try BoundaryTap.Model(quantized, cuts: cuts, pool: pool, sharedWeights: sharedWeights)
        tapModel = model
        positions = cuts.map { model.positions(of: $0, in: quantized.graph) }
    }

    /// The codings of each cut, one for each step.
    package typealias Designs = [[BoundaryCoding]]

    /// Counts the codes of `count` pictures and designs a quantiser for each step and boundary tensor.
    ///
    /// - Parameter progress: called with what is done and what there is to do.
    package func design(
        _ steps: [BoundaryBench.Step] = BoundaryBench.ladder, count: Int, input: @escaping InputSource,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> Designs {
        let empty = try tapModel.ports.map { try CodeHistograms($0.signature) }
        let fan = InputFan(pool, count: count, input: input) {
            (tap: BoundaryTap(tapModel, pool: WorkerPool(width: 1)), histograms: empty)
        }
        let jobs = empty.count * steps.count
        let workers = try fan.run { worker, tensors in
            try worker.tap.run(tensors)
            for index in worker.histograms.indices {
                worker.histograms[index].add(
                    worker.tap.codes(index).bindMemory(to: UInt8.self), layout: .channelsLast)
            }
        } collect: { _ in
        } progress: {
            progress($0, count + jobs)
        }
        var histograms = empty
        for worker in workers {
            for index in histograms.indices { histograms[index].add(worker.histograms[index]) }
        }
        let quantizers = try designed(steps, histograms)
        progress(count + jobs, count + jobs)
        return positions.map { positions in
            steps.indices.map { step in
                .calibrated(
                    name: steps[step].name, quantizers: positions.map { quantizers[$0 * steps.count + step] })
            }
        }
    }

    /// By tensor, then by step.
    private func designed(
        _ steps: [BoundaryBench.Step], _ histograms: [CodeHistograms]
    ) throws(CodecError) -> [LevelQuantizer] {
        var results = [Result<LevelQuantizer, CodecError>?](
            repeating: nil, count: histograms.count * steps.count)
        results.withUnsafeMutableBufferPointer { results in
            // Each job writes its own result.
            nonisolated(unsafe) let results = results
            pool.forEach(results.count) { job in
                let (tensor, step) = job.quotientAndRemainder(dividingBy: steps.count)
                results[job] = Result { () throws(CodecError) in
                    try LevelQuantizer.designing(
                        histograms[tensor], levels: steps[step].levels, rateWeight: steps[step].rateWeight)
                }
            }
        }
        var quantizers: [LevelQuantizer] = []
        for result in results { quantizers.append(try result!.get()) }
        return quantizers
    }

    /// Codes, decodes and completes each picture in every coding of every cut, and in the fixed modes beside them.
    ///
    /// - Parameters:
    ///   - input: pictures other than those of the design.
    ///   - label: the class of picture 0 ..< count, where known.
    /// - Returns: for each cut a table that compares with the float32 network; the fixed modes stand first, and of those the
    ///   one without loss.
    /// - Complexity: O(count · cuts · codings) tails.
    package func measure(
        _ designs: Designs, count: Int, input: @escaping InputSource, label: (Int) -> Int?,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> [BoundaryBench] {
        let fixed = [CodecMode.lossless8, .quantized4, .quantized2].map(BoundaryCoding.mode)
        let codings = designs.map { fixed + $0 }
        let exact = try PreparedModel(
            quantized.graph, options: PreparationOptions(workers: pool, sharedWeights: sharedWeights))
        let one = WorkerPool(width: 1)
        let tails = try cuts.map {
            try TailRunner(quantized, cut: $0, layout: .channelsLast, pool: one, sharedWeights: sharedWeights)
        }
        var samples = codings.map { $0.map { _ in PointSamples() } }
        var (picture, labelled, right) = (0, 0, 0)
        let fan = InputFan(pool, count: count, input: input) {
            Bench(
                tap: BoundaryTap(tapModel, pool: WorkerPool(width: 1)),
                exact: InferenceSession(exact, pool: WorkerPool(width: 1)))
        }
        try fan.run { bench, tensors in
            try bench.run(tensors, positions: positions, codings: codings, tails: tails)
        } collect: { result in
            let label = label(picture)
            picture += 1
            if let label {
                labelled += 1
                if result.reference.indexOfLargest == label { right += 1 }
            }
            for (cut, outcomes) in result.outcomes.enumerated() {
                for (coding, outcome) in outcomes.enumerated() {
                    samples[cut][coding].add(
                        size: outcome.size, encode: outcome.encode, decode: outcome.decode)
                    samples[cut][coding].compare(result.reference, outcome.answers, label: label)
                }
            }
        } progress: {
            progress($0, count)
        }
        let top1 = labelled > 0 ? Double(right) / Double(labelled) : nil
        return cuts.indices.map { cut in
            let elements = tails[cut].boundary.reduce(0) { $0 + $1.shape.elementCount }
            return BoundaryBench(
                boundary: cuts[cut].name(in: quantized.graph), elements: elements, pictures: count,
                referenceTop1: top1,
                points: zip(codings[cut], samples[cut]).map { coding, samples in
                    samples.point(
                        named: coding.name, quantizers: coding.quantizers, elements: elements, referenceTop1: top1)
                })
        }
    }
}

/// What one thread measures with.
private final class Bench {
    private let tap: BoundaryTap
    private let exact: InferenceSession
    private var coder = BoundaryCoder()

    struct Outcome {
        var size: Int
        var encode: Duration
        var decode: Duration
        var answers: [Float]
    }

    init(tap: BoundaryTap, exact: InferenceSession) {
        self.tap = tap
        self.exact = exact
    }

    /// - Returns: the float32 network's answers, and by cut and coding what became of them.
    func run(
        _ tensors: [Tensor], positions: [[Int]], codings: [[BoundaryCoding]], tails: [TailRunner]
    ) throws -> (reference: [Float], outcomes: [[Outcome]]) {
        let reference = try exact.run(tensors)[0].array(of: Float.self)
        try tap.run(tensors)
        let outcomes = try tails.indices.map { cut in
            try codings[cut].map { coding in
                let sources = positions[cut].enumerated().map { index, position in
                    TensorSource(
                        tap.ports[position].signature, layout: .channelsLast, coding: coding.symbols(ofTensor: index),
                        compression: coding.compression,
                        borrowing: tap.codes(position).bindMemory(to: UInt8.self))
                }
                let outcome = try coder.code(sources, as: coding)
                return Outcome(
                    size: outcome.size, encode: outcome.encode, decode: outcome.decode,
                    answers: try tails[cut].complete(outcome.tensors)[0].array(of: Float.self))
            }
        }
        return (reference, outcomes)
    }
}
