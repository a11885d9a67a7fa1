package import ActivationCodec
package import InferenceEngine
package import InferenceProtocol
package import ModelGraph
package import ModelStore
internal import SplitExecution

/// A model package, served: the whole network, and the part after any of its cuts.
package final class PackagedModel: CompletionModel {
    /// What the service computes in: exactly what the network says, with convolutions rounded to bfloat16 where the CPU
    /// gains by it, or as a board would.
    package enum Arithmetic: String, CaseIterable, Sendable {
        case float32, bfloat16, int8

        fileprivate var ofTails: TailRunner.Arithmetic {
            switch self {
            case .float32: .float32
            case .bfloat16: .bfloat16
            case .int8: .int8
            }
        }
    }

    package let name: String
    package let version: String
    package let digest: String
    package let inputs: [NamedTensorType]
    package let outputs: [NamedTensorType]
    private let package: OpenedPackage
    private let quantized: QuantizedGraph?
    private let whole: SessionPool
    private let workers: WorkerPool
    private let arithmetic: Arithmetic
    /// The tails of all cuts and the whole network hold each layer once.
    private let sharedWeights = SharedWeights()

    package var bandLoop: BandLoop { workers.bandLoop }

    /// Verifies the package and prepares the whole network; tails are prepared when they are first asked for.
    /// - Parameters:
    ///   - workers: the threads that computations share.
    ///   - arithmetic: of tails and of the whole network; int8 only where the package is quantised, else float32.
    /// - Throws: `ModelStoreError` for a package that is not what its digests say, or what preparation throws.
    package init(
        _ package: OpenedPackage, workers: WorkerPool, arithmetic: Arithmetic = .float32
    ) throws {
        let graph = try package.graph()
        name = "\(package.card.name)"
        version = "\(package.card.version)"
        digest = "\(package.digest)"
        inputs = graph.inputs.map { NamedTensorType(graph[$0].name, graph[$0].type) }
        outputs = graph.outputs.map { NamedTensorType(graph[$0].name, graph[$0].type) }
        self.package = package
        quantized = try package.quantizedGraph()
        let options = PreparationOptions(
            allowsBFloat16: arithmetic == .bfloat16, workers: workers, sharedWeights: sharedWeights)
        let model =
            if arithmetic == .int8, let quantized {
                try PreparedModel(quantized, options: options)
            } else {
                try PreparedModel(graph, options: options)
            }
        whole = SessionPool(model, pool: workers)
        self.workers = workers
        self.arithmetic = arithmetic
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
            try TailRunner(
                quantized, cut: cut, arithmetic: arithmetic.ofTails, pool: workers, sharedWeights: sharedWeights),
            named: boundary, quantizers: try package.quantizers(at: boundary))
    }
}

/// The part of a package after a cut.
private struct PackagedTail: CompletionTail {
    let boundary: [BoundaryTensor]
    let outputs: [NamedTensorType]
    private let runner: TailRunner
    /// By position in the runner's boundary: the position in the order in which the edge named the tensors.
    private let positions: [Int]

    /// - Parameter quantizers: for each name, those that the package has for this cut.
    init(_ runner: TailRunner, named names: [String], quantizers: [[LevelQuantizer]]) {
        self.runner = runner
        let ports = Dictionary(runner.boundary.map { ($0.name, $0) }) { first, _ in first }
        boundary = zip(names, quantizers).compactMap { name, quantizers in
            ports[name].map { port in
                BoundaryTensor(
                    name: name, expected: ExpectedTensor(port.signature, agreedQuantizers: quantizers))
            }
        }
        positions = runner.boundary.compactMap { port in names.firstIndex(of: port.name) }
        outputs = runner.outputs.map { NamedTensorType($0.name, $0.type) }
    }

    func complete(_ codes: [[UInt8]]) throws -> [Tensor] {
        try runner.complete(positions.map { codes[$0] })
    }
}
