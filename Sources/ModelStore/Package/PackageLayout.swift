/// The package's fixed header and the arithmetic of its sections; see FORMAT.md.
struct PackageHeader: Equatable {
    static let byteCount = 64
    /// As PNG's signature: not text, and broken by a transfer that rewrites line ends.
    static let magic: [UInt8] = [0x89] + Array("CLEAVE".utf8) + [0x0A]
    static let formatVersion: UInt32 = 1
    /// Far above any network's manifest, far below what a decoder of JSON cannot hold.
    static let maximumManifestByteCount = 64 << 20

    let manifestByteCount: Int
    let fileByteCount: Int
    let manifestDigest: ContentDigest

    /// Where the sections begin.
    var dataOffset: Int { Section.aligned(Self.byteCount + manifestByteCount) }

    var bytes: [UInt8] {
        Self.magic + littleEndianBytes(Self.formatVersion) + littleEndianBytes(UInt32(0))
            + littleEndianBytes(UInt64(manifestByteCount)) + littleEndianBytes(UInt64(fileByteCount))
            + manifestDigest.bytes
    }
}

private func littleEndianBytes(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

extension PackageHeader {
    /// Reads the header of a file whose bytes are all of `file`.
    init(parsing file: UnsafeRawBufferPointer) throws(ModelStoreError) {
        guard file.count >= Self.byteCount else {
            // A foreign file is told apart from a truncated one as far as its bytes allow.
            guard file.prefix(Self.magic.count).elementsEqual(Self.magic.prefix(file.count)) else {
                throw Self.notAPackage(file)
            }
            throw ModelStoreError(
                .wrongLength, "the file ends within the header", part: "header", expected: "\(Self.byteCount) bytes",
                got: "\(file.count) bytes")
        }
        guard file.prefix(Self.magic.count).elementsEqual(Self.magic) else { throw Self.notAPackage(file) }
        let version = UInt32(littleEndian: file.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        guard version == Self.formatVersion else {
            throw ModelStoreError(
                .unsupportedVersion, "unknown format version", part: "header", expected: "\(Self.formatVersion)",
                got: "\(version)")
        }
        let reserved = UInt32(littleEndian: file.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        guard reserved == 0 else {
            throw ModelStoreError(
                .malformed, "reserved bytes are not zero", part: "header", expected: "0", got: "\(reserved)")
        }
        let manifestLength = UInt64(littleEndian: file.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        let fileLength = UInt64(littleEndian: file.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
        guard fileLength == UInt64(file.count) else {
            throw ModelStoreError(
                .wrongLength, "the file has not the length that its header states", part: "header",
                expected: "\(fileLength) bytes", got: "\(file.count) bytes")
        }
        guard manifestLength <= UInt64(Self.maximumManifestByteCount) else {
            throw ModelStoreError(
                .malformed, "the manifest is too long", part: "header",
                expected: "at most \(Self.maximumManifestByteCount) bytes", got: "\(manifestLength) bytes")
        }
        manifestByteCount = Int(manifestLength)
        fileByteCount = file.count
        manifestDigest = ContentDigest(bytes: Array(file[32..<64]))
        guard dataOffset <= fileByteCount else {
            throw ModelStoreError(
                .wrongLength, "the file ends within the manifest", part: "manifest", expected: "\(dataOffset) bytes",
                got: "\(fileByteCount) bytes")
        }
    }

    private static func notAPackage(_ file: UnsafeRawBufferPointer) -> ModelStoreError {
        ModelStoreError(
            .notAPackage, "not a model package", part: "header", expected: hexadecimal(magic),
            got: file.isEmpty ? "an empty file" : hexadecimal(file.prefix(magic.count)))
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }
}

/// A run of bytes of the package, aligned and followed by zeros up to the next.
struct Section: Codable, Equatable, Sendable {
    /// Cache lines and the widest vector registers are 64 bytes.
    static let alignment = 64

    /// From the first byte after the manifest and its padding.
    let offset: Int
    let length: Int
    let sha256: ContentDigest

    var range: Range<Int> { offset..<offset + length }
    /// The zeros that follow.
    var padding: Range<Int> { offset + length..<Self.aligned(offset + length) }

    static func aligned(_ offset: Int) -> Int { (offset + alignment - 1) & -alignment }
}

extension [Section] {
    /// Checks that the sections, one after the other, fill exactly `byteCount` bytes.
    func checkLayout(byteCount: Int) throws(ModelStoreError) {
        var end = 0
        for (index, section) in enumerated() {
            guard section.offset == end else {
                throw ModelStoreError(
                    .malformed, "the section does not follow the one before", part: "section \(index)",
                    expected: "offset \(end)", got: "offset \(section.offset)")
            }
            guard section.length >= 0, section.length <= byteCount - end else {
                throw ModelStoreError(
                    .malformed, "the section does not fit the file", part: "section \(index)",
                    expected: "at most \(byteCount - end) bytes", got: "\(section.length) bytes")
            }
            end = Section.aligned(end + section.length)
            guard end <= byteCount else {
                throw ModelStoreError(
                    .malformed, "the padding does not fit the file", part: "section \(index)",
                    expected: "\(end) bytes", got: "\(byteCount) bytes")
            }
        }
        guard end == byteCount else {
            throw ModelStoreError(
                .malformed, "bytes after the last section", part: "manifest", expected: "\(end) bytes",
                got: "\(byteCount) bytes")
        }
    }
}
