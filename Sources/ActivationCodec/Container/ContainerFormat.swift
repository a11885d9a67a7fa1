/// The container of one frame, version 1, byte for byte.
///
/// A frame is the boundary tensors of a cut. All numbers are little-endian. A container is a header followed by the bands
/// of tensor 0, the bands of tensor 1, and so on, and nothing else.
///
/// **Header**
///
///     offset size
///      0      4   magic "CLVA"
///      4      2   version, 1
///      6      2   flags, 0; every bit is reserved
///      8      8   frame id, the sender's choice
///     16      4   header length: all bytes before the first band, checksum included
///     20      2   number of tensors, at least 1
///     22      2   reserved, 0
///     24          a tensor record for each tensor
///      …      4   CRC-32 of all header bytes before it
///
/// **Tensor record**
///
///      0      2   tensor index: 0, 1, …
///      2      1   element type: 1 = uint8
///      3      1   rank, 1...8
///      4      1   zero point
///      5      1   symbol width in bits: 8, 4 or 2; with a level quantiser, what its number of levels needs, 1...4
///      6      2   number of levels: 2 ^ width; with a level quantiser 2...16
///      8      1   element order: 1 = channel-planar (row-major over the logical shape); 2 = channel-planar, each plane by
///                 pairs of rows as ``LevelPacking`` says (with a level quantiser, and only then)
///      9      1   filter: 0 = none
///     10      1   packing, symbols per byte: 8 / width; with a level quantiser that of ``LevelPacking``
///     11      1   compression: 0 = raw, 1 = zlib (RFC 1950)
///     12      4   scale, IEEE 754 binary32; finite and positive
///     16      4   number of bands, at least 1
///     20      1   clip range form: 0 = none (width 8), 1 = inline, 2 = zlib, 3 = agreed beforehand; level quantiser: 4 =
///                 inline, 5 = zlib, 6 = agreed beforehand
///     21      3   reserved, 0
///     24      4   number of clip ranges, or of channels of the level quantiser, R: 0, 1 (shared) or the number of channels
///     28      4   length of the clip range field
///     32  4·rank  dimensions, outermost first, each at least 1
///      …          clip range field: R lower bounds then R upper bounds, one byte each (form 1); the zlib stream of
///                 those, shorter than they are (form 2); their CRC-32 (form 3). R·(L − 1) thresholds then R·L codes, one
///                 byte each (form 4); the zlib stream of those, shorter than they are (form 5);
///                 ``LevelQuantizer/checksum`` (form 6)
///
/// **Band**
///
///      0      2   tensor index
///      2      1   flags: bit 0 = the payload is a zlib stream, else it is raw; bit 1 = decompressed, it is that of
///                 ``ContextOrder`` (with bit 0, and without clip ranges, only); other bits 0
///      3      1   reserved, 0
///      4      4   band index within the tensor: 0, 1, …
///      8      4   first plane
///     12      4   number of planes, at least 1
///     16      4   payload length
///     20      4   length of the payload once decompressed
///     24      4   CRC-32 of: the header bytes before the header's CRC, bytes 0 ..< 24 of this band, the payload
///     28          payload
///
/// Planes are those of ``PlaneGeometry``; bands cover the planes of their tensor in order, without gap or overlap. A
/// payload, decompressed, is the symbols of its planes in order, packed as ``SymbolPacking`` says, without the planes of
/// channels whose bounds coincide. A zlib payload is shorter than what it decompresses to. At width 8 a symbol is the
/// code itself; below, it is a level of ``ChannelQuantizer``. With a level quantiser it is a level of that, packed as
/// ``LevelPacking`` says, without the planes of its silent channels.
///
/// The band checksum covers bytes as sent rather than symbols: damage is found before a byte reaches the inflater or the
/// destination, and running it on from the header ties each band to its frame, so a band of another frame is refused.
/// zlib's own Adler-32 covers the decompressed side.
enum ContainerFormat {
    /// "CLVA", read as a little-endian number.
    static let magic: UInt32 = 0x4156_4C43
    static let version: UInt16 = 1
    static let prefixLength = 24
    static let tensorRecordLength = 32
    static let bandRecordLength = 28
    /// The part of a band record under the checksum.
    static let checkedBandLength = 24
    static let checksumLength = 4

    static let elementTypeUInt8: UInt8 = 1
    static let orderChannelPlanar: UInt8 = 1
    static let orderRowPairs: UInt8 = 2
    static let filterNone: UInt8 = 0
    static let compressionRaw: UInt8 = 0
    static let compressionZlib: UInt8 = 1
    static let bandFlagCompressed: UInt8 = 1
    static let bandFlagContexts: UInt8 = 2

    enum RangeForm: UInt8 {
        case none = 0
        case inline = 1
        case compressed = 2
        case agreed = 3
        case inlineLevels = 4
        case compressedLevels = 5
        case agreedLevels = 6
    }

    /// Bits that name one of `levels` levels.
    static func symbolWidth(levels: Int) -> Int {
        Int.bitWidth - (levels - 1).leadingZeroBitCount
    }
}
