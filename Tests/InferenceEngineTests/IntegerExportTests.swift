internal import InferenceEngine
internal import ModelGraph
internal import ONNXFormat
internal import TestSupport
internal import Testing

/// Integer networks written in QDQ form, read again, and computed in floats by their definition.
@Suite struct IntegerExportTests {
    private static let pool = WorkerPool(width: 1)

    /// Sums of products are rounded once in integers and a few times in floats: a result on the edge between two codes may
    /// fall on either side, and what reads it differs by that. Written out every activation is rounded; the engine rounds
    /// none that only passes through, which makes up to half a quantum.
    private func expectSame(_ graph: Graph, seed: UInt64) throws {
        let quantized = try MinMaxQuantization.quantized(graph, seed: seed)
        let images = graph.randomInputs(seed: seed)
        let expected = try InferenceSession(
            try PreparedModel(quantized, options: PreparationOptions()), pool: Self.pool
        ).run(images)
        let bytes = try exportONNX(quantized)
        let storage = TensorStorage(byteCount: bytes.count) { target in
            bytes.withUnsafeBytes { target.copyMemory(from: $0) }
        }
        let written = try importONNX(storage)
        let answers = try InferenceSession(try PreparedModel(written), pool: Self.pool).run(images)
        for (index, output) in graph.outputs.enumerated() {
            guard let step = quantized[output]?.scale else { continue }
            let (exact, got) = (expected[index].array(of: Float.self), answers[index].array(of: Float.self))
            try #require(exact.count == got.count)
            let errors = zip(exact, got).map { abs($0 - $1) / step }
            let mean = errors.reduce(0, +) / Float(max(errors.count, 1))
            #expect(
                mean < 1,
                "\(graph.name), output \(graph[output].name): \(mean) quanta off on average")
        }
    }

    /// Odd seeds make ranges that hold the inputs they were taken from.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func randomNetworks(seed: UInt64) throws {
        var graph = RandomNetwork.make(seed: seed, .integer, nodeCount: 8)
        // ONNX names each output once.
        graph.outputs = Set(graph.outputs).sorted()
        try expectSame(graph, seed: 2 * seed + 1)
    }

    @Test(arguments: 0..<3)
    func testGraphs(index: Int) throws {
        try expectSame(TestGraphs.all[index], seed: 3)
    }

    @Test func weightsAreWrittenAsIntegersOnly() throws {
        var builder = GraphBuilder(name: "products", seed: 5)
        let x = builder.input("x", [1, 64, 8, 8])
        builder.output(builder.convolution("wide", x, outputs: 256, kernel: 3, activation: .relu))
        let quantized = try MinMaxQuantization.quantized(builder.graph, seed: 6)
        let bytes = try exportONNX(quantized).count
        #expect(bytes < 64 * 256 * 9 + 16_384)
    }
}
