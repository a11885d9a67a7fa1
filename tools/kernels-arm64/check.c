// Holds every kernel table of this machine to the scalar one: bit for bit for u8, within a bound for f32.
// Every tensor ends at a page without access, so that a read or write past an end is a fault.
//
//   check           compare; prints the failing cases and a closing line; exit status 1 on a mismatch
//   check --bench   speed of some layers of well-known networks; of one kind: convolution, depthwise or pixels

#include "CKernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

// MARK: Material

static uint64_t state;

static uint32_t random_bits(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

/// In lo ... hi.
static size_t pick(size_t lo, size_t hi) {
    return lo + random_bits() % (hi - lo + 1);
}

static float uniform(void) {
    return (float)(int32_t)random_bits() * 0x1p-31f;
}

enum role { INPUT, SECOND, PADDING, WEIGHTS, BIAS, MULTIPLIERS, PACKED, SCRATCH, EXPECTED, ACTUAL, ROLES };

#define AREA ((size_t)64 << 20)

/// `size` bytes that end at a page without access, apart from what alignment costs. One block per role at a time.
static void *fenced(enum role role, size_t size, size_t alignment) {
    static char *areas[ROLES];
    if (!areas[role]) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        char *area = mmap(NULL, AREA + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (area == MAP_FAILED || mprotect(area + AREA, page, PROT_NONE) != 0) {
            perror("mmap");
            exit(2);
        }
        areas[role] = area;
    }
    size = (size + alignment - 1) / alignment * alignment;
    if (size > AREA) {
        fprintf(stderr, "check: a block of %zu bytes is too large\n", size);
        exit(2);
    }
    return areas[role] + AREA - size;
}

static uint8_t *random_u8(enum role role, size_t count) {
    uint8_t *p = fenced(role, count, 1);
    for (size_t i = 0; i < count; ++i) p[i] = (uint8_t)random_bits();
    return p;
}

static float *random_f32(enum role role, size_t count) {
    float *p = fenced(role, count * sizeof(float), sizeof(float));
    for (size_t i = 0; i < count; ++i) p[i] = uniform();
    return p;
}

/// Elements of a tensor of pixels: nothing follows the last channel of the last pixel.
static size_t extent(size_t pixels, size_t channels, size_t stride) {
    return pixels ? (pixels - 1) * stride + channels : 0;
}

// MARK: Comparison

static size_t passed, failed;

#define GUARD 64

/// A block for an output of `size` bytes preceded by guard bytes, all set to a pattern.
static void *output(enum role role, size_t size) {
    char *p = fenced(role, size + GUARD, 4);
    memset(p, 0xA5, size + GUARD);
    return p + GUARD;
}

static void report(bool ok, const ck_table *t, const char *kernel, const char *description) {
    if (ok) {
        ++passed;
        return;
    }
    ++failed;
    printf("FAILED %s of %s: %s\n", kernel, t->name, description);
}

/// Whole blocks, guards and gaps between pixels included.
static bool same_bytes(const void *expected, const void *actual, size_t size) {
    return memcmp((const char *)expected - GUARD, (const char *)actual - GUARD, size + GUARD) == 0;
}

static bool close_floats(const float *expected, const float *actual, size_t count, float bound) {
    if (memcmp((const char *)expected - GUARD, (const char *)actual - GUARD, GUARD) != 0) return false;
    for (size_t i = 0; i < count; ++i) {
        if (memcmp(&expected[i], &actual[i], sizeof(float)) == 0) continue;
        if (!(fabsf(expected[i] - actual[i]) <= bound)) return false;
    }
    return true;
}

// MARK: Convolution

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

// MARK: Winograd

/// How one result of a Winograd layer must come out.
typedef struct definition {
    double value, magnitude;  ///< Before the clamp; sum of the magnitudes added.
    double reach;             ///< What errors are relative to; see Numerics in CKernels.h.
} definition;

static double winograd_weight(const ck_weights_f32 *w, size_t output, size_t tap, size_t channel) {
    size_t channels = w->shape.group_channels;
    bool taps_are_innermost = w->order == CK_WEIGHTS_OUTPUT_INPUT_TAP;
    return (double)w->weights[taps_are_innermost ? (output * channels + channel) * 9 + tap : (output * 9 + tap) * channels + channel];
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

static const size_t channel_counts[] = {1, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 61, 64, 67, 80};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static size_t pick_channels(void) {
    return channel_counts[pick(0, COUNT(channel_counts) - 1)];
}

/// A shape at random; groups 0 asks for a depthwise one.
static shape random_shape(size_t groups) {
    shape s = {
        .batch = pick(1, 2),
        .height = pick(1, 9),
        .width = pick(1, 9),
        .groups = groups,
        .kernel_height = pick(1, 4),
        .kernel_width = pick(1, 4),
        .stride = pick(1, 3),
        .dilation = pick(1, 2),
        .pad = pick(0, 3),
        .gap = pick(0, 1) * pick(1, 7),
        .residual = pick(0, 2) == 0,
    };
    if (groups == 0) {
        s.groups = s.outputs = s.channels = pick(0, 3) ? pick_channels() : pick(1, 300);
    } else {
        s.channels = pick_channels() * groups;
        s.outputs = pick_channels() * groups;
    }
    return s;
}

static void check_convolutions(const ck_table *t) {
    // Fully connected and pointwise: every number of rows around a tile, no pixels at all included.
    for (size_t rows = 0; rows <= 31; ++rows) {
        for (size_t c = 0; c < COUNT(channel_counts); ++c) {
            shape s = {1, rows, 1, channel_counts[c], pick_channels(), 1, 1, 1, 1, 1, 0, pick(0, 1), pick(0, 1)};
            check_conv_u8(t, &s, false);
            check_conv_f32(t, &s, false);
        }
    }
    for (size_t i = 0; i < 400; ++i) {
        shape s = random_shape(pick(0, 3) ? 1 : pick(2, 4));
        check_conv_u8(t, &s, false);
        check_conv_f32(t, &s, false);
        s = random_shape(0);
        check_conv_u8(t, &s, true);
        check_conv_f32(t, &s, true);
    }
    // Kernels so large that the block of tiles shrinks, blocks of many tiles, rows that collide in a cache.
    const shape large[] = {
        {1, 20, 20, 24, 40, 1, 11, 11, 1, 1, 5, 0, false},
        {1, 20, 20, 3, 40, 1, 11, 11, 4, 1, 2, 0, false},
        {2, 23, 21, 16, 37, 1, 3, 3, 1, 1, 1, 3, true},
        {1, 31, 1, 64, 33, 1, 1, 1, 1, 1, 0, 4032, false},
        {1, 7, 5, 1024, 40, 1, 1, 1, 2, 1, 1, 0, false},
    };
    for (size_t i = 0; i < COUNT(large); ++i) {
        check_conv_u8(t, &large[i], false);
        check_conv_f32(t, &large[i], false);
    }
}

static void check_winograd_convolutions(const ck_table *t) {
    if (!t->winograd_f32) return;
    for (size_t i = 0; i < 400; ++i) {
        // Every remainder of tiles, of products and of vectors; outputs of no pixel and blocks of many tiles.
        shape s = random_shape(1);
        s.kernel_height = s.kernel_width = 3;
        s.stride = s.dilation = 1;
        if (i % 8 == 0) s.height = pick(1, 40), s.width = pick(1, 40), s.channels = pick(1, 20), s.outputs = pick(1, 20);
        for (size_t tile = 2; tile <= 4; tile += 2) check_winograd(t, &s, tile);
    }
}

// MARK: Pooling

static void check_pooling(const ck_table *t, const shape *s) {
    const ck_table *scalar = ck_table_for(CK_ISA_SCALAR);
    ck_geometry g = geometry_of(s);
    // Sizes of ceil_mode, whose last windows may reach past the padding.
    if (g.out_height && g.out_width && pick(0, 2) == 0) {
        g.out_height += 1;
        g.out_width += 1;
    }
    size_t in_pixels = s->batch * s->height * s->width, pixels = out_pixels(&g);
    size_t stride = s->channels + s->gap, size = extent(pixels, s->channels, stride);
    ck_range all = {0, pixels};

    const uint8_t *bytes = random_u8(INPUT, extent(in_pixels, s->channels, stride));
    ck_maxpool_u8 max = {g, s->channels, bytes, stride, NULL, stride};
    uint8_t *expected = max.output = output(EXPECTED, size);
    scalar->maxpool_u8(&max, all);
    uint8_t *actual = max.output = output(ACTUAL, size);
    t->maxpool_u8(&max, all);
    report(same_bytes(expected, actual, size), t, "maxpool_u8", describe(s));

    ck_avgpool_u8 average = {
        .geometry = g, .channels = s->channels, .input = bytes, .in_stride = stride, .out_stride = stride,
        .in_zero_point = (uint8_t)random_bits(), .out = {(uint8_t)random_bits(), 0, 255},
        .multiplier = uniform() + 1, .count_include_pad = pick(0, 1)};
    expected = average.output = output(EXPECTED, size);
    scalar->avgpool_u8(&average, all);
    actual = average.output = output(ACTUAL, size);
    t->avgpool_u8(&average, all);
    report(same_bytes(expected, actual, size), t, "avgpool_u8", describe(s));

    const float *floats = random_f32(INPUT, extent(in_pixels, s->channels, stride));
    ck_maxpool_f32 max_f32 = {g, s->channels, floats, stride, NULL, stride};
    float *expected_f32 = max_f32.output = output(EXPECTED, size * sizeof(float));
    scalar->maxpool_f32(&max_f32, all);
    float *actual_f32 = max_f32.output = output(ACTUAL, size * sizeof(float));
    t->maxpool_f32(&max_f32, all);
    report(same_bytes(expected_f32, actual_f32, size * sizeof(float)), t, "maxpool_f32", describe(s));

    ck_avgpool_f32 average_f32 = {
        .geometry = g, .channels = s->channels, .input = floats, .in_stride = stride, .out_stride = stride,
        .count_include_pad = pick(0, 1)};
    expected_f32 = average_f32.output = output(EXPECTED, size * sizeof(float));
    scalar->avgpool_f32(&average_f32, all);
    actual_f32 = average_f32.output = output(ACTUAL, size * sizeof(float));
    t->avgpool_f32(&average_f32, all);
    report(close_floats(expected_f32, actual_f32, size, 1e-6f), t, "avgpool_f32", describe(s));
}

// MARK: Pixel by pixel

/// Runs one kernel of both tables on `arguments` and compares. u8 results are compared bit for bit, and so are these
/// f32 ones: each is a single rounded operation.
#define COMPARE(kernel, arguments, element)                                              \
    do {                                                                                 \
        size_t size = extent(pixels, channels, out_stride) * sizeof(element);            \
        element *expected = (arguments).output = output(EXPECTED, size);                 \
        scalar->kernel(&(arguments), (ck_range){0, pixels});                             \
        element *actual = (arguments).output = output(ACTUAL, size);                     \
        size_t middle = pick(0, pixels);                                                 \
        t->kernel(&(arguments), (ck_range){0, middle});                                  \
        t->kernel(&(arguments), (ck_range){middle, pixels});                             \
        report(same_bytes(expected, actual, size), t, #kernel, description);             \
    } while (0)

static void check_pointwise(const ck_table *t, size_t pixels, size_t channels, size_t gap) {
    const ck_table *scalar = ck_table_for(CK_ISA_SCALAR);
    char description[96];
    snprintf(description, sizeof description, "%zu pixels of %zu channels, gap %zu", pixels, channels, gap);
    size_t stride = channels + gap, out_stride = stride, b_stride = pick(0, 3) ? stride : 0;
    size_t count = extent(pixels, channels, stride);
    uint8_t za = (uint8_t)random_bits(), zb = (uint8_t)random_bits();
    uint8_t low = (uint8_t)pick(0, 100), high = (uint8_t)pick(100, 255);
    ck_output_u8 out = {(uint8_t)random_bits(), low, high};

    const uint8_t *a = random_u8(INPUT, count), *b = random_u8(SECOND, b_stride ? count : channels);
    ck_add_u8 add = {channels, a, b, stride, b_stride, za, zb, uniform() + 1, uniform() + 1, NULL, out_stride, out};
    COMPARE(add_u8, add, uint8_t);
    ck_mul_u8 mul = {channels, a, b, stride, b_stride, za, zb, (uniform() + 1) / 100, NULL, out_stride, out};
    COMPARE(mul_u8, mul, uint8_t);
    ck_requantize_u8 requantize = {channels, a, stride, za, uniform() + 1, NULL, out_stride, out};
    COMPARE(requantize_u8, requantize, uint8_t);
    ck_dequantize_u8 dequantize = {channels, a, stride, NULL, out_stride, uniform() + 1.5f, za};
    COMPARE(dequantize_u8_f32, dequantize, float);
    uint8_t table[256];
    for (size_t i = 0; i < sizeof table; ++i) table[i] = (uint8_t)random_bits();
    ck_lut_u8 lut = {channels, a, stride, NULL, out_stride, table};
    COMPARE(lut_u8, lut, uint8_t);

    float *x = random_f32(INPUT, count), *y = random_f32(SECOND, b_stride ? count : channels);
    for (size_t i = 0; i < count; ++i) {
        // Halves fall on ties; the rest are values a quantiser must survive.
        static const float special[] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f, -0.0f, 1e-40f};
        x[i] = pick(0, 9) ? (float)(int32_t)pick(0, 600) / 2 - 150 : special[pick(0, COUNT(special) - 1)];
    }
    ck_quantize_f32 quantize = {channels, x, stride, NULL, out_stride, pick(0, 1) ? 1 : uniform() + 1.5f, zb};
    COMPARE(quantize_f32_u8, quantize, uint8_t);
    ck_binary_f32 binary = {channels, x, y, stride, b_stride, NULL, out_stride, -100, INFINITY};
    COMPARE(clamp_f32, binary, float);
    for (size_t i = 0; i < count; ++i) x[i] = uniform();
    COMPARE(add_f32, binary, float);
    COMPARE(mul_f32, binary, float);

    // In place.
    ck_requantize_u8 in_place = requantize;
    size_t size = extent(pixels, channels, stride);
    uint8_t *expected = output(EXPECTED, size), *actual = output(ACTUAL, size);
    for (size_t i = 0; i < size; ++i) expected[i] = actual[i] = (uint8_t)random_bits();
    in_place.input = in_place.output = expected;
    scalar->requantize_u8(&in_place, (ck_range){0, pixels});
    in_place.input = in_place.output = actual;
    t->requantize_u8(&in_place, (ck_range){0, pixels});
    report(same_bytes(expected, actual, size), t, "requantize_u8 in place", description);
}

// MARK: Layout

static void check_layout(const ck_table *t, size_t batch, size_t image_pixels, size_t channels, size_t gap) {
    const ck_table *scalar = ck_table_for(CK_ISA_SCALAR);
    char description[96];
    snprintf(
        description, sizeof description, "%zu images of %zu pixels, %zu channels, gap %zu", batch, image_pixels,
        channels, gap);
    size_t pixels = batch * image_pixels, stride = channels + gap, out_stride = channels;
    ck_layout_u8 u8 = {batch, image_pixels, channels, stride, random_u8(INPUT, extent(pixels, channels, stride)), NULL};
    COMPARE(nhwc_to_nchw_u8, u8, uint8_t);
    ck_layout_f32 f32 = {
        batch, image_pixels, channels, stride, random_f32(INPUT, extent(pixels, channels, stride)), NULL};
    COMPARE(nhwc_to_nchw_f32, f32, float);
    out_stride = stride;
    u8.input = random_u8(INPUT, pixels * channels);
    COMPARE(nchw_to_nhwc_u8, u8, uint8_t);
    f32.input = random_f32(INPUT, pixels * channels);
    COMPARE(nchw_to_nhwc_f32, f32, float);
}

static void check(const ck_table *t) {
    size_t passed_before = passed, failed_before = failed;
    check_convolutions(t);
    check_winograd_convolutions(t);
    for (size_t i = 0; i < 200; ++i) {
        shape s = random_shape(0);
        check_pooling(t, &s);
        check_layout(t, pick(1, 3), pick(1, 70), pick_channels(), pick(0, 1) * pick(1, 5));
    }
    for (size_t c = 0; c < COUNT(channel_counts); ++c) {
        for (size_t pixels = 0; pixels <= 9; ++pixels) check_pointwise(t, pixels, channel_counts[c], pixels % 3);
    }
    printf("%s: %zu passed, %zu failed\n", t->name, passed - passed_before, failed - failed_before);
}

// MARK: Benchmark

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/// Best time of one call, in seconds.
#define TIME(best, call)                                             \
    do {                                                             \
        best = INFINITY;                                             \
        for (double end = now() + 0.2; now() < end;) {               \
            double start = now();                                    \
            call;                                                    \
            double took = now() - start;                             \
            best = took < best ? took : best;                        \
        }                                                            \
    } while (0)

static void bench(const ck_table *t, const shape *s, bool depthwise) {
    ck_geometry g = geometry_of(s);
    ck_weight_shape shape = weight_shape(s);
    size_t k = shape.taps * shape.group_channels, in_count = s->batch * s->height * s->width * s->channels;
    size_t pixels = out_pixels(&g);
    double macs = (double)pixels * (double)s->outputs * (double)k, u8_time, f32_time;
    float *multipliers = fenced(MULTIPLIERS, s->outputs * sizeof(float), 64);
    for (size_t o = 0; o < s->outputs; ++o) multipliers[o] = 1e-4f;

    ck_weights_s8 w8 = {.shape = shape, .multipliers = multipliers};
    w8.weights = (const int8_t *)random_u8(WEIGHTS, s->outputs * k);
    ck_conv_u8 u8 = {
        .geometry = g, .in_channels = s->channels, .out_channels = s->outputs, .groups = s->groups,
        .input = random_u8(INPUT, in_count), .in_stride = s->channels, .out_stride = s->outputs,
        .padding = memset(fenced(PADDING, s->channels, 1), 0, s->channels), .out = {128, 0, 255}};
    u8.output = fenced(ACTUAL, pixels * s->outputs, 1);
    run_conv_u8(t, &u8, &w8, depthwise);
    size_t size = (depthwise ? t->dwconv_u8s8_u8_scratch_size : t->conv_u8s8_u8_scratch_size)(&u8);
    void *scratch = fenced(SCRATCH, size, 64);
    ck_range all = {0, pixels}, panels = {0, t->conv_u8s8_u8_panel_count(&shape)};
    if (depthwise) TIME(u8_time, t->dwconv_u8s8_u8(&u8, all, scratch));
    else TIME(u8_time, t->conv_u8s8_u8(&u8, all, panels, scratch));

    ck_weights_f32 w32 = {.shape = shape, .weights = random_f32(WEIGHTS, s->outputs * k)};
    ck_conv_f32 f32 = {
        .geometry = g, .in_channels = s->channels, .out_channels = s->outputs, .groups = s->groups,
        .input = random_f32(INPUT, in_count), .in_stride = s->channels, .out_stride = s->outputs,
        .padding = memset(fenced(PADDING, s->channels * sizeof(float), 4), 0, s->channels * sizeof(float)),
        .min = -INFINITY, .max = INFINITY};
    f32.output = fenced(ACTUAL, pixels * s->outputs * sizeof(float), 4);
    run_conv_f32(t, &f32, &w32, depthwise);
    size = (depthwise ? t->dwconv_f32_scratch_size : t->conv_f32_scratch_size)(&f32);
    scratch = fenced(SCRATCH, size, 64);
    panels.last = t->conv_f32_panel_count(&shape);
    if (depthwise) TIME(f32_time, t->dwconv_f32(&f32, all, scratch));
    else TIME(f32_time, t->conv_f32(&f32, all, panels, scratch));

    printf(
        "%-12s %7.1f us %7.1f GMAC/s u8, %8.1f us %7.1f GMAC/s f32  %s%s\n", t->name, u8_time * 1e6,
        macs / u8_time * 1e-9, f32_time * 1e6, macs / f32_time * 1e-9, depthwise ? "depthwise " : "", describe(s));
}

/// Times the direct kernel and both tiles of Winograd's algorithm, and measures the errors of some results, in units of
/// the sum of the magnitudes added.
static void bench_winograd(const ck_table *t, const shape *s) {
    ck_geometry g = geometry_of(s);
    ck_weight_shape shape = weight_shape(s);
    size_t pixels = out_pixels(&g);
    double macs = (double)pixels * (double)s->outputs * (double)shape.group_channels * 9, direct, times[2];
    double errors[2] = {0, 0};
    ck_weights_f32 weights = {shape, random_f32(WEIGHTS, s->outputs * 9 * s->channels), NULL, 0};
    ck_conv_f32 layer = {
        .geometry = g, .in_channels = s->channels, .out_channels = s->outputs, .groups = 1,
        .input = random_f32(INPUT, s->batch * s->height * s->width * s->channels), .in_stride = s->channels,
        .output = fenced(ACTUAL, pixels * s->outputs * sizeof(float), 4), .out_stride = s->outputs,
        .padding = memset(fenced(PADDING, s->channels * sizeof(float), 4), 0, s->channels * sizeof(float)),
        .min = -INFINITY, .max = INFINITY};
    run_conv_f32(t, &layer, &weights, false);
    void *scratch = fenced(SCRATCH, t->conv_f32_scratch_size(&layer), 64);
    ck_range panels = {0, t->conv_f32_panel_count(&shape)};
    TIME(direct, t->conv_f32(&layer, (ck_range){0, pixels}, panels, scratch));
    panels.last = t->winograd_f32_panel_count(&shape);
    for (size_t tile = 2; tile <= 4; tile += 2) {
        layer.weights = pack_winograd(t, tile, &weights);
        scratch = fenced(SCRATCH, t->winograd_f32_scratch_size(&layer, tile), 64);
        ck_range tiles = {0, ck_winograd_tile_count(&g, tile)};
        TIME(times[tile / 2 - 1], t->winograd_f32(&layer, tile, tiles, panels, scratch));
        for (size_t i = 0; i < 1000; ++i) {
            size_t pixel = pick(0, pixels - 1), o = pick(0, s->outputs - 1);
            definition d = define_winograd(&layer, &weights, tile, pixel, o);
            double error = fabs((double)layer.output[pixel * s->outputs + o] - d.value) / d.magnitude;
            errors[tile / 2 - 1] = fmax(errors[tile / 2 - 1], error);
        }
    }
    printf(
        "%-12s direct %5.1f GMAC/s, tile 2 %5.1f (x%.2f, error %.0e), tile 4 %5.1f (x%.2f, error %.0e), chosen %zu  %s\n",
        t->name, macs / direct * 1e-9, macs / times[0] * 1e-9, direct / times[0], errors[0], macs / times[1] * 1e-9,
        direct / times[1], errors[1], t->winograd_f32_tile(&layer), describe(s));
}

static const shape layers[] = {
    {1, 56, 56, 64, 64, 1, 3, 3, 1, 1, 1, 0, false},      // ResNet, first stage
    {1, 14, 14, 256, 256, 1, 3, 3, 1, 1, 1, 0, false},    // ResNet, third stage
    {1, 7, 7, 512, 512, 1, 3, 3, 1, 1, 1, 0, false},      // ResNet, last stage
    {1, 14, 14, 1024, 256, 1, 1, 1, 1, 1, 0, 0, false},   // ResNet, bottleneck
    {1, 56, 56, 24, 144, 1, 1, 1, 1, 1, 0, 0, false},     // MobileNet, expansion
    {1, 56, 56, 144, 24, 1, 1, 1, 1, 1, 0, 0, false},     // MobileNet, projection
    {1, 224, 224, 3, 32, 1, 3, 3, 2, 1, 1, 0, false},     // MobileNet, first layer
    {1, 1, 1, 1280, 1000, 1, 1, 1, 1, 1, 0, 0, false},    // MobileNet, classifier
};

static const shape winograd_layers[] = {
    {1, 56, 56, 64, 64, 1, 3, 3, 1, 1, 1, 0, false},      // ResNet
    {1, 28, 28, 128, 128, 1, 3, 3, 1, 1, 1, 0, false},
    {1, 14, 14, 256, 256, 1, 3, 3, 1, 1, 1, 0, false},
    {1, 7, 7, 512, 512, 1, 3, 3, 1, 1, 1, 0, false},
    {1, 224, 224, 3, 64, 1, 3, 3, 1, 1, 1, 0, false},     // VGG
    {1, 224, 224, 64, 64, 1, 3, 3, 1, 1, 1, 0, false},
    {1, 112, 112, 64, 128, 1, 3, 3, 1, 1, 1, 0, false},
    {1, 112, 112, 128, 128, 1, 3, 3, 1, 1, 1, 0, false},
    {1, 56, 56, 128, 256, 1, 3, 3, 1, 1, 1, 0, false},
    {1, 56, 56, 256, 256, 1, 3, 3, 1, 1, 1, 0, false},
    {1, 28, 28, 256, 512, 1, 3, 3, 1, 1, 1, 0, false},
    {1, 28, 28, 512, 512, 1, 3, 3, 1, 1, 1, 0, false},
    {1, 14, 14, 512, 512, 1, 3, 3, 1, 1, 1, 0, false},
    {1, 55, 55, 16, 64, 1, 3, 3, 1, 1, 1, 0, false},      // SqueezeNet
    {1, 27, 27, 32, 128, 1, 3, 3, 1, 1, 1, 0, false},
    {1, 13, 13, 48, 192, 1, 3, 3, 1, 1, 1, 0, false},
    {1, 13, 13, 64, 256, 1, 3, 3, 1, 1, 1, 0, false},
    {1, 56, 56, 8, 8, 1, 3, 3, 1, 1, 1, 0, false},        // the edge of its use
    {1, 3, 3, 32, 32, 1, 3, 3, 1, 1, 1, 0, false},
};

static const shape depthwise_layers[] = {
    // MobileNetV2
    {1, 112, 112, 32, 32, 32, 3, 3, 1, 1, 1, 0, false},
    {1, 112, 112, 96, 96, 96, 3, 3, 2, 1, 1, 0, false},
    {1, 56, 56, 144, 144, 144, 3, 3, 1, 1, 1, 0, false},
    {1, 56, 56, 144, 144, 144, 3, 3, 2, 1, 1, 0, false},
    {1, 28, 28, 192, 192, 192, 3, 3, 1, 1, 1, 0, false},
    {1, 28, 28, 192, 192, 192, 3, 3, 2, 1, 1, 0, false},
    {1, 14, 14, 576, 576, 576, 3, 3, 1, 1, 1, 0, false},
    {1, 14, 14, 576, 576, 576, 3, 3, 2, 1, 1, 0, false},
    {1, 7, 7, 960, 960, 960, 3, 3, 1, 1, 1, 0, false},
    // MobileNetV3, EfficientNet-B0
    {1, 112, 112, 16, 16, 16, 3, 3, 1, 1, 1, 0, false},
    {1, 56, 56, 72, 72, 72, 5, 5, 2, 1, 2, 0, false},
    {1, 28, 28, 120, 120, 120, 5, 5, 1, 1, 2, 0, false},
    {1, 28, 28, 240, 240, 240, 5, 5, 1, 1, 2, 0, false},
    {1, 14, 14, 672, 672, 672, 5, 5, 1, 1, 2, 0, false},
    {1, 14, 14, 672, 672, 672, 5, 5, 2, 1, 2, 0, false},
    {1, 7, 7, 1152, 1152, 1152, 5, 5, 1, 1, 2, 0, false},
    // ConvNeXt; dilated
    {1, 14, 14, 384, 384, 384, 7, 7, 1, 1, 3, 0, false},
    {1, 28, 28, 192, 192, 192, 3, 3, 1, 2, 2, 0, false},
};

/// Times a kernel and prints the bytes it reads and writes per second.
#define BENCH_BYTES(kernel, size, what, ...)                                                                   \
    do {                                                                                                       \
        double best;                                                                                           \
        TIME(best, t->kernel(__VA_ARGS__));                                                                    \
        printf(                                                                                                \
            "%-12s %7.1f us %7.1f GB/s %-18s %s\n", t->name, best * 1e6, (double)(size) / best * 1e-9, #kernel, \
            what);                                                                                             \
    } while (0)

/// Activations, additions and gates of MobileNetV3 and EfficientNet-B0.
static void bench_pixels(const ck_table *t, size_t height, size_t channels) {
    char what[48];
    snprintf(what, sizeof what, "%zux%zux%zu", height, height, channels);
    size_t pixels = height * height, count = pixels * channels;
    ck_range all = {0, pixels};
    const uint8_t *a = random_u8(INPUT, count), *b = random_u8(SECOND, count);
    uint8_t *y = fenced(ACTUAL, count, 1), table[256];
    for (size_t i = 0; i < sizeof table; ++i) table[i] = (uint8_t)random_bits();
    const ck_output_u8 out = {3, 0, 255};

    ck_add_u8 add = {channels, a, b, channels, channels, 1, 2, 0.5f, 0.25f, y, channels, out};
    BENCH_BYTES(add_u8, 3 * count, what, &add, all);
    ck_mul_u8 gate = {channels, a, b, channels, 0, 1, 0, 1.0f / 255, y, channels, out};
    BENCH_BYTES(mul_u8, 2 * count, what, &gate, all);
    ck_lut_u8 lut = {channels, a, channels, y, channels, table};
    BENCH_BYTES(lut_u8, 2 * count, what, &lut, all);
    ck_requantize_u8 requantize = {channels, a, channels, 7, 0.7f, y, channels, out};
    BENCH_BYTES(requantize_u8, 2 * count, what, &requantize, all);
    ck_layout_u8 layout = {1, pixels, channels, channels, a, y};
    BENCH_BYTES(nhwc_to_nchw_u8, 2 * count, what, &layout, all);
    BENCH_BYTES(nchw_to_nhwc_u8, 2 * count, what, &layout, all);

    shape global = {1, height, height, channels, channels, channels, height, height, 1, 1, 0, 0, false};
    shape halving = {1, height, height, channels, channels, channels, 3, 3, 2, 1, 1, 0, false};
    ck_geometry g = geometry_of(&global), h = geometry_of(&halving);
    ck_avgpool_u8 average = {g, channels, a, channels, y, channels, 5, out, 1, false};
    BENCH_BYTES(avgpool_u8, count, what, &average, ((ck_range){0, 1}));
    ck_maxpool_u8 max = {h, channels, a, channels, y, channels};
    BENCH_BYTES(maxpool_u8, count + out_pixels(&h) * channels, what, &max, ((ck_range){0, out_pixels(&h)}));

    const float *x = random_f32(INPUT, count), *z = random_f32(SECOND, count);
    ck_quantize_f32 quantize = {channels, x, channels, y, channels, 0.01f, 128};
    BENCH_BYTES(quantize_f32_u8, 5 * count, what, &quantize, all);
    float *f = fenced(ACTUAL, count * sizeof *f, 4);
    ck_binary_f32 binary = {channels, x, z, channels, channels, f, channels, 0, 6};
    BENCH_BYTES(add_f32, 12 * count, what, &binary, all);
    binary.b_stride = 0;
    BENCH_BYTES(mul_f32, 8 * count, what, &binary, all);
    BENCH_BYTES(clamp_f32, 8 * count, what, &binary, all);
    ck_avgpool_f32 average_f32 = {g, channels, x, channels, f, channels, false};
    BENCH_BYTES(avgpool_f32, 4 * count, what, &average_f32, ((ck_range){0, 1}));
    ck_maxpool_f32 max_f32 = {h, channels, x, channels, f, channels};
    BENCH_BYTES(maxpool_f32, 4 * (count + out_pixels(&h) * channels), what, &max_f32, ((ck_range){0, out_pixels(&h)}));
    ck_layout_f32 layout_f32 = {1, pixels, channels, channels, x, f};
    BENCH_BYTES(nhwc_to_nchw_f32, 8 * count, what, &layout_f32, all);
    a = random_u8(INPUT, count);
    ck_dequantize_u8 dequantize = {channels, a, channels, f, channels, 0.01f, 128};
    BENCH_BYTES(dequantize_u8_f32, 5 * count, what, &dequantize, all);
}

static const char *const bench_kinds[] = {"convolution", "depthwise", "pixels", "winograd"};

/// One kind of layers, or all where `kind` is NULL.
static void bench_table(const ck_table *t, const char *kind) {
    if (!kind || kind == bench_kinds[0]) {
        for (size_t i = 0; i < COUNT(layers); ++i) bench(t, &layers[i], false);
    }
    if (!kind || kind == bench_kinds[1]) {
        for (size_t i = 0; i < COUNT(depthwise_layers); ++i) bench(t, &depthwise_layers[i], true);
    }
    if (!kind || kind == bench_kinds[2]) {
        static const size_t extents[][2] = {{112, 32}, {56, 72}, {28, 120}, {14, 672}, {7, 1280}};
        for (size_t i = 0; i < COUNT(extents); ++i) bench_pixels(t, extents[i][0], extents[i][1]);
    }
    if ((!kind || kind == bench_kinds[3]) && t->winograd_f32) {
        for (size_t i = 0; i < COUNT(winograd_layers); ++i) bench_winograd(t, &winograd_layers[i]);
    }
}

int main(int argc, char **argv) {
    bool benchmarks = argc > 1 && strcmp(argv[1], "--bench") == 0;
    const char *kind = NULL;
    for (size_t i = 0; i < COUNT(bench_kinds); ++i) {
        if (argc == 3 && strcmp(argv[2], bench_kinds[i]) == 0) kind = bench_kinds[i];
    }
    if (argc > 3 || (argc > 1 && !benchmarks) || (argc == 3 && !kind)) {
        fprintf(stderr, "usage: %s [--bench [convolution|depthwise|pixels|winograd]]\n", argv[0]);
        return 2;
    }
    for (int isa = 0; isa < CK_ISA_COUNT; ++isa) {
        const ck_table *t = ck_table_for((ck_isa)isa);
        if (!t || isa == CK_ISA_SCALAR) continue;
        state = 0x9E3779B97F4A7C15u;
        if (benchmarks) bench_table(t, kind);
        else check(t);
    }
    if (!benchmarks) printf("%zu passed, %zu failed\n", passed, failed);
    return failed != 0;
}
