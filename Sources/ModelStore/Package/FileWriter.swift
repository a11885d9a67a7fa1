internal import Glibc

/// Writes a file from beginning to end.
struct FileWriter: ~Copyable {
    private let descriptor: CInt
    private var offset = 0

    /// Creates `path`, which must not exist.
    init(creating path: String) throws(ModelStoreError) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw systemError(.unwritable, "cannot be created", path) }
    }

    deinit {
        close(descriptor)
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(ModelStoreError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw systemError(.unwritable, "cannot be written")
            }
            rest = rest.dropFirst(written)
        }
        offset += bytes.count
    }

    mutating func write(_ bytes: [UInt8]) throws(ModelStoreError) {
        try bytes.span.bytes.withUnsafeBytes { (bytes) throws(ModelStoreError) in try write(bytes) }
    }

    /// Writes zeros up to the next multiple of `alignment`.
    mutating func pad(to alignment: Int) throws(ModelStoreError) {
        let zeros = [UInt8](repeating: 0, count: (alignment - offset % alignment) % alignment)
        try write(zeros)
    }

    /// Returns once the bytes will outlive a loss of power.
    func synchronize() throws(ModelStoreError) {
        guard fsync(descriptor) == 0 else { throw systemError(.unwritable, "cannot be flushed to the device") }
    }
}

/// Writes a file that appears at `path` only when it is complete.
func writeFileAtomically(
    _ path: String, _ body: (inout FileWriter) throws(ModelStoreError) -> Void
) throws(ModelStoreError) {
    let folder = parentFolder(of: path)
    let temporary = folder + "/" + uniqueHiddenName()
    do throws(ModelStoreError) {
        var file = try FileWriter(creating: temporary)
        try body(&file)
        try file.synchronize()
    } catch {
        unlink(temporary)
        throw error
    }
    guard rename(temporary, path) == 0 else {
        let error = systemError(.unwritable, "cannot be put in place", path)
        unlink(temporary)
        throw error
    }
    try synchronizeFolder(folder)
}

/// Makes the entries of a folder outlive a loss of power.
func synchronizeFolder(_ path: String) throws(ModelStoreError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemError(.unwritable, "cannot be opened", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw systemError(.unwritable, "cannot be flushed to the device", path) }
}

func parentFolder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// A name that no other writer chooses, in this process or another; never a model's name, since those begin with no
/// dot.
func uniqueHiddenName() -> String {
    ".unfinished-" + String(UInt64.random(in: .min ... .max), radix: 36)
}

/// An error that tells what the system said of its last call.
func systemError(_ code: ModelStoreError.Code, _ message: String, _ file: String = "") -> ModelStoreError {
    ModelStoreError(code, message, file: file, got: String(cString: strerror(errno)))
}
