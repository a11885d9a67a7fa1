/// Scales axes by interpolation between neighbours.
///
/// Each axis is resized by itself; those whose extent and scale stay are left alone. Coordinates are computed in float32,
/// as ONNX Runtime does.
/// - SeeAlso: ONNX Resize, operator set 19
package struct Resize: Hashable, Sendable, Codable {
    package enum Interpolation: Hashable, Sendable, Codable {
        case nearest(Rounding)
        case linear
        /// - SeeAlso: Keys, "Cubic convolution interpolation for digital image processing", 1981; the coefficient is a.
        case cubic(coefficient: Float)
    }

    /// Which neighbour is nearest.
    package enum Rounding: String, Hashable, Sendable, Codable {
        case halfDown = "round_prefer_floor"
        case halfUp = "round_prefer_ceil"
        case down = "floor"
        case up = "ceil"
    }

    /// How an index of the result becomes a coordinate of the operand.
    package enum Coordinates: String, Hashable, Sendable, Codable {
        case halfPixel = "half_pixel"
        case halfPixelSymmetric = "half_pixel_symmetric"
        case pytorchHalfPixel = "pytorch_half_pixel"
        /// Of operator set 10 and 11: half pixels without moving back by one.
        case halfPixelForNearest = "tf_half_pixel_for_nn"
        case alignCorners = "align_corners"
        case asymmetric
        case cropAndResize = "tf_crop_and_resize"
    }

    /// The result's extents, all axes.
    package var extents: [Int]
    /// One a axis, > 0; the extents need not be exactly the operand's times these.
    package var scales: [Float]
    package var interpolation: Interpolation
    package var coordinates: Coordinates
    /// Neighbours beyond the edge weigh nothing, rather than repeat the edge.
    package var excludesOutside: Bool
    /// Shrinking averages over all elements that a result covers.
    package var antialiases: Bool
    /// Of `cropAndResize`: all axes' starts, then their ends, the whole extent being 0...1.
    package var region: [Float]
    /// Of `cropAndResize`: what stands for coordinates outside.
    package var extrapolation: Float

    package init(
        extents: [Int], scales: [Float], interpolation: Interpolation = .linear, coordinates: Coordinates = .halfPixel,
        excludesOutside: Bool = false, antialiases: Bool = false, region: [Float] = [], extrapolation: Float = 0
    ) {
        self.extents = extents
        self.scales = scales
        self.interpolation = interpolation
        self.coordinates = coordinates
        self.excludesOutside = excludesOutside
        self.antialiases = antialiases
        self.region = region
        self.extrapolation = extrapolation
    }
}

/// For each index along an axis of a resize's result, the operand's indices it is computed from, and their weights.
package struct ResizeTaps: Sendable {
    /// So many taps each result has.
    package let count: Int
    /// Result after result.
    package let indices: [Int]
    package let weights: [Double]
    /// Whether a result lies outside and takes the extrapolation value.
    package let isOutside: [Bool]

    /// Whether the result is the operand, of extent `extent`.
    package func isIdentity(over extent: Int) -> Bool {
        count == 1 && !isOutside.contains(true) && indices.elementsEqual(0..<extent) && weights.allSatisfy { $0 == 1 }
    }
}

extension Resize {
    /// More taps than this for one element, and the resize is refused.
    static let maximumTaps = 1 << 12

    /// Elements on either side of a coordinate that its value depends on.
    func reach(_ axis: Int) -> Int {
        let support: Float
        switch interpolation {
        case .nearest: return 1
        case .linear: support = 1
        case .cubic: support = 2
        }
        guard antialiases, scales[axis] < 1 else { return Int(support) }
        let reach = (support / scales[axis]).rounded(.up)
        return reach < Float(Self.maximumTaps) ? Int(reach) : Self.maximumTaps
    }

