internal import EdgeAgent
internal import FoundationEssentials
internal import ImageInput
internal import InferenceEngine
internal import ModelGraph
internal import ModelStore
internal import ONNXFormat
internal import Planning
internal import Profiling
internal import Quantization
internal import SplitExecution

/// The demonstration's network in a package, with codings calibrated for two of its cuts.
struct CalibratedModel: Sendable {
    let package: OpenedPackage
    let quantized: QuantizedGraph
    let cuts: [Cut]
    /// Paths of frames that nothing was calibrated on.
    let frames: [String]
    let preprocessing: Preprocessing

    init() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Models/digits").path
        let preprocessing = try Preprocessing(contentsOf: folder + "/preprocessing.json")
        let calibration = try ImageFolder(path: folder + "/calibration").items.prefix(24).map { item in
            [
                Tensor(
                    try preprocessing.tensor(from: Image(contentsOf: item.path)),
                    shape: Shape(preprocessing.shape(.nchw)))
            ]
        }
        let pool = WorkerPool(width: 1)
        let graph = try importONNX(at: folder + "/digits.onnx").simplified()
        let measured = try Calibration.measure(
            graph, method: .minMax, count: calibration.count, pool: pool, input: { calibration[$0] })
        let quantized = Quantizer(graph, calibration: measured).quantized()
        let all = CutEnumerator().cuts(of: graph)
        let cuts = all.frontier(isCodable: { quantized[$0] != nil }).prefix(2).map { all[$0] }
        let work = try CodecCalibration(quantized, cuts: cuts, pool: pool)
        let steps = [
            BoundaryBench.Step(levels: 3, rateWeight: 0.06), BoundaryBench.Step(levels: 8, rateWeight: 0.01),
        ]
        let benches = try work.measure(
            work.design(steps, count: calibration.count, input: { calibration[$0] }), count: 8,
            input: { calibration[$0] }, label: { _ in nil })
        var card = ModelCard(name: try ModelName("digits"), version: try ModelVersion("1"), tool: "test")
        card.preprocessing = preprocessing
        card.codecs = zip(cuts, benches).map { cut, bench in
            CutCodec(bench, boundary: cut.boundary.map { graph[$0].name }, maximumLoss: 1)
        }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("digits-\(UUID().uuidString).cleave")
            .path
        try ModelPackage(card, quantized: quantized).write(to: file)
        // The mapping outlives the name.
        defer { try? FileManager.default.removeItem(atPath: file) }
        package = try OpenedPackage(path: file, verifying: .everything)
        self.quantized = quantized
        self.cuts = cuts
        self.preprocessing = preprocessing
        frames = try ImageFolder(path: folder + "/samples").items.map(\.path)
    }

    var identity: EdgeAgent.ModelIdentity {
        EdgeAgent.ModelIdentity(name: "digits", digest: "\(package.digest)")
    }

    func boundary(of cut: Cut) -> [String] { cut.boundary.map { quantized.graph[$0].name } }

    /// Names of the codings that the package has for a cut.
    func codings(at cut: Cut) -> [String] {
        package.codec(at: boundary(of: cut))?.settings.map(\.name) ?? []
    }
}
