package import ImageInput
package import Planning

extension InputProfile {
    /// Measures what the network's input costs as an upload: a JPEG of the picture at the network's own size, the least
    /// that cloud-only could send.
    /// - Parameters:
    ///   - images: paths of pictures; at least one.
    ///   - jpegQuality: 1...100.
    /// - Throws: `ImageError`.
    package static func measure(
        images: [String], preprocessing: Preprocessing, jpegQuality: Int, model: ModelIdentity, provenance: Provenance,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> InputProfile {
        precondition(!images.isEmpty && (1...100).contains(jpegQuality))
        var sizes: [Int] = []
        var (encodes, decodes, edge, cloud): ([Duration], [Duration], [Duration], [Duration]) = ([], [], [], [])
        var unpacking: [Duration] = []
        var input = [Float](repeating: 0, count: preprocessing.elementCount)
        func prepare(_ image: Image) throws -> Duration {
            var span = input.mutableSpan
            let start = ContinuousClock.now
            try preprocessing.fill(&span, from: image, layout: .nchw)
            return ContinuousClock.now - start
        }
        for (index, path) in images.enumerated() {
            let opened = ContinuousClock.now
            let original = try Image(contentsOf: path)
            unpacking.append(ContinuousClock.now - opened)
            edge.append(try prepare(original))
            let picture = try preprocessing.picture(from: original)
            var start = ContinuousClock.now
            let jpeg = try picture.encodeJPEG(quality: jpegQuality)
            encodes.append(ContinuousClock.now - start)
            sizes.append(jpeg.count)
            start = ContinuousClock.now
            let decoded = try Image(decoding: jpeg.span.bytes)
            decodes.append(ContinuousClock.now - start)
            let normalize = try preprocessing.withoutResizing()
            var span = input.mutableSpan
            start = ContinuousClock.now
            try normalize.fill(&span, from: decoded, layout: .nchw)
            cloud.append(ContinuousClock.now - start)
            progress(index + 1, images.count)
        }
        return InputProfile(
            provenance: provenance, model: model, images: images.count, jpegQuality: jpegQuality,
            jpeg: ByteCount(sizes.sorted()[sizes.count / 2]),
            raw: ByteCount(preprocessing.width * preprocessing.height * Image.channels),
            jpegEncode: Timing(samples: encodes), jpegDecode: Timing(samples: decodes),
            cloudPreprocess: Timing(samples: cloud), edgePreprocess: Timing(samples: edge),
            edgeDecode: Timing(samples: unpacking))
    }
}

extension Preprocessing {
    /// The same, for a picture that already has the network's size.
    fileprivate func withoutResizing() throws(ImageError) -> Preprocessing {
        try Preprocessing(
            width: width, height: height, resize: .none, interpolation: interpolation, channels: channels, scale: scale,
            mean: mean, std: std, layout: layout)
    }
}
