internal import CKernels
internal import ModelGraph

/// One kernel call of a prepared model, or several that are joined in bands.
struct Step: Sendable {
    let work: Work
    let reads: [BufferView]
    let writes: [BufferView]
    /// The graph node this is part of; conversions belong to the node that asked for them, or to none. A convolution
    /// that also does an addition counts for the convolution's node.
    let node: NodeID?
}

/// A kernel and its arguments, all but the addresses, which a session fills in for its own arena.
///
/// `@unchecked Sendable` invariant: the C structs hold only null pointers and pointers into `PackedWeights`, which
/// never change and live as long as the model.
enum Work: @unchecked Sendable {
    case convolutionU8(ck_conv_u8, PackedWeights)
    case convolutionF32(ck_conv_f32, PackedWeights)
    case maxPoolU8(ck_maxpool_u8)
    case maxPoolF32(ck_maxpool_f32)
    case averagePoolU8(ck_avgpool_u8)
    case averagePoolF32(ck_avgpool_f32)
    case addU8(ck_add_u8, pixels: Int)
    case multiplyU8(ck_mul_u8, pixels: Int)
    case lookupU8(ck_lut_u8, TensorStorage, pixels: Int)
    case requantize(ck_requantize_u8, pixels: Int)
    case quantize(ck_quantize_f32, pixels: Int)
    case dequantize(ck_dequantize_u8, pixels: Int)
    case addF32(ck_binary_f32, pixels: Int)
    case multiplyF32(ck_binary_f32, pixels: Int)
    case clampF32(ck_binary_f32, pixels: Int)
    case layoutU8(ck_layout_u8, to: Layout)
    case layoutF32(ck_layout_f32, to: Layout)
    case copyBlocks([BlockCopy])
    case move(Movement, elementBytes: Int)
    case binaryF32(BroadcastOperation)
    case reduceF32(ReductionPlan)
    case resizeF32(ResizePlan)
    case normalizeF32(NormalizationPlan)
    case unaryF32(UnaryFunction, count: Int)
    case softmax(rows: Int, columns: Int, isLogarithmic: Bool)
    case localResponseNormalization(LocalResponseNormalization, pixels: Int, channels: Int)
    case reference(ReferenceCall)
    case banded(BandedSteps)

    /// Whether float32 elements are read or written, if only to convert them.
    var computesInFloat: Bool {
        switch self {
        case .convolutionU8, .maxPoolU8, .averagePoolU8, .addU8, .multiplyU8, .lookupU8, .requantize, .layoutU8: false
        // Copies do not know what they copy.
        case .copyBlocks: false
        case .move: false
        case .convolutionF32, .maxPoolF32, .averagePoolF32, .addF32, .multiplyF32, .clampF32, .unaryF32, .softmax,
            .localResponseNormalization, .quantize, .dequantize, .layoutF32, .binaryF32, .reduceF32, .resizeF32,
            .normalizeF32, .reference:
            true
        case .banded(let banded): banded.steps.contains(where: \.work.computesInFloat)
        }
    }

    /// The operands whose memory the result may take: each of their elements is read before the result's element in its
    /// place is written.
    var replaceableReads: [Int] {
        switch self {
        case .convolutionU8, .convolutionF32: [1]
        case .addU8, .multiplyU8, .addF32, .multiplyF32: [0, 1]
        case .lookupU8, .requantize, .clampF32, .unaryF32: [0]
        case .banded(let banded): banded.replaceableReads
        case .maxPoolU8, .maxPoolF32, .averagePoolU8, .averagePoolF32, .quantize, .dequantize, .layoutU8, .layoutF32,
            .copyBlocks, .move, .binaryF32, .reduceF32, .resizeF32, .normalizeF32, .softmax,
            .localResponseNormalization, .reference:
            []
        }
    }
}

/// The kernels that a convolution is computed by.
enum ConvolutionMethod: Hashable, Sendable {
    /// One output channel per group and input channel.
    case depthwise
    /// Products over pointers to the taps, in the activations' own arithmetic.
    case indirect
    /// The same with operands rounded to bfloat16.
    case bfloat16
    /// In float32 by Winograd's algorithm, in tiles of `tile` × `tile` outputs.
    case winograd(tile: Int)
}

/// Copies `count` blocks from one place to another, each with its own stride; all in bytes.
struct BlockCopy: Sendable {
    let source: BufferView
    let blockBytes: Int
    let sourceStride: Int
    let targetOffset: Int
    let targetStride: Int
    let count: Int
}

/// An operator without a kernel of its own, run by its definition.
struct ReferenceCall: Sendable {
    enum Operand: Sendable {
        case activation(BufferView, TensorType)
        case constant(Tensor)
        case absent
    }

    let operation: Operator
    let operands: [Operand]
    let outputs: [BufferView]
    let name: String
}
