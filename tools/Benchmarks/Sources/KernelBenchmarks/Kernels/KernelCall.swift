internal import CKernels

/// The number systems that kernels compute in.
package enum Arithmetic: String, CaseIterable, Hashable, Sendable, Codable {
    case u8, f32
    /// Convolutions with products in bfloat16, all else in f32.
    case bf16

    /// Of activations.
    var elementBytes: Int { self == .u8 ? 1 : 4 }
    var weightBytes: Int { self == .u8 ? 1 : self == .bf16 ? 2 : 4 }
}

/// One kernel with its operands: what is timed.
package struct KernelCall {
    /// The function of the table, as `CKernels.h` names it.
    package let kernel: String
    /// The algorithm, where it is not the plain one.
    package var algorithm: String?
    /// Which multiply-adds it consists of.
    package let arithmetic: Arithmetic
    /// Computes the layer once.
    package let run: () -> Void
    /// Bytes of activations and weights read and written, each counted once.
    package let bytesMoved: Int
}

/// Makes the calls of one table.
///
/// Whatever changes in the kernels' interface changes here and in the extensions of this type only.
package struct KernelCalls {
    package let instructionSet: String
    let table: ck_table
    let bf16Table: ck_bf16_table?
    /// Bytes of copies of the weights to rotate through, so that each call finds them in that much memory instead of
    /// where the call before left them; 0 for one copy.
    let weightBytes: Int
    /// Whether float layers that are faster by Winograd's algorithm are computed so.
    let usesWinograd: Bool

    /// The names of this machine's tables, the slowest first.
    package static var available: [String] { tables.map { String(cString: $0.name) } }

    /// - Returns: nil where this machine has no table of that name.
    package init?(instructionSet: String, weightBytes: Int = 0, usesWinograd: Bool = true) {
        guard let table = Self.tables.first(where: { String(cString: $0.name) == instructionSet }) else { return nil }
        self.instructionSet = instructionSet
        self.table = table
        bf16Table = ck_bf16_table_for(table.isa)?.pointee
        self.weightBytes = weightBytes
        self.usesWinograd = usesWinograd
    }

    private static var tables: [ck_table] {
        (0..<CK_ISA_COUNT.rawValue).compactMap { ck_table_for(ck_isa(rawValue: $0))?.pointee }
    }

    package var arithmetics: [Arithmetic] { Arithmetic.allCases.filter { $0 != .bf16 || bf16Table != nil } }

    /// - Returns: nil where the number system has no kernel for such a layer.
    package func call(_ layer: LayerShape, _ arithmetic: Arithmetic) -> KernelCall? {
        if arithmetic == .bf16 {
            return (layer.isDepthwise ? nil : convolutionBF16(layer)) ?? call(layer, .f32)
        }
        return switch (layer.kind, arithmetic) {
        case (.convolution, .u8): layer.isDepthwise ? depthwiseU8(layer) : convolutionU8(layer)
        case (.convolution, .f32): layer.isDepthwise ? depthwiseF32(layer) : convolutionF32(layer)
        case (.maxPool, .u8): maxPoolU8(layer)
        case (.maxPool, .f32): maxPoolF32(layer)
        case (.averagePool, .u8): averagePoolU8(layer)
        case (.averagePool, .f32): averagePoolF32(layer)
        case (.add, .u8): addU8(layer)
        case (.multiply, .u8), (.scale, .u8): multiplyU8(layer)
        case (.add, .f32), (.multiply, .f32), (.scale, .f32): binaryF32(layer)
        case (.lookup, .u8): lookupU8(layer)
        case (.quantize, .u8): quantize(layer)
        case (.layout, .u8): layoutU8(layer)
        case (.layout, .f32): layoutF32(layer)
        case (.lookup, .f32), (.quantize, .f32), (_, .bf16): nil
        }
    }

    func geometry(_ layer: LayerShape) -> ck_geometry {
        ck_geometry(
            batch: layer.batch, in_height: layer.height, in_width: layer.width, out_height: layer.outHeight,
            out_width: layer.outWidth, kernel_height: layer.kernel, kernel_width: layer.kernel,
            stride_height: layer.stride, stride_width: layer.stride, dilation_height: 1, dilation_width: 1,
            pad_top: layer.pad, pad_left: layer.pad, pad_bottom: layer.pad, pad_right: layer.pad)
    }

    func weightShape(_ layer: LayerShape) -> ck_weight_shape {
        ck_weight_shape(
            out_channels: layer.outputs, taps: layer.kernel * layer.kernel,
            group_channels: layer.channels / layer.groups, groups: layer.groups)
    }

    func pixels(_ layer: LayerShape) -> ck_range { ck_range(first: 0, last: layer.outPixels) }

    /// One packed copy of the weights, or as many as fill `weightBytes`.
    func copies(byteCount: Int, pack: (UnsafeMutableRawPointer) -> Void) -> [Memory] {
        (0..<max(1, (weightBytes + byteCount - 1) / max(byteCount, 1))).map { _ in
            let memory = Memory(byteCount: byteCount)
            pack(memory.raw)
            return memory
        }
    }
}
