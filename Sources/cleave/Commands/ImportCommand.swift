internal import ArgumentParser
internal import FoundationEssentials
internal import ImageInput
internal import ModelGraph
internal import ModelStore
internal import ONNXFormat
internal import Quantization

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import an ONNX file into a model package.",
        discussion: """
            A file that comes quantised (QDQ pairs, QLinear operators) becomes a quantised package with the file's own scales. \
            Layers whose weights do not fit int8 symmetrically compute in float32, rounded as the file says.

            Examples:
              cleave import squeezenet.onnx --preprocessing imagenet-224 --labels imagenet.txt
              cleave import digits.onnx --preprocessing preprocessing.json -o digits.cleave --name digits
              cleave import yolo.onnx --input-shape images=1,3,416,416
            """)

    @Argument(help: ArgumentHelp("The ONNX file.", valueName: "model.onnx"))
    var model: String

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The package to write; MODEL.cleave unless given.", valueName: "file"))
    var output: String?

    @Option(help: "The model's name in a store; the file's name unless given.")
    var name: String?

    @Option(help: ArgumentHelp("The model's version.", valueName: "version"))
    var modelVersion: String = "1"

    @Option(
        help: ArgumentHelp(
            "How pictures become inputs: a JSON file, or one of \(Preprocessing.Preset.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "file|preset"))
    var preprocessing: String?

    @Option(help: ArgumentHelp("Class names, one a line.", valueName: "file"))
    var labels: String?

    @Option(help: ArgumentHelp("Extents of an input with symbolic axes.", valueName: "name=1,3,224,224"))
    var inputShape: [String] = []

    @Flag(help: "Keep the graph as it is: no folding, no fusion.")
    var keepGraph = false

    func run() throws {
        var options = ONNXImportOptions(dequantizesWeights: keepGraph)
        for text in inputShape {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            let extents = parts.count == 2 ? parts[1].split(separator: ",").map { Int($0) } : []
            guard !extents.isEmpty, !extents.contains(where: { ($0 ?? 0) < 1 }) else {
                throw ValidationError("--input-shape: expected NAME=N,N,… with N ≥ 1, got \"\(text)\"")
            }
            options.inputShapes[parts[0]] = extents.compactMap(\.self)
        }
        let imported = try importGraph(at: model, options: options)
        let stated = keepGraph ? nil : try QuantizedGraph(statedIn: imported)
        let graph = try stated?.graph ?? (keepGraph ? imported : imported.simplified())
        let stem = URL(fileURLWithPath: model).deletingPathExtension().lastPathComponent
        var card = ModelCard(
            name: try ModelName(name ?? stem), version: try ModelVersion(modelVersion),
            tool: "cleave \(Cleave.toolVersion)")
        card.preprocessing = try preprocessing.map { try readPreprocessing($0, for: graph) }
        if let labels { card.labels = try readLines(labels) }
        let path = output ?? stem + ".cleave"
        let package = stated.map { ModelPackage(card, quantized: $0) } ?? ModelPackage(card, graph: graph)
        let digest = try package.write(to: path)
        let multiplyAdds = graph.nodeIDs.reduce(0) { $0 + graph.multiplyAdds(of: $1) }
        print(
            """
            \(path): \(card.name) version \(card.version)
              \(graph.nodes.count) nodes, \(graph.parameterCount) parameters, \(multiplyAdds / 1_000_000) million multiply-adds
              inputs  \(graph.inputs.map { "\(graph[$0].name) \(graph[$0].type)" }.joined(separator: ", "))
              outputs \(graph.outputs.map { "\(graph[$0].name) \(graph[$0].type)" }.joined(separator: ", "))
              digest  \(digest)
            """)
        if let stated {
            let layers = stated.graph.nodes.indices.filter { stated.graph.nodes[$0].operation.hasWeights }
            let integers = layers.count { stated.weights[$0] != nil }
            print("  quantised as the file states: \(integers) of \(layers.count) layers with weights in integers")
        }
    }

    private func readPreprocessing(_ text: String, for graph: Graph) throws -> Preprocessing {
        guard let preset = Preprocessing.Preset(rawValue: text) else { return try Preprocessing(contentsOf: text) }
        guard let shape = graph.inputs.first.map({ graph[$0].type.shape }), shape.rank == 4 else {
            throw CommandError("\(model): a preset needs a network with one input of shape N×C×H×W")
        }
        return try preset.preprocessing(width: shape[3], height: shape[2])
    }

    private func readLines(_ path: String) throws -> [String] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandError("\(path): cannot be read")
        }
        return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    }
}
