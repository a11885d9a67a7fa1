internal import Glibc
internal import ModelGraph

/// The memory of one session's activations, or of one model's packed weights.
struct Arena: ~Copyable {
    let bytes: UnsafeMutableRawBufferPointer

    /// What one entry of the processor's second-level page tables spans, on x86-64 and on arm64 with 4 KiB pages.
    private static let hugePage = 2 << 20

    /// Asks for huge pages as far as they are at least half filled: the memory is swept over again and again, and each small
    /// page costs an address translation, and a fault to begin with. Without them, if the system has none to give, all
    /// works the same.
    init(byteCount: Int) {
        let huge = (byteCount + Self.hugePage / 2) / Self.hugePage * Self.hugePage
        bytes = .allocate(
            byteCount: max(byteCount, huge, 1), alignment: huge > 0 ? Self.hugePage : TensorStorage.alignment)
        if huge > 0 { madvise(bytes.baseAddress, huge, MADV_HUGEPAGE) }
    }

    deinit {
        bytes.deallocate()
    }
}
