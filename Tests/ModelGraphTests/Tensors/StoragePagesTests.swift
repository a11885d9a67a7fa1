internal import FoundationEssentials
internal import ModelGraph
internal import Testing

/// Memory behind mapped files that is given back.
@Suite struct StoragePagesTests {
    private let byteCount = 100_000

    @Test func mappedBytesComeBackFromTheFile() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "pages-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try Data(bytes).write(to: url)
        let storage = try MappedFile(path: url.path).storage
        let part = TensorStorage(1000..<90_000, of: storage)
        #expect(storage.bytes.elementsEqual(bytes))
        part.releasePages(0..<part.bytes.count)
        part.releasePages(5..<5)
        Tensor(TensorType(.uint8, [9]), storage: part, byteOffset: 3).releasePages()
        #expect(storage.bytes.elementsEqual(bytes))
        storage.releasePages(0..<byteCount)
        #expect(part.bytes.elementsEqual(bytes[1000..<90_000]))
    }

    /// What no file holds must not be given back.
    @Test func bytesInMemoryAloneStay() {
        let values = (0..<byteCount).map(Int32.init)
        let tensor = Tensor(values, shape: [byteCount])
        tensor.releasePages()
        #expect(tensor.array() == values)
        let part = TensorStorage(4096..<40_960, of: tensor.storage)
        part.releasePages(0..<part.bytes.count)
        #expect(tensor.array() == values)
    }
}
