internal import FoundationEssentials
internal import ModelGraph
internal import ModelStore
internal import Testing

@Suite struct ModelDirectoryTests {
    private func package(_ name: String, _ version: String, seed: UInt64 = 1) throws -> ModelPackage {
        ModelPackage(try TestModels.card(name, version), graph: try TestModels.graph(seed: seed))
    }

    @Test func whatIsPublishedIsFound() throws {
        let folder = try TemporaryFolder()
        let store = ModelDirectory(path: folder.file("store"))
        #expect(try store.list().isEmpty)
        for version in ["9", "10", "1.2.3"] { try store.publish(package("resnet", version)) }
        try store.publish(package("alexnet", "2.0.0-rc.1"))
        #expect(
            try store.list().map { "\($0.name) \($0.version)" }
                == ["alexnet 2.0.0-rc.1", "resnet 1.2.3", "resnet 9", "resnet 10"])
        let resnet = try ModelName("resnet")
        let latest = try store.resolve(resnet)
        #expect(try latest.version == ModelVersion("10"))
        #expect(latest.path == folder.file("store/resnet/10/model.cleave"))
        #expect(try OpenedPackage(path: latest.path, verifying: .everything).card.version == latest.version)
        #expect(try store.resolve(resnet, version: ModelVersion("9")).version == ModelVersion("9"))
    }

    @Test func whatIsNotThereIsNotFound() throws {
        let folder = try TemporaryFolder()
        let store = ModelDirectory(path: folder.path)
        try store.publish(package("resnet", "1"))
        for (name, version) in [("resnet", "2"), ("vgg", nil), ("vgg", "1")] {
            let failure = try #require(throws: ModelStoreError.self) {
                try store.resolve(ModelName(name), version: version.map { try ModelVersion($0) })
            }
            #expect(failure.code == .notFound)
        }
    }

    @Test func aVersionIsNeverReplaced() throws {
        let folder = try TemporaryFolder()
        let store = ModelDirectory(path: folder.path)
        let entry = try store.publish(package("resnet", "1"))
        let digest = try OpenedPackage(path: entry.path, verifying: .everything).digest
        #expect(try store.publish(package("resnet", "1")) == entry, "the same contents again")
        let failure = try #require(throws: ModelStoreError.self) { try store.publish(package("resnet", "1", seed: 2)) }
        #expect(failure.code == .alreadyPublished)
        #expect(failure.expected == digest.description)
        #expect(try OpenedPackage(path: entry.path, verifying: .everything).digest == digest)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["resnet"], "nothing is left over")
    }

    @Test func aFileIsPublishedByCopy() throws {
        let folder = try TemporaryFolder()
        let store = ModelDirectory(path: folder.file("store"))
        let digest = try package("resnet", "3").write(to: folder.file("made.cleave"))
        let entry = try store.publish(contentsOf: folder.file("made.cleave"))
        #expect(try entry.version == ModelVersion("3"))
        #expect(try OpenedPackage(path: entry.path, verifying: .everything).digest == digest)

        var bytes = try Data(contentsOf: URL(filePath: folder.file("made.cleave")))
        bytes[bytes.count - 64] ^= 1
        try bytes.write(to: URL(filePath: folder.file("damaged.cleave")))
        let failure = try #require(throws: ModelStoreError.self) {
            try store.publish(contentsOf: folder.file("damaged.cleave"))
        }
        #expect(failure.code == .digestMismatch)
        #expect(try store.list() == [entry])
    }

    /// Removing takes the name away at once; who has the package open keeps reading it.
    @Test func aRemovedVersionStaysReadableWhereItIsOpen() throws {
        let folder = try TemporaryFolder()
        let store = ModelDirectory(path: folder.path)
        let name = try ModelName("resnet")
        let entry = try store.publish(package("resnet", "1"))
        try store.publish(package("resnet", "2"))
        let opened = try OpenedPackage(path: entry.path, verifying: .sectionsOnUse)
        try store.remove(name, version: entry.version)
        #expect(try store.versions(of: name) == [ModelVersion("2")])
        try opened.verify()
        #expect(
            try #require(throws: ModelStoreError.self) { try store.remove(name, version: entry.version) }.code
                == .notFound)
        try store.publish(package("resnet", "1", seed: 2))
        #expect(try store.versions(of: name).count == 2, "a removed version may be published anew")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["resnet"])
    }

    /// Strangers' files and work in progress are passed over.
    @Test func onlyModelsAreListed() throws {
        let folder = try TemporaryFolder()
        let store = ModelDirectory(path: folder.path)
        let entry = try store.publish(package("resnet", "1"))
        for path in [".unfinished-x/1", "resnet/latest", "resnet/.2", "resnet/3", "two words/1"] {
            try FileManager.default.createDirectory(atPath: folder.file(path), withIntermediateDirectories: true)
        }
        try Data().write(to: URL(filePath: folder.file("README")))
        #expect(try store.list() == [entry])
    }

    /// Many publishers of one version: one wins, the others learn that they lost, readers only ever see it whole.
    @Test func concurrentPublishersNeverCorrupt() async throws {
        let folder = try TemporaryFolder()
        let store = ModelDirectory(path: folder.path)
        let packages = try (0..<8).map { try package("resnet", "1", seed: UInt64($0 % 4)) }
        let winners = try await withThrowingTaskGroup(of: Int?.self) { group in
            for (index, package) in packages.enumerated() {
                group.addTask {
                    do throws(ModelStoreError) {
                        let entry = try store.publish(package)
                        let seen = try OpenedPackage(path: entry.path, verifying: .everything).graph()
                        return seen.values[1].constant?.bytes == package.graph.values[1].constant?.bytes
                            ? index % 4 : -1
                    } catch {
                        guard error.code == .alreadyPublished else { throw error }
                        return nil
                    }
                }
            }
            return try await group.reduce(into: []) { winners, winner in winners += [winner].compactMap(\.self) }
        }
        #expect(winners.count == 2, "both publishers of the winning contents succeed: \(winners)")
        #expect(Set(winners).count == 1)
        #expect(try store.list().count == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["resnet"])
    }

    /// Publishing and removing against each other, over and over: a reader finds all of a version, or none.
    @Test func readersSeeWholeVersionsOrNone() async throws {
        let folder = try TemporaryFolder()
        let store = ModelDirectory(path: folder.path)
        let package = try package("resnet", "1")
        let name = package.card.name
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for _ in 0..<50 { try store.publish(package) } }
            group.addTask {
                for _ in 0..<50 {
                    do throws(ModelStoreError) {
                        try store.remove(name, version: package.card.version)
                    } catch {
                        guard error.code == .notFound else { throw error }
                    }
                }
            }
            group.addTask {
                for _ in 0..<200 {
                    do throws(ModelStoreError) {
                        let entry = try store.resolve(name)
                        _ = try OpenedPackage(path: entry.path, verifying: .everything)
                    } catch {
                        guard error.code == .notFound || error.code == .unreadable else { throw error }
                    }
                }
            }
            try await group.waitForAll()
        }
        try store.publish(package)
        #expect(try store.list().count == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["resnet"])
    }
}
