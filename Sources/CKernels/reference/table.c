#include "reference.h"

size_t ck_conv_panel_count__scalar(const ck_weight_shape *s) {
    return s->groups ? s->groups * ck_reference_panels(s->out_channels / s->groups) : 0;
}

// A depthwise convolution is the grouped one here.
const ck_table ck_table_scalar = {
    .isa = CK_ISA_SCALAR,
    .name = "scalar",
    .conv_u8s8_u8_panel_count = ck_conv_panel_count__scalar,
    .conv_u8s8_u8_packed_size = ck_u8s8_conv_u8_packed_size__scalar,
    .conv_u8s8_u8_pack = ck_u8s8_conv_u8_pack__scalar,
    .conv_u8s8_u8_scratch_size = ck_u8s8_conv_u8_scratch_size__scalar,
    .conv_u8s8_u8 = ck_u8s8_conv_u8__scalar,
    .conv_f32_panel_count = ck_conv_panel_count__scalar,
    .conv_f32_packed_size = ck_f32_conv_f32_packed_size__scalar,
    .conv_f32_pack = ck_f32_conv_f32_pack__scalar,
    .conv_f32_scratch_size = ck_f32_conv_f32_scratch_size__scalar,
    .conv_f32 = ck_f32_conv_f32__scalar,
    .dwconv_u8s8_u8_packed_size = ck_u8s8_conv_u8_packed_size__scalar,
    .dwconv_u8s8_u8_pack = ck_u8s8_conv_u8_pack__scalar,
    .dwconv_u8s8_u8_scratch_size = ck_u8s8_conv_u8_scratch_size__scalar,
    .dwconv_u8s8_u8 = ck_u8s8_dwconv_u8__scalar,
    .dwconv_f32_packed_size = ck_f32_conv_f32_packed_size__scalar,
    .dwconv_f32_pack = ck_f32_conv_f32_pack__scalar,
    .dwconv_f32_scratch_size = ck_f32_conv_f32_scratch_size__scalar,
    .dwconv_f32 = ck_f32_dwconv_f32__scalar,
    .maxpool_u8 = ck_u8_maxpool_u8__scalar,
    .avgpool_u8 = ck_u8_avgpool_u8__scalar,
    .maxpool_f32 = ck_f32_maxpool_f32__scalar,
    .avgpool_f32 = ck_f32_avgpool_f32__scalar,
    .add_u8 = ck_u8_add_u8__scalar,
    .mul_u8 = ck_u8_mul_u8__scalar,
    .lut_u8 = ck_u8_lut_u8__scalar,
    .requantize_u8 = ck_u8_requantize_u8__scalar,
    .quantize_f32_u8 = ck_f32_quantize_u8__scalar,
    .dequantize_u8_f32 = ck_u8_dequantize_f32__scalar,
    .add_f32 = ck_f32_add_f32__scalar,
    .mul_f32 = ck_f32_mul_f32__scalar,
    .clamp_f32 = ck_f32_clamp_f32__scalar,
    .function_f32 = ck_f32_function_f32__scalar,
    .nhwc_to_nchw_u8 = ck_u8_nhwc_to_nchw__scalar,
    .nchw_to_nhwc_u8 = ck_u8_nchw_to_nhwc__scalar,
    .nhwc_to_nchw_f32 = ck_f32_nhwc_to_nchw__scalar,
    .nchw_to_nhwc_f32 = ck_f32_nchw_to_nhwc__scalar,
};
