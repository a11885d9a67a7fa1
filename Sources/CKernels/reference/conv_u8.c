#include "reference.h"

// Packed: int32 bias[O], float multipliers[O], int8 weights[O, taps, I].

size_t ck_u8s8_conv_u8_packed_size__scalar(const ck_weight_shape *s) {
    return s->out_channels * (sizeof(int32_t) + sizeof(float) + s->taps * s->group_channels);
}

void ck_u8s8_conv_u8_pack__scalar(const ck_weights_s8 *w, void *packed) {
    const ck_weight_shape *s = &w->shape;
    int32_t *bias = packed;
    float *multipliers = (float *)(bias + s->out_channels);
    int8_t *weights = (int8_t *)(multipliers + s->out_channels);
    for (size_t o = 0; o < s->out_channels; ++o) {
        bias[o] = w->bias ? w->bias[o] : 0;
        multipliers[o] = w->multipliers[o];
        for (size_t tap = 0; tap < s->taps; ++tap) {
            for (size_t i = 0; i < s->group_channels; ++i) {
                *weights++ = w->weights[ck_weight_index(s, w->order, o, tap, i)];
            }
        }
    }
}

size_t ck_u8s8_conv_u8_scratch_size__scalar(const ck_conv_u8 *c) {
    (void)c;
    return 0;
}

/// One output value: output channel `o` of the pixel whose window is `w`.
static uint8_t value(const ck_conv_u8 *c, ck_window w, size_t pixel, size_t o) {
    const ck_geometry *g = &c->geometry;
    size_t group_channels = c->in_channels / c->groups;
    size_t group = o / (c->out_channels / c->groups);
    const int32_t *bias = c->weights;
    const float *multipliers = (const float *)(bias + c->out_channels);
    const int8_t *weights = (const int8_t *)(multipliers + c->out_channels)
        + o * g->kernel_height * g->kernel_width * group_channels;

    uint32_t sum = (uint32_t)bias[o];
    for (size_t ky = 0; ky < g->kernel_height; ++ky) {
        for (size_t kx = 0; kx < g->kernel_width; ++kx, weights += group_channels) {
            ptrdiff_t at = ck_tap_pixel(g, w, ky, kx);
            if (at < 0) continue;  // padding holds the zero point: its products are 0
            const uint8_t *x = c->input + (size_t)at * c->in_stride + group * group_channels;
            for (size_t i = 0; i < group_channels; ++i) {
                sum += (uint32_t)((x[i] - c->in_zero_point) * weights[i]);
            }
        }
    }
    uint8_t own = ck_requantize((float)(int32_t)sum * multipliers[o], c->out);
    if (!c->residual) return own;
    int r = c->residual[pixel * c->residual_stride + o] - c->residual_zero_point;
    float f = (float)(own - c->out.zero_point) * c->own_multiplier;
    return ck_requantize(f + (float)r * c->residual_multiplier, c->sum);
}

void ck_u8s8_conv_u8__scalar(const ck_conv_u8 *c, ck_range pixels, ck_range panels, void *scratch) {
    (void)scratch;
    size_t group_outputs = c->out_channels / c->groups;
    size_t group_panels = ck_reference_panels(group_outputs);
    for (size_t pixel = pixels.first; pixel < pixels.last; ++pixel) {
        ck_window w = ck_window_at(&c->geometry, pixel);
        for (size_t panel = panels.first; panel < panels.last; ++panel) {
            size_t first = panel % group_panels * CK_REFERENCE_PANEL;
            size_t group_first = panel / group_panels * group_outputs;
            for (size_t i = first; i < first + CK_REFERENCE_PANEL && i < group_outputs; ++i) {
                size_t o = group_first + i;
                c->output[pixel * c->out_stride + o] = value(c, w, pixel, o);
            }
        }
    }
}

void ck_u8s8_dwconv_u8__scalar(const ck_conv_u8 *c, ck_range pixels, void *scratch) {
    ck_u8s8_conv_u8__scalar(c, pixels, (ck_range){0, c->groups}, scratch);
}
