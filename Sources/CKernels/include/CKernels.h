// Compute kernels of the inference engine and of the activation codec: one table of functions per instruction set.
//
// Contract of every kernel
// - No allocation, no global state, no threads. A call computes a range of one layer; disjoint ranges
//   may run concurrently on the same arguments (each with its own scratch).
// - Activations are NHWC. A stride is the distance, in elements, between consecutive pixels, so that a layer
//   reads and writes slices of a wider (concatenated) buffer: stride >= channels.
// - A pixel range counts output pixels, flattened over batch x height x width.
// - Nothing is read or written outside the tensors described; no pointer needs more than its natural alignment.
// - Sizes are trusted: the caller has verified shapes, and byte sizes fit in ptrdiff_t.
//
// Numerics
// - u8 kernels give the same bytes on every instruction set. Floating-point contraction is off in them;
//   the rounding mode is assumed to be the default (to nearest, ties to even).
//   Requantisation of an int32 accumulator: f = (float)acc * multiplier is clamped to
//   [min - zero_point, max - zero_point], rounded half to even, then zero_point is added. int32 sums wrap in two's
//   complement. Multipliers are finite and at most 2^64 in magnitude.
// - f32 kernels may fuse and reorder: results differ between instruction sets within the usual bound
//   of K * epsilon * sum |a||b|. Groups of few channels may be computed as one, with zeros for the others' weights: an input
//   that is not finite may then spoil its pixel's neighbouring groups.
// - winograd_f32 computes tiles of outputs from tiles of inputs, and its rounding errors are relative to these: a result
//   is off by at most (in_channels + 16) * 2^-24 * a * (S + |bias| + |residual|), with a = 16 for tile 2 and a = 160 for
//   tile 4, and S the sum over input channels of the largest |input| that the tile reads times the sum of the nine
//   |weights|. The largest errors seen on random layers of ResNet and VGG are 6e-7 of sum |a||b|, and 2e-7 for tile 2.
//   A value that is not finite, or so large that sums of such values overflow, spoils its whole tile.
#ifndef CK_CKERNELS_H
#define CK_CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Half-open range of pixels or panels.
typedef struct ck_range {
    size_t first, last;
} ck_range;

/// Sliding window over an image. Output sizes are the caller's (so ceil_mode is too): taps outside the input are
/// padding, whatever the sizes say. Strides and dilations are >= 1.
typedef struct ck_geometry {
    size_t batch;
    size_t in_height, in_width;
    size_t out_height, out_width;
    size_t kernel_height, kernel_width;
    size_t stride_height, stride_width;
    size_t dilation_height, dilation_width;
    size_t pad_top, pad_left;
    /// Only average pooling with count_include_pad looks at these two.
    size_t pad_bottom, pad_right;
} ck_geometry;

/// How a float result becomes uint8; see "Requantisation" above. min <= max.
typedef struct ck_output_u8 {
    uint8_t zero_point, min, max;
} ck_output_u8;

// MARK: Convolution

/// Extents of a weight tensor; taps = kernel_height * kernel_width. Depthwise: groups = out_channels, group_channels = 1.
typedef struct ck_weight_shape {
    size_t out_channels, taps, group_channels, groups;
} ck_weight_shape;

/// The order of a weight tensor's axes, outermost first. Weights are packed from where they lie, without gaps.
typedef enum ck_weight_order {
    CK_WEIGHTS_OUTPUT_TAP_INPUT = 0,  ///< [out_channels, kernel_height, kernel_width, group_channels].
    CK_WEIGHTS_OUTPUT_INPUT_TAP,      ///< [out_channels, group_channels, kernel_height, kernel_width], as in ONNX.
    CK_WEIGHTS_INPUT_OUTPUT,          ///< [group_channels, out_channels], of one tap and one group.
} ck_weight_order;

/// Weights to pack for uint8 activations: int8, symmetric per output channel.
typedef struct ck_weights_s8 {
    ck_weight_shape shape;
    const int8_t *weights;
    const int32_t *bias;  ///< out_channels values, or NULL for zeros.
    /// out_channels values: input scale * weight scale / output scale; finite.
    const float *multipliers;
    uint8_t in_zero_point;
    ck_weight_order order;
} ck_weights_s8;

