internal import FoundationEssentials

/// The pictures of one folder, in an order that is the same on every machine, with their classes where known.
///
/// A file counts as a picture by its extension, `jpg`, `jpeg` or `png` in any case; subfolders and hidden files are
/// left alone. A file `labels.txt` gives classes, a line each: the file's name, white space, a class number from 0.
/// Empty lines are skipped; a picture without a line has no label.
///
/// Instead of a folder there may be a file of such lines: its pictures, in its order, are where the names lead from the
/// file's own folder.
package struct ImageFolder: Equatable, Sendable {
    package struct Item: Equatable, Sendable {
        /// Name inside the folder, or in the list.
        package let name: String
        package let path: String
        /// Class number from 0, when `labels.txt` gives one.
        package let label: Int?
    }

    /// A folder's are sorted by the bytes of their names.
    package let items: [Item]

    /// - Throws: `ImageError` `.unreadable` when the folder cannot be listed, `.invalidLabels` with the line of
    ///   `labels.txt` that is malformed, comes twice or names no picture of the folder.
    package init(path: String) throws(ImageError) {
        var isFolder = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder {
            items = try Self.items(ofList: path)
            return
        }
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
        var labels: [String: Int] = [:]
        for line in try lines(path) {
            guard names.contains(line.name) else {
                throw line.rejected("no such picture", expected: "a picture of the folder")
            }
            guard labels.updateValue(line.label, forKey: line.name) == nil else {
                throw line.rejected("a second label", expected: "one label a picture")
            }
        }
        return labels
    }

    private static func items(ofList path: String) throws(ImageError) -> [Item] {
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
        var items: [Item] = []
        for line in try lines(path) {
            guard isPicture(line.name.split(separator: "/").last.map(String.init) ?? "") else {
                throw line.rejected("no picture", expected: "the name of a JPEG or PNG file")
            }
            let picture = line.name.hasPrefix("/") ? line.name : folder + line.name
            items.append(Item(name: line.name, path: picture, label: line.label))
        }
        return items
    }

    private struct Line {
        let name: String
        let label: Int
        fileprivate let number: Int
        fileprivate let text: String
        fileprivate let path: String

        func rejected(_ what: String, expected: String) -> ImageError {
            ImageError(.invalidLabels, "line \(number): \(what)", file: path, expected: expected, got: text)
        }
    }

    private static func lines(_ path: String) throws(ImageError) -> [Line] {
        let text = String(decoding: try readFile(path), as: UTF8.self)
        var lines: [Line] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            // A name may hold spaces: the class is the last word.
            let line = line.drop(while: \.isWhitespace)
            guard let last = line.split(whereSeparator: \.isWhitespace).last else { continue }
            let name = line[..<last.startIndex].reversed().drop(while: \.isWhitespace).reversed()
            let parsed = Line(
                name: String(name), label: Int(last) ?? -1, number: index + 1, text: String(line), path: path)
            guard !parsed.name.isEmpty, parsed.label >= 0 else {
                throw parsed.rejected("not a label", expected: "a file's name and a class number from 0")
            }
            lines.append(parsed)
        }
        return lines
    }
}
