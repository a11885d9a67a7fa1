// Checks of convolutions: as defined, in bfloat16, depthwise.
#ifndef CK_CHECK_CONVOLUTION_H
#define CK_CHECK_CONVOLUTION_H

#include "material.h"

typedef struct shape {
    size_t batch, height, width, channels, outputs, groups;
    size_t kernel_height, kernel_width, stride, dilation, pad;
    size_t gap;  ///< Elements between the channels of neighbouring pixels.
    bool residual;
} shape;

static ck_geometry geometry_of(const shape *s) {
    size_t reach_height = (s->kernel_height - 1) * s->dilation + 1, reach_width = (s->kernel_width - 1) * s->dilation + 1;
    size_t height = s->height + 2 * s->pad, width = s->width + 2 * s->pad;
    return (ck_geometry){
        .batch = s->batch,
        .in_height = s->height,
        .in_width = s->width,
        .out_height = height < reach_height ? 0 : (height - reach_height) / s->stride + 1,
        .out_width = width < reach_width ? 0 : (width - reach_width) / s->stride + 1,
        .kernel_height = s->kernel_height,
        .kernel_width = s->kernel_width,
        .stride_height = s->stride,
        .stride_width = s->stride,
        .dilation_height = s->dilation,
        .dilation_width = s->dilation,
        .pad_top = s->pad,
        .pad_left = s->pad,
        .pad_bottom = s->pad,
        .pad_right = s->pad,
    };
}

static const char *describe(const shape *s) {
    static char text[256];
    snprintf(
        text, sizeof text,
        "%zux%zux%zux%zu to %zu channels, %zu groups, kernel %zux%zu, stride %zu, dilation %zu, pad %zu, gap %zu%s",
        s->batch, s->height, s->width, s->channels, s->outputs, s->groups, s->kernel_height, s->kernel_width, s->stride,
        s->dilation, s->pad, s->gap, s->residual ? ", residual" : "");
    return text;
}

static size_t out_pixels(const ck_geometry *g) {
    return g->batch * g->out_height * g->out_width;
}

static ck_weight_shape weight_shape(const shape *s) {
    return (ck_weight_shape){
        s->outputs, s->kernel_height * s->kernel_width, s->groups ? s->channels / s->groups : 0, s->groups};
}

/// An order in which weights of this shape may lie.
static ck_weight_order random_order(ck_weight_shape shape) {
    bool is_product = shape.taps == 1 && shape.groups == 1;
    return (ck_weight_order)pick(0, is_product ? CK_WEIGHTS_INPUT_OUTPUT : CK_WEIGHTS_OUTPUT_INPUT_TAP);
}

/// Packs and runs; in two halves of the pixels and of the panels, as a pool of threads would.
static void run_conv_u8(const ck_table *t, ck_conv_u8 *layer, const ck_weights_s8 *weights, bool depthwise) {
    size_t pixels = out_pixels(&layer->geometry), middle = pixels ? pick(0, pixels) : 0;
    size_t size = (depthwise ? t->dwconv_u8s8_u8_packed_size : t->conv_u8s8_u8_packed_size)(&weights->shape);
    void *packed = fenced(PACKED, size, 4);
    (depthwise ? t->dwconv_u8s8_u8_pack : t->conv_u8s8_u8_pack)(weights, packed);
    layer->weights = packed;
    void *scratch =
        fenced(SCRATCH, (depthwise ? t->dwconv_u8s8_u8_scratch_size : t->conv_u8s8_u8_scratch_size)(layer), 16);
    if (depthwise) {
        t->dwconv_u8s8_u8(layer, (ck_range){0, middle}, scratch);
        t->dwconv_u8s8_u8(layer, (ck_range){middle, pixels}, scratch);
        return;
    }
    size_t panels = t->conv_u8s8_u8_panel_count(&weights->shape);
    size_t half = pick(0, panels);
    t->conv_u8s8_u8(layer, (ck_range){0, middle}, (ck_range){0, panels}, scratch);
    t->conv_u8s8_u8(layer, (ck_range){middle, pixels}, (ck_range){half, panels}, scratch);
    t->conv_u8s8_u8(layer, (ck_range){middle, pixels}, (ck_range){0, half}, scratch);
}

