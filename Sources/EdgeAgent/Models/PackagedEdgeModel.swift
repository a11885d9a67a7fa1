internal import ActivationCodec
internal import ImageInput
package import InferenceEngine
package import ModelGraph
package import ModelStore
internal import SplitExecution
private import Synchronization

/// A model package on the board: heads in integers, their boundaries in one coding, and the local way out.
package final class PackagedEdgeModel: EdgeModel {
    package let identity: ModelIdentity
    package let graph: Graph
    private let quantized: QuantizedGraph
    private let preprocessing: Preprocessing
    private let package: OpenedPackage
    private let codingName: String
    private let workers: WorkerPool
    private let instructionSet: InstructionSet
    /// When the cut moves, the layers that were in the head or the tail before are packed already.
    private let sharedWeights = SharedWeights()

    /// - Parameter coding: a mode of the codec, or the name of a coding that the package has for every cut asked for.
    /// - Throws: `EdgeError.unusableModel` for a package without integer weights or preprocessing; `ModelStoreError`.
    package init(
        _ package: OpenedPackage, coding: String, workers: WorkerPool, instructionSet: InstructionSet = .best
    ) throws {
        guard let quantized = try package.quantizedGraph() else {
            throw EdgeError(.unusableModel, "the package is not quantised", at: package.path)
        }
        guard let preprocessing = package.card.preprocessing else {
            throw EdgeError(.unusableModel, "the package does not say how pictures become inputs", at: package.path)
        }
        identity = ModelIdentity(
            name: "\(package.card.name)", version: "\(package.card.version)", digest: "\(package.digest)")
        graph = quantized.graph
        self.quantized = quantized
        self.preprocessing = preprocessing
        self.package = package
        codingName = coding
        self.workers = workers
        self.instructionSet = instructionSet
    }

    package func prepareHead(cut names: [String]) throws -> any EdgeHead { try prepareHead(names, codingName) }

    package func prepareHead(_ choice: CutChoice) throws -> any EdgeHead {
        try prepareHead(choice.boundary, choice.codec ?? codingName)
    }

    private func prepareHead(_ names: [String], _ codingName: String) throws -> any EdgeHead {
        let cut = names.isEmpty ? Cut.edgeOnly(of: graph) : try Cut(sending: names, of: graph)
        let coding =
            cut.isEdgeOnly
            ? BoundaryCoding.mode(.lossless8)
            : try package.coding(named: codingName, at: cut.boundary.map { graph[$0].name })
        let runner = try HeadRunner(
            quantized, cut: cut, pool: workers, instructionSet: instructionSet, sharedWeights: sharedWeights)
        let tail =
            cut.isEdgeOnly
            ? nil
            : try TailRunner(
                quantized, cut: cut, arithmetic: .int8, layout: .channelsLast, pool: workers,
                instructionSet: instructionSet, sharedWeights: sharedWeights)
        return PackagedHead(
            runner, tail: tail, preprocessing: preprocessing, coding: coding,
            encoders: FrameEncoders(loop: workers.bandLoop),
            outputNames: graph.outputs.map { graph[$0].name })
    }
}

/// `@unchecked Sendable` invariant: `runner` is used only inside `run`, which is never called twice at a time.
private final class PackagedHead: EdgeHead, @unchecked Sendable {
    private let runner: HeadRunner
    private let tail: TailRunner?
    private let preprocessing: Preprocessing
    private let coding: BoundaryCoding
    private let encoders: FrameEncoders
    private let outputNames: [String]

    init(
        _ runner: HeadRunner, tail: TailRunner?, preprocessing: Preprocessing, coding: BoundaryCoding,
        encoders: FrameEncoders, outputNames: [String]
    ) {
        self.runner = runner
        self.tail = tail
        self.preprocessing = preprocessing
        self.coding = coding
        self.encoders = encoders
        self.outputNames = outputNames
    }

    func run(imageAt path: String) throws -> any HeadRun {
        let start = ContinuousClock.now
        try runner.feed(Image(contentsOf: path), preprocessing)
        let prepared = ContinuousClock.now
        try runner.run()
        let computed = ContinuousClock.now
        return PackagedHeadRun(
            preprocessTime: prepared - start, headTime: computed - prepared, boundary: runner.boundary,
            codes: runner.boundary.indices.map { index in Array(runner.codes(index)) },
            headOutputs: Dictionary(uniqueKeysWithValues: zip(runner.outputNames, runner.outputs())), coding: coding,
            encoders: encoders, tail: tail, outputNames: outputNames)
    }
}

/// One picture's boundary, copied out of the runner's memory, which the next picture overwrites.
private struct PackagedHeadRun: HeadRun {
    let preprocessTime: Duration
    let headTime: Duration
    let boundary: [BoundaryPort]
    /// Channels last.
    let codes: [[UInt8]]
    let headOutputs: [String: Tensor]
    let coding: BoundaryCoding
    let encoders: FrameEncoders
    let tail: TailRunner?
    let outputNames: [String]

    func encode(_ terms: FrameTerms, emit: ([UInt8]) -> Void) throws -> FrameReference? {
        let sources = boundary.indices.map { index in
            TensorSource(
                boundary[index].signature, layout: .channelsLast,
                coding: coding.symbols(ofTensor: index) { terms.heldQuantizers.contains($0) },
                compression: coding.compression, codes: codes[index])
        }
        let reference: FrameReference?
        switch terms.prediction {
        case .independent:
            try encoders.withEncoder { encoder throws(CodecError) in
                emit(try encoder.begin(frameID: terms.frameID, tensors: sources))
                while let band = try encoder.nextBand() { emit(band) }
            }
            return nil
        case .key: reference = nil
        case .difference(let earlier): reference = earlier
        }
        var encoder = PredictedFrameEncoder(loop: encoders.loop)
        let frame = try encoder.encode(frameID: terms.frameID, tensors: sources, reference: reference)
        emit(frame.bytes)
        return frame.reference
    }

    func finishLocally() throws -> [Tensor] {
        var outputs = headOutputs
        if let tail {
            for (port, tensor) in zip(tail.outputs, try tail.complete(codes)) { outputs[port.name] = tensor }
        }
        return outputNames.compactMap { outputs[$0] }
    }
}
