#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Reads a regular file whole.
///
/// Its kind and size are checked on the open descriptor first, so that neither a device nor a huge file is read.
/// - Throws: `ImageError` `.unreadable` or `.tooLarge`.
func readFile(_ path: String, limits: ImageLimits = .standard) throws(ImageError) -> [UInt8] {
    // Non-blocking: opening a FIFO must not wait for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
        throw ImageError(.unreadable, "cannot open", file: path, got: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        throw ImageError(.unreadable, "cannot read", file: path, expected: "a regular file")
    }
    let size = Int(status.st_size)
    try limits.check(fileBytes: size, file: path)

    var failure: CInt = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        while count < size {
            let got = read(descriptor, buffer.baseAddress! + count, size - count)
            if got > 0 {
                count += got
            } else if got == 0 {
                break
            } else if errno != EINTR {
                failure = errno
                break
            }
        }
    }
    guard failure == 0 else {
        throw ImageError(.unreadable, "cannot read", file: path, got: String(cString: strerror(failure)))
    }
    return bytes
}