/// Weights to pack for float activations.
typedef struct ck_weights_f32 {
    ck_weight_shape shape;
    const float *weights;
    const float *bias;  ///< out_channels values, or NULL for zeros.
    ck_weight_order order;
} ck_weights_f32;

/// One quantised convolution or fully connected layer (an image of 1 x 1), also depthwise
/// (in_channels = out_channels = groups).
typedef struct ck_conv_u8 {
    ck_geometry geometry;
    size_t in_channels, out_channels, groups;  ///< Channels of all groups together.
    const uint8_t *input;
    size_t in_stride;
    uint8_t *output;
    size_t out_stride;
    const void *weights;  ///< Packed by the same table; 4-byte aligned (64 is fastest).
    /// What padding reads: in_channels bytes equal to in_zero_point.
    const uint8_t *padding;
    uint8_t in_zero_point;
    ck_output_u8 out;
    /// Tensor of the output's shape to add, or NULL; it may be the output itself, with its stride. The convolution's
    /// own value y, as it would be without a residual, is the first operand of ck_add_u8, so that fusing the two
    /// changes no bit: f = (float)(y - out.zero_point) * own_multiplier
    ///   + (float)(residual - residual_zero_point) * residual_multiplier, requantised by `sum`.
    const uint8_t *residual;
    size_t residual_stride;
    uint8_t residual_zero_point;
    float residual_multiplier, own_multiplier;
    ck_output_u8 sum;
} ck_conv_u8;

/// One float convolution; the members are those of ck_conv_u8.
typedef struct ck_conv_f32 {
    ck_geometry geometry;
    size_t in_channels, out_channels, groups;
    const float *input;
    size_t in_stride;
    float *output;
    size_t out_stride;
    const void *weights;
    const float *padding;  ///< in_channels zeros.
    float min, max;        ///< Clamp of the result; -INFINITY and INFINITY for none.
    const float *residual; ///< Added before the clamp, or NULL.
    size_t residual_stride;
} ck_conv_f32;

// MARK: Pooling

/// Padding never wins; a window without input gives 0.
typedef struct ck_maxpool_u8 {
    ck_geometry geometry;
    size_t channels;
    const uint8_t *input;
    size_t in_stride;
    uint8_t *output;
    size_t out_stride;
} ck_maxpool_u8;

/// f = (float)sum(x - in_zero_point) * (multiplier / (float)count), then clamp and round as everywhere.
/// count: taps inside the input, or, with count_include_pad, inside the padded input; at least 1.
typedef struct ck_avgpool_u8 {
    ck_geometry geometry;
    size_t channels;
    const uint8_t *input;
    size_t in_stride;
    uint8_t *output;
    size_t out_stride;
    uint8_t in_zero_point;
    ck_output_u8 out;
    float multiplier;  ///< input scale / output scale.
    bool count_include_pad;
} ck_avgpool_u8;

/// NaN never wins; a window without input gives -INFINITY.
typedef struct ck_maxpool_f32 {
    ck_geometry geometry;
    size_t channels;
    const float *input;
    size_t in_stride;
    float *output;
    size_t out_stride;
} ck_maxpool_f32;

typedef struct ck_avgpool_f32 {
    ck_geometry geometry;
    size_t channels;
    const float *input;
    size_t in_stride;
    float *output;
    size_t out_stride;
    bool count_include_pad;
} ck_avgpool_f32;

// MARK: Pixel by pixel. An input stride of 0 repeats one pixel (a broadcast over height and width).
// Input and output may be the same tensor with the same stride.

/// f = (float)(a - za) * ma + (float)(b - zb) * mb.
typedef struct ck_add_u8 {
    size_t channels;
    const uint8_t *a, *b;
    size_t a_stride, b_stride;
    uint8_t a_zero_point, b_zero_point;
    float a_multiplier, b_multiplier;
    uint8_t *output;
    size_t out_stride;
    ck_output_u8 out;
} ck_add_u8;

