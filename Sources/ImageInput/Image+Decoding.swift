extension Image {
    /// The formats that are read, told apart by their first bytes and never by a file's name.
    package enum Format: Equatable, Sendable {
        case jpeg, png

        package init?(magic bytes: RawSpan) {
            if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
                self = .jpeg
            } else if bytes.starts(with: PNGStructure.signature) {
                self = .png
            } else {
                return nil
            }
        }
    }

    /// Decodes a JPEG or a PNG and turns it upright by its EXIF orientation.
    ///
    /// The pixels equal Pillow's `exif_transpose(open(…)).convert("RGB")`: JPEG by the accurate integer inverse DCT with
    /// smooth chroma upsampling, PNG by its stored values, without gamma or ICC conversion and without alpha. One
    /// departure: 16-bit grey keeps its high byte, where Pillow saturates.
    ///
    /// - Parameters:
    ///   - bytes: the whole file; untrusted.
    ///   - name: stands in errors.
    ///   - acceptingDamage: keeps what a truncated or corrupt JPEG yields (the rest is grey) instead of throwing.
    /// - Throws: `ImageError` `.unknownFormat`, `.damaged`, `.tooLarge` or `.unsupported` (CMYK and YCCK JPEG).
    package init(
        decoding bytes: RawSpan, name: String? = nil, limits: ImageLimits = .standard, acceptingDamage: Bool = false
    ) throws(ImageError) {
        try limits.check(fileBytes: bytes.byteCount, file: name)
        let decoded: Image
        let orientation: Orientation
        switch Format(magic: bytes) {
        case .jpeg:
            decoded = try .decodingJPEG(bytes, name: name, limits: limits, acceptingDamage: acceptingDamage)
            orientation = Orientation(jpeg: bytes)
        case .png:
            decoded = try .decodingPNG(bytes, name: name, limits: limits)
            orientation = Orientation(png: bytes)
        case nil:
            let head = (0..<min(4, bytes.byteCount)).map { String(bytes.byte(at: $0), radix: 16) }
            throw ImageError(
                .unknownFormat, "not a picture", file: name, expected: "JPEG or PNG",
                got: head.isEmpty ? "no bytes" : "bytes \(head.joined(separator: " "))")
        }
        self = decoded.upright(from: orientation)
    }

    /// Decodes a JPEG or a PNG file; see `init(decoding:name:limits:acceptingDamage:)`.
    package init(
        contentsOf path: String, limits: ImageLimits = .standard, acceptingDamage: Bool = false
    ) throws(ImageError) {
        let bytes = try readFile(path, limits: limits)
        try self.init(
            decoding: bytes.span.bytes, name: path, limits: limits, acceptingDamage: acceptingDamage)
    }
}
