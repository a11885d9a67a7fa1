internal import ImageInput

/// The channels of a tensor side by side in one grey picture, as the literature sends features by picture codecs.
///
/// - SeeAlso: Choi and Bajić, "Deep feature compression for collaborative object detection" (ICIP 2018), §2.
struct ChannelMosaic {
    private let channels: Int
    private let height: Int
    private let width: Int
    private let columns: Int
    private let rows: Int

    /// - Parameter shape: `[1, C, H, W]`; nil for any other rank or batch, which make no picture.
    init?(shape: [Int]) {
        guard shape.count == 4, shape[0] == 1 else { return nil }
        (channels, height, width) = (shape[1], shape[2], shape[3])
        // As square as whole tiles allow.
        columns = max(1, Int((Double(channels * height) / Double(width)).squareRoot().rounded(.up)))
        rows = (channels + columns - 1) / columns
    }

    /// Where a code of the channels-last tensor lies in the picture.
    private func place(pixel: Int, channel: Int) -> Int {
        let row = channel / columns * height + pixel / width
        return row * columns * width + channel % columns * width + pixel % width
    }

    /// - Parameter codes: channels last.
    func picture(_ codes: UnsafeBufferPointer<UInt8>) -> GreyImage {
        var bytes = [UInt8](repeating: 0, count: rows * height * columns * width)
        for index in codes.indices {
            bytes[place(pixel: index / channels, channel: index % channels)] = codes[index]
        }
        return GreyImage(width: columns * width, height: rows * height, bytes: bytes)
    }

    /// The codes of a picture's tiles, channels last.
    func codes(_ picture: GreyImage) -> [UInt8] {
        (0..<channels * height * width).map {
            picture.bytes[place(pixel: $0 / channels, channel: $0 % channels)]
        }
    }

    func decode(_ file: [UInt8]) throws(ImageError) -> [UInt8] {
        codes(try GreyImage(decodingJPEG: file, width: columns * width, height: rows * height))
    }
}
