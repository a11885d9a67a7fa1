// All vector kernels of one instruction set. The including file, which is one translation unit, has
// - defined CK_ISA and CK_ISA_CODE, its name and its ck_isa;
// - defined CK_LANES and CK_BYTES, the 32-bit lanes and the bytes of a register;
// - defined CK_U8_TILES and CK_F32_TILES, the tiles of the convolutions: K(rows, vectors) for each width of a panel from
//   one vector of channels up, and as CK_U8_ROWS, CK_U8_VECTORS, CK_F32_ROWS, CK_F32_VECTORS the largest of each;
// - defined CK_ACTIVATION_OFFSET, what its products subtract from activations;
// - set the target of the functions that follow and included simd/vectors.h;
// - defined how floats become bytes: ck_requantizer, ck_requantizer_of and ck_store_requantized; and bytes
//   integers: ck_load_widened, and what simd/lanes.h wants;
// - defined how bytes are multiplied, for simd/depthwise_u8.h: four k of each channel at a time,
//     ck_weights, ck_activations  CK_LANES channels x 4 k, with ck_weights_of and ck_activations_of a register of bytes
//     ck_sums                     running sums of CK_LANES channels, with ck_start, ck_dot and ck_total;
// - defined ck_sum_tile_u8, the sums of a tile of a quantised convolution, and CK_K_STEP, the k it takes at once; or included
//   simd/dot_u8.h, which makes it of the above and of ck_load_weights and ck_load_activations.

#include "conv_u8.h"
#include "conv_f32.h"
#include "winograd_f32.h"
#include "lanes.h"
#include "lut.h"
#include "pooling.h"
#include "pointwise.h"
#include "symbols.h"
#include "function_f32.h"
#include "depthwise.h"

const ck_table CK_PASTE(ck_table_, CK_ISA) = {
    .isa = CK_ISA_CODE,
    .name = CK_STRING(CK_ISA),
    .conv_u8s8_u8_panel_count = CK_NAME(ck_conv_u8_panel_count, CK_LANES),
    .conv_u8s8_u8_packed_size = CK_NAME(ck_u8s8_conv_u8_packed_size, CK_LANES),
    .conv_u8s8_u8_pack = CK_NAME(ck_u8s8_conv_u8_pack, CK_LANES),
    .conv_u8s8_u8_scratch_size = CK_NAME(ck_u8s8_conv_u8_scratch_size, CK_LANES),
    .conv_u8s8_u8 = CK_NAME(ck_u8s8_conv_u8, CK_LANES),
    .conv_f32_panel_count = CK_NAME(ck_conv_f32_panel_count, CK_LANES),
    .conv_f32_packed_size = CK_NAME(ck_f32_conv_f32_packed_size, CK_LANES),
    .conv_f32_pack = CK_NAME(ck_f32_conv_f32_pack, CK_LANES),
    .conv_f32_scratch_size = CK_NAME(ck_f32_conv_f32_scratch_size, CK_LANES),
    .conv_f32 = CK_NAME(ck_f32_conv_f32, CK_LANES),
    .winograd_f32_tile = CK_NAME(ck_f32_winograd_f32_tile, CK_LANES),
    .winograd_f32_panel_count = CK_NAME(ck_f32_winograd_f32_panel_count, CK_LANES),
    .winograd_f32_packed_size = CK_NAME(ck_f32_winograd_f32_packed_size, CK_LANES),
    .winograd_f32_pack = CK_NAME(ck_f32_winograd_f32_pack, CK_LANES),
    .winograd_f32_scratch_size = CK_NAME(ck_f32_winograd_f32_scratch_size, CK_LANES),
    .winograd_f32 = CK_NAME(ck_f32_winograd_f32, CK_LANES),
    .dwconv_u8s8_u8_packed_size = CK_NAME(ck_u8s8_dwconv_u8_packed_size, CK_BYTES),
    .dwconv_u8s8_u8_pack = CK_NAME(ck_u8s8_dwconv_u8_pack, CK_BYTES),
    .dwconv_u8s8_u8_scratch_size = CK_NAME(ck_u8s8_dwconv_u8_scratch_size, CK_BYTES),
    .dwconv_u8s8_u8 = CK_NAME(ck_u8s8_dwconv_u8, CK_BYTES),
    .dwconv_f32_packed_size = CK_NAME(ck_f32_dwconv_f32_packed_size, CK_LANES),
    .dwconv_f32_pack = CK_NAME(ck_f32_dwconv_f32_pack, CK_LANES),
    .dwconv_f32_scratch_size = CK_NAME(ck_f32_dwconv_f32_scratch_size, CK_LANES),
    .dwconv_f32 = CK_NAME(ck_f32_dwconv_f32, CK_LANES),
    .maxpool_u8 = CK_NAME(ck_u8_maxpool_u8, CK_BYTES),
    .avgpool_u8 = CK_NAME(ck_u8_avgpool_u8, CK_BYTES),
    .maxpool_f32 = CK_NAME(ck_f32_maxpool_f32, CK_LANES),
    .avgpool_f32 = CK_NAME(ck_f32_avgpool_f32, CK_LANES),
    .add_u8 = CK_NAME(ck_u8_add_u8, CK_BYTES),
    .mul_u8 = CK_NAME(ck_u8_mul_u8, CK_BYTES),
    .lut_u8 = CK_LUT_KERNEL,
    .requantize_u8 = CK_NAME(ck_u8_requantize_u8, CK_BYTES),
    .quantize_f32_u8 = CK_NAME(ck_f32_quantize_u8, CK_BYTES),
    .dequantize_u8_f32 = CK_NAME(ck_u8_dequantize_f32, CK_LANES),
    .add_f32 = CK_NAME(ck_f32_add_f32, CK_LANES),
    .mul_f32 = CK_NAME(ck_f32_mul_f32, CK_LANES),
    .clamp_f32 = CK_NAME(ck_f32_clamp_f32, CK_LANES),
    .function_f32 = CK_NAME(ck_f32_function_f32, CK_LANES),
    .nhwc_to_nchw_u8 = ck_u8_nhwc_to_nchw__8x8,
    .nchw_to_nhwc_u8 = ck_u8_nchw_to_nhwc__8x8,
    .nhwc_to_nchw_f32 = ck_f32_nhwc_to_nchw__4x4,
    .nchw_to_nhwc_f32 = ck_f32_nchw_to_nhwc__4x4,
    .rank_u8 = CK_NAME(ck_u8_rank_u8, CK_BYTES),
    .select_u8 = CK_NAME(ck_u8_select_u8, CK_BYTES),
    .context_u8 = CK_NAME(ck_u8_context_u16, CK_BYTES),
};
