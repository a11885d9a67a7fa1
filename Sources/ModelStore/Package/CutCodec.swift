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
        package var name: String
        /// By boundary tensor.
        package var tensors: [Levels]
        /// Median over the pictures.
        package var encodedBytes: Int
        /// Share of pictures whose answer the coding makes wrong; without labels, of those whose answer it changes: 0...1.
        package var loss: Double
        /// Share of pictures with the same strongest class as the split without loss: 0...1.
        package var top1Agreement: Double
        package var outputCosine: Double
        /// Mean Kullback-Leibler divergence in nats from the answers of the split without loss; ≥ 0 but for rounding.
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

extension CutCodec {
    /// - Throws: `ModelStoreError.malformed` for settings that no codec could use.
    func check() throws(ModelStoreError) {
        for setting in settings {
            let part = "codec of \(boundary.joined(separator: "+")), \(setting.name)"
            guard setting.tensors.count == boundary.count else {
                throw ModelStoreError(
                    .malformed, "quantisers", part: part, expected: "\(boundary.count)",
                    got: "\(setting.tensors.count)")
            }
            for levels in setting.tensors {
                guard (2...16).contains(levels.count), !levels.codes.isEmpty, levels.codes.count % levels.count == 0,
                    levels.thresholds.count == levels.codes.count / levels.count * (levels.count - 1)
                else {
                    throw ModelStoreError(
                        .malformed, "a quantiser's levels", part: part,
                        expected: "2 to 16 codes and one threshold fewer, by channel",
                        got:
                            "\(levels.count) levels, \(levels.codes.count) codes, \(levels.thresholds.count) thresholds"
                    )
                }
            }
        }
    }
}
