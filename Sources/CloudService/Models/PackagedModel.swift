package import ActivationCodec
package import InferenceEngine
package import InferenceProtocol
package import ModelGraph
package import ModelStore
package import SplitExecution

/// A model package, served: the whole network in float32, and the part after any of its cuts.
package final class PackagedModel: CompletionModel {
    package let name: String
    package let version: String
    package let digest: String
    package let inputs: [NamedTensorType]
    package let outputs: [NamedTensorType]
    private let quantized: QuantizedGraph?
    private let whole: SessionPool
    private let workers: WorkerPool
    private let instructionSet: InstructionSet

    /// Verifies the package and prepares the whole network; tails are prepared when they are first asked for.
    /// - Parameter workers: the threads that computations share.
    /// - Throws: `ModelStoreError` for a package that is not what its digests say, or what preparation throws.
    package init(_ package: OpenedPackage, workers: WorkerPool, instructionSet: InstructionSet = .best) throws {
        let graph = try package.graph()
        name = "\(package.card.name)"
        version = "\(package.card.version)"
        digest = "\(package.digest)"
        inputs = graph.inputs.map { NamedTensorType(name: graph[$0].name, type: graph[$0].type) }
        outputs = graph.outputs.map { NamedTensorType(name: graph[$0].name, type: graph[$0].type) }
        quantized = try package.quantizedGraph()
        whole = SessionPool(
            try PreparedModel(graph, options: PreparationOptions(instructionSet: instructionSet)), pool: workers)
        self.workers = workers
        self.instructionSet = instructionSet
    }

    package func infer(_ inputs: [Tensor]) throws -> [Tensor] {
        try whole.run(inputs)
    }

    package func makeTail(boundary: [String]) throws -> any CompletionTail {
        guard let quantized else {
            throw CloudError(.configuration, "\(name) \(version) is not quantised, so its boundaries cannot be sent")
        }
        let cut = try Cut(sending: boundary, of: quantized.graph)
        return PackagedTail(
            try TailRunner(quantized, cut: cut, pool: workers, instructionSet: instructionSet), named: boundary)
    }
}

/// The part of a package after a cut.
private struct PackagedTail: CompletionTail {
    let boundary: [BoundaryTensor]
    let outputs: [NamedTensorType]
    private let runner: TailRunner
    /// By position in the runner's boundary: the position in the order in which the edge named the tensors.
    private let positions: [Int]

    init(_ runner: TailRunner, named names: [String]) {
        self.runner = runner
        let ports = Dictionary(runner.boundary.map { ($0.name, $0) }) { first, _ in first }
        boundary = names.compactMap { ports[$0] }.map { port in
            BoundaryTensor(name: port.name, expected: ExpectedTensor(port.signature))
        }
        positions = runner.boundary.compactMap { port in names.firstIndex(of: port.name) }
        outputs = runner.outputs.map { NamedTensorType(name: $0.name, type: $0.type) }
    }

    func complete(_ codes: [[UInt8]]) throws -> [Tensor] {
        try runner.complete(positions.map { codes[$0] })
    }
}
