internal import EdgeAgent
internal import FoundationEssentials
internal import Testing

@Suite struct FolderWatchTests {
    private func file(_ name: String, _ byteCount: Int, at modified: Double = 0) -> FolderWatch.Entry {
        FolderWatch.Entry(name: name, byteCount: byteCount, modified: modified)
    }

    @Test func reportsAFileOnceItNoLongerGrows() {
        var watch = FolderWatch()
        #expect(watch.update([file("a.jpg", 10)]) == [])
        #expect(watch.update([file("a.jpg", 20)]) == [])
        #expect(watch.update([file("a.jpg", 20)]) == ["a.jpg"])
        #expect(watch.update([file("a.jpg", 20)]) == [])
    }

    @Test func reportsAFileAgainWhenItChanged() {
        var watch = FolderWatch()
        _ = watch.update([file("a.jpg", 10)])
        #expect(watch.update([file("a.jpg", 10)]) == ["a.jpg"])
        #expect(watch.update([file("a.jpg", 10, at: 5)]) == [])
        #expect(watch.update([file("a.jpg", 10, at: 5)]) == ["a.jpg"])
        #expect(watch.update([]) == [])
        #expect(watch.update([file("a.jpg", 10, at: 5)]) == [])
        #expect(watch.update([file("a.jpg", 10, at: 5)]) == ["a.jpg"])
    }

    @Test func takesImagesOnlyOldestFirst() {
        var watch = FolderWatch()
        let listing = [
            file("b.PNG", 1, at: 2), file("a.jpeg", 1, at: 3), file("c.jpg", 1, at: 1), file("empty.jpg", 0),
            file(".hidden.jpg", 1), file("notes.txt", 1), file("jpg", 1),
        ]
        #expect(watch.update(listing) == [])
        #expect(watch.update(listing) == ["c.jpg", "b.PNG", "a.jpeg"])
    }

    @Test func listsAFolder() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "watch-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["x.jpg", "y.png"] { try Data("image".utf8).write(to: URL(filePath: folder + "/" + name)) }
        var paths = ImageFeed.folder(folder, interval: .milliseconds(1)).images()
        let found = Set([try await paths.next(), try await paths.next()])
        #expect(found == [folder + "/x.jpg", folder + "/y.png"])
        var missing = ImageFeed.folder(folder + "/missing", interval: .milliseconds(1)).images()
        await #expect(throws: EdgeError.self) { _ = try await missing.next() }
    }
}
