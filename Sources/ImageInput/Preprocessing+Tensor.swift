extension Preprocessing {
    /// The network's input for a picture, in `layout`.
    ///
    /// - Throws: `ImageError` `.wrongSize` when `resize` is `.none` and the picture has another size.
    package func tensor(from image: Image) throws(ImageError) -> [Float] {
        var tensor = [Float](repeating: 0, count: elementCount)
        var output = tensor.mutableSpan
        try fill(&output, from: image, layout: layout)
        return tensor
    }

    /// Writes the network's input for a picture into memory of the caller.
    ///
    /// - Parameters:
    ///   - output: `elementCount` values.
    ///   - layout: that of `output`, whatever the description's own.
    /// - Precondition: `output` has `elementCount` elements.
    /// - Throws: `ImageError` `.wrongSize` when `resize` is `.none` and the picture has another size.
    package func fill(
        _ output: inout MutableSpan<Float>, from image: Image, layout: Layout
    ) throws(ImageError) {
        let samples = try samples(of: image)
        let table = table { $0 }
        output.withUnsafeMutableBufferPointer { spread(samples, through: table, into: $0, layout: layout) }
    }

    /// Writes the quantised input of a network: `clamp(round(v / scale) + zeroPoint, 0, 255)`, ties to even.
    ///
    /// Equal to quantising what `fill` writes, without passing through floating point for every pixel.
    /// - Parameters:
    ///   - output: `elementCount` values.
    ///   - scale: of the network's input; positive and finite.
    ///   - layout: that of `output`, whatever the description's own.
    /// - Precondition: `output` has `elementCount` elements and `scale` is in its range.
    /// - Throws: `ImageError` `.wrongSize` when `resize` is `.none` and the picture has another size.
    package func fillQuantized(
        _ output: inout MutableSpan<UInt8>, from image: Image, scale: Float, zeroPoint: UInt8, layout: Layout
    ) throws(ImageError) {
        precondition(scale > 0 && scale.isFinite, "a quantisation scale is positive and finite")
        let samples = try samples(of: image)
        let table = table { value in
            let level = (value / scale).rounded(.toNearestOrEven) + Float(zeroPoint)
            return UInt8(min(max(level, 0), 255))
        }
        output.withUnsafeMutableBufferPointer { spread(samples, through: table, into: $0, layout: layout) }
    }

    /// The resized picture: shape `[height, width, channels]`, in RGB order also for `.bgr`.
    func samples(of image: Image) throws(ImageError) -> Samples {
        let source =
            channels == .gray
            ? Samples(width: image.width, height: image.height, channels: 1, bytes: image.luma)
            : Samples(width: image.width, height: image.height, channels: Image.channels, bytes: image.bytes)
        switch resize {
        case .none:
            guard image.width == width, image.height == height else {
                throw ImageError(
                    .wrongSize, "the picture is not to be resized", expected: "\(width)×\(height)",
                    got: "\(image.width)×\(image.height)")
            }
            return source
        case .stretch:
            return source.resized(
                toWidth: width, height: height, columns: 0..<width, rows: 0..<height, filter: interpolation)
        case .shortestSide(let side):
            let shorter = min(image.width, image.height)
            let (newWidth, newHeight) = (image.width * side / shorter, image.height * side / shorter)
            let left = Self.halfToEven(newWidth - width)
            let top = Self.halfToEven(newHeight - height)
            return source.resized(
                toWidth: newWidth, height: newHeight, columns: left..<left + width, rows: top..<top + height,
                filter: interpolation)
        }
    }

    private static func halfToEven(_ margin: Int) -> Int {
        Int((Double(margin) / 2).rounded(.toNearestOrEven))
    }

    /// What each of the 256 sample values becomes, for every channel of the network.
    private func table<Element>(_ element: (Float) -> Element) -> [Element] {
        (0..<channels.count).flatMap { channel in
            (0...UInt8.max).map { element(value(of: $0, channel: channel)) }
        }
    }

    private func spread<Element>(
        _ samples: Samples, through table: [Element], into output: UnsafeMutableBufferPointer<Element>, layout: Layout
    ) {
        precondition(output.count == elementCount, "the output does not fit the preprocessing")
        let count = channels.count
        let (pixelStep, channelStep) = layout == .nhwc ? (count, 1) : (1, width * height)
        samples.bytes.withUnsafeBufferPointer { input in
            table.withUnsafeBufferPointer { table in
                for channel in 0..<count {
                    let source = channels == .bgr ? count - 1 - channel : channel
                    for pixel in 0..<width * height {
                        let sample = Int(input[pixel * count + source])
                        output[pixel * pixelStep + channel * channelStep] = table[channel << 8 | sample]
                    }
                }
            }
        }
    }
}
