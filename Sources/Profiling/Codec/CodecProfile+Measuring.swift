package import ActivationCodec
package import InferenceEngine
package import ModelGraph
package import Planning
internal import Quantization
internal import SplitExecution

extension CodecProfile {
    /// Encodes and decodes, in each mode, the boundary of every cut offered, on real activations.
    ///
    /// Where `measuresAccuracy`, each decoded boundary is also completed by the float32 tail and compared with the
    /// float32 network: agreement and cosine then hold the losses of int8 and of the codec together.
    /// - Parameters:
    ///   - cuts: those whose boundaries are wanted; edge-only cuts have none and are passed over.
    ///   - count: number of images; ≥ 1.
    ///   - input: the float32 tensors of image 0..<count.
    ///   - progress: steps done, steps to do.
    package static func measure(
        _ quantized: QuantizedGraph, cuts: [Cut], modes: [CodecMode], model: ModelIdentity, provenance: Provenance,
        pool: WorkerPool, instructionSet: InstructionSet, count: Int, measuresAccuracy: Bool,
        input: (Int) throws -> [Tensor], progress: (Int, Int) -> Void = { _, _ in }
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
        for (position, cut) in offered.enumerated() {
            let head = try HeadRunner(quantized, cut: cut, pool: pool, instructionSet: instructionSet)
            let tail =
                measuresAccuracy
                ? try TailRunner(quantized, cut: cut, pool: pool, instructionSet: instructionSet) : nil
            var measurements = modes.map { _ in CodecSamples() }
            var encoder = FrameEncoder()
            for (image, tensors) in inputs.enumerated() {
                try head.feed(tensors)
                try head.run()
                for (mode, codecMode) in modes.enumerated() {
                    let frame = try measurements[mode].measure(head.sources(codecMode), with: &encoder)
                    guard let tail else { continue }
                    let outputs = try tail.complete(frame.tensors)
                    for (port, output) in zip(tail.outputs, outputs) {
                        guard let index = expectedByName[port.name] else { continue }
                        measurements[mode].comparison.add(
                            expected: expected[image][index].array(of: Float.self), got: output.array(of: Float.self))
                    }
                }
            }
            let elements = head.boundary.reduce(0) { $0 + $1.shape.elementCount }
            for (mode, samples) in zip(modes, measurements) {
                entries.append(
                    samples.entry(
                        boundary: cut.boundary.map { graph[$0].name }.joined(separator: "+"), mode: mode.description,
                        elements: elements))
            }
            progress(position + 1, offered.count)
        }
        return CodecProfile(
            provenance: provenance, model: model, images: count, entries: entries,
            edgeOnlyTop1Agreement: measuresAccuracy
                ? try wholeAgreement(
                    quantized, inputs: inputs, expected: expected, pool: pool, instructionSet: instructionSet) : nil)
    }

    /// The share of inputs for which the whole network in integers has the float32 network's top-1 class.
    private static func wholeAgreement(
        _ quantized: QuantizedGraph, inputs: [[Tensor]], expected: [[Tensor]], pool: WorkerPool,
        instructionSet: InstructionSet
    ) throws -> Double {
        let options = PreparationOptions(instructionSet: instructionSet)
        let sessions = SessionPool(try PreparedModel(quantized, options: options), pool: pool)
        var comparison = OutputComparison()
        for (tensors, exact) in zip(inputs, expected) {
            for (expected, got) in zip(exact, try sessions.run(tensors)) {
                comparison.add(expected: expected.array(of: Float.self), got: got.array(of: Float.self))
            }
        }
        return comparison.top1Agreement
    }
}

/// What was seen of one boundary in one mode.
private struct CodecSamples {
    var sizes: [Int] = []
    var encodeTimes: [Duration] = []
    var decodeTimes: [Duration] = []
    var comparison = OutputComparison()

    mutating func measure(_ sources: [TensorSource], with encoder: inout FrameEncoder) throws -> DecodedFrame {
        let start = ContinuousClock.now
        var bytes = try encoder.begin(frameID: 0, tensors: sources)
        while try encoder.appendNextBand(to: &bytes) {}
        let encoded = ContinuousClock.now
        let frame = try decodeFrame(bytes)
        let decoded = ContinuousClock.now
        sizes.append(bytes.count)
        encodeTimes.append(encoded - start)
        decodeTimes.append(decoded - encoded)
        return frame
    }

    func entry(boundary: String, mode: String, elements: Int) -> CodecProfile.Entry {
        CodecProfile.Entry(
            boundary: boundary, mode: mode, elements: Int64(elements),
            encoded: ByteCount(sizes.sorted()[sizes.count / 2]), encode: Timing(samples: encodeTimes),
            decode: Timing(samples: decodeTimes), top1Agreement: comparison.count > 0 ? comparison.top1Agreement : nil,
            outputCosine: comparison.count > 0 ? comparison.meanCosine : nil)
    }
}
