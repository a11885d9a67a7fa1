private import FoundationEssentials
private import ModelGraph
private import Planning
internal import Testing

@Suite struct LatencyModelTests {
    /// Convolutional chains of random widths, as the engine would be asked to run them.
    private func network(_ generator: inout SeededGenerator) -> Graph {
        var graph = Graph(name: "chain")
        var value = graph.addInput("image", TensorType(.float32, [1, 3, 64, 64]))
        var channels = 3
        for layer in 0..<10 {
            let outputs = 8 * Int.random(in: 1...24, using: &generator)
            let side = layer % 3 == 0 ? 3 : 1
            let weights = graph.addConstant(
                "w\(layer)",
                Tensor(
                    [Float](repeating: 0, count: outputs * channels * side * side),
                    shape: [outputs, channels, side, side]))
            let stride = layer % 4 == 3 ? 2 : 1
            let window = Window(
                kernel: [side, side], strides: [stride, stride], padsBegin: [side / 2, side / 2],
                padsEnd: [side / 2, side / 2])
            value = try! graph.append(
                .convolution(Convolution(window: window)), name: "conv\(layer)", inputs: [value, weights],
                outputNames: ["v\(layer)"])[0]
            channels = outputs
        }
        graph.outputs = [value]
        return graph
    }

    /// A machine that starts in 2 µs, multiplies 20 a nanosecond and moves 4 elements a nanosecond, give or take 2 %.
    private func time(_ shape: LayerShape, _ generator: inout SeededGenerator) -> Int64 {
        let ideal =
            2_000 + shape.multiplyAdds / 20 + Double(shape.inputElements + shape.outputElements + shape.weights) / 4
        return Int64(ideal * .random(in: 0.98...1.02, using: &generator))
    }

    private func samples(_ count: Int, _ generator: inout SeededGenerator) -> [LayerSample] {
        (0..<count).flatMap { _ in
            network(&generator).layerShapes.map { LayerSample($0, nanoseconds: time($0, &generator)) }
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>) func predictsNetworksNeverSeen(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let model = LatencyModel(samples(20, &generator))
        let graph = network(&generator)
        var (sum, measured) = (0.0, 0.0)
        for shape in graph.layerShapes {
            let truth = Double(time(shape, &generator))
            #expect(abs(model.nanoseconds(shape) / truth - 1) < 0.2, "seed \(seed): \(shape)")
            sum += model.nanoseconds(shape)
            measured += truth
        }
        #expect(abs(sum / measured - 1) < 0.05, "seed \(seed)")
    }

    @Test func aPredictedProfileServesThePlanner() throws {
        var generator = SeededGenerator(seed: 4)
        let machine = DeviceCharacterization(
            provenance: .test, precision: .int8, threads: 1, layers: samples(8, &generator))
        #expect(try DeviceCharacterization.read(machine.json(), named: "c.json") == machine)
        let graph = network(&generator)
        let profile = machine.profile(of: graph, model: .test, role: .edge, command: "cleave predict")
        try profile.validate()
        #expect(profile.nodes.map(\.name) == graph.nodes.map(\.name))
        #expect(profile.wholeNetwork.median == profile.sumOfNodes)
        let samples = try profile.samples(of: graph)
        #expect(samples.map(\.nanoseconds) == profile.nodes.map(\.timing.median.wholeNanoseconds))
    }

    @Test func aKindNeverTimedIsPredictedByTheOthers() {
        var generator = SeededGenerator(seed: 6)
        let model = LatencyModel(samples(4, &generator))
        var shape = network(&generator).layerShapes[1]
        shape.kind = "resize"
        #expect(model.nanoseconds(shape) > 0 && model.nanoseconds(shape).isFinite)
    }

    @Test func errorsCompareThreeWays() throws {
        var generator = SeededGenerator(seed: 8)
        let machine = DeviceCharacterization(
            provenance: .test, precision: .int8, threads: 1, layers: samples(12, &generator))
        var networks: [(name: String, graph: Graph, profile: DeviceProfile)] = []
        for index in 0..<4 {
            let graph = network(&generator)
            let times = graph.layerShapes.map { time($0, &generator) }
            networks.append(("network \(index)", graph, .test(.edge, graph, nanoseconds: { times[$0] })))
        }
        let errors = try PredictionErrors(machine, networks: networks)
        #expect(errors.rows.map(\.network) == networks.map(\.name))
        #expect(errors.medians(\.characterized).total < 0.05 && errors.medians(\.leftOut).total < 0.05)
        // A line in the input's size alone does not know the channels.
        #expect(errors.medians(\.neurosurgeon).medianLayer > errors.medians(\.leftOut).medianLayer)
    }

    @Test func refusesWhatCannotBe() throws {
        var generator = SeededGenerator(seed: 9)
        var layers = samples(1, &generator)
        func error() throws -> String? {
            let machine = DeviceCharacterization(provenance: .test, precision: .int8, threads: 1, layers: layers)
            let json = try machine.json()
            return #expect(throws: PlanningError.self) { try DeviceCharacterization.read(json, named: "c.json") }?
                .location
        }
        layers[3].shape.pixels = -1
        #expect(try error() == "c.json: layers[3].shape")
        layers[3].shape.pixels = 1
        layers[2].nanoseconds = -5
        #expect(try error() == "c.json: layers[2].nanoseconds")
        layers = []
        #expect(try error() == "c.json: layers")
    }

    @Test func additionsThatConvolutionsDoAreTold() throws {
        var generator = SeededGenerator(seed: 3)
        var graph = network(&generator)
        let last = graph.outputs[0]
        let type = graph[last].type
        let other = graph.addInput("other", type)
        let sum = try graph.append(
            .binary(.add, activation: nil), name: "sum", inputs: [last, other], outputNames: ["sum"])[0]
        graph.outputs = [sum]
        let shapes = graph.layerShapes
        #expect(shapes[10].kind == "fused add" && shapes[9].addsOnTheWay && !shapes[8].addsOnTheWay)
    }
}
