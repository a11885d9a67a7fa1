/// What went wrong with a picture, a preprocessing description or a folder of pictures.
package struct ImageError: Error, Equatable, Sendable {
    /// Stable kinds of failure, fit for programs to branch on.
    package enum Code: String, Equatable, Sendable {
        /// The file or folder cannot be read, or is not of the right kind.
        case unreadable
        /// The file or the picture is larger than `ImageLimits` allow.
        case tooLarge
        /// The bytes are neither JPEG nor PNG.
        case unknownFormat
        /// The bytes begin like a picture but do not decode completely.
        case damaged
        /// A valid picture of a kind that is not read, such as CMYK.
        case unsupported
        /// The picture has not the size asked for.
        case wrongSize
        /// A preprocessing description that makes no sense.
        case invalidPreprocessing
        /// A `labels.txt` that does not describe its folder.
        case invalidLabels
        /// The picture cannot be encoded.
        case notEncodable
    }

    package var code: Code
    package var message: String
    /// The file, or the name that the caller gave to the bytes.
    package var file: String?
    package var expected: String?
    package var got: String?

    package init(
        _ code: Code, _ message: String, file: String? = nil, expected: String? = nil, got: String? = nil
    ) {
        self.code = code
        self.message = message
        self.file = file
        self.expected = expected
        self.got = got
    }
}

extension ImageError: CustomStringConvertible {
    /// For example `photo.jpg: too many pixels (expected at most 64000000, got 100000000)`.
    package var description: String {
        let place = file.map { "\($0): " } ?? ""
        let detail = [expected.map { "expected \($0)" }, got.map { "got \($0)" }].compactMap(\.self)
        return place + message + (detail.isEmpty ? "" : " (\(detail.joined(separator: ", ")))")
    }
}
