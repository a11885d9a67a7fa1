internal import ArgumentParser
internal import ModelGraph
internal import ModelStore
internal import ONNXFormat
internal import Planning

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show a model's layers, their cost, and its legal cuts.",
        discussion: """
            Examples:
              cleave inspect squeezenet.onnx
              cleave inspect digits.cleave --cuts
              cleave inspect mobilenet.cleave --svg mobilenet.svg
            """)

    @Argument(help: "A package or an ONNX file.")
    var model: String

    @Flag(help: "List the legal cuts instead of the layers.")
    var cuts = false

    @Option(help: ArgumentHelp("Also draw the graph, with the cuts that one tensor crosses.", valueName: "file.svg"))
    var svg: String?

    @Flag(help: "Print JSON.")
    var json = false

    private struct Layer: Encodable {
        let name: String
        let kind: String
        let output: String
        let shape: [Int]
        let activationBytes: Int
        let multiplyAdds: Int
        let parameters: Int
    }

    private struct CutRow: Encodable {
        let number: Int
        let boundary: [String]
        let headNodes: Int
        let boundaryElements: Int
        let headMultiplyAdds: Int
    }

    func run() throws {
        let graph =
            model.hasSuffix(".onnx")
            ? try importGraph(at: model).simplified() : try OpenedPackage(path: model, verifying: .everything).structure
        if let svg { try writeText(GraphDrawing(graph).svg, to: svg) }
        if cuts {
            try printCuts(graph)
        } else {
            try printLayers(graph)
        }
    }

    private func printLayers(_ graph: Graph) throws {
        let layers = graph.nodeIDs.map { id in
            let value = graph[graph[id].outputs[0]]
            return Layer(
                name: graph[id].name, kind: graph[id].operation.kind, output: value.name,
                shape: value.type.shape.dimensions, activationBytes: value.type.shape.elementCount,
                multiplyAdds: graph.multiplyAdds(of: id), parameters: graph.parameterCount(of: id))
        }
        guard !json else { return print(try jsonText(layers)) }
        var table = TextTable(
            "node", "operator", "output shape", "#int8 bytes", "#million multiply-adds", "#parameters")
        for layer in layers {
            table.add(
                layer.name, layer.kind, "\(Shape(layer.shape))", "\(layer.activationBytes)",
                (Double(layer.multiplyAdds) / 1e6).fixed(2), "\(layer.parameters)")
        }
        print(table.text)
        let total = layers.reduce(0) { $0 + $1.multiplyAdds }
        let set = CutEnumerator().cuts(of: graph)
        print(
            """

            \(layers.count) nodes, \(graph.parameterCount) parameters, \((Double(total) / 1e6).fixed(1)) million multiply-adds, \
            \(set.count) legal cuts\(set.isExhaustive ? "" : " (of more: prefixes of topological orders only)")
            """)
    }

    private func printCuts(_ graph: Graph) throws {
        let set = CutEnumerator().cuts(of: graph)
        let costs = graph.nodeIDs.map { Int64(graph.multiplyAdds(of: $0)) }
        let rows = set.indices.map { position in
            let boundary = set.boundary(at: position)
            return CutRow(
                number: position, boundary: boundary.map { graph[$0].name }, headNodes: set.headNodeCount(at: position),
                boundaryElements: boundary.reduce(0) { $0 + graph[$1].type.shape.elementCount },
                headMultiplyAdds: Int(set.headSum(of: costs, at: position)))
        }
        guard !json else { return print(try jsonText(rows)) }
        var table = TextTable("#cut", "boundary", "#head nodes", "#int8 bytes", "#head million multiply-adds")
        for row in rows {
            let name = row.boundary.isEmpty ? "edge-only" : row.boundary.joined(separator: "+")
            table.add(
                "\(row.number)", name, "\(row.headNodes)", "\(row.boundaryElements)",
                (Double(row.headMultiplyAdds) / 1e6).fixed(2))
        }
        print(table.text)
    }
}
