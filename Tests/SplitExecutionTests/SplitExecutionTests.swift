internal import ActivationCodec
internal import InferenceEngine
internal import ModelGraph
internal import SplitExecution
internal import TestSupport
internal import Testing

/// At every legal cut: head, boundary and tail together are the whole network.
@Suite struct HeadAndTailTests {
    private let pool = WorkerPool(width: 2)

    /// Head and tail outputs of one cut, in the graph's order.
    private func merged(_ cut: Cut, _ graph: Graph, head: [Tensor], tail: [Tensor]) -> [Tensor] {
        graph.outputs.map { output in
            if let index = cut.headOutputs.firstIndex(of: output) { return head[index] }
            guard let index = cut.tailOutputs.firstIndex(of: output) else {
                preconditionFailure("\(graph[output].name) is computed nowhere")
            }
            return tail[index]
        }
    }

    private func expectEqual(_ got: [Tensor], _ expected: [Tensor], _ place: String) {
        #expect(got.count == expected.count)
        for (index, (left, right)) in zip(got, expected).enumerated() {
            #expect(left.type == right.type, "\(place)")
            #expect(left.array(of: Float.self) == right.array(of: Float.self), "\(place), output \(index)")
        }
    }

    @Test(arguments: SplitSubject.all)
    func theCutsAreThere(subject: SplitSubject) {
        #expect(subject.cuts.count > subject.graph.nodes.count / 2)
        #expect(subject.cuts.first?.isCloudOnly == true && subject.cuts.last?.isEdgeOnly == true)
    }

    @Test(arguments: SplitSubject.all)
    func floatHeadAndTailComposeToTheWhole(subject: SplitSubject) throws {
        let graph = subject.graph
        let whole = InferenceSession(try PreparedModel(graph), pool: pool)
        for cut in subject.cuts {
            let head = try PreparedModel(
                graph.extracting(inputs: graph.inputs, outputs: cut.boundary + cut.headOutputs, name: "head"))
            let tail = try PreparedModel(graph.tail(of: cut))
            for inputs in subject.inputs {
                let computed = try InferenceSession(head, pool: pool).run(inputs)
                let finished = try InferenceSession(tail, pool: pool).run(Array(computed.prefix(cut.boundary.count)))
                let outputs = merged(
                    cut, graph, head: Array(computed.dropFirst(cut.boundary.count)), tail: finished)
                for (got, expected) in zip(outputs, try whole.run(inputs)) {
                    #expect(got.relativeDifference(from: expected) < 1e-5, "\(graph.name), cut \(cut.name(in: graph))")
                }
            }
        }
    }

    /// The lossless codec changes nothing of what the hybrid network computes.
    @Test(arguments: SplitSubject.all)
    func theLosslessCodecIsInvisible(subject: SplitSubject) throws {
        for cut in subject.cuts where !cut.isEdgeOnly {
            let head = try HeadRunner(subject.quantized, cut: cut, pool: pool)
            let plain = try TailRunner(subject.quantized, cut: cut, layout: .channelsLast, pool: pool)
            let decoded = try TailRunner(subject.quantized, cut: cut, pool: pool)
            for inputs in subject.inputs {
                try head.feed(inputs)
                try head.run()
                let expected = try plain.complete(head.boundary.indices.map(head.codes))
                let bytes = try encodeFrame(id: 1, head.sources(.lossless8))
                let frame = try decodeFrame(bytes, expecting: head.boundary.map { ExpectedTensor($0.signature) })
                expectEqual(
                    try decoded.complete(frame.tensors), expected, "\(subject), cut \(cut.name(in: subject.graph))")
            }
        }
    }

    /// An edge that finishes alone answers as if it had never been split, head outputs included.
    @Test(arguments: SplitSubject.all)
    func integerHeadAndTailAreTheWholeIntegerNetwork(subject: SplitSubject) throws {
        let whole = InferenceSession(
            try PreparedModel(subject.quantized, options: PreparationOptions()), pool: pool)
        for cut in subject.cuts {
            let head = try HeadRunner(subject.quantized, cut: cut, pool: pool)
            #expect(head.outputNames == cut.headOutputs.map { subject.graph[$0].name })
            let tail = try TailRunner(
                subject.quantized, cut: cut, arithmetic: .int8, layout: .channelsLast, pool: pool)
            for inputs in subject.inputs {
                try head.feed(inputs)
                try head.run()
                let finished = try tail.complete(head.boundary.indices.map(head.codes))
                expectEqual(
                    merged(cut, subject.graph, head: head.outputs(), tail: finished), try whole.run(inputs),
                    "\(subject), cut \(cut.name(in: subject.graph))")
            }
        }
    }

