internal import InferenceEngine
internal import ModelGraph
internal import TestSupport
internal import Testing

/// Heads and tails of integer networks against the whole: a cut changes no bit, wherever it falls.
@Suite struct CutExecutionTests {
    private static let pool = WorkerPool(width: 2)

    @Test(arguments: 0..<40 as Range<UInt64>)
    func everyPrefixAndItsRestAreTheWhole(seed: UInt64) throws {
        try expectSameAtEveryCut(RandomNetwork.make(seed: seed, .integer, nodeCount: 10), seed: seed)
    }

    @Test(arguments: 0..<4)
    func everyCutOfATestGraphGivesTheWhole(index: Int) throws {
        try expectSameAtEveryCut(TestGraphs.all[index], seed: 3)
    }

    private func expectSameAtEveryCut(_ graph: Graph, seed: UInt64) throws {
        var graph = graph
        var seen: Set<ValueID> = []
        graph.outputs = graph.outputs.filter { seen.insert($0).inserted }
        let quantized = try MinMaxQuantization.quantized(graph, seed: seed)
        let inputs = graph.randomInputs(seed: seed &+ 1)
        let session = InferenceSession(try PreparedModel(quantized, options: PreparationOptions()), pool: Self.pool)
        let expected = Dictionary(
            uniqueKeysWithValues: zip(session.model.outputs.map(\.name), try session.run(inputs)))
        for count in 1..<graph.nodes.count {
            let cut = try Cut(headNodes: Array(graph.nodeIDs).prefix(count), of: graph)
            guard !cut.tailOutputs.isEmpty else { continue }
            for (name, output) in try run(quantized, cut, inputs) {
                #expect(
                    output.array(of: Float.self) == expected[name]?.array(of: Float.self),
                    "\(graph.name) seed \(seed), \(name) of the tail after \(count) nodes")
            }
        }
    }

    /// Runs head and tail, handing over the boundary as the head left it.
    private func run(_ quantized: QuantizedGraph, _ cut: Cut, _ inputs: [Tensor]) throws -> [(String, Tensor)] {
        let graph = quantized.graph
        let computed = cut.boundary.filter { !graph.inputs.contains($0) }
        let head = InferenceSession(
            try PreparedModel(
                try quantized.extracting(inputs: graph.inputs, outputs: computed, name: "head"),
                options: PreparationOptions(defaultOutput: .natural)), pool: Self.pool)
        try head.feed(inputs)
        try head.run()
        let forms = Dictionary(uniqueKeysWithValues: head.model.outputs.map { ($0.name, PortRequest.exactly($0.form)) })
        let tail = InferenceSession(
            try PreparedModel(
                try quantized.extracting(inputs: cut.boundary, outputs: cut.tailOutputs, name: "tail"),
                options: PreparationOptions(inputForms: forms)), pool: Self.pool)
        for (index, port) in tail.model.inputs.enumerated() {
            if let output = head.model.outputs.firstIndex(where: { $0.name == port.name }) {
                tail.input(index).copyMemory(from: head.output(output))
            } else if let input = graph.inputs.firstIndex(where: { graph[$0].name == port.name }) {
                inputs[input].withUnsafeBytes { tail.input(index).copyMemory(from: $0) }
            }
        }
        try tail.run()
        return Array(zip(tail.model.outputs.map(\.name), tail.copyOutputs()))
    }
}
