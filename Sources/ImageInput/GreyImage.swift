internal import CTurboJPEG

/// One channel of 8-bit samples, rows from top to bottom, no padding; the sides are at least 1.
package struct GreyImage: Equatable, Sendable {
    package let width: Int
    package let height: Int
    package let bytes: [UInt8]

    /// - Precondition: sides of at least 1 and `width · height` bytes.
    package init(width: Int, height: Int, bytes: [UInt8]) {
        precondition(width > 0 && height > 0, "an image has at least one pixel")
        precondition(bytes.count == width * height, "bytes do not fit the size")
        self.width = width
        self.height = height
        self.bytes = bytes
    }

    /// Encodes as a baseline JPEG.
    ///
    /// - Parameter quality: 1...100, the scale of libjpeg.
    /// - Throws: `ImageError` `.notEncodable` for sides beyond 65,500 pixels.
    package func encodeJPEG(quality: Int) throws(ImageError) -> [UInt8] {
        precondition((1...100).contains(quality), "quality is 1...100")
        guard let width = CInt(exactly: width), let height = CInt(exactly: height) else {
            throw ImageError(.notEncodable, "sides beyond the JPEG format", got: "\(self.width)×\(self.height)")
        }
        guard let encoder = tjInitCompress() else { throw ImageError(.notEncodable, "JPEG: no encoder") }
        defer { tjDestroy(encoder) }
        var encoded: UnsafeMutablePointer<UInt8>?
        var count: CUnsignedLong = 0
        defer { tjFree(encoded) }
        let status = tjCompress2(
            encoder, bytes, width, width, height, TJPF_GRAY.rawValue, &encoded, &count, CInt(TJSAMP_GRAY.rawValue),
            CInt(quality), TJFLAG_ACCURATEDCT)
        guard status == 0, let encoded else {
            throw ImageError(.notEncodable, "JPEG: \(String(cString: tjGetErrorStr2(encoder)))")
        }
        return Array(UnsafeBufferPointer(start: encoded, count: Int(count)))
    }

    /// Decodes the luma of a JPEG whose size is known.
    ///
    /// - Throws: `ImageError` `.damaged` when it is none, or of another size.
    package init(decodingJPEG file: [UInt8], width: Int, height: Int) throws(ImageError) {
        guard let decoder = tjInitDecompress() else { throw ImageError(.damaged, "JPEG: no decoder") }
        defer { tjDestroy(decoder) }
        var (foundWidth, foundHeight, subsampling, colorspace): (CInt, CInt, CInt, CInt) = (0, 0, -1, -1)
        let status = tjDecompressHeader3(
            decoder, file, CUnsignedLong(file.count), &foundWidth, &foundHeight, &subsampling, &colorspace)
        guard status == 0, Int(foundWidth) == width, Int(foundHeight) == height else {
            throw ImageError(
                .damaged, "JPEG size", expected: "\(width)×\(height)", got: "\(foundWidth)×\(foundHeight)")
        }
        let pixels = [UInt8](unsafeUninitializedCapacity: width * height) { output, count in
            let status = tjDecompress2(
                decoder, file, CUnsignedLong(file.count), output.baseAddress!, foundWidth, foundWidth, foundHeight,
                TJPF_GRAY.rawValue, TJFLAG_ACCURATEDCT)
            count = status == 0 ? width * height : 0
        }
        guard !pixels.isEmpty else {
            throw ImageError(.damaged, "JPEG: \(String(cString: tjGetErrorStr2(decoder)))")
        }
        self.init(width: width, height: height, bytes: pixels)
    }
}
