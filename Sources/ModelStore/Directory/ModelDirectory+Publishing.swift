internal import Glibc
internal import ModelGraph

extension ModelDirectory {
    /// Publishes a package under the name and version of its card.
    ///
    /// The version is complete and on the device when this returns. To publish again what is there already is no error.
    /// - Throws: `ModelStoreError.alreadyPublished` when the store has a package of another digest under this name and
    ///   version, and what `ModelPackage.write(to:)` throws.
    @discardableResult
    package func publish(_ package: ModelPackage) throws(ModelStoreError) -> Entry {
        try publish(package.card) { (path) throws(ModelStoreError) in try package.write(to: path) }
    }

    /// Publishes a copy of a package file, after verifying all of it.
    @discardableResult
    package func publish(contentsOf file: String) throws(ModelStoreError) -> Entry {
        let storage: TensorStorage
        do throws(GraphError) {
            storage = try MappedFile(path: file).storage
        } catch {
            throw ModelStoreError(.unreadable, error.message, file: file)
        }
        let opened = try OpenedPackage(storage, path: file, verifying: .everything)
        return try publish(opened.card) { (path) throws(ModelStoreError) in
            try writeFileAtomically(path) { (writer) throws(ModelStoreError) in try writer.write(storage.bytes) }
            return opened.digest
        }
    }

    private func publish(
        _ card: ModelCard, writing write: (_ path: String) throws(ModelStoreError) -> ContentDigest
    ) throws(ModelStoreError) -> Entry {
        let entry = entry(card.name, card.version)
        try createFolder(path)
        try createFolder(folder(card.name))
        let unfinished = path + "/" + uniqueHiddenName()
        try createFolder(unfinished)
        defer { removeVersion(unfinished) }
        let digest = try write(unfinished + "/" + Self.packageName)
        // The rename fails where the version's folder exists and is not empty: of two publishers one wins.
        while rename(unfinished, parentFolder(of: entry.path)) != 0 {
            guard errno == EEXIST || errno == ENOTEMPTY else {
                throw systemError(.unwritable, "cannot be put in place", entry.path)
            }
            if let published = try publishedDigest(entry) {
                guard published == digest else {
                    throw ModelStoreError(
                        .alreadyPublished, "\(card.name) \(card.version) is published with other contents",
                        file: entry.path, expected: "\(published)", got: "\(digest)")
                }
                break
            }
        }
        try synchronizeFolder(folder(card.name))
        return entry
    }

    /// `nil` when the version has been removed since it stood in the way.
    private func publishedDigest(_ entry: Entry) throws(ModelStoreError) -> ContentDigest? {
        do throws(ModelStoreError) {
            return try OpenedPackage(path: entry.path, verifying: .sectionsOnUse).digest
        } catch {
            guard access(parentFolder(of: entry.path), F_OK) != 0 else { throw error }
            return nil
        }
    }

    /// Removes a version; programs that have it open keep it until they close it.
    /// - Throws: `ModelStoreError.notFound`, `.unwritable`
    package func remove(_ name: ModelName, version: ModelVersion) throws(ModelStoreError) {
        let entry = try resolve(name, version: version)
        let doomed = path + "/" + uniqueHiddenName()
        guard rename(parentFolder(of: entry.path), doomed) == 0 else {
            // Another program may have removed it since it was found.
            throw systemError(errno == ENOENT ? .notFound : .unwritable, "cannot be removed", entry.path)
        }
        removeVersion(doomed)
        try synchronizeFolder(folder(name))
    }

    /// Removes a version's folder, as far as it is there.
    private func removeVersion(_ folder: String) {
        unlink(folder + "/" + Self.packageName)
        rmdir(folder)
    }

    /// Creates one folder unless it exists.
    private func createFolder(_ path: String) throws(ModelStoreError) {
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw systemError(.unwritable, "cannot be created", path)
        }
    }
}
