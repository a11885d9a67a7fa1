/// A model's version: `3`, `1.4.0` or `2.0.0-rc.1`, ordered by number.
///
/// One or more decimal numbers without leading zeros, separated by dots; a single number is ≥ 1. After a hyphen,
/// identifiers of `A–Z a–z 0–9 -` separated by dots mark a version before the release. Ordered as in Semantic
/// Versioning 2.0.0, §11; absent numbers count as 0, and of `1` and `1.0` the longer comes later.
package struct ModelVersion: Hashable, Sendable, CustomStringConvertible {
    package let description: String
    private let numbers: [Int]
    private let prerelease: [Identifier]

    /// - Throws: `ModelStoreError.invalidName`
    package init(_ text: String) throws(ModelStoreError) {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(Self.number)
        let identifiers =
            parts.count == 1
            ? [] : parts[1].split(separator: ".", omittingEmptySubsequences: false).map(Identifier.init)
        guard text.utf8.count <= 64, !numbers.contains(nil), numbers != [0], !identifiers.contains(nil) else {
            throw ModelStoreError(
                .invalidName, "not a version", expected: "numbers separated by dots, as 3, 1.4.0 or 2.0.0-rc.1",
                got: text.debugDescription)
        }
        description = text
        self.numbers = numbers.compactMap(\.self)
        prerelease = identifiers.compactMap(\.self)
    }

    /// `nil` for anything but a decimal number without leading zeros.
    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            text == "0" || !text.hasPrefix("0")
        else { return nil }
        return Int(text)
    }

    /// A number, or text; numbers come first.
    private enum Identifier: Hashable, Comparable {
        case number(Int)
        case text(String)

        init?(_ text: Substring) {
            if let number = ModelVersion.number(text) {
                self = .number(number)
            } else if !text.isEmpty, text.utf8.allSatisfy({ ModelName.isAllowed($0) && $0 != UInt8(ascii: "_") }) {
                self = .text(String(text))
            } else {
                return nil
            }
        }
    }
}

extension ModelVersion: Comparable {
    package static func < (left: ModelVersion, right: ModelVersion) -> Bool {
        for index in 0..<max(left.numbers.count, right.numbers.count) {
            let leftNumber = index < left.numbers.count ? left.numbers[index] : 0
            let rightNumber = index < right.numbers.count ? right.numbers[index] : 0
            if leftNumber != rightNumber { return leftNumber < rightNumber }
        }
        if left.prerelease != right.prerelease {
            guard !left.prerelease.isEmpty, !right.prerelease.isEmpty else { return right.prerelease.isEmpty }
            return left.prerelease.lexicographicallyPrecedes(right.prerelease)
        }
        return left.numbers.count < right.numbers.count
    }
}

extension ModelVersion: Codable {
    package init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
