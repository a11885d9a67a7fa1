private import Glibc

/// A file mapped into memory for reading: opening costs no copy, and pages are read when first touched.
///
/// The mapping is private, but another process that shortens the file makes later reads fault; models are expected to
/// be replaced, not rewritten in place.
///
/// `@unchecked Sendable` invariant: the mapping is read-only, and unmapped only in `deinit`.
package final class MappedFile: @unchecked Sendable {
    package let bytes: UnsafeRawBufferPointer

    /// - Throws: `GraphError.unreadableFile` when `path` is no regular file or cannot be read.
    package init(path: String) throws(GraphError) {
        // Non-blocking: opening a FIFO must not wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.failure("cannot be opened", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure("cannot be examined", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw GraphError(.unreadableFile, "is no regular file", at: path)
        }
        guard status.st_size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let count = Int(status.st_size)
        guard let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw Self.failure("cannot be mapped", path)
        }
        bytes = UnsafeRawBufferPointer(start: address, count: count)
    }

    deinit {
        guard let address = bytes.baseAddress else { return }
        munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
    }

    /// The file as storage that tensors refer to and that keeps the mapping alive.
    package var storage: TensorStorage { TensorStorage(self) }

    private static func failure(_ what: String, _ path: String) -> GraphError {
        GraphError(.unreadableFile, "\(what): \(String(cString: strerror(errno)))", at: path)
    }
}