/// f = (float)((a - za) * (b - zb)) * multiplier.
typedef struct ck_mul_u8 {
    size_t channels;
    const uint8_t *a, *b;
    size_t a_stride, b_stride;
    uint8_t a_zero_point, b_zero_point;
    float multiplier;  ///< scale of a * scale of b / output scale.
    uint8_t *output;
    size_t out_stride;
    ck_output_u8 out;
} ck_mul_u8;

typedef struct ck_lut_u8 {
    size_t channels;
    const uint8_t *input;
    size_t in_stride;
    uint8_t *output;
    size_t out_stride;
    const uint8_t *table;  ///< 256 bytes.
} ck_lut_u8;

/// f = (float)(x - in_zero_point) * multiplier.
typedef struct ck_requantize_u8 {
    size_t channels;
    const uint8_t *input;
    size_t in_stride;
    uint8_t in_zero_point;
    float multiplier;  ///< input scale / output scale.
    uint8_t *output;
    size_t out_stride;
    ck_output_u8 out;
} ck_requantize_u8;

/// y = saturate(round(x / scale) + zero_point), ties to even; NaN gives zero_point. scale > 0.
typedef struct ck_quantize_f32 {
    size_t channels;
    const float *input;
    size_t in_stride;
    uint8_t *output;
    size_t out_stride;
    float scale;
    uint8_t zero_point;
} ck_quantize_f32;

/// y = (float)(x - zero_point) * scale.
typedef struct ck_dequantize_u8 {
    size_t channels;
    const uint8_t *input;
    size_t in_stride;
    float *output;
    size_t out_stride;
    float scale;
    uint8_t zero_point;
} ck_dequantize_u8;

/// y = clamp(a op b); for clamp_f32, b is not read.
typedef struct ck_binary_f32 {
    size_t channels;
    const float *a, *b;
    size_t a_stride, b_stride;
    float *output;
    size_t out_stride;
    float min, max;  ///< -INFINITY and INFINITY for none; NaN gives min.
} ck_binary_f32;

// MARK: Functions of single floats

typedef enum ck_function {
    CK_SIGMOID,       ///< 1 / (1 + exp(-x))
    CK_SWISH,         ///< x * sigmoid(alpha * x)
    CK_HARD_SIGMOID,  ///< alpha * x + beta, limited to 0 ... 1
    CK_HARD_SWISH,    ///< x * (x / 6 + 1 / 2, limited to 0 ... 1)
    CK_LEAKY_RELU,    ///< x < 0 ? alpha * x : x
    CK_ELU,           ///< x < 0 ? alpha * (exp(x) - 1) : x
    CK_TANH,
    CK_EXP,
} ck_function;

/// Dense; input and output may be the same memory. The relative error is at most 2^-20 above 2^-110, where values
/// may become 0; NaN stays NaN.
typedef struct ck_function_f32 {
    ck_function function;
    float alpha, beta;
    const float *input;
    float *output;
} ck_function_f32;

// MARK: Layout. One side is dense NCHW `[batch, channels, pixels]`, the other NHWC with a stride.

/// Any bytes: to[c * to_pitch + r] = from[r * from_pitch + c]. The two do not overlap.
void ck_transpose_u8(
    const uint8_t *from, size_t from_pitch, uint8_t *to, size_t to_pitch, size_t rows, size_t columns);

typedef struct ck_layout_u8 {
    size_t batch, pixels, channels;  ///< pixels = height * width of one image.
    size_t nhwc_stride;
    const uint8_t *input;
    uint8_t *output;
} ck_layout_u8;

typedef struct ck_layout_f32 {
    size_t batch, pixels, channels;
    size_t nhwc_stride;
    const float *input;
    float *output;
} ck_layout_f32;

// MARK: Symbols of the activation codec. A lane is a channel that is sent; `channels` counts lanes.

/// Levels of codes: output = number of i < thresholds with input >= table[i * table_stride + lane].
typedef struct ck_rank_u8 {
    size_t channels;
    size_t in_stride, out_stride;
    size_t thresholds;  ///< At most 255.
    size_t table_stride;
    const uint8_t *table;
    const uint8_t *input;
    uint8_t *output;  ///< May be the input, with its stride.
} ck_rank_u8;

