internal import ActivationCodec
internal import ImageInput
package import InferenceEngine
package import ModelGraph
internal import Quantization
internal import SplitExecution

/// Rate, accuracy and time of codings at one cut, on pictures other than those that calibrated them.
///
/// Answers are compared with a reference: the same split without loss (``measure(_:cut:steps:pool:calibration:count:input:progress:)``)
/// or the float32 network (``CodecCalibration``).
package struct BoundaryBench: Sendable {
    /// A step of the ladder of quantisers to try.
    package struct Step: Sendable, Hashable {
        package var levels: Int
        /// As in ``LevelQuantizer/designing(_:levels:rateWeight:)``.
        package var rateWeight: Double

        package init(levels: Int, rateWeight: Double) {
            self.levels = levels
            self.rateWeight = rateWeight
        }

        package var name: String { "\(levels)level@\(rateWeight)/contexts" }
    }

    /// From half a bit to about three bits an element on rectified activations.
    package static let ladder: [Step] = [
        Step(levels: 2, rateWeight: 0.1), Step(levels: 3, rateWeight: 0.2), Step(levels: 3, rateWeight: 0.12),
        Step(levels: 3, rateWeight: 0.06), Step(levels: 4, rateWeight: 0.12), Step(levels: 4, rateWeight: 0.08),
        Step(levels: 4, rateWeight: 0.04), Step(levels: 5, rateWeight: 0.04), Step(levels: 6, rateWeight: 0.03),
        Step(levels: 7, rateWeight: 0.02),
        Step(levels: 8, rateWeight: 0.015), Step(levels: 12, rateWeight: 0.005), Step(levels: 16, rateWeight: 0.002),
    ]

    /// Of the JPEGs that hold the channels as tiles.
    private static let tiledQualities = [30, 50, 70, 85, 95]

    package let boundary: String
    package let elements: Int
    package let pictures: Int
    /// Top-1 accuracy of the reference; nil without labels.
    package let referenceTop1: Double?
    /// Lossless forms first, then the channels as tiles of a JPEG, then the ladder.
    package let points: [BoundaryCodingPoint]

    /// The calibrated points that no other beats in size and divergence at once, the smallest first.
    package var front: [BoundaryCodingPoint] {
        let calibrated = points.filter { !$0.quantizers.isEmpty }.sorted {
            ($0.medianBytes, $0.divergence) < ($1.medianBytes, $1.divergence)
        }
        var least = Double.infinity
        return calibrated.filter { point in
            defer { least = min(least, point.divergence) }
            return point.divergence < least
        }
    }

    /// The smallest point of the front that loses no more than `budget`, a share of the pictures.
    package func smallest(losing budget: Double) -> BoundaryCodingPoint? {
        front.first { $0.loss <= budget + 1e-9 }
    }

    /// Designs the ladder's quantisers on some pictures and measures them on others.
    ///
    /// - Parameters:
    ///   - cut: with a boundary, and without outputs of the network in the head.
    ///   - calibration: the float32 inputs of each picture to design on.
    ///   - count: pictures to measure on.
    ///   - input: the float32 inputs of picture 0 ..< count, and its class where known.
    package static func measure(
        _ quantized: QuantizedGraph, cut: Cut, steps: [Step] = ladder, pool: WorkerPool,
        calibration: [[Tensor]], count: Int, input: (Int) throws -> (tensors: [Tensor], label: Int?),
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> BoundaryBench {
        let head = try HeadRunner(quantized, cut: cut, pool: pool)
        let tail = try TailRunner(quantized, cut: cut, layout: .channelsLast, pool: pool)
        var histograms = try head.boundary.map { try CodeHistograms($0.signature) }
        for tensors in calibration {
            try head.feed(tensors)
            try head.run()
            for index in histograms.indices {
                histograms[index].add(head.codes(index).bindMemory(to: UInt8.self), layout: .channelsLast)
            }
        }
        let designs = try steps.map { step in
            (
                step.name,
                try histograms.map {
                    try LevelQuantizer.designing($0, levels: step.levels, rateWeight: step.rateWeight)
                }
            )
        }
        let exact: [(String, Compression)] = [
            ("int8/zlib1", .zlib(level: 1)), ("int8/zlib6", .zlib(level: 6)), ("int8/zlib9", .zlib(level: 9)),
            ("8bit/rle", .runLength), ("8bit/blocks", .blocks), ("8bit/contexts", .contexts),
        ]
        let mosaics = head.boundary.compactMap { ChannelMosaic(shape: $0.signature.shape) }
        // Only boundaries of nothing but pictures can be tiled.
        let qualities = mosaics.count == head.boundary.count ? tiledQualities : []
        var samples = (0..<exact.count + qualities.count + designs.count).map { _ in PointSamples() }
        var labelled = 0
        var right = 0
        var coder = BoundaryCoder()
        for picture in 0..<count {
            let (tensors, label) = try input(picture)
            try head.feed(tensors)
            try head.run()
            let codes = head.boundary.indices.map { head.codes($0) }
            let reference = try tail.complete(codes)[0].array(of: Float.self)
            if let label {
                labelled += 1
                if reference.indexOfLargest == label { right += 1 }
            }
            for (index, (name, compression)) in exact.enumerated() {
                // The common baseline is zlib on the bytes as they lie in memory, channels last.
                if name.hasPrefix("int8") {
                    try coder.measureBytes(codes, compression, into: &samples[index])
                } else {
                    let coding = BoundaryCoding.mode(CodecMode(.lossless8, compression))
                    samples[index].add(try coder.code(head.sources(coding), as: coding))
                }
            }
            for (index, quality) in qualities.enumerated() {
                let position = exact.count + index
                let decoded = try coder.measureTiles(codes, mosaics, quality: quality, into: &samples[position])
                let answers = try tail.complete(decoded)[0].array(of: Float.self)
                samples[position].compare(reference, answers, label: label)
            }
            for (index, design) in designs.enumerated() {
                let position = exact.count + qualities.count + index
                let coding = BoundaryCoding.calibrated(name: design.0, quantizers: design.1)
                let outcome = try coder.code(head.sources(coding), as: coding)
                samples[position].add(outcome)
                let answers = try tail.complete(outcome.tensors)[0].array(of: Float.self)
                samples[position].compare(reference, answers, label: label)
            }
            progress(picture + 1, count)
        }
        let elements = head.boundary.reduce(0) { $0 + $1.shape.elementCount }
        let baseline = labelled > 0 ? Double(right) / Double(labelled) : nil
        let unquantized = exact.map(\.0) + qualities.map { "jpeg-tiled/\($0)" }
        let names = unquantized.map { ($0, [LevelQuantizer]()) } + designs
        return BoundaryBench(
            boundary: cut.name(in: quantized.graph), elements: elements, pictures: count, referenceTop1: baseline,
            points: zip(names, samples).map { name, samples in
                samples.point(named: name.0, quantizers: name.1, elements: elements, referenceTop1: baseline)
            })
    }
}
