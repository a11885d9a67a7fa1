internal import Foundation

extension Double {
    /// With `digits` places after the point, in the C locale.
    func fixed(_ digits: Int) -> String { String(format: "%.\(digits)f", self) }
}

extension Duration {
    /// Milliseconds with three places.
    var millisecondsText: String {
        let (seconds, attoseconds) = components
        return (Double(seconds) * 1e3 + Double(attoseconds) / 1e15).fixed(3)
    }
}

/// JSON for machines: keys sorted, so that outputs can be compared.
func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// Writes text to a file, whole or not at all.
func writeText(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
}