/// Codes of levels: output = table[input * table_stride + lane]; inputs are below `levels`.
typedef struct ck_select_u8 {
    size_t channels;
    size_t in_stride, out_stride;
    size_t levels;  ///< At least 1.
    size_t table_stride;
    const uint8_t *table;
    const uint8_t *input;
    uint8_t *output;  ///< May be the input, with its stride.
} ck_select_u8;

/// Contexts of a row of symbols: output = west * W + 2 N + NW + NE, neighbours in `input`.
typedef struct ck_context_u8 {
    size_t lanes;          ///< From a symbol to that of the next pixel.
    size_t row_stride;     ///< From a symbol to that below.
    uint16_t west;         ///< At most 2; 0 where the symbols of the row are not known yet.
    const uint8_t *input;  ///< Symbols before, above and above right exist.
    uint16_t *output;
} ck_context_u8;

// MARK: Tables

typedef enum ck_isa {
    CK_ISA_SCALAR = 0,
    CK_ISA_AVX2,
    CK_ISA_AVXVNNI,
    CK_ISA_AVX512VNNI,
    CK_ISA_NEON,
    CK_ISA_NEON_DOTPROD,
    CK_ISA_NEON_I8MM,
    CK_ISA_COUNT,
} ck_isa;

/// The kernels of one instruction set.
///
/// Convolution weights are packed once per table into panels of output channels, as wide as suits their number; panels
/// are numbered over all groups. A convolution computes the rectangle pixels x panels, so a caller divides either.
/// Scratch: the size asked for, 16-byte aligned, one per concurrent call.
typedef struct ck_table {
    ck_isa isa;
    const char *name;

    size_t (*conv_u8s8_u8_panel_count)(const ck_weight_shape *);
    size_t (*conv_u8s8_u8_packed_size)(const ck_weight_shape *);
    void (*conv_u8s8_u8_pack)(const ck_weights_s8 *, void *packed);
    size_t (*conv_u8s8_u8_scratch_size)(const ck_conv_u8 *);
    void (*conv_u8s8_u8)(const ck_conv_u8 *, ck_range pixels, ck_range panels, void *scratch);

    size_t (*conv_f32_panel_count)(const ck_weight_shape *);
    size_t (*conv_f32_packed_size)(const ck_weight_shape *);
    void (*conv_f32_pack)(const ck_weights_f32 *, void *packed);
    size_t (*conv_f32_scratch_size)(const ck_conv_f32 *);
    void (*conv_f32)(const ck_conv_f32 *, ck_range pixels, ck_range panels, void *scratch);

    // Winograd's algorithm for 3 x 3 windows of stride and dilation 1, one group: fewer multiplications, other rounding
    // (see Numerics). All NULL in the scalar table. `tile` is the side of the square of output pixels computed together,
    // 2 or 4, for which weights are packed; a tile beyond the bottom or right edge is cut off.
    // A call computes the rectangle tiles x panels, tiles being numbered as ck_winograd_tile_count counts them.

    /// The tile that computes a layer fastest; 0 where conv_f32 does, or where the algorithm does not apply. It depends
    /// on channels and the size of an image, not on how many there are: a batch gives the results of its images.
    size_t (*winograd_f32_tile)(const ck_conv_f32 *);
    size_t (*winograd_f32_panel_count)(const ck_weight_shape *);
    size_t (*winograd_f32_packed_size)(const ck_weight_shape *, size_t tile);
    void (*winograd_f32_pack)(const ck_weights_f32 *, size_t tile, void *packed);
    size_t (*winograd_f32_scratch_size)(const ck_conv_f32 *, size_t tile);
    void (*winograd_f32)(const ck_conv_f32 *, size_t tile, ck_range tiles, ck_range panels, void *scratch);

    // Depthwise, channel multiplier 1.
    size_t (*dwconv_u8s8_u8_packed_size)(const ck_weight_shape *);
    void (*dwconv_u8s8_u8_pack)(const ck_weights_s8 *, void *packed);
    size_t (*dwconv_u8s8_u8_scratch_size)(const ck_conv_u8 *);
    void (*dwconv_u8s8_u8)(const ck_conv_u8 *, ck_range pixels, void *scratch);

    size_t (*dwconv_f32_packed_size)(const ck_weight_shape *);
    void (*dwconv_f32_pack)(const ck_weights_f32 *, void *packed);
    size_t (*dwconv_f32_scratch_size)(const ck_conv_f32 *);
    void (*dwconv_f32)(const ck_conv_f32 *, ck_range pixels, void *scratch);

    void (*maxpool_u8)(const ck_maxpool_u8 *, ck_range pixels);
    void (*avgpool_u8)(const ck_avgpool_u8 *, ck_range pixels);
    void (*maxpool_f32)(const ck_maxpool_f32 *, ck_range pixels);
    void (*avgpool_f32)(const ck_avgpool_f32 *, ck_range pixels);

    void (*add_u8)(const ck_add_u8 *, ck_range pixels);
    void (*mul_u8)(const ck_mul_u8 *, ck_range pixels);
    void (*lut_u8)(const ck_lut_u8 *, ck_range pixels);
    void (*requantize_u8)(const ck_requantize_u8 *, ck_range pixels);
    void (*quantize_f32_u8)(const ck_quantize_f32 *, ck_range pixels);
    void (*dequantize_u8_f32)(const ck_dequantize_u8 *, ck_range pixels);

    void (*add_f32)(const ck_binary_f32 *, ck_range pixels);
    void (*mul_f32)(const ck_binary_f32 *, ck_range pixels);
    void (*clamp_f32)(const ck_binary_f32 *, ck_range pixels);

    void (*function_f32)(const ck_function_f32 *, ck_range elements);

    // Ranges count pixels flattened over the batch.
    void (*nhwc_to_nchw_u8)(const ck_layout_u8 *, ck_range pixels);
    void (*nchw_to_nhwc_u8)(const ck_layout_u8 *, ck_range pixels);
    void (*nhwc_to_nchw_f32)(const ck_layout_f32 *, ck_range pixels);
    void (*nchw_to_nhwc_f32)(const ck_layout_f32 *, ck_range pixels);

    void (*rank_u8)(const ck_rank_u8 *, ck_range pixels);
    void (*select_u8)(const ck_select_u8 *, ck_range pixels);
    void (*context_u8)(const ck_context_u8 *, ck_range symbols);
} ck_table;

