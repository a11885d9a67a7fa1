#include "winograd.h"

#include "../reference/reference.h"

#include <string.h>

#define CACHE_LINE 64

/// A block is this many products high. Its weights are read once, its inputs and products written and read once: more
/// tiles mean fewer passes over the weights, but operands that leave the second-level cache. From 12 to 96 tiles, the
/// speed varies by a tenth, except where weights come from far away.
#define BLOCK_PRODUCTS 2
#define FAR_BLOCK_PRODUCTS 3
#define FAR_WEIGHTS ((size_t)16 << 20)

static size_t min(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t round_up(size_t n, size_t unit) {
    return (n + unit - 1) / unit * unit;
}

static size_t side_of(size_t tile) {
    return tile + 2;
}

// MARK: Blocks

/// Floats of a position, as an odd number of cache lines: the positions of a tile are written in turn, and must not fall
/// into the same set of the first-level cache.
static size_t pitch_of(size_t floats) {
    size_t line = CACHE_LINE / sizeof(float);
    return ((floats + line - 1) / line | 1) * line;
}

ck_winograd ck_winograd_of(const ck_conv_f32 *layer, size_t tile, ck_winograd_shape s) {
    const ck_geometry *g = &layer->geometry;
    size_t side = side_of(tile);
    ck_winograd w = {.tile = tile, .side = side, .positions = side * side, .windows = *g};
    w.windows.out_height = (g->out_height + tile - 1) / tile;
    w.windows.out_width = (g->out_width + tile - 1) / tile;
    w.windows.kernel_height = w.windows.kernel_width = side;
    w.windows.stride_height = w.windows.stride_width = tile;
    w.in_vectors = (layer->in_channels + s.lanes - 1) / s.lanes;
    w.out_width = round_up(layer->out_channels, s.lanes);

    size_t weights = w.positions * layer->in_channels * w.out_width * sizeof(float);
    size_t most = s.rows * (weights < FAR_WEIGHTS ? BLOCK_PRODUCTS : FAR_BLOCK_PRODUCTS);
    size_t tiles = ck_winograd_tile_count(g, tile), blocks = (tiles + most - 1) / most;
    w.block = blocks ? (tiles + blocks - 1) / blocks : 0;
    w.input_pitch = pitch_of(w.block * w.in_vectors * s.lanes);
    w.product_pitch = pitch_of(w.block * w.out_width);
    return w;
}

size_t ck_winograd_scratch_size(const ck_conv_f32 *layer, size_t tile, ck_winograd_shape s) {
    ck_winograd w = ck_winograd_of(layer, tile, s);
    return w.positions * (w.input_pitch + w.product_pitch) * sizeof(float);
}

// MARK: Choice

// What a layer costs, in multiply-adds at full speed: its products, and for each
// - element of a transformed tile, the transform; a vector of channels that is not whole takes the time of three;
// - weight, its way from memory.
// Fitted to one core of an AMD Zen 4 with AVX-512. How many times faster than the direct kernel, predicted and measured, for
// images padded by 1:
//
//   side, channels      tile 2        tile 4     |  side, channels      tile 2        tile 4
//   224,   3 ->  64   0.50  0.45    0.89  0.61   |   14, 256 -> 256   2.03  2.22    2.41  2.76
//   224,  64 ->  64   1.89  1.80    3.37  2.56   |   14, 512 -> 512   2.08  1.82    2.45  2.25
//   112,  64 -> 128   1.97  1.87    3.49  2.85   |    7, 512 -> 512   1.46  1.47    1.64  1.43
//    56,  64 ->  64   1.89  2.00    3.32  3.37   |   27,  32 -> 128   1.68  1.66    2.84  2.88
//    56, 128 -> 256   2.09  2.02    3.67  3.25   |   13,  64 -> 256   1.66  1.76    1.98  2.29
//    28, 128 -> 128   2.03  2.09    3.42  3.60   |   56,   8 ->   8   0.41  0.53    0.73  0.92
//    28, 512 -> 512   2.17  1.83    3.64  3.07   |    3,  32 ->  32   0.77  1.08    0.60  0.92
#define TRANSFORM_COST 6
#define PARTIAL_VECTOR_COST 3
#define WEIGHT_COST 4
/// A choice must promise this much, in per cent of the direct kernel's cost: it takes memory and precision.
#define ACCEPTED_COST 75
/// The large tile, whose weights take more than twice the memory, must promise this much of the small one's cost: they are
/// as fast as each other at 7, 512 -> 512.
#define ACCEPTED_COST_OF_LARGE_TILE 87

static size_t direct_cost(const ck_conv_f32 *layer, size_t out_width) {
    const ck_geometry *g = &layer->geometry;
    return 9 * layer->in_channels * out_width * (g->out_height * g->out_width + WEIGHT_COST);
}

static size_t transform_cost(size_t channels, size_t lanes) {
    size_t partial = channels % lanes ? PARTIAL_VECTOR_COST * lanes : 0;
    return TRANSFORM_COST * (channels / lanes * lanes + partial);
}

static size_t winograd_cost(const ck_conv_f32 *layer, size_t out_width, size_t tile, size_t lanes) {
    size_t tiles = ck_winograd_tile_count(&layer->geometry, tile);
    size_t products = layer->in_channels * out_width * (tiles + WEIGHT_COST);
    size_t transforms = tiles * (transform_cost(layer->in_channels, lanes) + transform_cost(layer->out_channels, lanes));
    return side_of(tile) * side_of(tile) * (products + transforms);
}

size_t ck_winograd_tile(const ck_conv_f32 *arguments, ck_winograd_shape s) {
    ck_conv_f32 layer = *arguments;
    layer.geometry.batch = 1;
    const ck_geometry *g = &layer.geometry;
    bool applies = g->kernel_height == 3 && g->kernel_width == 3 && g->stride_height == 1 && g->stride_width == 1
        && g->dilation_height == 1 && g->dilation_width == 1 && layer.groups == 1;
    if (!applies) return 0;
    size_t out_width = round_up(layer.out_channels, s.lanes);
    size_t accepted = direct_cost(&layer, out_width) / 100 * ACCEPTED_COST;
    size_t small = winograd_cost(&layer, out_width, 2, s.lanes), large = winograd_cost(&layer, out_width, 4, s.lanes);
    if (large < accepted && (small >= accepted || large < small / 100 * ACCEPTED_COST_OF_LARGE_TILE)) return 4;
    return small < accepted ? 2 : 0;
}

// MARK: Weights

size_t ck_winograd_panel_count(const ck_weight_shape *shape, ck_winograd_shape s) {
    size_t width = s.lanes * s.vectors;
    return (shape->out_channels + width - 1) / width;
}

size_t ck_winograd_packed_size(const ck_weight_shape *shape, size_t tile, ck_winograd_shape s) {
    size_t positions = side_of(tile) * side_of(tile);
    return round_up(shape->out_channels, s.lanes) * (1 + positions * shape->group_channels) * sizeof(float);
}

/// The transform G, side x 3: a filter at a point p is (1, p, p^2) / product of (p - other points), at infinity its last
/// coefficient.
static void filter_transform(size_t tile, double g[CK_WINOGRAD_MAX_SIDE][3]) {
    static const double points2[] = {0, 1, -1};
    static const double points4[] = {0, CK_WINOGRAD_P, -CK_WINOGRAD_P, CK_WINOGRAD_Q, -CK_WINOGRAD_Q};
    const double *points = tile == 2 ? points2 : points4;
    size_t count = tile + 1;
    for (size_t i = 0; i < count; ++i) {
        double norm = 1;
        for (size_t j = 0; j < count; ++j) norm *= j == i ? 1 : points[i] - points[j];
        g[i][0] = 1 / norm;
        g[i][1] = points[i] / norm;
        g[i][2] = points[i] * points[i] / norm;
    }
    g[count][0] = g[count][1] = 0;
    g[count][2] = 1;
}

/// Filters transformed together, which fill a cache line at each position.
#define FILTERS 16

typedef double quad __attribute__((vector_size(32)));
typedef float quad_f32 __attribute__((vector_size(16)));

/// Transforms four filters of nine taps each, in double precision: to[position * FILTERS + filter].
static void transform_filters(const quad taps[9], size_t side, double g[CK_WINOGRAD_MAX_SIDE][3], float *to) {
    quad rows[CK_WINOGRAD_MAX_SIDE][3];
    for (size_t y = 0; y < side; ++y) {
        for (size_t x = 0; x < 3; ++x) rows[y][x] = g[y][0] * taps[x] + g[y][1] * taps[3 + x] + g[y][2] * taps[6 + x];
    }
    for (size_t y = 0; y < side; ++y) {
        for (size_t x = 0; x < side; ++x, to += FILTERS) {
            quad sum = rows[y][0] * g[x][0] + rows[y][1] * g[x][1] + rows[y][2] * g[x][2];
            quad_f32 rounded = __builtin_convertvector(sum, quad_f32);
            memcpy(to, &rounded, sizeof rounded);
        }
    }
}

void ck_winograd_pack(const ck_weights_f32 *w, size_t tile, ck_winograd_shape s, void *packed) {
    const size_t outputs = w->shape.out_channels, inputs = w->shape.group_channels, side = side_of(tile);
    const size_t out_width = round_up(outputs, s.lanes), panel_width = s.lanes * s.vectors;
    double g[CK_WINOGRAD_MAX_SIDE][3];
    filter_transform(tile, g);
    float *bias = packed, *transformed = bias + out_width;
    for (size_t o = 0; o < out_width; ++o) bias[o] = w->bias && o < outputs ? w->bias[o] : 0;
    for (size_t first = 0, count; first < out_width; first += count) {
        const size_t panel = first / panel_width * panel_width, width = min(panel_width, out_width - panel);
        count = min(FILTERS, panel + width - first);
        for (size_t i = 0; i < inputs; ++i) {
            float filters[CK_WINOGRAD_MAX_SIDE * CK_WINOGRAD_MAX_SIDE][FILTERS];
            for (size_t o = 0; o < count; o += 4) {
                quad taps[9] = {0};
                for (size_t lane = 0; lane < 4 && first + o + lane < outputs; ++lane) {
                    for (size_t tap = 0; tap < 9; ++tap) {
                        taps[tap][lane] = (double)w->weights[ck_weight_index(&w->shape, w->order, first + o + lane, tap, i)];
                    }
                }
                transform_filters(taps, side, g, filters[0] + o);
            }
            float *to = transformed + panel * inputs + i * width + (first - panel);
            for (size_t position = 0; position < side * side; ++position, to += out_width * inputs) {
                memcpy(to, filters[position], count * sizeof *to);
            }
        }
    }
}
