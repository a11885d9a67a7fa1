// Holds every kernel table of this machine to the scalar one: bit for bit for u8, within a bound for f32. Prints the failing
// cases and a closing line; exit status 1 on a mismatch. tools/Benchmarks measures speed.

#include "convolution.h"
#include "elements.h"
#include "winograd.h"

static const size_t channel_counts[] = {1, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 61, 64, 67, 80};

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
    // Depthwise windows that slide, and their neighbours that do not, for every division of a register among channels.
    for (size_t channels = 1; channels <= 200; ++channels) {
        shape s = random_shape(0);
        s.channels = s.outputs = s.groups = channels;
        s.kernel_height = s.kernel_width = pick(0, 1) ? 3 : 5;
        s.height = pick(1, 20);
        s.width = pick(1, 20);
        s.stride = pick(1, 5) > 2 ? pick(1, 2) : 3;
        s.dilation = pick(0, 5) ? 1 : 2;
        check_conv_u8(t, &s, true);
        check_conv_f32(t, &s, true);
    }
    // Groups so small that several are computed as one.
    for (size_t i = 0; i < 300; ++i) {
        shape s = random_shape(pick(2, 36));
        s.channels = pick(1, 17) * s.groups;
        s.outputs = pick(1, 17) * s.groups;
        check_conv_u8(t, &s, false);
        check_conv_f32(t, &s, false);
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

static void check(const ck_table *t) {
    size_t passed_before = passed, failed_before = failed;
    check_convolutions(t);
    check_winograd_convolutions(t);
    // Windows over whole images, of more bytes than 16 bits can sum.
    for (size_t i = 0; i < COUNT(channel_counts); ++i) {
        const size_t c = channel_counts[i], extent = pick(12, 24);
        shape s = {2, extent, extent, c, c, c, extent, extent, 1, 1, pick(0, 1), pick(0, 3), false};
        check_pooling(t, &s);
    }
    for (size_t i = 0; i < 200; ++i) {
        shape s = random_shape(0);
        check_pooling(t, &s);
        check_layout(t, pick(1, 3), pick(1, 70), pick_channels(), pick(0, 1) * pick(1, 5));
    }
    for (size_t count = 0; count < 70; ++count) check_functions(t, count);
    check_functions(t, 100000);
    for (size_t c = 0; c < COUNT(channel_counts); ++c) {
        for (size_t pixels = 0; pixels <= 9; ++pixels) {
            check_pointwise(t, pixels, channel_counts[c], pixels % 3);
            check_symbols(t, pixels, channel_counts[c], pixels % 3);
            check_contexts(t, pixels, channel_counts[c]);
        }
    }
    printf("%s: %zu passed, %zu failed\n", t->name, passed - passed_before, failed - failed_before);
}

int main(void) {
    for (int isa = CK_ISA_SCALAR + 1; isa < CK_ISA_COUNT; ++isa) {
        const ck_table *t = ck_table_for((ck_isa)isa);
        if (!t) continue;
        state = 0x9E3779B97F4A7C15u;
        check(t);
    }
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed != 0;
}
