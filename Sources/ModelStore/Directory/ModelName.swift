/// A model's name, safe as the name of a folder: 1 to 128 of `A–Z a–z 0–9 . _ -`, the first no dot.
package struct ModelName: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let description: String

    /// - Throws: `ModelStoreError.invalidName`
    package init(_ text: String) throws(ModelStoreError) {
        guard (1...128).contains(text.utf8.count), !text.hasPrefix("."), text.utf8.allSatisfy(Self.isAllowed) else {
            throw ModelStoreError(
                .invalidName, "not a model's name", expected: "1 to 128 of A-Z a-z 0-9 . _ -, not beginning with a dot",
                got: text.debugDescription)
        }
        description = text
    }

    static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }

    /// By bytes: the same order on every machine.
    package static func < (left: ModelName, right: ModelName) -> Bool {
        left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
    }
}

extension ModelName: Codable {
    package init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
