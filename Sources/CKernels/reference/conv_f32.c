#include "reference.h"

// Packed: bias[O], weights[O, taps, I].

size_t ck_f32_conv_f32_packed_size__scalar(const ck_weight_shape *s) {
    return s->out_channels * (1 + s->taps * s->group_channels) * sizeof(float);
}

void ck_f32_conv_f32_pack__scalar(const ck_weights_f32 *w, void *packed) {
    const ck_weight_shape *s = &w->shape;
    float *bias = packed;
    for (size_t o = 0; o < s->out_channels; ++o) bias[o] = w->bias ? w->bias[o] : 0;
    float *weights = bias + s->out_channels;
    for (size_t o = 0; o < s->out_channels; ++o) {
        for (size_t tap = 0; tap < s->taps; ++tap) {
            for (size_t i = 0; i < s->group_channels; ++i) {
                *weights++ = w->weights[ck_weight_index(s, w->order, o, tap, i)];
            }
        }
    }
}

size_t ck_f32_conv_f32_scratch_size__scalar(const ck_conv_f32 *c) {
    (void)c;
    return 0;
}

static float value(const ck_conv_f32 *c, ck_window w, size_t pixel, size_t o) {
    const ck_geometry *g = &c->geometry;
    size_t group_channels = c->in_channels / c->groups;
    size_t group = o / (c->out_channels / c->groups);
    const float *bias = c->weights;
    const float *weights = bias + c->out_channels + o * g->kernel_height * g->kernel_width * group_channels;

    float sum = bias[o];
    for (size_t ky = 0; ky < g->kernel_height; ++ky) {
        for (size_t kx = 0; kx < g->kernel_width; ++kx, weights += group_channels) {
            ptrdiff_t at = ck_tap_pixel(g, w, ky, kx);
            if (at < 0) continue;
            const float *x = c->input + (size_t)at * c->in_stride + group * group_channels;
            for (size_t i = 0; i < group_channels; ++i) sum += x[i] * weights[i];
        }
    }
    if (c->residual) sum += c->residual[pixel * c->residual_stride + o];
    return ck_clamp(sum, c->min, c->max);
}

void ck_f32_conv_f32__scalar(const ck_conv_f32 *c, ck_range pixels, ck_range panels, void *scratch) {
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

void ck_f32_dwconv_f32__scalar(const ck_conv_f32 *c, ck_range pixels, void *scratch) {
    ck_f32_conv_f32__scalar(c, pixels, (ck_range){0, c->groups}, scratch);
}
