internal import InferenceEngine
internal import ModelGraph
internal import TestSupport
internal import Testing

/// Several images at once against the same images one at a time.
@Suite struct BatchTests {
    private static let pools = [1, 3].map { WorkerPool(width: $0) }

    /// Random networks of one image in and out; others have axes or constants that tie them to their batch.
    private static func networks(_ operators: RandomNetwork.Operators) -> [Graph] {
        let graphs = (0..<60 as Range<UInt64>).map { RandomNetwork.make(seed: $0, operators) }
        return graphs.filter { graph in
            graph.batchSize.map { (try? graph.withBatchSize(2 * $0)) != nil } ?? false
        }
    }

    @Test func enoughRandomNetworksTakeBatches() {
        #expect(Self.networks(.integer).count >= 10)
        #expect(Self.networks(.all).count >= 5)
    }

    /// - Returns: the outputs, each as one array for each image.
    private func outputs(
        _ model: PreparedModel, _ images: [[Tensor]], together: Bool, pool: WorkerPool
    ) throws -> [[[Float]]] {
        let session = InferenceSession(model, pool: pool)
        guard together else {
            let runs = try images.map { try session.run($0) }
            return model.outputs.indices.map { index in runs.map { $0[index].array(of: Float.self) } }
        }
        let inputs = model.inputs.indices.map { port in
            Tensor(images.flatMap { $0[port].array(of: Float.self) }, shape: model.inputs[port].type.shape)
        }
        return try session.run(inputs).map { output in
            let values = output.array(of: Float.self)
            let size = values.count / images.count
            return images.indices.map { Array(values[$0 * size..<($0 + 1) * size]) }
        }
    }

    /// - Parameter tolerance: 0 for bit for bit.
    private func expectSame(
        _ graph: Graph, batch: Int, tolerance: Float, prepare: (_ batch: Int) throws -> PreparedModel
    ) throws {
        let present = try #require(graph.batchSize)
        let total = present * batch
        var generator = SplitMix64(seed: UInt64(batch))
        let groups = (0..<batch).map { _ in graph.inputs.map { Tensor.random(graph[$0].type.shape, using: &generator) }
        }
        let (few, many) = (try prepare(present), try prepare(total))
        for pool in Self.pools {
            let expected = try outputs(few, groups, together: false, pool: pool)
            let actual = try outputs(many, groups, together: true, pool: pool)
            for (index, (actual, expected)) in zip(actual, expected).enumerated() {
                let magnitude = expected.joined().map(abs).max() ?? 1
                for (group, (actual, expected)) in zip(actual, expected).enumerated() {
                    let isSame = zip(actual, expected).allSatisfy {
                        $0 == $1 || abs($0 - $1) <= tolerance * max(magnitude, 1) || ($0.isNaN && $1.isNaN)
                    }
                    #expect(isSame, "\(graph.name), output \(index), group \(group) of \(batch), \(pool.width) threads")
                }
            }
        }
    }

    @Test(arguments: [2, 3, 8])
    func integersAreTheSameBits(batch: Int) throws {
        for (index, graph) in (TestGraphs.all + Self.networks(.integer)).enumerated() {
            let quantized = try MinMaxQuantization.quantized(graph, seed: UInt64(index))
            try expectSame(graph, batch: batch, tolerance: 0) { size in
                try PreparedModel(try quantized.withBatchSize(size), options: PreparationOptions())
            }
        }
    }

    @Test(arguments: [2, 3, 8])
    func floatsAreTheSameWithinRounding(batch: Int) throws {
        for graph in TestGraphs.all + Self.networks(.all) {
            try expectSame(graph, batch: batch, tolerance: 1e-5) { try PreparedModel(try graph.withBatchSize($0)) }
        }
    }
}
