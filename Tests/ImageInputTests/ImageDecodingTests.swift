internal import ImageInput
internal import Testing

@Suite struct ImageDecodingTests {
    @Test func pngKeepsEveryByte() throws {
        let image = Image.synthetic(width: 37, height: 23)
        #expect(try Image(decoding: image.encodePNG()) == image)
    }

    /// Every colour type and depth against the samples that Pillow reads (16-bit grey: our own rule).
    @Test(arguments: [
        (
            "rgb16",
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABEAIAAAAr0DSeAAAAFUlEQVR42mMQMmn4/7+BgaH+P+N/ACKKBcNeOeRZAAAAAElFTkSuQmCC",
            [18, 128, 255, 0, 127, 1]
        ),
        (
            "gray2", "iVBORw0KGgoAAAANSUhEUgAAAAQAAAABAgAAAACW50iwAAAACklEQVR42mOQBgAAHQAcI3yPrAAAAABJRU5ErkJggg==",
            [0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255]
        ),
        (
            "gray16",
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABEAAAAACB2fwVAAAADUlEQVR42mMQ+v+PEQAFRwIRc9lgjwAAAABJRU5ErkJggg==",
            [18, 18, 18, 254, 254, 254]
        ),
        (
            "palette, tRNS",
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACAQMAAABIeJ9nAAAABlBMVEUKFB7IZDJ3oLOcAAAAAnRSTlMAgJsrThgAAAAMSURBVHjaY3BgaAAAAUQAwQSHz/oAAAAASUVORK5CYII=",
            [10, 20, 30, 200, 100, 50, 200, 100, 50, 10, 20, 30]
        ),
        (
            "rgba",
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAAEUlEQVR42mPg5GBnYGRibgAAAUMAn8OIazAAAAAASUVORK5CYII=",
            [9, 8, 7, 1, 2, 3]
        ),
        (
            "grey, alpha",
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAQAAABeK7cBAAAADUlEQVR42mPwZTjBCQAC0gEfcF8ciwAAAABJRU5ErkJggg==",
            [77, 77, 77, 200, 200, 200]
        ),
        (
            "rgb, gAMA 1.0",
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAABGdBTUEAAYagMeiWXwAAAA9JREFUeNpj4BKR0zCyAQACNwDT4i3tnwAAAABJRU5ErkJggg==",
            [10, 20, 30, 40, 50, 60]
        ),
        (
            "rgb, tRNS",
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAABnRSTlMACgAUAB7FNin/AAAAD0lEQVR42mPgEpHTMLIBAAI3ANPiLe2fAAAAAElFTkSuQmCC",
            [10, 20, 30, 40, 50, 60]
        ),
        (
            "interlaced",
            "iVBORw0KGgoAAAANSUhEUgAAAAMAAAADCAAAAAEERNr1AAAAF0lEQVR42mNgYGBiEBFjYGQQZeDi5gEAAmUAZNw4nKoAAAAASUVORK5CYII=",
            [0, 0, 0, 1, 1, 1, 2, 2, 2, 10, 10, 10, 11, 11, 11, 12, 12, 12, 20, 20, 20, 21, 21, 21, 22, 22, 22]
        ),
    ])
    func pngOfEveryKind(kind: String, base64: String, samples: [UInt8]) throws {
        #expect(try Image(decoding: TestFile.bytes(base64: base64)).bytes == samples, "\(kind)")
    }

    @Test func jpegComesBackClose() throws {
        let image = Image.ramp(width: 64, height: 48)
        let decoded = try Image(decoding: image.encodeJPEG(quality: 95))
        #expect(decoded.width == 64 && decoded.height == 48)
        let worst = zip(image.bytes, decoded.bytes).map { abs(Int($0) - Int($1)) }.max()!
        #expect(worst <= 8)
    }

    @Test func jpegQualityTradesBytes() throws {
        let image = Image.synthetic(width: 64, height: 64)
        #expect(try image.encodeJPEG(quality: 30).count < image.encodeJPEG(quality: 90).count)
    }

    /// Pinned to the pixels that Pillow decodes from the same bytes.
    @Test func jpegPixelsEqualPillows() throws {
        let grey = try Image(decoding: TestFile.greyJPEG)
        #expect(Array(grey.reds[..<8]) == [0, 2, 6, 11, 16, 21, 25, 27])
        #expect(Array(grey.bytes.suffix(3)) == [252, 252, 252])
        let color = try Image(decoding: TestFile.progressiveJPEG)
        #expect(checksum(color.bytes) == 0x8152_cbb8_c4c4_de3a)
    }

