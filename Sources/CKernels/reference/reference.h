// The scalar kernels: the executable definition the others are held to, and the fallback of a bare CPU.
// Plain loops, one output value at a time.
#ifndef CK_REFERENCE_H
#define CK_REFERENCE_H

#include "../window.h"

// Bit-exact results need every multiply and add rounded on its own.
#pragma STDC FP_CONTRACT OFF

/// Output channels of a panel; only a unit for dividing work here.
#define CK_REFERENCE_PANEL 8

/// Panels of one group.
static inline size_t ck_reference_panels(size_t group_outputs) {
    return (group_outputs + CK_REFERENCE_PANEL - 1) / CK_REFERENCE_PANEL;
}

/// Where the weight between input channel `i` of a group and output channel `o` lies.
static inline size_t ck_weight_index(const ck_weight_shape *s, ck_weight_order order, size_t o, size_t tap, size_t i) {
    switch (order) {
    case CK_WEIGHTS_OUTPUT_TAP_INPUT: return (o * s->taps + tap) * s->group_channels + i;
    case CK_WEIGHTS_OUTPUT_INPUT_TAP: return (o * s->group_channels + i) * s->taps + tap;
    case CK_WEIGHTS_INPUT_OUTPUT: return i * s->out_channels + o;
    }
    return 0;
}

static inline float ck_clamp(float x, float min, float max) {
    x = x > min ? x : min;
    return x < max ? x : max;
}

/// Clamps, rounds half to even, and adds the zero point.
static inline uint8_t ck_requantize(float f, ck_output_u8 out) {
    f = ck_clamp(f, (float)(out.min - out.zero_point), (float)(out.max - out.zero_point));
    // Adding 1.5 * 2^23 leaves no fraction bits, so the addition itself rounds, ties to even, for |f| < 2^22.
    float rounded = (f + 12582912.0f) - 12582912.0f;
    return (uint8_t)((int32_t)rounded + out.zero_point);
}

extern const ck_table ck_table_scalar;

size_t ck_conv_panel_count__scalar(const ck_weight_shape *);

size_t ck_u8s8_conv_u8_packed_size__scalar(const ck_weight_shape *);
void ck_u8s8_conv_u8_pack__scalar(const ck_weights_s8 *, void *packed);
size_t ck_u8s8_conv_u8_scratch_size__scalar(const ck_conv_u8 *);
void ck_u8s8_conv_u8__scalar(const ck_conv_u8 *, ck_range pixels, ck_range panels, void *scratch);
void ck_u8s8_dwconv_u8__scalar(const ck_conv_u8 *, ck_range pixels, void *scratch);

size_t ck_f32_conv_f32_packed_size__scalar(const ck_weight_shape *);
void ck_f32_conv_f32_pack__scalar(const ck_weights_f32 *, void *packed);
size_t ck_f32_conv_f32_scratch_size__scalar(const ck_conv_f32 *);
void ck_f32_conv_f32__scalar(const ck_conv_f32 *, ck_range pixels, ck_range panels, void *scratch);
void ck_f32_dwconv_f32__scalar(const ck_conv_f32 *, ck_range pixels, void *scratch);

void ck_u8_maxpool_u8__scalar(const ck_maxpool_u8 *, ck_range pixels);
void ck_u8_avgpool_u8__scalar(const ck_avgpool_u8 *, ck_range pixels);
void ck_f32_maxpool_f32__scalar(const ck_maxpool_f32 *, ck_range pixels);
void ck_f32_avgpool_f32__scalar(const ck_avgpool_f32 *, ck_range pixels);

void ck_u8_add_u8__scalar(const ck_add_u8 *, ck_range pixels);
void ck_u8_mul_u8__scalar(const ck_mul_u8 *, ck_range pixels);
void ck_u8_lut_u8__scalar(const ck_lut_u8 *, ck_range pixels);
void ck_u8_requantize_u8__scalar(const ck_requantize_u8 *, ck_range pixels);
void ck_f32_quantize_u8__scalar(const ck_quantize_f32 *, ck_range pixels);
void ck_u8_dequantize_f32__scalar(const ck_dequantize_u8 *, ck_range pixels);
void ck_f32_add_f32__scalar(const ck_binary_f32 *, ck_range pixels);
void ck_f32_mul_f32__scalar(const ck_binary_f32 *, ck_range pixels);
void ck_f32_clamp_f32__scalar(const ck_binary_f32 *, ck_range pixels);

void ck_f32_function_f32__scalar(const ck_function_f32 *, ck_range elements);

void ck_u8_nhwc_to_nchw__scalar(const ck_layout_u8 *, ck_range pixels);
void ck_u8_nchw_to_nhwc__scalar(const ck_layout_u8 *, ck_range pixels);
void ck_f32_nhwc_to_nchw__scalar(const ck_layout_f32 *, ck_range pixels);
void ck_f32_nchw_to_nhwc__scalar(const ck_layout_f32 *, ck_range pixels);

void ck_u8_rank_u8__scalar(const ck_rank_u8 *, ck_range pixels);
void ck_u8_select_u8__scalar(const ck_select_u8 *, ck_range pixels);
void ck_u8_context_u16__scalar(const ck_context_u8 *, ck_range symbols);

#endif