static void run_conv_f32(const ck_table *t, ck_conv_f32 *layer, const ck_weights_f32 *weights, bool depthwise) {
    size_t pixels = out_pixels(&layer->geometry), middle = pixels ? pick(0, pixels) : 0;
    size_t size = (depthwise ? t->dwconv_f32_packed_size : t->conv_f32_packed_size)(&weights->shape);
    void *packed = fenced(PACKED, size, 4);
    (depthwise ? t->dwconv_f32_pack : t->conv_f32_pack)(weights, packed);
    layer->weights = packed;
    void *scratch = fenced(SCRATCH, (depthwise ? t->dwconv_f32_scratch_size : t->conv_f32_scratch_size)(layer), 16);
    if (depthwise) {
        t->dwconv_f32(layer, (ck_range){0, middle}, scratch);
        t->dwconv_f32(layer, (ck_range){middle, pixels}, scratch);
        return;
    }
    size_t panels = t->conv_f32_panel_count(&weights->shape);
    size_t half = pick(0, panels);
    t->conv_f32(layer, (ck_range){0, middle}, (ck_range){0, panels}, scratch);
    t->conv_f32(layer, (ck_range){middle, pixels}, (ck_range){half, panels}, scratch);
    t->conv_f32(layer, (ck_range){middle, pixels}, (ck_range){0, half}, scratch);
}

/// Half to even, as the bfloat16 kernels round their operands.
static float rounded_to_bf16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void run_conv_bf16(const ck_bf16_table *t, ck_conv_f32 *layer, const ck_weights_f32 *weights) {
    size_t pixels = out_pixels(&layer->geometry), middle = pixels ? pick(0, pixels) : 0;
    void *packed = fenced(PACKED, t->packed_size(&weights->shape), 4);
    t->pack(weights, packed);
    layer->weights = packed;
    void *scratch = fenced(SCRATCH, t->scratch_size(layer), 16);
    size_t panels = t->panel_count(&weights->shape), half = pick(0, panels);
    t->conv(layer, (ck_range){0, middle}, (ck_range){0, panels}, scratch);
    t->conv(layer, (ck_range){middle, pixels}, (ck_range){half, panels}, scratch);
    t->conv(layer, (ck_range){middle, pixels}, (ck_range){0, half}, scratch);
}

static void check_conv_u8(const ck_table *t, const shape *s, bool depthwise) {
    ck_geometry g = geometry_of(s);
    size_t in_pixels = s->batch * s->height * s->width, pixels = out_pixels(&g);
    size_t in_stride = s->channels + s->gap, out_stride = s->outputs + s->gap;
    ck_weight_shape shape = weight_shape(s);
    size_t k = shape.taps * shape.group_channels;
    uint8_t zero_point = (uint8_t)random_bits();

    ck_weights_s8 weights = {.shape = shape, .in_zero_point = zero_point, .order = random_order(shape)};
    weights.weights = (const int8_t *)random_u8(WEIGHTS, s->outputs * k);
    int32_t *bias = fenced(BIAS, s->outputs * sizeof(int32_t), 4);
    float *multipliers = fenced(MULTIPLIERS, s->outputs * sizeof(float), 4);
    for (size_t o = 0; o < s->outputs; ++o) {
        bias[o] = (int32_t)random_bits() >> 16;
        multipliers[o] = (uniform() + 1) / (100 * sqrtf((float)k + 1));
    }
    weights.bias = pick(0, 7) ? bias : NULL;
    weights.multipliers = multipliers;

    uint8_t *padding = fenced(PADDING, s->channels, 1);
    memset(padding, zero_point, s->channels);
    uint8_t a = (uint8_t)random_bits(), b = (uint8_t)random_bits();
    bool narrow = pick(0, 3) == 0;
    ck_conv_u8 layer = {
        .geometry = g,
        .in_channels = s->channels,
        .out_channels = s->outputs,
        .groups = s->groups,
        .input = random_u8(INPUT, extent(in_pixels, s->channels, in_stride)),
        .in_stride = in_stride,
        .out_stride = out_stride,
        .padding = padding,
        .in_zero_point = zero_point,
        .out = {(uint8_t)random_bits(), narrow ? (a < b ? a : b) : 0, narrow ? (a < b ? b : a) : 255},
        .residual = s->residual ? random_u8(SECOND, extent(pixels, s->outputs, out_stride)) : NULL,
        .residual_stride = out_stride,
        .residual_zero_point = (uint8_t)random_bits(),
        .residual_multiplier = uniform() + 1,
        .own_multiplier = uniform() + 1,
        .sum = {(uint8_t)random_bits(), narrow ? (a < b ? a : b) : 0, narrow ? (a < b ? b : a) : 255},
    };
    size_t size = extent(pixels, s->outputs, out_stride);
    uint8_t *expected = layer.output = output(EXPECTED, size);
    run_conv_u8(ck_table_for(CK_ISA_SCALAR), &layer, &weights, depthwise);
    uint8_t *actual = layer.output = output(ACTUAL, size);
    run_conv_u8(t, &layer, &weights, depthwise);
    report(same_bytes(expected, actual, size), t, depthwise ? "dwconv_u8s8_u8" : "conv_u8s8_u8", describe(s));
}

