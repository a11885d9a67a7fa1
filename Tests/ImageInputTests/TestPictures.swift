internal import FoundationEssentials
internal import ImageInput

/// A generator whose whole state is its seed (SplitMix64), so that a failing case can be run again.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

extension Image {
    /// Edges, ramps and texture; the same formula stands in tools/peers/compare_preprocessing.py.
    static func synthetic(width: Int, height: Int) -> Image {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(width * height * 3)
        for y in 0..<height {
            for x in 0..<width {
                for c in 0..<3 {
                    let (ux, uy, uc) = (UInt32(x), UInt32(y), UInt32(c))
                    let texture = (ux &* 2_654_435_761 &+ uy &* 2_246_822_519 &+ uc &* 3_266_489_917) >> 24
                    let ramp = (ux * 3 + uy * 2 + uc * 40) % 256
                    bytes.append(UInt8((x / 7 + y / 5) % 3 == 0 ? ramp : texture))
                }
            }
        }
        return Image(width: width, height: height, bytes: bytes)
    }

    /// Smooth in all directions, so that a JPEG of it stays close to it.
    static func ramp(width: Int, height: Int) -> Image {
        var bytes: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                bytes.append(UInt8(255 * x / width))
                bytes.append(UInt8(255 * y / height))
                bytes.append(UInt8(127 * (x + y) / (width + height)))
            }
        }
        return Image(width: width, height: height, bytes: bytes)
    }

    /// Decodes an array, the form in which tests hold files.
    init(
        decoding bytes: [UInt8], name: String? = nil, limits: ImageLimits = .standard, acceptingDamage: Bool = false
    ) throws(ImageError) {
        try self.init(decoding: bytes.span.bytes, name: name, limits: limits, acceptingDamage: acceptingDamage)
    }

    /// The red samples alone.
    var reds: [UInt8] { stride(from: 0, to: bytes.count, by: 3).map { bytes[$0] } }
}

/// 64-bit FNV-1a.
func checksum(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}

/// Small files made with Pillow, or written by hand to the PNG specification.
enum TestFile {
    static func bytes(base64: String) -> [UInt8] { [UInt8](Data(base64Encoded: base64)!) }

    /// 8×8 grey, `4·(8y + x)`, quality 50.
    static let greyJPEG = bytes(
        base64: """
            /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19i
            Z2hnPk1xeXBkeFxlZ2P/wAALCAAIAAgBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUF
            BAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVW
            V1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi
            4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/AEg8Hf8ATP8ASv/Z
            """.filter { !$0.isWhitespace })

    /// 8×8 with an Adobe marker.
    static let cmykJPEG = bytes(
        base64: """
            /9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAQCwwODAoQDg0OEhEQExgoGhgWFhgxIyUdKDozPTw5Mzg3QEhcTkBEV0U3OFBtUVdfYmdo
            Zz5NcXlwZHhcZWdj/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIB
            AwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZH
            SElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV
            1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwDu65quxrvq/9k=
            """.filter { !$0.isWhitespace })

    /// 16×16 colour ramps, 4:2:0, quality 40.
    static let progressiveJPEG = bytes(
        base64: """
            /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7
            gYKBTmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8
            fHx8fHx8fHz/wgARCAAQABADASIAAhEBAxEB/8QAFwAAAwEAAAAAAAAAAAAAAAAAAQIDBP/EABUBAQEAAAAAAAAAAAAAAAAAAAID
            /9oADAMBAAIQAxAAAAHOXrVf/8QAFxAAAwEAAAAAAAAAAAAAAAAAAAEREP/aAAgBAQABBQKEFn//xAAWEQADAAAAAAAAAAAAAAAA
            AAAAAgP/2gAIAQMBAT8Bmp//xAAYEQACAwAAAAAAAAAAAAAAAAAAAwECMf/aAAgBAgEBPwFi4th//8QAFBABAAAAAAAAAAAAAAAA
            AAAAIP/aAAgBAQAGPwIf/8QAGBABAQADAAAAAAAAAAAAAAAAAAERITH/2gAIAQEAAT8h34mCEj//2gAMAwEAAgADAAAAEGv/xAAV
            EQEBAAAAAAAAAAAAAAAAAAABAP/aAAgBAwEBPxBC/8QAFhEBAQEAAAAAAAAAAAAAAAAAIQAB/9oACAECAQE/EFxt/8QAGRABAAID
            AAAAAAAAAAAAAAAAAQARECFR/9oACAEBAAE/EA8GIqTAaUmp/9k=
            """.filter { !$0.isWhitespace })

    /// A chunk with its length and CRC-32.
    static func pngChunk(_ type: String, _ payload: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + payload
        var crc = UInt32.max
        for byte in body {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return bigEndian(UInt32(payload.count)) + body + bigEndian(~crc)
    }

    /// A PNG that ends after its header.
    static func pngHeader(width: UInt32, height: UInt32) -> [UInt8] {
        let payload = bigEndian(width) + bigEndian(height) + [8, 2, 0, 0, 0]
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + pngChunk("IHDR", payload)
    }

    static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// A TIFF structure whose only directory holds `orientation` after another entry.
    static func exif(orientation: UInt8, bigEndian: Bool) -> [UInt8] {
        bigEndian
            ? [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 2]
                + [0x01, 0x0F, 0, 3, 0, 0, 0, 1, 0, 7, 0, 0]
                + [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]
            : [0x49, 0x49, 42, 0, 8, 0, 0, 0, 2, 0]
                + [0x0F, 0x01, 3, 0, 1, 0, 0, 0, 7, 0, 0, 0]
                + [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]
    }

    /// A JPEG with an EXIF segment put in after its first marker.
    static func jpeg(_ jpeg: [UInt8], exif: [UInt8]) -> [UInt8] {
        let payload = Array("Exif\0\0".utf8) + exif
        return jpeg[..<2] + [0xFF, 0xE1, 0, UInt8(payload.count + 2)] + payload + jpeg[2...]
    }

    /// A PNG with an eXIf chunk put in after its header.
    static func png(_ png: [UInt8], exif: [UInt8]) -> [UInt8] {
        let headerEnd = 8 + 25
        return png[..<headerEnd] + pngChunk("eXIf", exif) + png[headerEnd...]
    }
}

/// Pictures that are not part of the project.
enum TestData {
    static let folder = ProcessInfo.processInfo.environment["CLEAVE_TEST_DATA"]
}
