private import FoundationEssentials
internal import ImageInput
internal import Testing

@Suite struct ImageFolderTests {
    /// Runs `body` on a new folder with these files, then removes it.
    private func withFolder(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.path + "/cleave-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in files { try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)")) }
        try body(folder)
    }

    @Test func picturesComeSortedByBytes() throws {
        let files = [
            "b.PNG": "", "a.jpeg": "", "B.jpg": "", "é.jpg": "", "notes.txt": "", ".hidden.jpg": "", "jpg": "",
        ]
        try withFolder(files) { path in
            let folder = try ImageFolder(path: path)
            #expect(folder.items.map(\.name) == ["B.jpg", "a.jpeg", "b.PNG", "é.jpg"])
            #expect(folder.items.map(\.path) == folder.items.map { "\(path)/\($0.name)" })
            #expect(folder.items.allSatisfy { $0.label == nil })
            #expect(try ImageFolder(path: path + "/") == folder)
        }
    }

    @Test func labelsAreRead() throws {
        let labels = "b c.jpg   7\r\n\n a.jpg\t0  \n"
        try withFolder(["a.jpg": "", "b c.jpg": "", "d.png": "", "labels.txt": labels]) { path in
            let folder = try ImageFolder(path: path)
            #expect(folder.items.map(\.label) == [0, 7, nil])
        }
    }

    @Test(arguments: [
        ("a.jpg", "line 1: not a label"), ("3", "line 1: not a label"), ("a.jpg x", "line 1: not a label"),
        ("a.jpg -1", "line 1: not a label"), ("a.jpg 99999999999999999999", "line 1: not a label"),
        ("\nz.jpg 1", "line 2: no such picture"), ("../a.jpg 1", "line 1: no such picture"),
        ("a.jpg 1\na.jpg 1", "line 2: a second label"),
    ])
    func badLabelsNameTheirLine(labels: String, message: String) throws {
        try withFolder(["a.jpg": "", "labels.txt": labels]) { path in
            let error = #expect(throws: ImageError.self) { try ImageFolder(path: path) }
            #expect(error?.code == .invalidLabels)
            #expect(error?.message == message)
            #expect(error?.file == "\(path)/labels.txt")
        }
    }

    @Test func aListNamesPicturesFromItsOwnFolder() throws {
        let list = "b c.jpg 7\n\n/far/a.png 0\nb c.jpg 8\n"
        try withFolder(["list.txt": list]) { path in
            let items = try ImageFolder(path: path + "/list.txt").items
            #expect(items.map(\.path) == [path + "/b c.jpg", "/far/a.png", path + "/b c.jpg"])
            #expect(items.map(\.label) == [7, 0, 8])
        }
    }

    @Test(arguments: [("a.jpg", "line 1: not a label"), ("a.jpg 1\nnotes.txt 1", "line 2: no picture")])
    func badListsNameTheirLine(list: String, message: String) throws {
        try withFolder(["list": list]) { path in
            let error = #expect(throws: ImageError.self) { try ImageFolder(path: path + "/list") }
            #expect(error?.code == .invalidLabels)
            #expect(error?.message == message)
        }
    }

    @Test func whatCannotBeReadIsSaid() throws {
        try withFolder(["a.jpg": "hello"]) { path in
            func code(_ body: () throws(ImageError) -> Void) -> ImageError.Code? {
                do throws(ImageError) {
                    try body()
                    return nil
                } catch { return error.code }
            }
            #expect(code { () throws(ImageError) in _ = try ImageFolder(path: path + "/none") } == .unreadable)
            #expect(code { () throws(ImageError) in _ = try Image(contentsOf: path + "/none.jpg") } == .unreadable)
            #expect(code { () throws(ImageError) in _ = try Image(contentsOf: path) } == .unreadable)
            #expect(code { () throws(ImageError) in _ = try Image(contentsOf: "/dev/zero") } == .unreadable)
            #expect(code { () throws(ImageError) in _ = try Image(contentsOf: path + "/a.jpg") } == .unknownFormat)
            let limits = ImageLimits(maxFileBytes: 4)
            #expect(
                code { () throws(ImageError) in _ = try Image(contentsOf: path + "/a.jpg", limits: limits) }
                    == .tooLarge)
        }
    }
}
