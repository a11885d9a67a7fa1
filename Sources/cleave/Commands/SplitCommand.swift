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
            tail begins with DequantizeLinear, so that uint8 crosses the cut. With --integer-head the head is in QDQ form, \
            which runtimes on boards compute in integers. With --triton the tail and the whole network also become a model \
            repository, NAME/config.pbtxt and NAME/1/model.onnx each.

            Examples:
              cleave split digits.cleave --cut middle --output parts/
              cleave split squeezenet.cleave --cut 12 --quantized-boundary --output parts/
              cleave split squeezenet.cleave --cut 12 --quantized-boundary --integer-head --triton models/ --output parts/
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

    @Flag(help: "Write the head in QDQ form; for quantised packages.")
    var integerHead = false

    @Option(
        help: ArgumentHelp(
            "Also write tail and whole network to this model repository, as Triton reads them.", valueName: "folder"))
    var triton: String?

    func run() throws {
        let (graph, quantized) = try load()
        let cut = try CutEnumerator().cuts(of: graph).cut(matching: cut)
        guard !cut.isCloudOnly, !cut.isEdgeOnly else {
            throw CommandError("cut \(cut.name(in: graph)): leaves one side without a layer")
        }
        if quantizedBoundary || integerHead, quantized == nil {
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
        let (ends, headName) = (cut.boundary + cut.headOutputs, graph.name + ".head")
        let head = try graph.extracting(inputs: graph.inputs, outputs: ends, name: headName)
        let tail = try graph.tail(of: cut)
        let headOptions = ONNXExportOptions(quantizedOutputs: crossing(head.outputs, of: head))
        let tailOptions = ONNXExportOptions(quantizedInputs: crossing(tail.inputs, of: tail))
        let whole = try exportONNX(graph)
        let tailBytes = try exportONNX(tail, options: tailOptions)
        try write(whole, "whole.onnx")
        if integerHead, let quantized {
            let integers = try quantized.extracting(inputs: graph.inputs, outputs: ends, name: headName)
            try write(exportONNX(integers, options: headOptions), "head.onnx")
        } else {
            try write(exportONNX(head, options: headOptions), "head.onnx")
        }
        try write(tailBytes, "tail.onnx")
        if let triton {
            let repository = TritonRepository(folder: triton)
            try repository.add(graph, model: whole)
            try repository.add(tail, model: tailBytes, quantizedInputs: Set(tailOptions.quantizedInputs.keys))
        }
        print(
            "\(output): cut at \(cut.name(in: graph)): head \(head.nodes.count) nodes, tail \(tail.nodes.count) nodes")
    }

    private func load() throws -> (Graph, QuantizedGraph?) {
        if model.hasSuffix(".onnx") { return (try importGraph(at: model).simplified(), nil) }
        let opened = try OpenedPackage(path: model, verifying: .everything)
        return (try opened.graph(), try opened.quantizedGraph())
    }

    private func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: output).appendingPathComponent(name), options: .atomic)
    }
}
