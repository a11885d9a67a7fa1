package import ActivationCodec
package import CloudService
package import EdgeAgent
private import FoundationEssentials
package import InferenceProtocol
package import ModelGraph

/// A network small enough to compute by hand, cut at its only boundary tensor `features`: uint8 `[1, C, 8, 8]`.
///
/// `image` float32 `[1, C·64]` is quantised into `features`; `scores[k] = Σᵢ real(features)ᵢ · ((i·(k+1)) mod 7 − 3)`.
package struct ToyNetwork: Sendable {
    package static let boundary = ["features"]
    package static let digest = String(repeating: "ab", count: 32)
    package static let classes = 3

    package let channels: Int
    package let quantization = ActivationQuantization(scale: 0.05, zeroPoint: 3)

    package init(channels: Int = 4) {
        self.channels = channels
    }

    package var featureShape: Shape { [1, channels, 8, 8] }
    package var elementCount: Int { featureShape.elementCount }
    package var signature: TensorSignature {
        TensorSignature(
            shape: featureShape.dimensions, scale: quantization.scale, zeroPoint: quantization.zeroPoint)
    }
    package var input: NamedTensorType { NamedTensorType("image", TensorType(.float32, [1, elementCount])) }
    package var output: NamedTensorType { NamedTensorType("scores", TensorType(.float32, [1, Self.classes])) }

    package func scores(of codes: [UInt8]) -> [Float] {
        (0..<Self.classes).map { k in
            var sum: Float = 0
            for (index, code) in codes.enumerated() {
                sum += quantization.dequantize(code) * Float((index * (k + 1)) % 7 - 3)
            }
            return sum
        }
    }

    package func scores(ofImage values: [Float]) -> [Float] { scores(of: values.map(quantization.quantize)) }

    /// One container of the boundary.
    package func frame(id: UInt64, codes: [UInt8], mode: CodecMode = CodecMode(.lossless8, .zlib(level: 1))) throws
        -> [UInt8]
    {
        try encodeFrame(id: id, [TensorSource(signature, layout: .rowMajor, mode: mode, codes: codes)])
    }
}

/// The toy network in the cloud.
package struct ToyCompletionModel: CompletionModel {
    package let network: ToyNetwork
    package var name = "toy"
    package var version = "1"
    package var digest = ToyNetwork.digest
    /// Runs before each computation, to hold it up or to make it fail.
    package var beforeComputing: @Sendable () throws -> Void = {}
    package var beforePreparing: @Sendable () throws -> Void = {}

    package init(_ network: ToyNetwork = ToyNetwork()) {
        self.network = network
    }

    package var inputs: [NamedTensorType] { [network.input] }
    package var outputs: [NamedTensorType] { [network.output] }
    package var bandLoop: BandLoop { .serial }

    package func infer(_ inputs: [Tensor]) throws -> [Tensor] {
        try beforeComputing()
        return [Tensor(network.scores(ofImage: inputs[0].array()), shape: network.output.type.shape)]
    }

    package func makeTail(boundary: [String]) throws -> any CompletionTail {
        try beforePreparing()
        guard boundary == ToyNetwork.boundary else {
            throw GraphError(.illegalCut, "no cut at \(boundary)", at: name)
        }
        return Tail(network: network, beforeComputing: beforeComputing)
    }

    private struct Tail: CompletionTail {
        let network: ToyNetwork
        let beforeComputing: @Sendable () throws -> Void

        var boundary: [BoundaryTensor] {
            [BoundaryTensor(name: "features", expected: ExpectedTensor(network.signature))]
        }
        var outputs: [NamedTensorType] { [network.output] }

        func complete(_ codes: [[UInt8]]) throws -> [Tensor] {
            try beforeComputing()
            return [Tensor(network.scores(of: codes[0]), shape: network.output.type.shape)]
        }
    }
}

/// The toy network on the edge: an image file's bytes, repeated, are the boundary's codes.
package struct ToyEdgeModel: EdgeModel {
    package let network: ToyNetwork
    package var identity: ModelIdentity

    package init(_ network: ToyNetwork = ToyNetwork(), digest: String = ToyNetwork.digest) {
        self.network = network
        identity = ModelIdentity(name: "toy", digest: digest)
    }

    package func prepareHead(cut: [String]) throws -> any EdgeHead {
        guard cut == ToyNetwork.boundary || cut.isEmpty else {
            throw GraphError(.illegalCut, "no cut at \(cut)", at: identity.name)
        }
        return Head(network: network)
    }

    private struct Head: EdgeHead {
        let network: ToyNetwork

        func run(imageAt path: String) throws -> any HeadRun {
            let bytes = Array(try Data(contentsOf: URL(filePath: path)))
            guard !bytes.isEmpty else { throw GraphError(.malformed, "the image is empty", at: path) }
            return Run(network: network, codes: (0..<network.elementCount).map { bytes[$0 % bytes.count] })
        }
    }

    private struct Run: HeadRun {
        let network: ToyNetwork
        let codes: [UInt8]
        let preprocessTime = Duration.microseconds(10)
        let headTime = Duration.microseconds(20)

        func encode(_ terms: FrameTerms, emit: ([UInt8]) -> Void) throws -> FrameReference? {
            var encoder = FrameEncoder()
            let mode = CodecMode(.lossless8, .zlib(level: 1))
            emit(
                try encoder.begin(
                    frameID: terms.frameID,
                    tensors: [TensorSource(network.signature, layout: .rowMajor, mode: mode, codes: codes)]))
            while let band = try encoder.nextBand() { emit(band) }
            return nil
        }

        func finishLocally() throws -> [Tensor] {
            [Tensor(network.scores(of: codes), shape: network.output.type.shape)]
        }
    }
}

/// SplitMix64: the same numbers on every run of one seed.
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
