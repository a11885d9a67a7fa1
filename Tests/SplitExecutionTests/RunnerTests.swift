internal import Dispatch
internal import ImageInput
internal import InferenceEngine
internal import ModelGraph
internal import SplitExecution
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite struct RunnerTests {
    private let pool = WorkerPool(width: 2)
    private let residual = SplitSubject.all[0]

    /// The cut in the middle of the list.
    private var cut: Cut { residual.cuts[residual.cuts.count / 2] }

    private func code(_ body: () throws -> Void) -> SplitExecutionError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? SplitExecutionError)?.code
        }
    }

    // MARK: Feeding

    @Test func picturesAreFedAsTheirTensors() throws {
        let digits = try #require(SplitSubject.all.last)
        let preprocessing = try SplitSubject.digitsPreprocessing()
        let pictures = try SplitSubject.digitsPictures()
        #expect(pictures.count == 3)
        for cut in digits.cuts {
            let head = try HeadRunner(digits.quantized, cut: cut, pool: pool)
            for (picture, tensors) in zip(pictures, digits.inputs) {
                try head.feed(picture, preprocessing)
                try head.run()
                let codes = head.boundary.indices.map { Array(head.codes($0)) }
                let outputs = head.outputs().map { $0.array(of: Float.self) }
                try head.feed(tensors)
                try head.run()
                #expect(head.boundary.indices.map { Array(head.codes($0)) } == codes)
                #expect(head.outputs().map { $0.array(of: Float.self) } == outputs)
            }
        }
    }

    @Test func colourPicturesAreInterleaved() throws {
        var generator = SplitMix64(seed: 1)
        let bytes = (0..<16 * 16 * 3).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let picture = Image(width: 16, height: 16, bytes: bytes)
        let preprocessing = try Preprocessing.Preset.signed.preprocessing(width: 16, height: 16)
        let head = try HeadRunner(residual.quantized, cut: .cloudOnly(of: residual.graph), pool: pool)
        try head.feed(picture, preprocessing)
        try head.run()
        let codes = Array(head.codes(0))
        try head.feed([Tensor(try preprocessing.tensor(from: picture), shape: [1, 3, 16, 16])])
        try head.run()
        #expect(Array(head.codes(0)) == codes)
        let quantization = head.boundary[0].quantization
        #expect(codes == bytes.map { quantization.quantize(Float(Double($0) * 2 / 255 - 1)) })
    }

    /// A head that is only partly quantised takes float pictures and tensors, too, in its own order.
    @Test func unquantisedInputsAreFedInFloat() throws {
        let graph = residual.graph
        var activations = residual.quantized.activations
        activations[graph.inputs[0].index] = nil
        let mixed = QuantizedGraph(graph: graph, activations: activations, weights: residual.quantized.weights)
        let stem = try Cut(headNodes: [NodeID(0)], of: graph)
        let head = try HeadRunner(mixed, cut: stem, pool: pool)
        try head.feed(residual.inputs[0])
        try head.run()
        let expected = try ReferenceExecutor(
            graph.extracting(inputs: graph.inputs, outputs: stem.boundary, name: "head")
        ).run(residual.inputs[0])[0].array(of: Float.self)
        let port = head.boundary[0]
        for (index, code) in head.codes(0).enumerated() {
            let (channels, pixels) = (port.shape[1], port.shape[2] * port.shape[3])
            let real = expected[index % channels * pixels + index / channels]
            #expect(abs(port.quantization.dequantize(code) - real) <= port.quantization.scale * 0.51 + 1e-4)
        }
    }

    @Test func headsRefuseWhatDoesNotFit() throws {
        let head = try HeadRunner(residual.quantized, cut: cut, pool: pool)
        #expect(code { try head.feed([]) } == .inputMismatch)
        #expect(code { try head.feed([Tensor([1] as [Float], shape: [1])]) } == .inputMismatch)
        let picture = Image(width: 2, height: 2, bytes: [UInt8](repeating: 0, count: 12))
        let preprocessing = try Preprocessing.Preset.unit.preprocessing(width: 8, height: 8)
        #expect(code { try head.feed(picture, preprocessing) } == .inputMismatch)
    }

    @Test func tailsRefuseWhatDoesNotFit() throws {
        let tail = try TailRunner(residual.quantized, cut: cut, pool: pool)
        let codes = tail.boundary.map { [UInt8](repeating: $0.quantization.zeroPoint, count: $0.shape.elementCount) }
        #expect(code { _ = try tail.complete(codes) } == nil)
        #expect(code { _ = try tail.complete([[UInt8]]()) } == .inputMismatch)
        #expect(code { _ = try tail.complete(codes + codes) } == .inputMismatch)
        var short = codes
        short[0].removeLast()
        #expect(code { _ = try tail.complete(short) } == .inputMismatch)
    }

    @Test func boundariesMustBeQuantised() throws {
        var activations = residual.quantized.activations
        activations[cut.boundary[0].index] = nil
        let mixed = QuantizedGraph(
            graph: residual.graph, activations: activations, weights: residual.quantized.weights)
        #expect(code { _ = try HeadRunner(mixed, cut: cut, pool: pool) } == .unquantizedBoundary)
        #expect(code { _ = try TailRunner(mixed, cut: cut, pool: pool) } == .unquantizedBoundary)
    }

    // MARK: Sharing

    @Test func oneTailServesManyCallers() throws {
        let tail = try TailRunner(residual.quantized, cut: cut, pool: pool)
        let codes: [[[UInt8]]] = (0..<8).map { caller in
            var generator = SplitMix64(seed: UInt64(caller))
            return tail.boundary.map { port in
                (0..<port.shape.elementCount).map { _ in UInt8.random(in: 0...255, using: &generator) }
            }
        }
        let expected = try codes.map { try tail.complete($0).map { $0.array(of: Float.self) } }
        let mismatches = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: codes.count) { caller in
            for _ in 0..<20 {
                let outputs = try? tail.complete(codes[caller]).map { $0.array(of: Float.self) }
                if outputs != expected[caller] { mismatches.add(1, ordering: .relaxed) }
            }
        }
        #expect(mismatches.load(ordering: .relaxed) == 0)
    }

    /// Weights of layers that several cuts' tails have in common are packed once, and answers stay what they were.
    @Test(arguments: [TailRunner.Arithmetic.float32, .int8])
    func tailsOfOneNetworkShareWeights(arithmetic: TailRunner.Arithmetic) throws {
        let subject = residual
        let shared = SharedWeights()
        let tails = try subject.cuts.dropLast().map {
            try TailRunner(subject.quantized, cut: $0, arithmetic: arithmetic, pool: pool, sharedWeights: shared)
        }
        let alone = try subject.cuts.dropLast().map {
            try TailRunner(subject.quantized, cut: $0, arithmetic: arithmetic, pool: pool)
        }
        let largest = alone.map(\.model.weightByteCount).max() ?? 0
        #expect(shared.byteCount == largest)
        #expect(alone.reduce(0) { $0 + $1.model.weightByteCount } > largest)
        for (tail, reference) in zip(tails, alone) {
            let codes = tail.boundary.map { [UInt8](repeating: 77, count: $0.shape.elementCount) }
            let answers = try tail.complete(codes).map { $0.array(of: Float.self) }
            #expect(answers == (try reference.complete(codes).map { $0.array(of: Float.self) }))
        }
    }

    @Test func measuringCoversTheTailsNodes() throws {
        let tail = try TailRunner(residual.quantized, cut: cut, pool: pool)
        let codes = [UInt8](repeating: 7, count: tail.boundary.map(\.shape.elementCount).max() ?? 0)
        var times = LayerTimes(for: tail.model)
        try codes.withUnsafeBytes { bytes in
            let parts = tail.boundary.map { UnsafeRawBufferPointer(rebasing: bytes.prefix($0.shape.elementCount)) }
            for _ in 0..<100 { try tail.complete(parts, measuring: &times) }
        }
        #expect(times.nanoseconds.reduce(0, +) > 0)
        #expect(tail.model.nodeNames.count == residual.graph.nodes.count - cut.headNodes.count)
    }
}
