internal import ImageInput
internal import Testing

@Suite struct OrientationTests {
    /// Stored `1 2 3 / 4 5 6`; the expected rows are those of Pillow's `exif_transpose`.
    static let expected: [(width: Int, reds: [UInt8])] = [
        (3, [1, 2, 3, 4, 5, 6]), (3, [3, 2, 1, 6, 5, 4]), (3, [6, 5, 4, 3, 2, 1]), (3, [4, 5, 6, 1, 2, 3]),
        (2, [1, 4, 2, 5, 3, 6]), (2, [4, 1, 5, 2, 6, 3]), (2, [6, 3, 5, 2, 4, 1]), (2, [3, 6, 2, 5, 1, 4]),
    ]

    static let stored = Image(width: 3, height: 2, bytes: (1...6).flatMap { [UInt8($0), 0, 0] })

    @Test(arguments: 1...8, [false, true]) func pngIsTurnedUpright(value: Int, bigEndian: Bool) throws {
        let exif = TestFile.exif(orientation: UInt8(value), bigEndian: bigEndian)
        let image = try Image(decoding: TestFile.png(Self.stored.encodePNG(), exif: exif))
        #expect(image.width == Self.expected[value - 1].width)
        #expect(image.reds == Self.expected[value - 1].reds)
    }

    @Test(arguments: [false, true]) func jpegIsTurnedUpright(bigEndian: Bool) throws {
        let jpeg = try Image.ramp(width: 16, height: 8).encodeJPEG(quality: 90)
        let stored = try Image(decoding: jpeg)
        let turned = try Image(
            decoding: TestFile.jpeg(jpeg, exif: TestFile.exif(orientation: 6, bigEndian: bigEndian)))
        #expect(turned.width == 8 && turned.height == 16)
        // A quarter turn clockwise: output (x, y) is stored (y, height − 1 − x).
        for y in 0..<16 {
            for x in 0..<8 {
                #expect(turned.reds[y * 8 + x] == stored.reds[(7 - x) * 16 + y])
            }
        }
    }

    @Test(arguments: [0, 9, 255] as [UInt8]) func unknownValuesLeaveThePicture(value: UInt8) throws {
        let exif = TestFile.exif(orientation: value, bigEndian: true)
        #expect(try Image(decoding: TestFile.png(Self.stored.encodePNG(), exif: exif)) == Self.stored)
    }

    /// EXIF that lies about its own size never harms the picture.
    @Test(arguments: [false, true]) func brokenExifIsIgnored(bigEndian: Bool) throws {
        let exif = TestFile.exif(orientation: 6, bigEndian: bigEndian)
        let jpeg = try Self.stored.encodeJPEG(quality: 90)
        let upright = try Image(decoding: jpeg)
        for count in 0..<exif.count - 7 {
            #expect(try Image(decoding: TestFile.jpeg(jpeg, exif: Array(exif[..<count]))) == upright)
        }
        for offset in 0..<10 {
            var broken = exif
            broken[offset] = 0xFF
            #expect(throws: Never.self) { try Image(decoding: TestFile.jpeg(jpeg, exif: broken)) }
        }
    }
}
