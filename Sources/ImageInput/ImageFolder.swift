internal import FoundationEssentials

/// The pictures of one folder, in an order that is the same on every machine, with their classes where known.
///
/// A file counts as a picture by its extension, `jpg`, `jpeg` or `png` in any case; subfolders and hidden files are
/// left alone. A file `labels.txt` gives classes, a line each: the file's name, white space, a class number from 0.
/// Empty lines are skipped; a picture without a line has no label.
package struct ImageFolder: Equatable, Sendable {
    package struct Item: Equatable, Sendable {
        /// Name inside the folder.
        package let name: String
        package let path: String
        /// Class number from 0, when `labels.txt` gives one.
        package let label: Int?
    }

    /// Sorted by the bytes of their names.
    package let items: [Item]

    /// - Throws: `ImageError` `.unreadable` when the folder cannot be listed, `.invalidLabels` with the line of
    ///   `labels.txt` that is malformed, comes twice or names no picture of the folder.
    package init(path: String) throws(ImageError) {
        let entries: [String]
        do {
            entries = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw ImageError(.unreadable, "no such folder, or it cannot be listed", file: path)
        }
        let names = entries.filter(Self.isPicture).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let prefix = path.hasSuffix("/") ? path : path + "/"
        let labels = entries.contains(Self.labelsFile) ? try Self.labels(prefix + Self.labelsFile, of: Set(names)) : [:]
        items = names.map { Item(name: $0, path: prefix + $0, label: labels[$0]) }
    }

    private static let labelsFile = "labels.txt"

    private static func isPicture(_ name: String) -> Bool {
        guard !name.hasPrefix("."), let dot = name.lastIndex(of: ".") else { return false }
        return ["jpg", "jpeg", "png"].contains(name[name.index(after: dot)...].lowercased())
    }

    private static func labels(_ path: String, of names: Set<String>) throws(ImageError) -> [String: Int] {
        let text = String(decoding: try readFile(path), as: UTF8.self)
        var labels: [String: Int] = [:]
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            // A name may hold spaces: the class is the last word.
            let line = line.drop(while: \.isWhitespace)
            if line.isEmpty { continue }
            let words = line.split(whereSeparator: \.isWhitespace)
            let name = line[..<words.last!.startIndex].reversed().drop(while: \.isWhitespace).reversed()
            func reject(_ what: String, expected: String) -> ImageError {
                ImageError(
                    .invalidLabels, "line \(index + 1): \(what)", file: path, expected: expected, got: String(line))
            }
            guard words.count >= 2, let label = Int(words.last!), label >= 0 else {
                throw reject("not a label", expected: "a file's name and a class number from 0")
            }
            guard names.contains(String(name)) else {
                throw reject("no such picture", expected: "a picture of the folder")
            }
            guard labels.updateValue(label, forKey: String(name)) == nil else {
                throw reject("a second label", expected: "one label a picture")
            }
        }
        return labels
    }
}
