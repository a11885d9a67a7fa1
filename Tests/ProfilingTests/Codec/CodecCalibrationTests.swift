internal import ActivationCodec
internal import InferenceEngine
internal import ModelGraph
internal import ModelStore
internal import Planning
internal import Profiling
internal import Quantization
internal import SplitExecution
internal import TestSupport
internal import Testing

@Suite struct CodecCalibrationTests {
    private static func quantized() throws -> QuantizedGraph {
        let graph = try TestGraphs.residual().simplified()
        let inputs = (0..<8).map { graph.randomInputs(seed: $0) }
        let measured = try Calibration.measure(
            graph, method: .minMax, count: inputs.count, pool: WorkerPool(width: 1), input: { inputs[$0] })
        return Quantizer(graph, calibration: measured).quantized()
    }

    private static func cuts(of quantized: QuantizedGraph) -> [Cut] {
        CutEnumerator().cuts(of: quantized.graph).filter {
            !$0.isEdgeOnly && $0.headOutputs.isEmpty && $0.boundary.allSatisfy { quantized[$0] != nil }
        }
    }

    private static let steps = [
        BoundaryBench.Step(levels: 2, rateWeight: 0.1), BoundaryBench.Step(levels: 4, rateWeight: 0.04),
        BoundaryBench.Step(levels: 16, rateWeight: 0.001),
    ]

    private static func calibrate(
        _ quantized: QuantizedGraph, _ cuts: [Cut], threads: Int
    ) throws -> (designs: CodecCalibration.Designs, benches: [BoundaryBench]) {
        let graph = quantized.graph
        let work = try CodecCalibration(quantized, cuts: cuts, pool: WorkerPool(width: threads))
        let designs = try work.design(steps, count: 6, input: { graph.randomInputs(seed: UInt64(100 + $0)) })
        let benches = try work.measure(
            designs, count: 5, input: { graph.randomInputs(seed: UInt64(200 + $0)) }, label: { $0 % 2 == 0 ? 1 : nil })
        return (designs, benches)
    }

    /// All boundaries of one run are what each cut's own head sends.
    @Test func aTapSeesWhatEveryHeadSends() throws {
        let quantized = try Self.quantized()
        let cuts = Self.cuts(of: quantized)
        #expect(cuts.count > 3)
        let pool = WorkerPool(width: 1)
        let model = try BoundaryTap.Model(quantized, cuts: cuts, pool: pool)
        let tap = BoundaryTap(model, pool: pool)
        let inputs = quantized.graph.randomInputs(seed: 9)
        try tap.run(inputs)
        for cut in cuts {
            let head = try HeadRunner(quantized, cut: cut, pool: pool)
            try head.feed(inputs)
            try head.run()
            for (index, position) in model.positions(of: cut, in: quantized.graph).enumerated() {
                #expect(tap.ports[position] == head.boundary[index])
                #expect(
                    tap.codes(position).elementsEqual(head.codes(index)),
                    "cut \(cut.name(in: quantized.graph)), tensor \(index)")
            }
        }
    }

    /// Quantisers and figures, times aside, do not depend on threads.
    @Test func threadsChangeNothing() throws {
        let quantized = try Self.quantized()
        let cuts = Self.cuts(of: quantized)
        let one = try Self.calibrate(quantized, cuts, threads: 1)
        let three = try Self.calibrate(quantized, cuts, threads: 3)
        #expect(one.designs == three.designs)
        for (bench, other) in zip(one.benches, three.benches) {
            #expect(bench.referenceTop1 == other.referenceTop1)
            #expect(bench.points.map(\.medianBytes) == other.points.map(\.medianBytes))
            #expect(bench.points.map(\.divergence) == other.points.map(\.divergence))
            #expect(bench.points.map(\.loss) == other.points.map(\.loss))
        }
    }

    /// The table says what a single frame, coded and completed by hand, says.
    @Test func figuresAreThoseOfTheFrames() throws {
        let quantized = try Self.quantized()
        let graph = quantized.graph
        let cuts = Self.cuts(of: quantized)
        let (designs, benches) = try Self.calibrate(quantized, cuts, threads: 2)
        let pool = WorkerPool(width: 1)
        let exact = SessionPool(try PreparedModel(graph), pool: pool)
        for (position, cut) in cuts.enumerated() {
            let coding = designs[position][1]
            let head = try HeadRunner(quantized, cut: cut, pool: pool)
            let tail = try TailRunner(quantized, cut: cut, pool: pool)
            var sizes: [Int] = []
            var comparison = OutputComparison()
            for picture in 0..<5 {
                let inputs = graph.randomInputs(seed: UInt64(200 + picture))
                try head.feed(inputs)
                try head.run()
                let sources = head.sources(coding)
                let frame = try encodeFrame(id: 0, sources)
                sizes.append(frame.count)
                let decoded = try decodeFrame(frame, expecting: coding.expected(of: sources))
                comparison.add(
                    expected: try exact.run(inputs)[0].array(of: Float.self),
                    got: try tail.complete(decoded.tensors)[0].array(of: Float.self))
            }
            let point = try #require(benches[position].points.first { $0.name == coding.name })
            #expect(point.medianBytes == sizes.sorted()[2])
            #expect(abs(point.cosine - comparison.meanCosine) < 1e-5)
            #expect(point.agreement == comparison.top1Agreement)
            #expect(point.bitsPerElement < benches[position].points[0].bitsPerElement)
        }
    }

    /// What calibration found reaches the plan: a coding within the budget, at a boundary of its own.
    @Test func thePlanTakesWhatTheBudgetAllows() throws {
        let quantized = try Self.quantized()
        let graph = quantized.graph
        let cuts = Self.cuts(of: quantized)
        let (_, benches) = try Self.calibrate(quantized, cuts, threads: 1)
        let codecs = zip(cuts, benches).map { cut, bench in
            CutCodec(bench, boundary: cut.boundary.map { graph[$0].name }, maximumLoss: 1)
        }
        for codec in codecs {
            #expect(!codec.settings.isEmpty)
            #expect(codec.settings.map(\.encodedBytes) == codec.settings.map(\.encodedBytes).sorted())
        }
        let profile = try CodecProfile.measure(
            quantized, cuts: cuts, modes: [.lossless8], codecs: codecs,
            model: ModelIdentity(name: "m", digest: "d"),
            provenance: .current(command: "test", toolVersion: "0", instructionSet: .best), pool: WorkerPool(width: 1),
            instructionSet: .best, count: 3, measuresAccuracy: true,
            input: { graph.randomInputs(seed: UInt64(300 + $0)) }, label: { _ in 1 })
        try profile.validate()
        for codec in codecs {
            for setting in codec.settings {
                let entry = try #require(
                    profile.entries.first {
                        $0.boundary == codec.boundary.joined(separator: "+") && $0.mode == setting.name
                    })
                #expect(entry.isCalibrated == true && entry.accuracyImages == codec.sampleCount)
                #expect(entry.accuracyLoss == setting.loss && entry.top1Agreement == setting.top1Agreement)
            }
        }
        #expect(profile.entries.filter { $0.isCalibrated != true }.allSatisfy { $0.accuracyLoss != nil })
    }
}
