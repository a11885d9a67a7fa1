package import ModelGraph

/// Why a model package or a store was refused: what is wrong, in which file and part of it, and what was expected.
package struct ModelStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// A file or folder cannot be read.
        case unreadable
        /// A file or folder cannot be written.
        case unwritable
        /// The file does not begin as a package does.
        case notAPackage
        /// A package of a format version that this program does not know.
        case unsupportedVersion
        /// The file is shorter or longer than it says.
        case wrongLength
        /// Bytes are not those that were written.
        case digestMismatch
        /// The manifest breaks a rule of the format.
        case malformed
        /// The graph breaks a rule of graphs; see `cause`.
        case invalidGraph
        /// A name or version of a model that may not be one.
        case invalidName
        /// The store has no such model or version.
        case notFound
        /// The store has another package under this name and version.
        case alreadyPublished
    }

    package let code: Code
    package let message: String
    /// Empty while the file is not yet known, or when there is none.
    package var file: String
    /// The part of the file: `header`, `manifest`, or a section with what it holds.
    package let part: String?
    package let expected: String?
    package let got: String?
    package let cause: GraphError?

    package init(
        _ code: Code, _ message: String, file: String = "", part: String? = nil, expected: String? = nil,
        got: String? = nil, cause: GraphError? = nil
    ) {
        self.code = code
        self.message = message
        self.file = file
        self.part = part
        self.expected = expected
        self.got = got
        self.cause = cause
    }

    package var description: String {
        var text = file.isEmpty ? "" : "\(file): "
        if let part { text += "\(part): " }
        text += message
        if let expected { text += "; expected \(expected)" }
        if let got { text += "; got \(got)" }
        if let cause { text += ": \(cause)" }
        return text
    }

    func located(in file: String) -> ModelStoreError {
        var error = self
        error.file = file
        return error
    }
}
