// Checks of Winograd convolutions against their error bound.
#ifndef CK_CHECK_WINOGRAD_H
#define CK_CHECK_WINOGRAD_H

#include "convolution.h"

/// How one result of a Winograd layer must come out.
typedef struct definition {
    double value, magnitude;  ///< Before the clamp; sum of the magnitudes added.
    double reach;             ///< What errors are relative to; see Numerics in CKernels.h.
} definition;

static double winograd_weight(const ck_weights_f32 *w, size_t output, size_t tap, size_t channel) {
    size_t channels = w->shape.group_channels;
    bool taps_are_innermost = w->order == CK_WEIGHTS_OUTPUT_INPUT_TAP;
    size_t at = taps_are_innermost ? (output * channels + channel) * 9 + tap : (output * 9 + tap) * channels + channel;
    return (double)w->weights[at];
}

static definition define_winograd(
    const ck_conv_f32 *layer, const ck_weights_f32 *weights, size_t tile, size_t pixel, size_t output) {
    const ck_geometry *g = &layer->geometry;
    const size_t channels = layer->in_channels, side = tile + 2;
    const size_t x = pixel % g->out_width, y = pixel / g->out_width % g->out_height;
    const size_t image = pixel / g->out_width / g->out_height;
    definition d = {weights->bias ? (double)weights->bias[output] : 0, 0, 0};
    double own = layer->residual ? (double)layer->residual[pixel * layer->residual_stride + output] : 0, tiles = 0;
    d.magnitude = fabs(d.value) + fabs(own);
    d.value += own;
    for (size_t c = 0; c < channels; ++c) {
        double largest = 0, sum = 0;
        for (size_t i = 0; i < 9; ++i) sum += fabs(winograd_weight(weights, output, i, c));
        // Input (top + dy, left + dx) of the tile; tap (ky, kx) of the window lies at (y % tile + ky, x % tile + kx).
        for (size_t dy = 0; dy < side; ++dy) {
            for (size_t dx = 0; dx < side; ++dx) {
                size_t at_y = y / tile * tile + dy - g->pad_top, at_x = x / tile * tile + dx - g->pad_left;
                if (at_y >= g->in_height || at_x >= g->in_width) continue;  // also above and left: these wrapped
                size_t at = (image * g->in_height + at_y) * g->in_width + at_x;
                double value = (double)layer->input[at * layer->in_stride + c];
                largest = fmax(largest, fabs(value));
                size_t ky = dy - y % tile, kx = dx - x % tile;
                if (ky > 2 || kx > 2) continue;
                value *= winograd_weight(weights, output, ky * 3 + kx, c);
                d.value += value;
                d.magnitude += fabs(value);
            }
        }
        tiles += largest * sum;
    }
    double bias = weights->bias ? fabs((double)weights->bias[output]) : 0;
    d.reach = tiles + bias + fabs(own);
    return d;
}

static void *pack_winograd(const ck_table *t, size_t tile, const ck_weights_f32 *weights) {
    void *packed = fenced(PACKED, t->winograd_f32_packed_size(&weights->shape, tile), 4);
    t->winograd_f32_pack(weights, tile, packed);
    return packed;
}

/// Inputs and weights that make rounding show: of very different sizes, all alike, or alternating.
static void fill_adversarially(float *values, size_t count, size_t kind) {
    for (size_t i = 0; i < count; ++i) {
        switch (kind) {
        case 0: values[i] = uniform(); break;
        case 1: values[i] = ldexpf(uniform(), (int)pick(0, 30) - 15); break;
        case 2: values[i] = 1 + uniform() * 1e-3f; break;
        case 3: values[i] = (i % 2 ? 1 : -1) * (1 + uniform() * 1e-3f); break;
        default: values[i] = pick(0, 7) ? 0 : uniform() * 1e6f; break;
        }
    }
}

static void check_winograd(const ck_table *t, const shape *s, size_t tile) {
    ck_geometry g = geometry_of(s);
    size_t in_count = extent(s->batch * s->height * s->width, s->channels, s->channels + s->gap);
    size_t pixels = out_pixels(&g), out_stride = s->outputs + s->gap, count = extent(pixels, s->outputs, out_stride);
    float *input = random_f32(INPUT, in_count), *values = random_f32(WEIGHTS, s->outputs * 9 * s->channels);
    const size_t input_kind = pick(0, 4), weights_kind = pick(0, 4);
    fill_adversarially(input, in_count, input_kind);
    fill_adversarially(values, s->outputs * 9 * s->channels, weights_kind);
    double bound = ((double)s->channels + 16) * 0x1p-24 * (tile == 2 ? 16 : 160);
    // Nothing comes near the bound, so a transform could be wrong in the fourth digit; on plain numbers it would show.
    if (input_kind == 0 && weights_kind == 0) bound = 1e-6;
    ck_weights_f32 weights = {
        weight_shape(s), values, pick(0, 7) ? random_f32(BIAS, s->outputs) : NULL, random_order(weight_shape(s))};
    bool clamped = pick(0, 1);
    ck_conv_f32 layer = {
        .geometry = g, .in_channels = s->channels, .out_channels = s->outputs, .groups = 1, .input = input,
        .in_stride = s->channels + s->gap, .output = output(ACTUAL, count * sizeof(float)), .out_stride = out_stride,
        .weights = pack_winograd(t, tile, &weights),
        .padding = memset(fenced(PADDING, s->channels * sizeof(float), 4), 0, s->channels * sizeof(float)),
        .min = clamped ? -1 : -INFINITY, .max = clamped ? 6 : INFINITY,
        .residual = s->residual ? random_f32(SECOND, count) : NULL, .residual_stride = out_stride};
    void *scratch = fenced(SCRATCH, t->winograd_f32_scratch_size(&layer, tile), 16);
    size_t tiles = ck_winograd_tile_count(&g, tile), panels = t->winograd_f32_panel_count(&weights.shape);
    size_t middle = pick(0, tiles), half = pick(0, panels);
    t->winograd_f32(&layer, tile, (ck_range){0, middle}, (ck_range){0, panels}, scratch);
    t->winograd_f32(&layer, tile, (ck_range){middle, tiles}, (ck_range){half, panels}, scratch);
    t->winograd_f32(&layer, tile, (ck_range){middle, tiles}, (ck_range){0, half}, scratch);

    // The definition where results belong, the pattern that was there before in the gaps and before the first.
    bool ok = true;
    float untouched;
    memset(&untouched, 0xA5, sizeof untouched);
    for (size_t i = 0; i < GUARD / sizeof(float); ++i) {
        ok = ok && memcmp(layer.output - 1 - i, &untouched, sizeof untouched) == 0;
    }
    for (size_t i = 0; i < count && ok; ++i) {
        if (i % out_stride >= s->outputs) {
            ok = memcmp(&layer.output[i], &untouched, sizeof untouched) == 0;
            continue;
        }
        definition d = define_winograd(&layer, &weights, tile, i / out_stride, i % out_stride);
        double wanted = fmin(fmax(d.value, (double)layer.min), (double)layer.max);
        ok = fabs((double)layer.output[i] - wanted) <= bound * d.reach;
    }
    report(ok, t, tile == 2 ? "winograd_f32 of tile 2" : "winograd_f32 of tile 4", describe(s));
}

#endif
