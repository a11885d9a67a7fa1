internal import FoundationEssentials
internal import Glibc
internal import ModelGraph

/// A folder of published models: `<name>/<version>/model.cleave`.
///
/// A version appears and disappears in one step (a rename), so any number of programs may publish, read and remove at
/// the same time. Names beginning with a dot are work in progress, or left over from a program that was killed.
package struct ModelDirectory: Sendable {
    package let path: String

    /// A published version.
    package struct Entry: Hashable, Sendable {
        package let name: ModelName
        package let version: ModelVersion
        /// The package's file.
        package let path: String
    }

    static let packageName = "model.cleave"

    /// The folder need not exist before something is published.
    package init(path: String) {
        self.path = path
    }

    func folder(_ name: ModelName) -> String { path + "/" + name.description }

    func entry(_ name: ModelName, _ version: ModelVersion) -> Entry {
        Entry(name: name, version: version, path: "\(folder(name))/\(version)/\(Self.packageName)")
    }
}

// MARK: Finding

extension ModelDirectory {
    /// All versions of all models, by name, then from the oldest version to the latest.
    ///
    /// What is named neither as a model nor as a version is passed over.
    /// - Throws: `ModelStoreError.unreadable` for a folder that exists and cannot be listed.
    package func list() throws(ModelStoreError) -> [Entry] {
        var entries: [Entry] = []
        let names = try contents(of: path).compactMap { try? ModelName($0) }
        for name in names.sorted() {
            entries += try versions(of: name).map { entry(name, $0) }
        }
        return entries
    }

    /// From the oldest to the latest; empty for a model that the store does not have.
    package func versions(of name: ModelName) throws(ModelStoreError) -> [ModelVersion] {
        let versions = try contents(of: folder(name)).compactMap { try? ModelVersion($0) }
        return versions.filter { access(entry(name, $0).path, F_OK) == 0 }.sorted()
    }

    /// The version asked for, or the latest.
    /// - Throws: `ModelStoreError.notFound`
    package func resolve(_ name: ModelName, version: ModelVersion? = nil) throws(ModelStoreError) -> Entry {
        let versions = try versions(of: name)
        guard let found = version ?? versions.last, versions.contains(found) else {
            throw ModelStoreError(
                .notFound, "no such model in the store", file: path,
                expected: versions.isEmpty
                    ? "another name" : "one of \(versions.map(\.description).joined(separator: ", "))",
                got: version.map { "\(name) \($0)" } ?? "\(name)")
        }
        return entry(name, found)
    }

    /// Empty for a folder that does not exist.
    private func contents(of folder: String) throws(ModelStoreError) -> [String] {
        var status = stat()
        guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw systemError(.unreadable, "cannot be examined", folder)
        }
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw ModelStoreError(.unreadable, "cannot be listed", file: folder)
        }
    }
}
