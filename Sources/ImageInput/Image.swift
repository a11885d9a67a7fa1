/// A picture in memory: interleaved 8-bit RGB, rows from top to bottom, no padding.
///
/// `bytes` has the shape `[height, width, 3]`; the sides are at least 1.
package struct Image: Equatable, Sendable {
    /// Samples of one pixel: red, green, blue.
    package static let channels = 3

    package let width: Int
    package let height: Int
    package let bytes: [UInt8]

    /// - Precondition: sides of at least 1 and `width · height · 3` bytes.
    package init(width: Int, height: Int, bytes: [UInt8]) {
        precondition(width > 0 && height > 0, "an image has at least one pixel")
        precondition(bytes.count == width * height * Self.channels, "bytes do not fit the size")
        self.width = width
        self.height = height
        self.bytes = bytes
    }
}

extension Image {
    /// ITU-R 601 luma of every pixel, shape `[height, width]`, equal to Pillow's `convert("L")`.
    ///
    /// 16-bit fixed point: `(19595·R + 38470·G + 7471·B + 2¹⁵) >> 16`.
    package var luma: [UInt8] {
        let count = width * height
        return [UInt8](unsafeUninitializedCapacity: count) { gray, initializedCount in
            bytes.withUnsafeBufferPointer { rgb in
                for i in 0..<count {
                    let sum =
                        19595 * UInt32(rgb[3 * i]) + 38470 * UInt32(rgb[3 * i + 1]) + 7471 * UInt32(rgb[3 * i + 2])
                    gray[i] = UInt8(truncatingIfNeeded: (sum + 0x8000) >> 16)
                }
            }
            initializedCount = count
        }
    }
}