    /// Within half a step of the channel's own range, a step being rounded up to a whole code.
    @Test(arguments: SplitSubject.all, [CodecMode.quantized4, .quantized2])
    func coarseCodecsKeepTheirBound(subject: SplitSubject, mode: CodecMode) throws {
        for cut in subject.cuts where !cut.isEdgeOnly {
            let head = try HeadRunner(subject.quantized, cut: cut, pool: pool)
            let tail = try TailRunner(subject.quantized, cut: cut, pool: pool)
            for inputs in subject.inputs {
                try head.feed(inputs)
                try head.run()
                let sent = try decodeFrame(encodeFrame(id: 1, head.sources(.lossless8)))
                let coarse = try decodeFrame(encodeFrame(id: 1, head.sources(mode)))
                for (index, port) in head.boundary.enumerated() {
                    let place = "\(subject), cut \(cut.name(in: subject.graph)), \(port.name), \(mode)"
                    let ranges = try #require(coarse.header.tensors[index].ranges)
                    let channels = port.shape.rank > 1 ? port.shape[1] : 1
                    let pixels = port.shape.rank > 2 ? port.shape.elementCount(in: 2..<port.shape.rank) : 1
                    for (element, (code, got)) in zip(sent.tensors[index], coarse.tensors[index]).enumerated() {
                        let channel = ranges.count == 1 ? 0 : element / pixels % channels
                        let span = Int(ranges.upper[channel]) - Int(ranges.lower[channel])
                        let levels = mode.precision.levelCount - 1
                        let step = (span + levels - 1) / levels
                        #expect(2 * abs(Int(code) - Int(got)) <= step, "\(place)")
                    }
                }
                for output in try tail.complete(coarse.tensors) {
                    #expect(output.array(of: Float.self).allSatisfy { $0.isFinite })
                }
            }
        }
    }

    /// Quantisers designed on a boundary and held by both sides: what arrives is what their tables say, element by element.
    @Test(arguments: SplitSubject.all)
    func calibratedCodecsSendWhatTheirTablesSay(subject: SplitSubject) throws {
        for cut in subject.cuts where !cut.isEdgeOnly {
            let head = try HeadRunner(subject.quantized, cut: cut, pool: pool)
            var histograms = try head.boundary.map { try CodeHistograms($0.signature) }
            for inputs in subject.inputs {
                try head.feed(inputs)
                try head.run()
                for index in histograms.indices {
                    histograms[index].add(head.codes(index).bindMemory(to: UInt8.self), layout: .channelsLast)
                }
            }
            let quantizers = try histograms.map { try LevelQuantizer.designing($0, levels: 4, rateWeight: 0.05) }
            let expected = zip(head.boundary, quantizers).map {
                ExpectedTensor($0.signature, agreedQuantizers: [$1])
            }
            let frame = try decodeFrame(
                encodeFrame(id: 1, head.sources(.calibrated(name: "four", quantizers: quantizers))), expecting: expected
            )
            let sent = try decodeFrame(encodeFrame(id: 1, head.sources(.lossless8)))
            for (index, quantizer) in quantizers.enumerated() {
                let planeSize = frame.header.tensors[index].geometry.planeSize
                let told = sent.tensors[index].enumerated().map { element, code in
                    let channel = element / planeSize % quantizer.channelCount
                    return quantizer.codes[channel * 4 + quantizer.level(of: code, channel: channel)]
                }
                #expect(frame.tensors[index] == told, "\(subject), cut \(cut.name(in: subject.graph)), tensor \(index)")
            }
        }
    }

    @Test func instructionSetsSendTheSameCodes() throws {
        let subject = SplitSubject.all[0]
        for cut in subject.cuts {
            var first: [[UInt8]]?
            for set in InstructionSet.available {
                let head = try HeadRunner(subject.quantized, cut: cut, pool: pool, instructionSet: set)
                try head.feed(subject.inputs[0])
                try head.run()
                let codes = head.boundary.indices.map { Array(head.codes($0)) }
                #expect(first ?? codes == codes, "\(set), cut \(cut.name(in: subject.graph))")
                first = codes
            }
        }
    }
}
