private import Glibc

/// A layer and how long it took.
package struct LayerSample: Hashable, Sendable, Codable {
    package var shape: LayerShape
    package var nanoseconds: Int64

    package init(_ shape: LayerShape, nanoseconds: Int64) {
        self.shape = shape
        self.nanoseconds = nanoseconds
    }
}

/// Predicts the time of layers from layers that were timed on the same machine.
package protocol LayerPredictor {
    /// In nanoseconds.
    func nanoseconds(_ shape: LayerShape) -> Double
}

/// A roofline for each kind of layer, and the measured layers of most similar shape to correct it.
///
/// The roofline is a sum of costs ≥ 0: to begin, for each multiply-add with channels padded to whole registers, each byte
/// moved, each tap of each pixel. It is fitted to relative errors, so that small layers count as much as large ones. What it
/// cannot say (caches, tiles, Winograd's transforms) is smooth in the logarithms of the shape: the ratio of measured to
/// predicted is a kernel-weighted mean over neighbours, drawn to 1 where there are none.
package struct LatencyModel: LayerPredictor, Sendable {
    /// One kind's costs and samples.
    fileprivate struct Kind: Sendable {
        var costs: [Double]
        var neighbours: [(place: [Double], logRatio: Double)]
    }

    private var kinds: [String: Kind] = [:]
    /// For kinds without samples: all of them together.
    private let fallback: Kind

    /// - Precondition: `samples` is not empty.
    package init(_ samples: [LayerSample]) {
        precondition(!samples.isEmpty)
        for (kind, members) in Dictionary(grouping: samples, by: \.shape.kind) { kinds[kind] = Kind(members) }
        let others = samples.filter { $0.shape.taps == 1 && $0.shape.inputChannels == 0 }
        fallback = Kind(others.isEmpty ? samples : others)
    }

    package func nanoseconds(_ shape: LayerShape) -> Double { (kinds[shape.kind] ?? fallback).nanoseconds(shape) }
}

extension LatencyModel.Kind {
    /// Squared distance, in doublings, at which a neighbour counts e⁻¹.
    private static let reach = 1.0
    /// How much the roofline itself counts against neighbours.
    private static let prior = 0.15

    fileprivate init(_ samples: [LayerSample]) {
        let rows = samples.map(\.shape.costFeatures)
        let targets = samples.map { max(1, Double($0.nanoseconds)) }
        costs = nonNegativeLeastSquares(rows, targets, weights: targets.map { 1 / ($0 * $0) })
        neighbours = []
        neighbours = samples.enumerated().map { index, sample in
            (sample.shape.place, log(targets[index] / roofline(sample.shape)))
        }
    }

    private func roofline(_ shape: LayerShape) -> Double {
        max(1, zip(costs, shape.costFeatures).reduce(0) { $0 + $1.0 * $1.1 })
    }

    fileprivate func nanoseconds(_ shape: LayerShape) -> Double {
        let place = shape.place
        var sum = 0.0
        var weight = Self.prior
        for neighbour in neighbours {
            let squared = zip(place, neighbour.place).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            let share = exp(-squared / Self.reach)
            sum += share * neighbour.logRatio
            weight += share
        }
        return roofline(shape) * exp(sum / weight)
    }
}

extension LayerShape {
    /// To begin; multiply-adds, padded to registers of 16 results and dot products of 4; elements read, written, of weights;
    /// taps of pixels; an addition on the way.
    fileprivate var costFeatures: [Double] {
        let paddedInputs = Double((inputChannels + 3) / 4 * 4)
        let paddedOutputs = Double((outputChannels + 15) / 16 * 16)
        let isDepthwise = kind == "depthwise"
        let padded =
            isDepthwise ? multiplyAdds : Double(pixels * taps) * paddedInputs * paddedOutputs * Double(groups)
        return [
            1, padded, multiplyAdds, Double(inputElements), Double(outputElements), Double(weights),
            Double(pixels) * Double(taps) * Double(isDepthwise ? groups : 1),
            addsOnTheWay ? Double(outputElements) : 0,
        ]
    }

    /// Where the shape lies among others of its kind, in doublings.
    fileprivate var place: [Double] {
        [
            log2(Double(1 + pixels)), log2(Double(1 + inputChannels)), log2(Double(1 + outputChannels)),
            log2(Double(max(1, groups))), 2 * log2(Double(max(1, taps))), 2 * log2(Double(max(1, stride))),
            addsOnTheWay ? 0.5 : 0,
        ]
    }
}
