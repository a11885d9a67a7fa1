internal import InferenceEngine
internal import ModelGraph
internal import TestSupport
internal import Testing

/// Layers computed together, some rows at a time, against the same layers one after the other, bit for bit.
@Suite struct RowBandsTests {
    private static let pools = [1, 3].map { WorkerPool(width: $0) }

    /// A chain of layers as networks have them, over images of odd sizes.
    private struct Author {
        private var builder: GraphBuilder
        private var generator: SplitMix64
        private var image: ValueID

        init(seed: UInt64) {
            builder = GraphBuilder(name: "chain-\(seed)", seed: seed &+ 1)
            generator = SplitMix64(seed: seed)
            let shape = Shape([
                Int.random(in: 1...2, using: &generator), Int.random(in: 3...12, using: &generator),
                Int.random(in: 9...40, using: &generator), Int.random(in: 5...30, using: &generator),
            ])
            image = builder.input("x", shape)
        }

        private mutating func pick<Element>(_ elements: [Element]) -> Element {
            elements[Int.random(in: elements.indices, using: &generator)]
        }

        private mutating func window(_ kernel: Int) -> Window {
            let stride = pick([1, 1, 2])
            let pads = [pick([0, kernel / 2]), kernel / 2]
            return Window(
                kernel: [kernel, kernel], strides: [stride, stride], padsBegin: pads, padsEnd: [kernel / 2, kernel / 2])
        }

        private mutating func addLayer(_ name: String) {
            let shape = builder.shape(image)
            let activation: Clamp? = pick([nil, .relu, .relu6])
            guard shape[2] >= 5, shape[3] >= 5 else { return }
            switch pick(Array(0...8)) {
            case 0, 1:
                image = builder.convolution(
                    name, image, outputs: pick([6, 16, 24, 40]), kernel: 1, activation: activation)
            case 2, 3:
                let kernel = pick([3, 5])
                let weights = builder.constant("\(name).w", [shape[1], 1, kernel, kernel], in: -0.5...0.5)
                let convolution = Convolution(window: window(kernel), groups: shape[1], activation: activation)
                image = builder.node(name, .convolution(convolution), image, weights)
            case 4:
                let weights = builder.constant("\(name).w", [8, shape[1], 3, 3], in: -0.3...0.3)
                image = builder.node(
                    name, .convolution(Convolution(window: window(3), activation: activation)), image, weights)
            case 5:
                let pooling = Pooling(
                    window: window(3), roundsUp: pick([false, true]), countsPadding: pick([false, true]))
                image = builder.node(name, pick([.maxPool(pooling), .averagePool(pooling)]), image)
            case 6:
                image = builder.node(
                    name, .unary(pick([.hardSwish, .swish(alpha: 1), .erf, .clamp(.relu), .leakyRelu(alpha: 0.1)])),
                    image)
            case 7:
                let pooled = builder.node("\(name).pooled", .globalAveragePool, image)
                let gate = builder.node("\(name).gate", .unary(.sigmoid), pooled)
                image = builder.node(name, .binary(.multiply, activation: nil), image, gate)
            default:
                let wide = builder.convolution("\(name).wide", image, outputs: 24, kernel: 1, activation: activation)
                let deep = builder.convolution("\(name).deep", wide, outputs: 24, groups: 24, activation: .relu6)
                let narrow = builder.convolution("\(name).narrow", deep, outputs: shape[1], kernel: 1)
                image = builder.node(name, .binary(.add, activation: activation), image, narrow)
            }
        }

        mutating func write() -> Graph {
            for index in 0..<7 { addLayer("n\(index)") }
            builder.output(image)
            return builder.graph
        }
    }

    private static func chain(seed: UInt64) -> Graph {
        var author = Author(seed: seed)
        return author.write()
    }

    private func expectSame(
        _ graph: Graph, seed: UInt64, prepare: (PreparationOptions) throws -> PreparedModel
    ) throws {
        let images = graph.randomInputs(seed: seed)
        for set in Set([.scalar, .best] as [InstructionSet]) {
            let expected = try InferenceSession(
                try prepare(PreparationOptions(instructionSet: set, cacheByteCount: 0)), pool: Self.pools[0]
            ).run(images).map { $0.array(of: Float.self) }
            for cache in [1 << 13, 1 << 14, 1 << 16] {
                let model = try prepare(PreparationOptions(instructionSet: set, cacheByteCount: cache))
                for pool in Self.pools {
                    let session = InferenceSession(model, pool: pool)
                    _ = try session.run(graph.randomInputs(seed: seed &+ 1))
                    let actual = try session.run(images).map { $0.array(of: Float.self) }
                    #expect(
                        actual == expected,
                        "\(graph.name), \(set), \(cache) bytes of cache, \(pool.width) threads: \(model.nodesInBands)")
                }
            }
        }
    }

    @Test func mostChainsHaveBands() throws {
        let models = try (0..<40 as Range<UInt64>).map {
            try PreparedModel(Self.chain(seed: $0), options: PreparationOptions(cacheByteCount: 1 << 14))
        }
        #expect(models.count { !$0.nodesInBands.isEmpty } >= 25)
        // More than two in a row, and changes in place.
        #expect(models.contains { $0.nodesInBands.count >= 4 })
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func floatChainsChangeNoBit(seed: UInt64) throws {
        let graph = Self.chain(seed: seed)
        try expectSame(graph, seed: seed) { try PreparedModel(graph, options: $0) }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func integerChainsChangeNoBit(seed: UInt64) throws {
        let graph = Self.chain(seed: seed)
        let quantized = try MinMaxQuantization.quantized(graph, seed: seed)
        try expectSame(graph, seed: seed) { try PreparedModel(quantized, options: $0) }
    }

    /// Everything the engine has kernels for, with what may not be joined between.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func randomNetworksChangeNoBit(seed: UInt64) throws {
        let graph = RandomNetwork.make(seed: seed, .integer)
        try expectSame(graph, seed: seed) { try PreparedModel(graph, options: $0) }
    }

    private func invertedResidual() -> Graph {
        var builder = GraphBuilder(name: "inverted residual", seed: 3)
        let x = builder.input("x", [1, 8, 32, 32])
        let wide = builder.convolution("wide", x, outputs: 48, kernel: 1, activation: .relu6)
        let deep = builder.convolution("deep", wide, outputs: 48, groups: 48, activation: .relu6)
        let narrow = builder.convolution("narrow", deep, outputs: 8, kernel: 1)
        builder.output(builder.node("sum", .binary(.add, activation: nil), narrow, x))
        return builder.graph
    }

    @Test func bandsTakeLessMemory() throws {
        let graph = invertedResidual()
        let whole = try PreparedModel(graph, options: PreparationOptions(cacheByteCount: 0))
        let banded = try PreparedModel(graph, options: PreparationOptions(cacheByteCount: 1 << 16))
        #expect(whole.nodesInBands == [])
        #expect(banded.nodesInBands == ["wide", "deep", "narrow"])
        #expect(banded.arenaByteCount * 4 < whole.arenaByteCount)
    }

    @Test func eachNodeHasItsShareOfTheTime() throws {
        let model = try PreparedModel(invertedResidual(), options: PreparationOptions(cacheByteCount: 1 << 16))
        let session = InferenceSession(model, pool: Self.pools[1])
        var times = LayerTimes(for: model)
        for _ in 0..<100 { try session.run(measuring: &times) }
        for (name, nanoseconds) in zip(model.nodeNames, times.nanoseconds) where name != "sum" {
            #expect(nanoseconds > 0, "\(name)")
        }
    }
}
