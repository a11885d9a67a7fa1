internal import ModelGraph
private import Synchronization

/// The sections of an opened package: checks each one's bytes before they are first used, and only then.
final class PackageSections: Sendable {
    /// What a section holds.
    struct Content: Sendable {
        let type: TensorType
        /// Names the tensor in errors.
        let holder: String
    }

    private let sections: [Section]
    private let contents: [Content]
    private let storage: TensorStorage
    private let isVerified: Mutex<[Bool]>

    fileprivate init(_ sections: [Section], contents: [Content], storage: TensorStorage) {
        self.sections = sections
        self.contents = contents
        self.storage = storage
        isVerified = Mutex([Bool](repeating: false, count: sections.count))
    }

    /// Reads the section unless it has been found good before.
    /// - Throws: `ModelStoreError.digestMismatch`; `.malformed` for padding or truth values that are not as they must be.
    /// - Complexity: linear in the section's bytes, the first time.
    func verify(_ index: Int) throws(ModelStoreError) {
        guard !isVerified.withLock({ $0[index] }) else { return }
        let section = sections[index]
        let part = "section \(index), \(contents[index].holder)"
        let bytes = UnsafeRawBufferPointer(rebasing: storage.bytes[section.range])
        let digest = ContentDigest(of: bytes)
        guard digest == section.sha256 else {
            throw ModelStoreError(
                .digestMismatch, "the bytes are not those that were written", part: part,
                expected: "\(section.sha256)", got: "\(digest)")
        }
        guard storage.bytes[section.padding].allSatisfy({ $0 == 0 }) else {
            throw ModelStoreError(.malformed, "the padding is not zero", part: part)
        }
        if contents[index].type.elementType == .bool {
            guard bytes.allSatisfy({ $0 <= 1 }) else {
                throw ModelStoreError(.malformed, "a truth value is neither 0 nor 1", part: part)
            }
        }
        isVerified.withLock { $0[index] = true }
        // Who asked reads them one tensor after the other, from the system's cache: they need not all be here at once.
        storage.releasePages(section.range)
    }

    func verifyAll() throws(ModelStoreError) {
        for index in sections.indices { try verify(index) }
    }
}

/// Assigns the sections of a file to tensors, each to exactly one.
struct SectionClaims {
    private let sections: [Section]
    private let storage: TensorStorage
    private var contents: [PackageSections.Content?]

    /// - Parameter storage: the bytes that `sections` fill.
    init(_ sections: [Section], storage: TensorStorage) throws(ModelStoreError) {
        try sections.checkLayout(byteCount: storage.bytes.count)
        self.sections = sections
        self.storage = storage
        contents = Array(repeating: nil, count: sections.count)
    }

    /// The tensor that section `index` holds, not read yet.
    mutating func claim(_ index: Int, as type: TensorType, for holder: String) throws(ModelStoreError) -> Tensor {
        guard sections.indices.contains(index) else {
            throw ModelStoreError(
                .malformed, "no such section", part: holder, expected: "0..<\(sections.count)", got: "\(index)")
        }
        if let other = contents[index] {
            throw ModelStoreError(
                .malformed, "section \(index) is taken", part: holder, expected: "a section of its own",
                got: other.holder)
        }
        guard sections[index].length == type.byteCount else {
            throw ModelStoreError(
                .malformed, "section \(index) does not fit \(type)", part: holder,
                expected: "\(type.byteCount) bytes", got: "\(sections[index].length) bytes")
        }
        contents[index] = PackageSections.Content(type: type, holder: holder)
        return Tensor(type, storage: storage, byteOffset: sections[index].offset)
    }

    func finished() throws(ModelStoreError) -> PackageSections {
        if let unclaimed = contents.firstIndex(where: { $0 == nil }) {
            throw ModelStoreError(.malformed, "nothing refers to it", part: "section \(unclaimed)")
        }
        return PackageSections(sections, contents: contents.compactMap(\.self), storage: storage)
    }
}