    @Test func cmykIsRefused() {
        let error = #expect(throws: ImageError.self) { try Image(decoding: TestFile.cmykJPEG, name: "print.jpg") }
        #expect(error?.code == .unsupported)
        #expect(error?.got == "CMYK")
        #expect(error?.file == "print.jpg")
    }

    @Test(arguments: [[], [0xFF], [0x42, 0x4D, 1, 2, 3], Array("GIF89a".utf8)] as [[UInt8]])
    func otherBytesAreUnknown(bytes: [UInt8]) {
        let error = #expect(throws: ImageError.self) { try Image(decoding: bytes) }
        #expect(error?.code == .unknownFormat)
    }

    @Test func limitsHoldBeforeDecoding() throws {
        func code(_ bytes: [UInt8], _ limits: ImageLimits = .standard) -> ImageError.Code? {
            do throws(ImageError) {
                _ = try Image(decoding: bytes, limits: limits)
                return nil
            } catch { return error.code }
        }
        #expect(code(TestFile.pngHeader(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF)) == .tooLarge)
        #expect(code(TestFile.pngHeader(width: 0xFFFF_FFFF, height: 1)) == .damaged)
        #expect(code(TestFile.pngHeader(width: 0, height: 8)) == .damaged)
        #expect(code(TestFile.pngHeader(width: 8001, height: 8000)) == .tooLarge)
        #expect(code(TestFile.pngHeader(width: 100_000, height: 1)) == .tooLarge)
        #expect(code(TestFile.pngHeader(width: 8000, height: 8000)) == .damaged)

        let picture = Image.ramp(width: 20, height: 10)
        for file in try [picture.encodePNG(), picture.encodeJPEG(quality: 80)] {
            #expect(code(file, ImageLimits(maxPixels: 200, maxSide: 20, maxFileBytes: file.count)) == nil)
            #expect(code(file, ImageLimits(maxPixels: 199)) == .tooLarge)
            #expect(code(file, ImageLimits(maxSide: 19)) == .tooLarge)
            #expect(code(file, ImageLimits(maxFileBytes: file.count - 1)) == .tooLarge)
        }
    }
}

@Suite struct HostileImageTests {
    static let files: [[UInt8]] = [
        try! Image.synthetic(width: 19, height: 13).encodePNG(),
        try! Image.synthetic(width: 19, height: 13).encodeJPEG(quality: 60),
        TestFile.greyJPEG,
        TestFile.progressiveJPEG,
    ]

    @Test(arguments: files.indices) func everyTruncationIsAnError(file: Int) {
        let bytes = Self.files[file]
        #expect(throws: Never.self) { try Image(decoding: bytes) }
        for count in bytes.indices {
            #expect(throws: ImageError.self, "first \(count) of \(bytes.count) bytes") {
                try Image(decoding: Array(bytes[..<count]))
            }
        }
    }

    @Test func damageCanBeAccepted() throws {
        let whole = Image.ramp(width: 64, height: 64)
        let bytes = try whole.encodeJPEG(quality: 80)
        let half = Array(bytes[..<(bytes.count * 3 / 4)])
        let error = #expect(throws: ImageError.self) { try Image(decoding: half) }
        #expect(error?.code == .damaged)
        let decoded = try Image(decoding: half, acceptingDamage: true)
        #expect(decoded.width == 64 && decoded.height == 64)
        #expect(try decoded.bytes.prefix(64 * 3) == Image(decoding: bytes).bytes.prefix(64 * 3))
    }

    /// Flipped bytes decode or throw; what decodes has the size it says.
    @Test(arguments: 0..<40 as Range<UInt64>) func flippedBytesNeverTrap(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        for file in Self.files {
            for _ in 0..<25 {
                var bytes = file
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    bytes[Int.random(in: 2..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
                }
                for acceptingDamage in [false, true] {
                    let limits = ImageLimits(maxPixels: 1 << 20)
                    guard let image = try? Image(decoding: bytes, limits: limits, acceptingDamage: acceptingDamage)
                    else { continue }
                    #expect(image.bytes.count == image.width * image.height * 3, "seed \(seed)")
                }
            }
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>) func randomBytesNeverDecode(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let starts: [[UInt8]] = [
            [], [0xFF, 0xD8, 0xFF], Array(Self.files[0][..<8]), TestFile.pngHeader(width: 9, height: 9),
            [0xFF, 0xD8, 0xFF, 0xE1],
        ]
        for start in starts {
            let noise = (0..<Int.random(in: 0...600, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            #expect(throws: ImageError.self, "seed \(seed)") { try Image(decoding: start + noise) }
        }
    }
}