/// Float convolution with products in bfloat16: activations and weights are rounded to it, half to even, subnormals are
/// zero; products are summed in float. The relative error of a product is at most 2^-7. Members as in ck_table; no
/// depthwise kernels, whose time goes into loads.
typedef struct ck_bf16_table {
    size_t (*panel_count)(const ck_weight_shape *);
    size_t (*packed_size)(const ck_weight_shape *);
    void (*pack)(const ck_weights_f32 *, void *packed);
    size_t (*scratch_size)(const ck_conv_f32 *);
    void (*conv)(const ck_conv_f32 *, ck_range pixels, ck_range panels, void *scratch);
} ck_bf16_table;

/// The bfloat16 kernels that go with an instruction set; NULL where this CPU lacks them.
const ck_bf16_table *ck_bf16_table_for(ck_isa isa);

/// The table of an instruction set; NULL where this CPU or this build lacks it. CK_ISA_SCALAR is always there.
const ck_table *ck_table_for(ck_isa isa);

/// The fastest table of this machine.
const ck_table *ck_best_table(void);

/// Number of Winograd tiles of a layer, image by image, row by row.
static inline size_t ck_winograd_tile_count(const ck_geometry *g, size_t tile) {
    return g->batch * ((g->out_height + tile - 1) / tile) * ((g->out_width + tile - 1) / tile);
}

/// Tells the processor that the caller polls memory in a loop.
static inline void ck_spin_hint(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#ifdef __cplusplus
}
#endif

#endif
