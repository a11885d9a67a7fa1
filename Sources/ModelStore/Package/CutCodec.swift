package import FoundationEssentials

/// The codings calibrated for one cut, from the smallest frames to the most faithful: what a planner picks from by its
/// accuracy budget, and the parameters that edge and cloud must share.
package struct CutCodec: Hashable, Sendable, Codable {
    /// The quantiser of one boundary tensor, see `LevelQuantizer` of the codec.
    package struct Levels: Hashable, Sendable, Codable {
        /// L: 2...16.
        package var count: Int
        /// L − 1 a channel, one byte each.
        package var thresholds: Data
        /// L a channel, one byte each.
        package var codes: Data

        package init(count: Int, thresholds: Data, codes: Data) {
            self.count = count
            self.thresholds = thresholds
            self.codes = codes
        }
    }

    package struct Setting: Hashable, Sendable, Codable {
        /// Unlike any other of the cut and any mode of the codec; at most ``CutCodec/maximumNameLength`` visible ASCII
        /// characters.
        package var name: String
        /// By boundary tensor.
        package var tensors: [Levels]
        /// Median over the pictures.
        package var encodedBytes: Int
        /// Top-1 accuracy that int8 head and coding lose together against the float32 network, a standard error above what was
        /// measured; without labels, the share of pictures whose answer they change: 0...1.
        package var loss: Double
        /// Share of pictures with the float32 network's strongest class: 0...1.
        package var top1Agreement: Double
        /// Mean cosine with the float32 network's answers: −1...1.
        package var outputCosine: Double
        /// Mean Kullback-Leibler divergence in nats from the float32 network's answers; ≥ 0 but for rounding.
        package var divergence: Double

        package init(
            name: String, tensors: [Levels], encodedBytes: Int, loss: Double, top1Agreement: Double,
            outputCosine: Double, divergence: Double
        ) {
            self.name = name
            self.tensors = tensors
            self.encodedBytes = encodedBytes
            self.loss = loss
            self.top1Agreement = top1Agreement
            self.outputCosine = outputCosine
            self.divergence = divergence
        }
    }

    package static let maximumSettings = 64
    package static let maximumNameLength = 64

    /// Names of the boundary's values, in the boundary's order.
    package var boundary: [String]
    /// Pictures that the settings were measured on.
    package var sampleCount: Int
    /// By ascending `encodedBytes`; each has less divergence than those before it.
    package var settings: [Setting]

    package init(boundary: [String], sampleCount: Int, settings: [Setting]) {
        self.boundary = boundary
        self.sampleCount = sampleCount
        self.settings = settings
    }

    /// The smallest setting that loses no more than `budget`, a share of the pictures.
    package func smallest(losing budget: Double) -> Setting? {
        settings.first { $0.loss <= budget }
    }
}