static void check_conv_f32(const ck_table *t, const shape *s, bool depthwise) {
    ck_geometry g = geometry_of(s);
    size_t in_pixels = s->batch * s->height * s->width, pixels = out_pixels(&g);
    size_t in_stride = s->channels + s->gap, out_stride = s->outputs + s->gap;
    ck_weight_shape shape = weight_shape(s);
    size_t k = shape.taps * shape.group_channels;
    ck_weights_f32 weights = {
        .shape = shape,
        .weights = random_f32(WEIGHTS, s->outputs * k),
        .bias = pick(0, 7) ? random_f32(BIAS, s->outputs) : NULL,
        .order = random_order(shape),
    };
    float *padding = fenced(PADDING, s->channels * sizeof(float), 4);
    memset(padding, 0, s->channels * sizeof(float));
    bool clamped = pick(0, 1);
    ck_conv_f32 layer = {
        .geometry = g,
        .in_channels = s->channels,
        .out_channels = s->outputs,
        .groups = s->groups,
        .input = random_f32(INPUT, extent(in_pixels, s->channels, in_stride)),
        .in_stride = in_stride,
        .out_stride = out_stride,
        .padding = padding,
        .min = clamped ? 0 : -INFINITY,
        .max = clamped ? 6 : INFINITY,
        .residual = s->residual ? random_f32(SECOND, extent(pixels, s->outputs, out_stride)) : NULL,
        .residual_stride = out_stride,
    };
    size_t count = extent(pixels, s->outputs, out_stride);
    float *expected = layer.output = output(EXPECTED, count * sizeof(float));
    run_conv_f32(ck_table_for(CK_ISA_SCALAR), &layer, &weights, depthwise);
    float *actual = layer.output = output(ACTUAL, count * sizeof(float));
    run_conv_f32(t, &layer, &weights, depthwise);
    // All magnitudes are at most 1, so sum |a||b| <= k + 2.
    bool ok = close_floats(expected, actual, count, 1e-6f * (float)(k + 2));
    report(ok, t, depthwise ? "dwconv_f32" : "conv_f32", describe(s));

    const ck_bf16_table *bf16 = depthwise ? NULL : ck_bf16_table_for(t->isa);
    if (!bf16) return;
    actual = layer.output = output(ACTUAL, count * sizeof(float));
    run_conv_bf16(bf16, &layer, &weights);
    // What it computes is the float convolution of rounded operands.
    float *input = (float *)layer.input, *rounded = (float *)weights.weights;
    for (size_t i = 0; i < extent(in_pixels, s->channels, in_stride); ++i) input[i] = rounded_to_bf16(input[i]);
    for (size_t i = 0; i < s->outputs * k; ++i) rounded[i] = rounded_to_bf16(rounded[i]);
    expected = layer.output = output(EXPECTED, count * sizeof(float));
    run_conv_f32(ck_table_for(CK_ISA_SCALAR), &layer, &weights, false);
    report(close_floats(expected, actual, count, 1e-6f * (float)(k + 2)), t, "conv_bf16", describe(s));
}

#endif
