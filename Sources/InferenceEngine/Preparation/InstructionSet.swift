internal import CKernels

/// The instruction sets that kernels exist for. Integer results are the same bytes on all of them.
package enum InstructionSet: String, CaseIterable, Hashable, Sendable, Codable {
    case scalar
    case avx2
    case avxvnni
    case avx512vnni
    case neon
    case neonDotProduct = "neon-dotprod"
    case neonI8MM = "neon-i8mm"

    private var isa: ck_isa {
        switch self {
        case .scalar: CK_ISA_SCALAR
        case .avx2: CK_ISA_AVX2
        case .avxvnni: CK_ISA_AVXVNNI
        case .avx512vnni: CK_ISA_AVX512VNNI
        case .neon: CK_ISA_NEON
        case .neonDotProduct: CK_ISA_NEON_DOTPROD
        case .neonI8MM: CK_ISA_NEON_I8MM
        }
    }

    /// Those this machine can run, the slowest (scalar) first.
    package static var available: [InstructionSet] { allCases.filter { ck_table_for($0.isa) != nil } }

    /// The fastest of this machine.
    package static var best: InstructionSet {
        let isa = ck_best_table().pointee.isa
        return allCases.first { $0.isa == isa } ?? .scalar
    }

    /// Whether convolutions of floats can be computed in bfloat16 with this instruction set on this machine.
    package var hasBFloat16: Bool { ck_bf16_table_for(isa) != nil }

    /// - Parameter bfloat16: with the kernels for it, where there are any.
    func kernels(bfloat16: Bool) throws(EngineError) -> KernelTable {
        guard let table = ck_table_for(isa) else {
            let available = Self.available.map(\.rawValue).joined(separator: ", ")
            throw EngineError(
                .unavailableInstructionSet, "not available on this machine, which has \(available)", at: rawValue)
        }
        return KernelTable(pointer: table, bfloat16: bfloat16 ? ck_bf16_table_for(isa) : nil)
    }
}

/// The kernels of one instruction set.
///
/// `@unchecked Sendable` invariant: the tables are constants of the program.
@dynamicMemberLookup
struct KernelTable: @unchecked Sendable {
    let pointer: UnsafePointer<ck_table>
    /// Set where convolutions of floats may be computed in bfloat16.
    let bfloat16: UnsafePointer<ck_bf16_table>?

    subscript<Member>(dynamicMember member: KeyPath<ck_table, Member>) -> Member { pointer.pointee[keyPath: member] }
}
