internal import FoundationEssentials
internal import ImageInput
internal import InferenceEngine
internal import ModelGraph
internal import ONNXFormat
internal import Planning
internal import Quantization
internal import TestSupport

/// A network to split everywhere: float, quantised, with all its legal cuts.
struct SplitSubject: Sendable, CustomStringConvertible {
    let graph: Graph
    let quantized: QuantizedGraph
    let cuts: [Cut]
    /// Inputs to try at every cut.
    let inputs: [[Tensor]]

    var description: String { graph.name }

    init(_ graph: Graph, inputs: [[Tensor]]) throws {
        self.graph = graph
        self.inputs = inputs
        let calibration = try Calibration.measure(
            graph, method: .minMax, count: inputs.count, pool: WorkerPool(width: 1), input: { inputs[$0] })
        quantized = Quantizer(graph, calibration: calibration).quantized()
        cuts = Array(CutEnumerator().cuts(of: graph))
    }

    /// Residual, concatenation, several outputs, outputs that are read again, and the network of the demonstration.
    static let all: [SplitSubject] = {
        do {
            let graphs = [
                TestGraphs.residual(), TestGraphs.concatenation(), TestGraphs.severalOutputs(), readOutputs(),
            ]
            return try graphs.map { graph in
                try SplitSubject(graph, inputs: (0..<3).map { graph.randomInputs(seed: UInt64($0)) })
            } + [digits()]
        } catch {
            fatalError("\(error)")
        }
    }()

    /// Outputs in the middle, so that a value is both sent and kept.
    private static func readOutputs() -> Graph {
        var builder = GraphBuilder(name: "readOutputs", seed: 5)
        let x = builder.input("image", [1, 3, 8, 8])
        let stem = builder.convolution("stem", x, outputs: 6, activation: .relu)
        let pooled = builder.node("pooled", .maxPool(Pooling(window: Window(kernel: [2, 2], strides: [2, 2]))), stem)
        let second = builder.convolution("second", pooled, outputs: 6)
        let sum = builder.node("sum", .binary(.add, activation: nil), second, pooled)
        let logits = builder.classifier("logits", sum, outputs: 5)
        for output in [sum, stem, logits] { builder.output(output) }
        return builder.graph
    }

    // MARK: The network of the demonstration

    static let digitsFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Models/digits")

    static func digitsPreprocessing() throws -> Preprocessing {
        try Preprocessing(contentsOf: digitsFolder.appending(path: "preprocessing.json").path)
    }

    static func digitsPictures() throws -> [Image] {
        let folder = digitsFolder.appending(path: "samples").path
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().filter { $0.hasSuffix(".jpg") }
            .prefix(3).map { try Image(contentsOf: "\(folder)/\($0)") }
    }

    private static func digits() throws -> SplitSubject {
        let graph = try importONNX(at: digitsFolder.appending(path: "digits.onnx").path).simplified()
        let preprocessing = try digitsPreprocessing()
        let shape = graph[graph.inputs[0]].type.shape
        let inputs = try digitsPictures().map { [Tensor(try preprocessing.tensor(from: $0), shape: shape)] }
        return try SplitSubject(graph, inputs: inputs)
    }
}
