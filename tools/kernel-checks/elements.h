// Checks of pooling, pixelwise kernels, functions and layout.
#ifndef CK_CHECK_ELEMENTS_H
#define CK_CHECK_ELEMENTS_H

#include "convolution.h"

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

// MARK: Functions

static void check_functions(const ck_table *t, size_t count) {
    static const float special[] = {NAN, INFINITY, -INFINITY, 0, -0.0f, 1e-30f, -1e-30f, 1e30f, -1e30f, 0.625f, -0.625f};
    float *x = random_f32(INPUT, count);
    for (int function = CK_SIGMOID; function <= CK_EXP; ++function) {
        const float range = pick(0, 1) ? 100 : 3;
        for (size_t i = 0; i < count; ++i) x[i] = pick(0, 19) ? uniform() * range : special[pick(0, COUNT(special) - 1)];
        ck_function_f32 k = {(ck_function)function, uniform() + 1, 0.5f, x, NULL};
        size_t size = count * sizeof(float), middle = pick(0, count);
        float *expected = k.output = output(EXPECTED, size);
        ck_table_for(CK_ISA_SCALAR)->function_f32(&k, (ck_range){0, count});
        float *actual = k.output = output(ACTUAL, size);
        t->function_f32(&k, (ck_range){0, middle});
        t->function_f32(&k, (ck_range){middle, count});
        bool ok = same_bytes(expected, actual, 0);
        for (size_t i = 0; i < count; ++i) {
            float e = expected[i], a = actual[i];
            bool same = e != e ? a != a : e == a || fabsf(e - a) <= fmaxf(0x1p-20f * fabsf(e), 0x1p-110f);
            if (!same) printf("function %d of %.9g: expected %.9g, got %.9g\n", function, (double)x[i], (double)e, (double)a);
            ok = ok && same;
        }
        report(ok, t, "function_f32", "");
    }
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

// MARK: Symbols of the codec

static void check_contexts(const ck_table *t, size_t row_pixels, size_t lanes) {
    const ck_table *scalar = ck_table_for(CK_ISA_SCALAR);
    char description[96];
    snprintf(description, sizeof description, "%zu pixels of %zu lanes", row_pixels, lanes);
    // The symbols of a row are what others call pixels.
    const size_t pixels = row_pixels * lanes, channels = 1, out_stride = 1;
    // A row above, and a pixel of margin on either side of both.
    const size_t row_stride = pixels + 2 * lanes;
    ck_context_u8 context = {
        lanes, row_stride, (uint16_t)pick(0, 2), random_u8(INPUT, 2 * row_stride) + row_stride + lanes, NULL};
    COMPARE(context_u8, context, uint16_t);
}

static void check_symbols(const ck_table *t, size_t pixels, size_t channels, size_t gap) {
    const ck_table *scalar = ck_table_for(CK_ISA_SCALAR);
    char description[96];
    snprintf(description, sizeof description, "%zu pixels of %zu lanes, gap %zu", pixels, channels, gap);
    const size_t stride = channels + gap, out_stride = stride, thresholds = pick(0, 15);
    ck_rank_u8 rank = {
        channels, stride, stride, thresholds, stride, random_u8(SECOND, (thresholds + 1) * stride),
        random_u8(INPUT, extent(pixels, channels, stride)), NULL};
    COMPARE(rank_u8, rank, uint8_t);
    uint8_t *levels = random_u8(INPUT, extent(pixels, channels, stride));
    for (size_t i = 0; i < extent(pixels, channels, stride); ++i) levels[i] %= thresholds + 1;
    ck_select_u8 select = {channels, stride, stride, thresholds + 1, stride, rank.table, levels, NULL};
    COMPARE(select_u8, select, uint8_t);
}

#endif
