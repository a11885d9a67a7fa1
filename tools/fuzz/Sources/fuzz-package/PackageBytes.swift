internal import Fuzzing
internal import ModelStore
internal import TestSupport

/// A package taken apart by the written format alone, to be changed and put together again with digests that fit.
struct PackageBytes {
    /// Magic, version and the reserved field.
    private var beginning: [UInt8]
    private var manifest: [UInt8]
    /// The sections and their padding.
    private var data: [UInt8]

    private static let headerLength = 64

    /// `nil` when the manifest does not fit the file.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.headerLength else { return nil }
        let length = bytes[16..<24].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(bytes.count - Self.headerLength) else { return nil }
        let end = Self.headerLength + Int(length)
        beginning = Array(bytes[..<16])
        manifest = Array(bytes[Self.headerLength..<end])
        data = Array(bytes[min(Self.aligned(end), bytes.count)...])
    }

    private static func aligned(_ offset: Int) -> Int { (offset + 63) & -64 }

    mutating func mutate(limit: Int, using generator: inout SplitMix64) {
        let room = max(limit - Self.headerLength - Self.aligned(manifest.count) - data.count, 0)
        let values = JSONValues(manifest)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: beginning = mutated(beginning[...], limit: 16)
        case 1: data = mutated(data[...], limit: data.count + room)
        case 2: manifest = mutated(manifest[...], limit: manifest.count + room)
        case 3...4:
            // A number, text or truth value becomes one that means something somewhere.
            let odd = [
                "0", "1", "-1", "255", "2147483648", "1099511627776", "9223372036854775807", "1e308", "\"inf\"", "null",
            ]
            guard let place = values.scalars.randomElement(using: &generator) else { break }
            manifest.replaceSubrange(place, with: (odd.randomElement(using: &generator) ?? "0").utf8)
        case 5...6:
            guard let place = values.scalars.randomElement(using: &generator),
                let other = values.scalars.randomElement(using: &generator)
            else { break }
            manifest.replaceSubrange(place, with: Array(manifest[other]))
        case 7...8:
            // One object or array for another, as the operation of one node for that of another.
            guard let place = values.containers.randomElement(using: &generator) else { break }
            let alike = values.containers.filter { manifest[$0.lowerBound] == manifest[place.lowerBound] }
            manifest.replaceSubrange(place, with: Array(manifest[alike.randomElement(using: &generator) ?? place]))
        default:
            guard let place = values.scalars.randomElement(using: &generator) else { break }
            manifest.replaceSubrange(place, with: mutated(manifest[place], limit: place.count + min(room, 16)))
        }
    }

    /// The file with lengths and digests as they must be.
    mutating func signed() -> [UInt8] {
        signSections()
        func littleEndian(_ value: Int) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        let padding = [UInt8](repeating: 0, count: Self.aligned(manifest.count) - manifest.count)
        let count = Self.headerLength + manifest.count + padding.count + data.count
        return beginning + [UInt8](repeating: 0, count: max(16 - beginning.count, 0)) + littleEndian(manifest.count)
            + littleEndian(count) + ContentDigest(of: manifest).bytes + manifest + padding + data
    }

    /// Gives every section, where the manifest has it as our writer writes it, the digest of its bytes.
    private mutating func signSections() {
        for object in JSONValues(manifest).containers {
            var rest = manifest[object]
            guard rest.removePrefix("{\"length\":"), let length = rest.removeNumber(),
                rest.removePrefix(",\"offset\":"),
                let offset = rest.removeNumber(), rest.removePrefix(",\"sha256\":\""), offset <= data.count,
                length <= data.count - offset, rest.count >= 64
            else { continue }
            let digest = ContentDigest(of: Array(data[offset..<offset + length])).description
            manifest.replaceSubrange(rest.startIndex..<rest.startIndex + 64, with: digest.utf8)
        }
    }
}

extension ArraySlice<UInt8> {
    /// Whether `text` was there, and is now gone.
    fileprivate mutating func removePrefix(_ text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount,
            zip(self, UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)).allSatisfy(==)
        else { return false }
        removeFirst(text.utf8CodeUnitCount)
        return true
    }

    /// The decimal number that stood at the beginning.
    fileprivate mutating func removeNumber() -> Int? {
        let digits = prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        removeFirst(digits.count)
        return Int(String(decoding: digits, as: UTF8.self))
    }
}
