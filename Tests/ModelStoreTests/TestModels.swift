internal import FoundationEssentials
internal import ImageInput
internal import ModelGraph
internal import ModelStore
internal import TestSupport

/// Small models with all that a package may hold.
enum TestModels {
    /// Convolution, pad with an infinite fill, pool, a product with a constant, a select-like chain over bool and int64
    /// constants, and a classifier.
    static func graph(seed: UInt64 = 1, channels: Int = 6) throws -> Graph {
        var generator = SplitMix64(seed: seed)
        var graph = Graph(name: "small")
        let x = graph.addInput("x", TensorType(.float32, [1, 3, 6, 6]))
        let weights = graph.addConstant("conv.w", .random([channels, 3, 3, 3], in: -1...1, using: &generator))
        let bias = graph.addConstant("conv.b", .random([channels], in: -1...1, using: &generator))
        let factor = graph.addConstant("factor", .random([channels, 1, 1], in: -1...1, using: &generator))
        let indices = graph.addConstant("indices", Tensor([Int64(2), 0, 1], shape: [3]))
        let matrix = graph.addConstant("fc.w", .random([channels, 5], in: -1...1, using: &generator))
        let mask = graph.addConstant("mask", Tensor([true, false, true], shape: [3]))
        let empty = graph.addConstant("empty", Tensor([Float](), shape: [0, 5]))
        let convolution = Convolution(window: Window(kernel: [3, 3]), activation: .relu6)
        let conv = try graph.append(
            .convolution(convolution), name: "conv", inputs: [x, weights, bias], outputNames: ["conv"])[0]
        let pad = Pad(mode: .constant, begins: [0, 0, 1, 1], ends: [0, 0, 1, 1], value: -.infinity)
        let padded = try graph.append(.pad(pad), name: "pad", inputs: [conv], outputNames: ["pad"])[0]
        let pool = Pooling(window: Window(kernel: [2, 2], strides: [2, 2]))
        let pooled = try graph.append(.maxPool(pool), name: "pool", inputs: [padded], outputNames: ["pool"])[0]
        let scaled = try graph.append(
            .binary(.multiply, activation: nil), name: "scale", inputs: [pooled, factor], outputNames: ["scale"])[0]
        let mean = try graph.append(.globalAveragePool, name: "mean", inputs: [scaled], outputNames: ["mean"])[0]
        let flat = try graph.append(.flatten(axis: 1), name: "flat", inputs: [mean], outputNames: ["flat"])[0]
        let logits = try graph.append(
            .gemm(Gemm(alpha: 0.5)), name: "fc", inputs: [flat, matrix, nil], outputNames: ["fc"])[0]
        let joined = try graph.append(
            .concat(axis: 0), name: "join", inputs: [logits, empty], outputNames: ["join"])[0]
        let gathered = try graph.append(
            .gather(axis: 1), name: "gather", inputs: [joined, indices], outputNames: ["gather"])[0]
        let numbers = try graph.append(
            .cast(.float32), name: "numbers", inputs: [mask], outputNames: ["numbers"])[0]
        let result = try graph.append(
            .binary(.add, activation: Clamp(upper: 9)), name: "result", inputs: [gathered, numbers],
            outputNames: ["result"])[0]
        graph.outputs = [result, logits]
        return graph
    }

    /// `graph()` with integer weights of random bytes at the convolution and the matrix product.
    static func quantized(seed: UInt64 = 1, channels: Int = 6) throws -> QuantizedGraph {
        var generator = SplitMix64(seed: seed ^ 0xABCD)
        let graph = try graph(seed: seed, channels: channels)
        let activations = graph.values.map { value -> ActivationQuantization? in
            guard value.constant == nil, value.name != "result" else { return nil }
            return ActivationQuantization(
                scale: Float.random(in: 1e-6...2, using: &generator), zeroPoint: .random(in: 0...255, using: &generator)
            )
        }
        let weights = graph.nodes.map { node -> QuantizedWeights? in
            let shape: Shape
            switch node.name {
            case "conv": shape = [channels, 3, 3, 3]
            case "fc": shape = [5, channels]
            default: return nil
            }
            let bytes = (0..<shape.elementCount).map { _ in Int8.random(in: -127...127, using: &generator) }
            return QuantizedWeights(
                values: Tensor(bytes, shape: shape),
                scales: (0..<shape[0]).map { _ in Float.random(in: 1e-9...1, using: &generator) },
                bias: Tensor(
                    (0..<shape[0]).map { _ in Int32.random(in: .min ... .max, using: &generator) }, shape: [shape[0]]))
        }
        return QuantizedGraph(graph: graph, activations: activations, weights: weights)
    }

    static func card(_ name: String = "small", _ version: String = "1") throws -> ModelCard {
        var card = ModelCard(
            name: try ModelName(name), version: try ModelVersion(version),
            created: Date(timeIntervalSince1970: 1_700_000_000.75), tool: "tests")
        card.preprocessing = .imageNet
        card.labels = ["tench", "goldfish, \"Carassius auratus\"", "…/ü"]
        card.calibration = CalibrationSummary(method: "percentile 99.99", inputCount: 64, source: "64 pictures")
        card.accuracy = [
            CutAccuracy(
                boundary: ["pool"], headOutputs: [], codecMode: "lossless8", outputCosine: 0.9993,
                top1Agreement: 0.984375, sampleCount: 64)
        ]
        card.codecs = [
            CutCodec(
                boundary: ["pool"], sampleCount: 64,
                settings: [
                    CutCodec.Setting(
                        name: "3level@0.1/blocks",
                        tensors: [
                            CutCodec.Levels(
                                count: 3, thresholds: Data([9, 80] + [0, 255] + Array(repeating: 70, count: 8)),
                                codes: Data([0, 30, 99] + [5, 5, 5] + Array(repeating: 60, count: 12)))
                        ],
                        encodedBytes: 700, loss: 0.0156, top1Agreement: 0.96, outputCosine: 0.99, divergence: 0.05)
                ])
        ]
        card.layers = [
            LayerReport(
                name: "conv", quantization: ActivationQuantization(scale: 0.1, zeroPoint: 3), sqnrDecibels: .infinity)
        ]
        card.metadata = ["licence": "MIT", "": "empty key"]
        return card
    }

    static func package(seed: UInt64 = 1, version: String = "1") throws -> ModelPackage {
        ModelPackage(try card("small", version), quantized: try quantized(seed: seed))
    }
}

/// A folder of its own, removed with all it holds when the test ends.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "model-store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { path + "/" + name }
}

extension Tensor {
    /// The elements' bytes, for comparison.
    var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
}
