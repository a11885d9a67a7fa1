package import ActivationCodec
package import InferenceEngine
package import ModelGraph
package import ModelStore
package import Planning
internal import Quantization
internal import SplitExecution

extension CodecProfile {
    /// Encodes and decodes, in each mode, the boundary of every cut offered, on real activations.
    ///
    /// Where `measuresAccuracy`, each decoded boundary is also completed by the float32 tail and compared with the
    /// float32 network: agreement and cosine then hold the losses of int8 and of the codec together. What calibrated codings
    /// keep is taken from the package, which was measured on more pictures.
    /// - Parameters:
    ///   - cuts: those whose boundaries are wanted; edge-only cuts have none and are passed over.
    ///   - codecs: the package's calibrated codings, measured at their own cuts.
    ///   - label: the class of image 0..<count, where known.
    ///   - count: number of images; ≥ 1.
    ///   - input: the float32 tensors of image 0..<count.
    ///   - progress: steps done, steps to do.
    package static func measure(
        _ quantized: QuantizedGraph, cuts: [Cut], modes: [CodecMode], codecs: [CutCodec] = [], model: ModelIdentity,
        provenance: Provenance, pool: WorkerPool, instructionSet: InstructionSet, count: Int, measuresAccuracy: Bool,
        input: (Int) throws -> [Tensor], label: (Int) -> Int? = { _ in nil }, progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> CodecProfile {
        let graph = quantized.graph
        let offered = cuts.filter { !$0.isEdgeOnly && !$0.boundary.isEmpty }
        let inputs = try (0..<count).map(input)
        let exact = SessionPool(
            try PreparedModel(graph, options: PreparationOptions(instructionSet: instructionSet)), pool: pool)
        let expected = measuresAccuracy ? try inputs.map { try exact.run($0) } : []
        let expectedByName = graph.outputs.enumerated().reduce(into: [String: Int]()) {
            $0[graph[$1.element].name] = $1.offset
        }
        var entries: [Entry] = []
        var coder = BoundaryCoder(loop: pool.bandLoop)
        for (position, cut) in offered.enumerated() {
            let head = try HeadRunner(quantized, cut: cut, pool: pool, instructionSet: instructionSet)
            let tail =
                measuresAccuracy
                ? try TailRunner(
                    quantized, cut: cut, layout: .channelsLast, pool: pool, instructionSet: instructionSet) : nil
            let names = cut.boundary.map { graph[$0].name }
            let settings = codecs.first { $0.boundary == names && cut.headOutputs.isEmpty }
            let codings = try modes.map(BoundaryCoding.mode) + (settings?.codings() ?? [])
            var measurements = codings.map { _ in CodecSamples() }
            for (image, tensors) in inputs.enumerated() {
                try head.feed(tensors)
                try head.run()
                for (index, coding) in codings.enumerated() {
                    let outcome = try coder.code(head.sources(coding), as: coding)
                    measurements[index].add(outcome)
                    guard let tail, coding.quantizers.isEmpty else { continue }
                    let outputs = try tail.complete(outcome.tensors)
                    for (port, output) in zip(tail.outputs, outputs) {
                        guard let position = expectedByName[port.name] else { continue }
                        measurements[index].compare(
                            expected[image][position].array(of: Float.self), output.array(of: Float.self),
                            label: label(image))
                    }
                }
            }
            let elements = head.boundary.reduce(0) { $0 + $1.shape.elementCount }
            for (index, samples) in measurements.enumerated() {
                var entry = samples.entry(
                    boundary: names.joined(separator: "+"), mode: codings[index].name, elements: elements)
                if let settings, index >= modes.count {
                    entry.keep(settings.settings[index - modes.count], images: settings.sampleCount)
                }
                entries.append(entry)
            }
            progress(position + 1, offered.count)
        }
        var profile = CodecProfile(provenance: provenance, model: model, images: count, entries: entries)
        if measuresAccuracy {
            let options = PreparationOptions(instructionSet: instructionSet)
            let whole = SessionPool(try PreparedModel(quantized, options: options), pool: pool)
            var samples = CodecSamples()
            for (image, tensors) in inputs.enumerated() {
                for (expected, got) in zip(expected[image], try whole.run(tensors)) {
                    samples.compare(
                        expected.array(of: Float.self), got.array(of: Float.self), label: label(image))
                }
            }
            profile.edgeOnlyTop1Agreement = samples.comparison.top1Agreement
            profile.edgeOnlyAccuracyLoss = samples.accuracyLoss
        }
        return profile
    }
}

/// What was seen of one boundary in one coding.
private struct CodecSamples {
    private var sizes: [Int] = []
    private var encodeTimes: [Duration] = []
    private var decodeTimes: [Duration] = []
    private(set) var comparison = OutputComparison()
    private var labelled = 0
    /// Answers that were right in float32 and are no longer, less those that became right.
    private var lost = 0
    /// Answers that are right in one of the two alone.
    private var turned = 0

    mutating func add(_ outcome: BoundaryCoder.Outcome) {
        sizes.append(outcome.size)
        encodeTimes.append(outcome.encode)
        decodeTimes.append(outcome.decode)
    }

    mutating func compare(_ expected: [Float], _ got: [Float], label: Int?) {
        comparison.add(expected: expected, got: got)
        guard let label else { return }
        labelled += 1
        let (wasRight, isRight) = (expected.indexOfLargest == label, got.indexOfLargest == label)
        lost += (wasRight ? 1 : 0) - (isRight ? 1 : 0)
        if wasRight != isRight { turned += 1 }
    }

    /// Of top-1 accuracy, 0...1, a standard error above what was measured; `nil` without labels.
    var accuracyLoss: Double? {
        labelled > 0 ? min(1, max(0, (Double(lost) + Double(turned).squareRoot()) / Double(labelled))) : nil
    }

    func entry(boundary: String, mode: String, elements: Int) -> CodecProfile.Entry {
        CodecProfile.Entry(
            boundary: boundary, mode: mode, elements: Int64(elements),
            encoded: ByteCount(sizes.sorted()[sizes.count / 2]), encode: Timing(samples: encodeTimes),
            decode: Timing(samples: decodeTimes), top1Agreement: comparison.count > 0 ? comparison.top1Agreement : nil,
            outputCosine: comparison.count > 0 ? comparison.meanCosine : nil, accuracyLoss: accuracyLoss)
    }
}

extension CodecProfile.Entry {
    /// Takes over what the package says of a calibrated coding's accuracy.
    fileprivate mutating func keep(_ setting: CutCodec.Setting, images: Int) {
        top1Agreement = setting.top1Agreement
        outputCosine = min(1, max(-1, setting.outputCosine))
        accuracyLoss = setting.loss
        accuracyImages = images
        isCalibrated = true
    }
}
