internal import CKernels

/// The kernels of this machine that work on the lanes of pixels; every instruction set gives the same bytes.
enum LaneKernels {
    // The tables are constant data of the program.
    nonisolated(unsafe) static let table: UnsafePointer<ck_table> = ck_best_table()
}
