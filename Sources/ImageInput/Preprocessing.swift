/// How a picture becomes the input of a network, in full.
///
/// The picture is made grey if `channels` says so, brought to `width` × `height` by `resize`, and every sample `p` of
/// channel `c` becomes `(p·scale − mean[c]) / std[c]`, computed in double precision and rounded once to `Float`.
/// Channels, `mean` and `std` stand in the network's order: for `.bgr`, `mean[0]` is that of blue.
package struct Preprocessing: Equatable, Sendable {
    /// How a picture of another size is brought to the network's.
    package enum Resize: Equatable, Sendable {
        /// Not at all: another size is an error.
        case none
        /// To the exact size, whatever the aspect ratio.
        case stretch
        /// The shorter side to this many pixels, keeping the aspect ratio, then the central part.
        ///
        /// As torchvision's `Resize` and `CenterCrop`: the longer side is rounded down, odd margins to even.
        case shortestSide(Int)
    }

    /// The channels of the network's input.
    package enum Channels: String, Codable, Equatable, Sendable {
        case rgb, bgr
        /// ITU-R 601 luma, taken before the resize; see `Image.luma`.
        case gray

        package var count: Int { self == .gray ? 1 : 3 }
    }

    /// The order of the dimensions of a batch of one.
    package enum Layout: String, Codable, Equatable, Sendable {
        /// Channel planes one after the other, as ONNX networks take them.
        case nchw
        /// Channels interleaved, as quantised kernels take them.
        case nhwc
    }

    /// Range of `width`, `height` and the shortest side.
    package static let sides = 1...8192

    package let width: Int
    package let height: Int
    package let resize: Resize
    package let interpolation: Interpolation
    package let channels: Channels
    package let scale: Double
    package let mean: [Double]
    package let std: [Double]
    package let layout: Layout

    /// - Throws: `ImageError` `.invalidPreprocessing` for sides outside `sides`, a shortest side smaller than the part
    ///   taken from it, counts that differ from the channels, a zero in `std`, or values that are not finite.
    package init(
        width: Int, height: Int, resize: Resize, interpolation: Interpolation = .bilinear, channels: Channels = .rgb,
        scale: Double, mean: [Double], std: [Double], layout: Layout = .nchw
    ) throws(ImageError) {
        self.width = width
        self.height = height
        self.resize = resize
        self.interpolation = interpolation
        self.channels = channels
        self.scale = scale
        self.mean = mean
        self.std = std
        self.layout = layout
        try validate()
    }

    private func validate() throws(ImageError) {
        func require(_ holds: Bool, _ what: String, expected: String, got: String) throws(ImageError) {
            guard holds else {
                throw ImageError(.invalidPreprocessing, "preprocessing: \(what)", expected: expected, got: got)
            }
        }
        let range = "\(Self.sides.lowerBound)...\(Self.sides.upperBound)"
        try require(Self.sides.contains(width), "width", expected: range, got: "\(width)")
        try require(Self.sides.contains(height), "height", expected: range, got: "\(height)")
        if case .shortestSide(let side) = resize {
            let least = max(width, height)
            try require(
                (least...Self.sides.upperBound).contains(side), "shortestSide",
                expected: "\(least)...\(Self.sides.upperBound)", got: "\(side)")
        }
        let count = "\(channels.count) for \(channels.rawValue)"
        try require(mean.count == channels.count, "count of mean", expected: count, got: "\(mean.count)")
        try require(std.count == channels.count, "count of std", expected: count, got: "\(std.count)")
        try require(std.allSatisfy { $0 != 0 }, "std", expected: "no zero", got: "\(std)")
        try require(
            scale.isFinite && (mean + std).allSatisfy(\.isFinite), "scale, mean and std", expected: "finite numbers",
            got: "\(scale), \(mean), \(std)")
        // Linear in the sample, so the extremes stand for all.
        let extremes = (0..<channels.count).flatMap { [value(of: 0, channel: $0), value(of: 255, channel: $0)] }
        try require(
            extremes.allSatisfy(\.isFinite), "values", expected: "within single precision", got: "\(extremes)")
    }

    /// What the network sees for sample `sample` of channel `channel` in its own order.
    func value(of sample: UInt8, channel: Int) -> Float {
        Float((Double(sample) * scale - mean[channel]) / std[channel])
    }

    /// The dimensions of the network's input, for a batch of one.
    package func shape(_ layout: Layout) -> [Int] {
        switch layout {
        case .nchw: [1, channels.count, height, width]
        case .nhwc: [1, height, width, channels.count]
        }
    }

    /// Elements of the network's input.
    package var elementCount: Int { width * height * channels.count }
}
