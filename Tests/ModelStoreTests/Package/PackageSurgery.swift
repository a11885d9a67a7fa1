internal import ModelGraph
internal import ModelStore
internal import Testing

/// A written package taken apart, to be changed and put together again with digests that fit.
struct PackageSurgery {
    var manifest: String
    /// The sections and their padding.
    var data: [UInt8]
    private let beginning: [UInt8]

    init(_ package: ModelPackage) throws {
        let bytes = try IntegrityTests.bytes(package)
        let manifestEnd = 64 + Self.manifestByteCount(bytes)
        beginning = Array(bytes[..<16])
        manifest = String(decoding: bytes[64..<manifestEnd], as: UTF8.self)
        data = Array(bytes[((manifestEnd + 63) & -64)...])
    }

    static func manifestByteCount(_ bytes: [UInt8]) -> Int {
        bytes[16..<24].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    var bytes: [UInt8] {
        func littleEndian(_ value: Int) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        let manifest = Array(self.manifest.utf8)
        let padding = [UInt8](repeating: 0, count: (64 - manifest.count % 64) % 64)
        let count = 64 + manifest.count + padding.count + data.count
        return beginning + littleEndian(manifest.count) + littleEndian(count) + ContentDigest(of: manifest).bytes
            + manifest + padding + data
    }

    /// Replaces the first occurrence of `text`, which must be there.
    mutating func replace(_ text: String, with replacement: String) throws {
        manifest.replaceSubrange(try #require(manifest.firstRange(of: text)), with: replacement)
    }

    /// The places of all integers that stand alone in the manifest.
    var integers: [Range<String.Index>] {
        var ranges: [Range<String.Index>] = []
        var index = manifest.startIndex
        while let start = manifest[index...].firstIndex(where: \.isNumber) {
            let end = manifest[start...].firstIndex { !$0.isNumber } ?? manifest.endIndex
            let before = start == manifest.startIndex ? " " : manifest[manifest.index(before: start)]
            let after = end == manifest.endIndex ? " " : manifest[end]
            if ":[,".contains(before), ",]}".contains(after) { ranges.append(start..<end) }
            index = end
        }
        return ranges
    }
}