    /// - Precondition: shape inference accepted the resize of an axis of extent `extent` ≥ 1.
    package func taps(_ axis: Int, extent: Int) -> ResizeTaps {
        let coordinates = (0..<extents[axis]).map { index in
            let coordinate = coordinate(of: index, axis, extent: extent)
            // Scales and regions beyond all sense may leave the numbers.
            return coordinate.isNaN ? 0 : coordinate
        }
        let isOutside = coordinates.map {
            self.coordinates == .cropAndResize && ($0 < 0 || $0 > Float(extent - 1))
        }
        let limit = { (index: Int) in min(max(index, 0), extent - 1) }
        if extents[axis] == extent && scales[axis] == 1 && self.coordinates != .cropAndResize {
            return ResizeTaps(
                count: 1, indices: Array(0..<extent), weights: .init(repeating: 1, count: extent), isOutside: isOutside)
        }
        if case .nearest(let rounding) = interpolation {
            let indices = zip(coordinates, isOutside).map { $1 ? 0 : limit(rounding.nearest(to: $0)) }
            return ResizeTaps(
                count: 1, indices: indices, weights: .init(repeating: 1, count: indices.count), isOutside: isOutside)
        }
        let reach = reach(axis)
        let compression = antialiases ? Double(min(scales[axis], 1)) : 1
        var indices: [Int] = []
        var weights: [Double] = []
        for coordinate in coordinates {
            // Coordinates far outside all mean the edge.
            let coordinate = min(max(coordinate, -Float(reach)), Float(extent - 1 + reach))
            let floor = coordinate.rounded(.down)
            let neighbours = (1 - reach...reach).map { Int(floor) + $0 }
            var own = neighbours.map { neighbour -> Double in
                if excludesOutside && !(0..<extent).contains(neighbour) { return 0 }
                return weight(at: (Double(neighbour) - Double(coordinate)) * compression)
            }
            let sum = own.reduce(0, +)
            if (excludesOutside || antialiases) && sum != 0 { own = own.map { $0 / sum } }
            indices += neighbours.map(limit)
            weights += own
        }
        return ResizeTaps(count: 2 * reach, indices: indices, weights: weights, isOutside: isOutside)
    }

    private func coordinate(of index: Int, _ axis: Int, extent: Int) -> Float {
        let (position, scale) = (Float(index), scales[axis])
        let (source, result) = (Float(extent), Float(extents[axis]))
        switch coordinates {
        case .halfPixel: return (position + 0.5) / scale - 0.5
        case .halfPixelSymmetric:
            let offset = source / 2 * (1 - result / (scale * source))
            return offset + (position + 0.5) / scale - 0.5
        case .pytorchHalfPixel: return extents[axis] > 1 ? (position + 0.5) / scale - 0.5 : 0
        case .halfPixelForNearest: return (position + 0.5) / scale
        case .alignCorners: return extents[axis] > 1 ? position * (source - 1) / (result - 1) : 0
        case .asymmetric: return position / scale
        case .cropAndResize:
            let (start, end) = (region[axis], region[axis + extents.count])
            let middle = (start + end) / 2 * (source - 1)
            return extents[axis] > 1
                ? start * (source - 1) + position * (end - start) * (source - 1) / (result - 1) : middle
        }
    }

    private func weight(at distance: Double) -> Double {
        let x = abs(distance)
        guard case .cubic(let coefficient) = interpolation else { return max(1 - x, 0) }
        let a = Double(coefficient)
        if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
    }
}

extension Resize.Rounding {
    fileprivate func nearest(to coordinate: Float) -> Int {
        let rounded: Float
        switch self {
        case .halfDown: rounded = (coordinate - 0.5).rounded(.up)
        case .halfUp: rounded = (coordinate + 0.5).rounded(.down)
        case .down: rounded = coordinate.rounded(.down)
        case .up: rounded = coordinate.rounded(.up)
        }
        // Exact below 2⁶³, and what is beyond is limited to the axis anyway.
        return Int(exactly: rounded) ?? (rounded < 0 ? .min : .max)
    }
}
