internal import CKernels
internal import Testing

/// One kernel table of this machine.
///
/// Unchecked: the pointer is to constant data of the library.
struct KernelTable: @unchecked Sendable, CustomTestStringConvertible {
    let pointer: UnsafePointer<ck_table>

    var kernels: ck_table { pointer.pointee }
    var testDescription: String { String(cString: kernels.name) }

    static let scalar = KernelTable(pointer: ck_table_for(CK_ISA_SCALAR))

    /// Every table this machine can run, the reference included.
    static let available = (0..<CK_ISA_COUNT.rawValue).compactMap { isa in
        ck_table_for(ck_isa(rawValue: isa)).map(KernelTable.init)
    }
}

@Suite struct KernelTableTests {
    @Test func scalarTableIsAlwaysThere() {
        #expect(KernelTable.scalar.testDescription == "scalar")
    }

    @Test func tablesCarryTheInstructionSetTheyWereAskedFor() {
        for isa in 0..<CK_ISA_COUNT.rawValue {
            guard let table = ck_table_for(ck_isa(rawValue: isa)) else { continue }
            #expect(table.pointee.isa.rawValue == isa)
        }
    }

    @Test func unknownInstructionSetHasNoTable() {
        #expect(ck_table_for(CK_ISA_COUNT) == nil)
        #expect(ck_table_for(ck_isa(rawValue: 1000)) == nil)
    }

    @Test func bestTableIsTheLastAvailable() {
        #expect(ck_best_table() == KernelTable.available.last?.pointer)
    }

    @Test func panelsAreCountedPerGroup() {
        #expect(ck_panel_count(32, 64, 1) == 2)
        #expect(ck_panel_count(32, 65, 1) == 3)
        #expect(ck_panel_count(32, 66, 2) == 4)
        #expect(ck_panel_count(32, 0, 1) == 0)
    }
}
