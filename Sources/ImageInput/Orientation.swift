/// How a stored picture is turned, by the EXIF tag 0x0112 (EXIF 2.32, §4.6.4).
///
/// The names tell what makes the stored picture upright; rotations are clockwise.
enum Orientation: Int, CaseIterable {
    case upright = 1
    case mirrored
    case rotated180
    case flipped
    case transposed
    case rotated90
    case transversed
    case rotated270

    /// Whether width and height change places.
    var swapsSides: Bool { rawValue >= 5 }
}

extension Image {
    /// The picture that a viewer shows for pixels stored with this orientation.
    func upright(from orientation: Orientation) -> Image {
        guard orientation != .upright else { return self }
        // The stored pixel of output (x, y) is `origin + x·right + y·down`, counted in pixels.
        let (last, lastRow) = (width - 1, (height - 1) * width)
        let (origin, right, down) =
            switch orientation {
            case .upright: (0, 1, width)
            case .mirrored: (last, -1, width)
            case .rotated180: (last + lastRow, -1, -width)
            case .flipped: (lastRow, 1, -width)
            case .transposed: (0, width, 1)
            case .rotated90: (lastRow, -width, 1)
            case .transversed: (last + lastRow, -width, -1)
            case .rotated270: (last, width, -1)
            }
        let (newWidth, newHeight) = orientation.swapsSides ? (height, width) : (width, height)
        let turned = [UInt8](unsafeUninitializedCapacity: bytes.count) { output, count in
            bytes.withUnsafeBufferPointer { input in
                for y in 0..<newHeight {
                    for x in 0..<newWidth {
                        let source = (origin + x * right + y * down) * Self.channels
                        output[count] = input[source]
                        output[count + 1] = input[source + 1]
                        output[count + 2] = input[source + 2]
                        count += Self.channels
                    }
                }
            }
        }
        return Image(width: newWidth, height: newHeight, bytes: turned)
    }
}

extension Orientation {
    /// Reads the orientation of a JPEG; `.upright` where there is none or it cannot be read.
    ///
    /// Walks the marker segments (ITU-T T.81, §B.1.1) up to the first scan for an APP1 that begins with `Exif`.
    init(jpeg bytes: RawSpan) {
        self = .upright
        var offset = 2
        while let marker = bytes.integer(at: offset, size: 2), marker & 0xFF00 == 0xFF00 {
            switch marker {
            case 0xFFFF:  // fill byte
                offset += 1
                continue
            case 0xFF01, 0xFFD0...0xFFD8:  // markers without a length
                offset += 2
                continue
            case 0xFFD9, 0xFFDA:  // end of picture, start of scan
                return
            default:
                break
            }
            guard let length = bytes.integer(at: offset + 2, size: 2), length >= 2 else { return }
            let payload = bytes.extracting(bytes.inside(offset + 4..<offset + 2 + length))
            if marker == 0xFFE1, payload.starts(with: Self.exifHeader) {
                self = Orientation(tiff: payload.extracting(droppingFirst: Self.exifHeader.count))
                return
            }
            offset += 2 + length
        }
    }

    /// Reads the orientation of a PNG from its eXIf chunk; `.upright` where there is none or it cannot be read.
    init(png bytes: RawSpan) {
        self = .upright
        var offset = PNGStructure.signature.count
        while let length = bytes.integer(at: offset, size: 4), let type = bytes.integer(at: offset + 4, size: 4) {
            if type == PNGStructure.exif {
                self = Orientation(tiff: bytes.extracting(bytes.inside(offset + 8..<offset + 8 + length)))
                return
            }
            offset += 12 + length
        }
    }

    /// Reads tag 0x0112 from the first directory of a TIFF structure (TIFF 6.0, §2).
    init(tiff: RawSpan) {
        self = .upright
        let order: ByteOrder
        switch tiff.integer(at: 0, size: 4) {
        case 0x4D4D_002A: order = .bigEndian
        case 0x4949_2A00: order = .littleEndian
        default: return
        }
        guard let directory = tiff.integer(at: 4, size: 4, order),
            let entries = tiff.integer(at: directory, size: 2, order)
        else { return }
        for entry in 0..<entries {
            let offset = directory + 2 + 12 * entry
            guard let tag = tiff.integer(at: offset, size: 2, order) else { return }
            guard tag == 0x0112 else { continue }
            if tiff.integer(at: offset + 2, size: 2, order) == 3,  // SHORT
                tiff.integer(at: offset + 4, size: 4, order) == 1,
                let value = tiff.integer(at: offset + 8, size: 2, order),
                let orientation = Orientation(rawValue: value)
            {
                self = orientation
            }
            return
        }
    }

    private static let exifHeader: [UInt8] = Array("Exif\0\0".utf8)
}
