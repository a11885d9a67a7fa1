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

    /// Groups share panels only where each alone would leave most of one empty.
    @Test(arguments: KernelTable.available)
    func panelsAreCountedPerGroup(table: KernelTable) {
        let kernels = table.pointer.pointee
        for outputs in [1, 7, 64, 65, 200] {
            var whole = ck_weight_shape(out_channels: outputs, taps: 9, group_channels: 5, groups: 1)
            var grouped = ck_weight_shape(out_channels: 3 * outputs, taps: 9, group_channels: 5, groups: 3)
            let counts = [kernels.conv_u8s8_u8_panel_count(&grouped), kernels.conv_f32_panel_count(&grouped)]
            let limits = [kernels.conv_u8s8_u8_panel_count(&whole), kernels.conv_f32_panel_count(&whole)].map { 3 * $0 }
            #expect(zip(counts, limits).allSatisfy { outputs < 64 ? (1...$1).contains($0) : $0 == $1 })
            #expect((1...outputs).contains(kernels.conv_u8s8_u8_panel_count(&whole)))
        }
    }
}
