/// A failure of the activation codec: what went wrong, where, what was expected and what was found.
package struct CodecError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The stable name of a failure; safe to send to a peer and to count in metrics.
    package enum Code: String, Sendable, CaseIterable {
        // The container.
        case badMagic
        case unsupportedVersion
        case unsupportedFlags
        case unsupportedFeature
        case invalidField
        case inconsistentLength
        case headerChecksumMismatch
        case bandChecksumMismatch
        case bandOutOfOrder
        case corruptPayload
        case truncated
        case trailingBytes
        // The receiver's policy.
        case limitExceeded
        case cutMismatch
        /// A predicted frame refers to another that is not kept, or is another than meant: a key frame mends it.
        case referenceUnavailable
        // The caller's arguments.
        case invalidArgument
        case unknownMode
        // The machine.
        case zlibUnavailable
    }

    /// The place of a failure; absent parts are unknown or do not apply.
    package struct Location: Hashable, Sendable {
        /// Bytes from the start of the container.
        package var offset: Int?
        package var tensor: Int?
        package var band: Int?

        package init(offset: Int? = nil, tensor: Int? = nil, band: Int? = nil) {
            self.offset = offset
            self.tensor = tensor
            self.band = band
        }
    }

    package let code: Code
    package let message: String
    package let location: Location
    package let expected: String?
    package let got: String?

    package init(
        _ code: Code, _ message: String, at location: Location = Location(), expected: String? = nil, got: String? = nil
    ) {
        self.code = code
        self.message = message
        self.location = location
        self.expected = expected
        self.got = got
    }

    package var description: String {
        var text = "\(code.rawValue): \(message)"
        if let tensor = location.tensor { text += ", tensor \(tensor)" }
        if let band = location.band { text += ", band \(band)" }
        if let offset = location.offset { text += ", at byte \(offset)" }
        if let expected { text += "; expected \(expected)" }
        if let got { text += "; got \(got)" }
        return text
    }
}
