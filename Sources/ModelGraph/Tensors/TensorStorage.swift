private import Glibc

/// A run of bytes that never changes once a tensor refers to it: its own allocation, or a part of a mapped file.
///
/// `@unchecked Sendable` invariant: `bytes` is written only before the initialiser returns, and stays valid as long as
/// this object lives, because the allocation is freed, or `owner` released, only in `deinit`.
package final class TensorStorage: @unchecked Sendable {
    package let bytes: UnsafeRawBufferPointer
    private let owner: AnyObject?
    private let isFile: Bool
    private let allocation: UnsafeMutableRawPointer?

    /// Cache lines and the widest vector registers are 64 bytes.
    package static let alignment = 64

    /// Allocates `byteCount` bytes and lets `initialize` fill all of them.
    package init(byteCount: Int, initialize: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: max(byteCount, 1), alignment: Self.alignment)
        do {
            try initialize(UnsafeMutableRawBufferPointer(start: memory, count: byteCount))
        } catch {
            memory.deallocate()
            throw error
        }
        bytes = UnsafeRawBufferPointer(start: memory, count: byteCount)
        owner = nil
        isFile = false
        allocation = memory
    }

    /// Refers to a file's mapping.
    init(_ file: MappedFile) {
        bytes = file.bytes
        owner = file
        isFile = true
        allocation = nil
    }

    /// Refers to a part of other storage, which it keeps alive.
    package init(_ range: Range<Int>, of whole: TensorStorage) {
        bytes = UnsafeRawBufferPointer(rebasing: whole.bytes[range])
        owner = whole
        isFile = whole.isFile
        allocation = nil
    }

    deinit {
        allocation?.deallocate()
    }

    /// Gives back the memory behind a part of a mapped file; its bytes are read from the file when next touched. What is
    /// in memory alone stays.
    package func releasePages(_ range: Range<Int>) {
        guard isFile, let start = bytes.baseAddress else { return }
        let page = Int(getpagesize())
        // Whole pages only: those at the ends hold neighbours' bytes, too.
        let first = (Int(bitPattern: start) + range.lowerBound + page - 1) / page * page
        let end = (Int(bitPattern: start) + range.upperBound) / page * page
        guard first < end else { return }
        madvise(UnsafeMutableRawPointer(bitPattern: first), end - first, MADV_DONTNEED)
    }
}
