internal import CPNG

/// The few facts of the PNG container that are read here (W3C PNG, third edition, §5).
enum PNGStructure {
    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    static let header = 0x4948_4452  // IHDR
    static let exif = 0x6558_4966  // eXIf
}

extension Image {
    /// Decodes a PNG of any colour type, depth and interlacing; see `init(decoding:name:limits:acceptingDamage:)`.
    static func decodingPNG(_ bytes: RawSpan, name: String?, limits: ImageLimits) throws(ImageError) -> Image {
        let start = PNGStructure.signature.count
        guard bytes.integer(at: start, size: 4) == 13, bytes.integer(at: start + 4, size: 4) == PNGStructure.header,
            let width = bytes.integer(at: start + 8, size: 4), let height = bytes.integer(at: start + 12, size: 4),
            width <= Int(Int32.max), height <= Int(Int32.max)
        else { throw ImageError(.damaged, "PNG without a header", file: name, expected: "an IHDR chunk of 13 bytes") }
        try limits.check(width: width, height: height, file: name)

        var message = [CChar](repeating: 0, count: 128)
        let size = width * height * channels
        let pixels = [UInt8](unsafeUninitializedCapacity: size) { output, count in
            bytes.withUnsafeBytes { input in
                let decoded = cpng_decode_rgb8(
                    input.baseAddress!.assumingMemoryBound(to: UInt8.self), input.count, UInt32(width), UInt32(height),
                    output.baseAddress!, &message, message.count)
                count = decoded == 1 ? size : 0
            }
        }
        guard !pixels.isEmpty else { throw ImageError(.damaged, "PNG: \(text(message))", file: name) }
        return Image(width: width, height: height, bytes: pixels)
    }

    /// Encodes as an 8-bit RGB PNG: no loss.
    ///
    /// - Throws: `ImageError` `.notEncodable`, for example without memory.
    package func encodePNG() throws(ImageError) -> [UInt8] {
        guard let width = UInt32(exactly: width), let height = UInt32(exactly: height) else {
            throw ImageError(.notEncodable, "sides beyond the PNG format", got: "\(self.width)×\(self.height)")
        }
        var message = [CChar](repeating: 0, count: 128)
        var size = cpng_encoded_bound(width, height)
        let encoded = [UInt8](unsafeUninitializedCapacity: size) { output, count in
            let done = cpng_encode_rgb8(
                bytes, width, height, output.baseAddress!, &size, &message, message.count)
            count = done == 1 ? size : 0
        }
        guard !encoded.isEmpty else { throw ImageError(.notEncodable, "PNG: \(text(message))") }
        return encoded
    }
}

/// What C left in a message buffer.
private func text(_ message: [CChar]) -> String {
    String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
