package import ActivationCodec
internal import Quantization

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
    /// Median time on one core, the whole container included.
    package var encode = Duration.zero
    package var decode = Duration.zero
    /// Megabytes of int8 input a second and core.
    package var encodeRate = 0.0
    package var decodeRate = 0.0
    /// Share of pictures with the strongest class of what they are compared with: 0...1.
    package var agreement = 1.0
    /// Top-1 accuracy less that of what the answers are compared with; nil without labels.
    package var top1Change: Double?
    /// Mean cosine with the answers compared with.
    package var cosine = 1.0
    /// Mean Kullback-Leibler divergence in nats of the answers' softmax from that of those compared with.
    package var divergence = 0.0

    /// Standard error of `top1Change`, from the pictures that became right or wrong.
    package var top1Error = 0.0

    /// What planners bound: the top-1 accuracy lost, taken a standard error above what was measured, as few pictures tell
    /// little. Without labels, the share of pictures whose answer changes.
    package var loss: Double { top1Change.map { min(1, max(0, top1Error - $0)) } ?? 1 - agreement }
}

/// What was seen of one coding, picture by picture.
struct PointSamples {
    private var sizes: [Int] = []
    private var encodeTimes: [Duration] = []
    private var decodeTimes: [Duration] = []
    private var comparison = OutputComparison()
    private var divergence = 0.0
    private var labelled = 0
    private var right = 0
    /// Pictures that are right in one of the two alone.
    private var turned = 0

    mutating func add(size: Int, encode: Duration, decode: Duration) {
        sizes.append(size)
        encodeTimes.append(encode)
        decodeTimes.append(decode)
    }

    mutating func add(_ outcome: BoundaryCoder.Outcome) {
        add(size: outcome.size, encode: outcome.encode, decode: outcome.decode)
    }

    mutating func compare(_ expected: [Float], _ got: [Float], label: Int?) {
        comparison.add(expected: expected, got: got)
        divergence += Self.divergence(of: got, from: expected)
        guard let label else { return }
        labelled += 1
        let isRight = got.indexOfLargest == label
        if isRight { right += 1 }
        if isRight != (expected.indexOfLargest == label) { turned += 1 }
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
        named name: String, quantizers: [LevelQuantizer], elements: Int, referenceTop1: Double?
    ) -> BoundaryCodingPoint {
        var point = BoundaryCodingPoint(name: name, quantizers: quantizers)
        point.medianBytes = sizes.sorted()[sizes.count / 2]
        point.bitsPerElement = 8 * Double(sizes.reduce(0, +)) / Double(sizes.count * elements)
        point.encode = encodeTimes.sorted()[encodeTimes.count / 2]
        point.decode = decodeTimes.sorted()[decodeTimes.count / 2]
        func rate(_ time: Duration) -> Double { Double(elements) / max(1e-9, time / .microseconds(1)) }
        point.encodeRate = rate(point.encode)
        point.decodeRate = rate(point.decode)
        guard comparison.count > 0 else {
            point.top1Change = referenceTop1 == nil ? nil : 0
            return point
        }
        point.agreement = comparison.top1Agreement
        point.cosine = comparison.meanCosine
        point.divergence = divergence / Double(comparison.count)
        if let referenceTop1 {
            point.top1Change = Double(right) / Double(labelled) - referenceTop1
            point.top1Error = Double(turned).squareRoot() / Double(labelled)
        }
        return point
    }
}
