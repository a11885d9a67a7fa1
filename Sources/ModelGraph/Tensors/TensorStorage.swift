/// A run of bytes that never changes once a tensor refers to it: its own allocation, or a part of a mapped file.
///
/// `@unchecked Sendable` invariant: `bytes` is written only before the initialiser returns, and stays valid as long as
/// this object lives, because the allocation is freed, or `owner` released, only in `deinit`.
package final class TensorStorage: @unchecked Sendable {
    package let bytes: UnsafeRawBufferPointer
    private let owner: AnyObject?
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
        allocation = memory
    }

    /// Refers to memory that `owner` keeps alive and unchanged, such as a mapped file.
    package init(borrowing bytes: UnsafeRawBufferPointer, owner: AnyObject) {
        self.bytes = bytes
        self.owner = owner
        allocation = nil
    }

    deinit {
        allocation?.deallocate()
    }
}
