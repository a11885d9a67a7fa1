package import ActivationCodec
package import InferenceEngine
package import ModelGraph
internal import ImageInput
internal import Quantization
internal import SplitExecution

#if canImport(Glibc)
private import Glibc
#elseif canImport(Musl)
private import Musl
#endif

/// What one way of coding a boundary costs and what it keeps.
package struct BoundaryCodingPoint: Sendable {
    /// As tables show it: `4level@0.05/contexts`, `8bit/contexts`, `int8/zlib6`, `jpeg-tiled/90`.
    package var name: String
    /// One for each boundary tensor; empty unless the coding is calibrated.
    package var quantizers: [LevelQuantizer] = []
    package var medianBytes = 0
    package var bitsPerElement = 0.0
    /// Megabytes of int8 input a second and core, the whole container included.
    package var encodeRate = 0.0
    package var decodeRate = 0.0
    /// Share of pictures with the same strongest class as the same split without loss: 0...1.
    package var agreement = 1.0
    /// Share of pictures whose label is the strongest class, less that of the split without loss; nil without labels.
    package var top1Change: Double?
    /// Mean cosine with the answers of the split without loss.
    package var cosine = 1.0
    /// Mean Kullback-Leibler divergence in nats of the answers' softmax from that of the split without loss.
    package var divergence = 0.0

    /// What planners bound: the share of pictures lost to the coding. Without labels, those whose answer changes.
    package var loss: Double { top1Change.map { max(0, -$0) } ?? 1 - agreement }
}

/// Rate, accuracy and time of codings at one cut, on pictures other than those that calibrated them.
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
        Step(levels: 8, rateWeight: 0.015), Step(levels: 12, rateWeight: 0.005), Step(levels: 16, rateWeight: 0.002),
    ]

    /// Of the JPEGs that hold the channels as tiles.
    private static let tiledQualities = [30, 50, 70, 85, 95]

    package let boundary: String
    package let elements: Int
    package let pictures: Int
    /// Top-1 accuracy of the split without loss; nil without labels.
    package let losslessTop1: Double?
    /// Lossless forms first, then the channels as tiles of a JPEG, then the ladder.
    package let points: [BoundaryCodingPoint]

    /// The calibrated points that no other beats in size and divergence at once, the smallest first.
    package var front: [BoundaryCodingPoint] {
        let calibrated = points.filter { !$0.quantizers.isEmpty }.sorted { $0.medianBytes < $1.medianBytes }
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
        var coder = try BoundaryCoder(head.boundary)
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
                    let coding = TensorSource.Coding.precision(.lossless8, .measured)
                    _ = try coder.measure(
                        head.sources(codes.map { _ in coding }, compression: compression), into: &samples[index])
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
                let decoded = try coder.measure(
                    head.sources(design.1.map { .agreed($0) }, compression: .contexts), agreed: design.1,
                    into: &samples[position])
                let answers = try tail.complete(decoded)[0].array(of: Float.self)
                samples[position].compare(reference, answers, label: label)
            }
            progress(picture + 1, count)
        }
        let elements = head.boundary.reduce(0) { $0 + $1.shape.elementCount }
        let baseline = labelled > 0 ? Double(right) / Double(labelled) : nil
        let unquantized = exact.map(\.0) + qualities.map { "jpeg-tiled/\($0)" }
        let names = unquantized.map { ($0, [LevelQuantizer]()) } + designs
        return BoundaryBench(
            boundary: cut.name(in: quantized.graph), elements: elements, pictures: count, losslessTop1: baseline,
            points: zip(names, samples).map { name, samples in
                samples.point(named: name.0, quantizers: name.1, elements: elements, losslessTop1: baseline)
            })
    }
}

/// Encodes and decodes with memory kept from picture to picture, as a session does.
private struct BoundaryCoder: ~Copyable {
    private let ports: [BoundaryPort]
    private var encoder = FrameEncoder()
    private var bytes: [UInt8] = []

    init(_ ports: [BoundaryPort]) throws {
        self.ports = ports
    }

    mutating func measure(
        _ sources: [TensorSource], agreed: [LevelQuantizer] = [], into samples: inout PointSamples
    ) throws -> [[UInt8]] {
        bytes.removeAll(keepingCapacity: true)
        let start = ContinuousClock.now
        bytes += try encoder.begin(frameID: 0, tensors: sources)
        while try encoder.appendNextBand(to: &bytes) {}
        let encoded = ContinuousClock.now
        let expected = ports.enumerated().map { index, port in
            ExpectedTensor(port.signature, agreedQuantizers: agreed.isEmpty ? [] : [agreed[index]])
        }
        let frame = try decodeFrame(bytes, expecting: expected, layout: .channelsLast)
        samples.add(size: bytes.count, encode: encoded - start, decode: ContinuousClock.now - encoded)
        return frame.tensors
    }

