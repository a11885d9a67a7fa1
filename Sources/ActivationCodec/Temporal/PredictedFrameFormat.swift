/// A frame that is sent as what changed since another, byte for byte.
///
/// Of a fixed camera's pictures most of a boundary's quantised codes stay as they were. A predicted frame names a *reference*,
/// an earlier frame of the same cut and coding, and sends only the planes that differ from it. Nothing is lost on the way:
/// what the receiver ends with are the codes that the frame would have decoded to by itself. A *key frame* refers to none.
/// All numbers are little-endian.
///
///     offset size
///      0      4   magic "CLVT"
///      4      2   version, 1
///      6      1   kind: 0 = key frame, 1 = difference
///      7      1   reserved, 0
///      8      8   frame id, the sender's choice
///     16      8   frame id of the reference; 0 in a key frame
///     24      4   checksum of the reference; 0 in a key frame
///     28      4   checksum of this frame: CRC-32 of the codes of all tensors, one after another, row-major
///     32      4   length M of the plane maps; 0 in a key frame
///     36      M   for each tensor its plane map: two bits a plane, four planes to a byte, the first lowest, then zeros:
///                 0 = as in the reference, 1 = difference, 2 = anew
///      …      4   CRC-32 of all bytes before it
///      …          a container (``ContainerFormat``) with the same frame id; left out when no plane differs
///
/// A key frame's container holds the tensors as any frame does, with 8 bits or level quantisers. That of a difference holds the
/// planes marked 1 or 2 of each tensor that has some, as a tensor `[1, planes, rows, columns]` of symbols.
///
/// With 8 bits a symbol is the code, or its difference to the reference's modulo 256. With a level quantiser of L levels it
/// is the level, or its rank when the reference's level comes first: 0 for the reference's level, else the level, one more
/// if it is below the reference's. Such symbols are packed with the quantiser whose levels are 0, …, L − 1, held by both
/// sides. A code's level is the least that is received as this code.
enum PredictedFrameFormat {
    /// "CLVT", read as a little-endian number.
    static let magic: UInt32 = 0x5456_4C43
    static let version: UInt16 = 1
    static let prefixLength = 36
    static let checksumLength = 4
    static let kindKey: UInt8 = 0
    static let kindDifference: UInt8 = 1

    /// What became of a plane.
    enum Plane: UInt8 {
        case unchanged = 0
        case difference = 1
        case anew = 2
    }

    static func mapLength(planes: Int) -> Int { (planes + 3) / 4 }
}

/// The fixed part of a predicted frame.
struct PredictedFramePrefix {
    var frameID: UInt64
    /// Nil in a key frame.
    var reference: (frameID: UInt64, checksum: UInt32)?
    var checksum: UInt32
    var mapLength: Int

    func append(to bytes: inout [UInt8]) {
        bytes.appendLittleEndian(PredictedFrameFormat.magic)
        bytes.appendLittleEndian(PredictedFrameFormat.version)
        bytes.append(reference == nil ? PredictedFrameFormat.kindKey : PredictedFrameFormat.kindDifference)
        bytes.append(0)
        bytes.appendLittleEndian(frameID)
        bytes.appendLittleEndian(reference?.frameID ?? 0)
        bytes.appendLittleEndian(reference?.checksum ?? 0)
        bytes.appendLittleEndian(checksum)
        bytes.appendLittleEndian(UInt32(mapLength))
    }

    init(frameID: UInt64, reference: (frameID: UInt64, checksum: UInt32)?, checksum: UInt32, mapLength: Int) {
        self.frameID = frameID
        self.reference = reference
        self.checksum = checksum
        self.mapLength = mapLength
    }

    /// - Parameter bytes: at least ``PredictedFrameFormat/prefixLength``.
    init(parsing bytes: UnsafeBufferPointer<UInt8>, limits: DecodeLimits) throws(CodecError) {
        var reader = FieldReader(bytes, range: 0..<PredictedFrameFormat.prefixLength)
        let magic = try reader.read(UInt32.self, "magic")
        guard magic == PredictedFrameFormat.magic else {
            throw CodecError(
                .badMagic, "predicted frame", at: .init(offset: 0), expected: hexadecimal(PredictedFrameFormat.magic),
                got: hexadecimal(magic))
        }
        let version = try reader.read(UInt16.self, "version")
        guard version == PredictedFrameFormat.version else {
            throw CodecError(
                .unsupportedVersion, "predicted frame version", at: .init(offset: 4),
                expected: "\(PredictedFrameFormat.version)", got: "\(version)")
        }
        let kind = try reader.read(UInt8.self, "kind")
        let reserved = try reader.read(UInt8.self, "reserved field")
        guard kind <= PredictedFrameFormat.kindDifference, reserved == 0 else {
            throw CodecError(
                .unsupportedFeature, "kind of predicted frame", at: .init(offset: 6), expected: "0 or 1, then 0",
                got: "\(kind), \(reserved)")
        }
        frameID = try reader.read(UInt64.self, "frame id")
        let referenceID = try reader.read(UInt64.self, "reference")
        let referenceChecksum = try reader.read(UInt32.self, "reference checksum")
        checksum = try reader.read(UInt32.self, "frame checksum")
        mapLength = Int(try reader.read(UInt32.self, "plane map length"))
        if kind == PredictedFrameFormat.kindDifference {
            reference = (referenceID, referenceChecksum)
            guard mapLength <= limits.maximumHeaderBytes else {
                throw CodecError(
                    .limitExceeded, "plane map length", at: .init(offset: 32),
                    expected: "≤ \(limits.maximumHeaderBytes)", got: "\(mapLength)")
            }
        } else {
            guard referenceID == 0, referenceChecksum == 0, mapLength == 0 else {
                throw CodecError(
                    .invalidField, "reference of a key frame", at: .init(offset: 16), expected: "none",
                    got: "\(referenceID), \(hexadecimal(referenceChecksum)), \(mapLength) bytes of plane maps")
            }
        }
    }
}
