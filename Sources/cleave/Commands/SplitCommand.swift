internal import ArgumentParser
internal import FoundationEssentials
internal import ModelGraph
internal import ModelStore
internal import ONNXFormat
internal import Planning

struct SplitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "split",
        abstract: "Write a cut's head and tail as ONNX files, for any runtime.",
        discussion: """
            Writes head.onnx, tail.onnx and whole.onnx. With --quantized-boundary the head ends in QuantizeLinear and the \
            tail begins with DequantizeLinear, so that uint8 crosses the cut.

            Examples:
              cleave split digits.cleave --cut middle --output parts/
              cleave split squeezenet.cleave --cut 12 --quantized-boundary --output parts/
            """)

    @Argument(help: "A package or an ONNX file.")
    var model: String

    @Option(
        help: ArgumentHelp("Where: middle, a number as `cleave inspect --cuts` lists, or tensor names joined by +."))
    var cut: String = "middle"

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The folder to write to; made if it is not there.", valueName: "folder")
    )
    var output: String = "."

    @Flag(help: "Send uint8 across the cut; for quantised packages.")
    var quantizedBoundary = false

    func run() throws {
        let (graph, quantized) = try load()
        let cut = try CutEnumerator().cuts(of: graph).cut(matching: cut)
        guard !cut.isCloudOnly, !cut.isEdgeOnly else {
            throw CommandError("cut \(cut.name(in: graph)): leaves one side without a layer")
        }
        if quantizedBoundary && quantized == nil {
            throw CommandError("\(model): not quantised; run: cleave quantize \(model) --calibration FOLDER")
        }
        /// The quantisation of those of `values` of a part that cross the cut.
        func crossing(_ values: [ValueID], of part: Graph) -> [ValueID: ActivationQuantization] {
            guard quantizedBoundary, let quantized else { return [:] }
            return values.reduce(into: [:]) { result, value in
                if let original = cut.boundary.first(where: { graph[$0].name == part[value].name }) {
                    result[value] = quantized[original]
                }
            }
        }
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
        let head = try graph.extracting(
            inputs: graph.inputs, outputs: cut.boundary + cut.headOutputs, name: graph.name + ".head")
        let tail = try graph.tail(of: cut)
        try write(graph, "whole.onnx", ONNXExportOptions())
        try write(head, "head.onnx", ONNXExportOptions(quantizedOutputs: crossing(head.outputs, of: head)))
        try write(tail, "tail.onnx", ONNXExportOptions(quantizedInputs: crossing(tail.inputs, of: tail)))
        print(
            "\(output): cut at \(cut.name(in: graph)): head \(head.nodes.count) nodes, tail \(tail.nodes.count) nodes")
    }

    private func load() throws -> (Graph, QuantizedGraph?) {
        if model.hasSuffix(".onnx") { return (try importGraph(at: model).simplified(), nil) }
        let opened = try OpenedPackage(path: model, verifying: .everything)
        return (try opened.graph(), try opened.quantizedGraph())
    }

    private func write(_ graph: Graph, _ name: String, _ options: ONNXExportOptions) throws {
        let bytes = try exportONNX(graph, options: options)
        try Data(bytes).write(to: URL(fileURLWithPath: output).appendingPathComponent(name), options: .atomic)
    }
}