    /// One grey JPEG a tensor, its channels as tiles.
    mutating func measureTiles(
        _ codes: [UnsafeRawBufferPointer], _ mosaics: [ChannelMosaic], quality: Int, into samples: inout PointSamples
    ) throws -> [[UInt8]] {
        var size = 0
        var times = (encode: Duration.zero, decode: Duration.zero)
        let decoded = try zip(codes, mosaics).map { tensor, mosaic in
            let start = ContinuousClock.now
            let file = try mosaic.picture(tensor.bindMemory(to: UInt8.self)).encodeJPEG(quality: quality)
            let encoded = ContinuousClock.now
            let codes = try mosaic.decode(file)
            times.encode += encoded - start
            times.decode += ContinuousClock.now - encoded
            size += file.count
            return codes
        }
        samples.add(size: size, encode: times.encode, decode: times.decode)
        return decoded
    }

    /// One zlib stream a tensor over the bytes as they are.
    mutating func measureBytes(
        _ codes: [UnsafeRawBufferPointer], _ compression: Compression, into samples: inout PointSamples
    ) throws {
        var size = 0
        var times = (encode: Duration.zero, decode: Duration.zero)
        for tensor in codes {
            let flat = TensorSignature(shape: [tensor.count], scale: 1, zeroPoint: 0)
            let source = TensorSource(
                flat, layout: .rowMajor, coding: .precision(.lossless8, .measured), compression: compression,
                borrowing: tensor.bindMemory(to: UInt8.self))
            bytes.removeAll(keepingCapacity: true)
            let start = ContinuousClock.now
            bytes += try encoder.begin(frameID: 0, tensors: [source])
            while try encoder.appendNextBand(to: &bytes) {}
            let encoded = ContinuousClock.now
            _ = try decodeFrame(bytes)
            times.encode += encoded - start
            times.decode += ContinuousClock.now - encoded
            size += bytes.count
        }
        samples.add(size: size, encode: times.encode, decode: times.decode)
    }
}

/// What was seen of one coding, picture by picture.
private struct PointSamples {
    private var sizes: [Int] = []
    private var encodeTimes: [Duration] = []
    private var decodeTimes: [Duration] = []
    private var comparison = OutputComparison()
    private var divergence = 0.0
    private var labelled = 0
    private var right = 0

    mutating func add(size: Int, encode: Duration, decode: Duration) {
        sizes.append(size)
        encodeTimes.append(encode)
        decodeTimes.append(decode)
    }

    mutating func compare(_ expected: [Float], _ got: [Float], label: Int?) {
        comparison.add(expected: expected, got: got)
        divergence += Self.divergence(of: got, from: expected)
        guard let label else { return }
        labelled += 1
        if got.indexOfLargest == label { right += 1 }
    }

    /// Σ p·ln(p/q) of the two softmaxes.
    private static func divergence(of got: [Float], from expected: [Float]) -> Double {
        func logarithms(_ values: [Float]) -> [Double] {
            let greatest = Double(values.max() ?? 0)
            let sum = values.reduce(0) { $0 + exp(Double($1) - greatest) }
            return values.map { Double($0) - greatest - log(sum) }
        }
        return zip(logarithms(expected), logarithms(got)).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
    }

    func point(
        named name: String, quantizers: [LevelQuantizer], elements: Int, losslessTop1: Double?
    ) -> BoundaryCodingPoint {
        var point = BoundaryCodingPoint(name: name, quantizers: quantizers)
        point.medianBytes = sizes.sorted()[sizes.count / 2]
        point.bitsPerElement = 8 * Double(sizes.reduce(0, +)) / Double(sizes.count * elements)
        func rate(_ times: [Duration]) -> Double {
            Double(elements) / max(1e-9, times.sorted()[times.count / 2] / .microseconds(1))
        }
        point.encodeRate = rate(encodeTimes)
        point.decodeRate = rate(decodeTimes)
        guard comparison.count > 0 else {
            point.top1Change = losslessTop1 == nil ? nil : 0
            return point
        }
        point.agreement = comparison.top1Agreement
        point.cosine = comparison.meanCosine
        point.divergence = divergence / Double(comparison.count)
        if let losslessTop1 { point.top1Change = Double(right) / Double(labelled) - losslessTop1 }
        return point
    }
}
