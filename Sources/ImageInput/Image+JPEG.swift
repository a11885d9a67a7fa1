internal import CTurboJPEG

extension Image {
    /// Decodes a baseline or progressive, colour or grey JPEG; see `init(decoding:name:limits:acceptingDamage:)`.
    static func decodingJPEG(
        _ bytes: RawSpan, name: String?, limits: ImageLimits, acceptingDamage: Bool
    ) throws(ImageError) -> Image {
        guard let decoder = tjInitDecompress() else {
            throw ImageError(.damaged, "JPEG: no decoder: \(lastMessage(nil))", file: name)
        }
        defer { tjDestroy(decoder) }

        var (width, height, subsampling, colorspace): (CInt, CInt, CInt, CInt) = (0, 0, -1, -1)
        _ = bytes.withUnsafeBytes { input in
            tjDecompressHeader3(
                decoder, input.baseAddress!.assumingMemoryBound(to: UInt8.self), CUnsignedLong(input.count),
                &width, &height, &subsampling, &colorspace)
        }
        // The status is not asked: TurboJPEG 2 also fails, with all else filled in, on a warning or a chroma subsampling
        // that has no name, and decodes both. A header that cannot be read leaves the size or the colour space unset.
        guard width > 0, height > 0, colorspace >= 0 else {
            throw ImageError(.damaged, "JPEG header: \(lastMessage(decoder))", file: name)
        }
        try limits.check(width: Int(width), height: Int(height), file: name)
        guard colorspace != TJCS_CMYK.rawValue, colorspace != TJCS_YCCK.rawValue else {
            throw ImageError(
                .unsupported, "JPEG for print, whose colours need an ICC profile", file: name, expected: "RGB or grey",
                got: colorspace == TJCS_CMYK.rawValue ? "CMYK" : "YCCK")
        }

        // The limit on scans stops a small progressive file that asks for hours of work.
        let strictness = acceptingDamage ? 0 : TJFLAG_STOPONWARNING
        let flags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS | strictness
        let size = Int(width) * Int(height) * channels
        let pixels = [UInt8](unsafeUninitializedCapacity: size) { output, count in
            // Damage may leave rows undecoded.
            if acceptingDamage { output.initialize(repeating: 128) }
            let status = bytes.withUnsafeBytes { input in
                tjDecompress2(
                    decoder, input.baseAddress!.assumingMemoryBound(to: UInt8.self), CUnsignedLong(input.count),
                    output.baseAddress!, width, width * CInt(channels), height, TJPF_RGB.rawValue, flags)
            }
            let onlyWarned = acceptingDamage && tjGetErrorCode(decoder) == TJERR_WARNING.rawValue
            count = status == 0 || onlyWarned ? size : 0
        }
        guard !pixels.isEmpty else { throw ImageError(.damaged, "JPEG: \(lastMessage(decoder))", file: name) }
        return Image(width: Int(width), height: Int(height), bytes: pixels)
    }

    /// Encodes as a baseline JPEG with chroma subsampled 4:2:0.
    ///
    /// - Parameter quality: 1...100, the scale of libjpeg.
    /// - Precondition: `quality` is in its range.
    /// - Throws: `ImageError` `.notEncodable` for sides beyond 65,500 pixels.
    package func encodeJPEG(quality: Int) throws(ImageError) -> [UInt8] {
        precondition((1...100).contains(quality), "quality is 1...100")
        guard let width = CInt(exactly: width), let height = CInt(exactly: height), width <= CInt.max / 3 else {
            throw ImageError(.notEncodable, "sides beyond the JPEG format", got: "\(self.width)×\(self.height)")
        }
        guard let encoder = tjInitCompress() else { throw ImageError(.notEncodable, "JPEG: \(lastMessage(nil))") }
        defer { tjDestroy(encoder) }

        var encoded: UnsafeMutablePointer<UInt8>?
        var count: CUnsignedLong = 0
        defer { tjFree(encoded) }
        let status = tjCompress2(
            encoder, bytes, width, width * CInt(Self.channels), height, TJPF_RGB.rawValue, &encoded, &count,
            CInt(TJSAMP_420.rawValue), CInt(quality), TJFLAG_ACCURATEDCT)
        guard status == 0, let encoded else { throw ImageError(.notEncodable, "JPEG: \(lastMessage(encoder))") }
        return Array(UnsafeBufferPointer(start: encoded, count: Int(count)))
    }
}

private func lastMessage(_ handle: tjhandle?) -> String {
    String(cString: tjGetErrorStr2(handle))
}
