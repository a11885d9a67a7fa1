/// Bounds on what a decoder accepts, checked on the header before memory is allocated for pixels.
///
/// Decoding takes 3 bytes a pixel, plus up to 6 more for a progressive JPEG and 3 more for a rotated picture.
package struct ImageLimits: Equatable, Sendable {
    /// 64 megapixels, sides of 65,535 and 64 MiB.
    package static let standard = ImageLimits()

    package var maxPixels: Int
    /// Bounds the work of resizing a picture that is only a line.
    package var maxSide: Int
    package var maxFileBytes: Int

    /// - Precondition: all are positive.
    package init(maxPixels: Int = 64_000_000, maxSide: Int = 65_535, maxFileBytes: Int = 64 << 20) {
        precondition(maxPixels > 0 && maxSide > 0 && maxFileBytes > 0, "limits are positive")
        self.maxPixels = maxPixels
        self.maxSide = maxSide
        self.maxFileBytes = maxFileBytes
    }

    /// - Throws: `ImageError` `.damaged` for an empty picture, `.tooLarge` beyond `maxPixels` or `maxSide`.
    func check(width: Int, height: Int, file: String?) throws(ImageError) {
        guard width > 0, height > 0 else {
            throw ImageError(
                .damaged, "empty picture", file: file, expected: "sides of at least 1", got: "\(width)×\(height)")
        }
        guard max(width, height) <= maxSide else {
            throw ImageError(
                .tooLarge, "side too long", file: file, expected: "at most \(maxSide)", got: "\(width)×\(height)")
        }
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        guard !overflow, pixels <= maxPixels else {
            throw ImageError(
                .tooLarge, "too many pixels", file: file, expected: "at most \(maxPixels)", got: "\(width)×\(height)")
        }
    }

    /// - Throws: `ImageError` `.tooLarge` beyond `maxFileBytes`.
    func check(fileBytes: Int, file: String?) throws(ImageError) {
        guard fileBytes <= maxFileBytes else {
            throw ImageError(
                .tooLarge, "too many bytes", file: file, expected: "at most \(maxFileBytes)", got: "\(fileBytes)")
        }
    }
}
