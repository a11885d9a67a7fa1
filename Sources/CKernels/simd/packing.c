#include "packing.h"

#include "../reference/reference.h"

#include <string.h>

static size_t round_up(size_t n, size_t unit) {
    return (n + unit - 1) / unit * unit;
}

static size_t k_of(const ck_weight_shape *s) {
    return s->taps * s->group_channels;
}

// MARK: Panels

size_t ck_panel_vectors(size_t outputs, ck_packing p) {
    // Cost of a product in a panel of 1, 2, 3 or 4 vectors, in per cent: loads and loop control are shared by that many.
    // Fitted to G multiply-adds/s of u8 layers on one core of a Zen 4, AVX-512 VNNI (products at most 235); panels of
    // 1, 2, 3, 4 vectors. 256-bit tables lose more with one vector (78 99 - -), f32 on AVX-512 less (55 58 58 58):
    //   56x56, 1x1, 24 -> 192    111  137  139  149
    //   28x28, 1x1, 64 -> 192    167  186  187  193
    //   14x14, 1x1, 256 -> 192   214  221  221  223
    //   28x28, 3x3, 64 -> 192    220  224  224  225
    static const size_t costs[] = {118, 105, 104, 100};
    size_t needed = round_up(outputs, p.lanes) / p.lanes, best = 1, best_cost = SIZE_MAX;
    for (size_t vectors = 1; vectors <= p.max_vectors; ++vectors) {
        size_t cost = round_up(needed, vectors) * costs[vectors - 1];
        if (cost <= best_cost) best = vectors, best_cost = cost;
    }
    return best;
}

/// Width of the panels of a merged shape.
static size_t panel_width(const ck_weight_shape *merged, ck_packing p) {
    return p.lanes * ck_panel_vectors(merged->out_channels / merged->groups, p);
}

/// Channels of all groups of a merged shape, each group padded to whole panels.
static size_t padded_channels(const ck_weight_shape *merged, ck_packing p) {
    return merged->groups * round_up(merged->out_channels / merged->groups, panel_width(merged, p));
}

/// Cost of one output pixel of a merged shape, in products of a vector.
static size_t cost(const ck_weight_shape *merged, ck_packing p) {
    // What a vector of sums costs beyond its products, and a tap that is copied because it does not fill whole steps.
    enum { finishing = 8, gathering = 16 };
    bool gathers = merged->group_channels % p.k_step != 0;
    size_t steps = round_up(k_of(merged), p.k_step) / p.k_step, vectors = padded_channels(merged, p) / p.lanes;
    return vectors * (steps + finishing) + (gathers ? merged->groups * merged->taps * gathering : 0);
}

ck_weight_shape ck_merge_groups(const ck_weight_shape *s, ck_packing p) {
    ck_weight_shape best = *s;
    if (s->groups <= 1) return best;
    size_t best_cost = cost(s, p), outputs = s->out_channels / s->groups;
    for (size_t span = 2; span <= s->groups && span * outputs <= p.max_vectors * p.lanes; ++span) {
        if (s->groups % span != 0) continue;
        ck_weight_shape merged = {s->out_channels, s->taps, s->group_channels * span, s->groups / span};
        size_t merged_cost = cost(&merged, p);
        if (merged_cost < best_cost) best = merged, best_cost = merged_cost;
    }
    return best;
}

size_t ck_panel_count(const ck_weight_shape *s, ck_packing p) {
    if (s->groups == 0) return 0;
    ck_weight_shape merged = ck_merge_groups(s, p);
    return padded_channels(&merged, p) / panel_width(&merged, p);
}

// MARK: Sizes

size_t ck_channel_size_u8(size_t k, ck_packing p) {
    return sizeof(int32_t) + sizeof(float) + round_up(k, p.k_step);
}

size_t ck_channel_size_f32(size_t k) {
    return sizeof(float) * (1 + k);
}

size_t ck_channel_size_bf16(size_t k) {
    return sizeof(float) + round_up(k, 2) * sizeof(uint16_t);
}

size_t ck_packed_size_u8(const ck_weight_shape *s, ck_packing p) {
    ck_weight_shape merged = ck_merge_groups(s, p);
    return padded_channels(&merged, p) * ck_channel_size_u8(k_of(&merged), p);
}

size_t ck_packed_size_f32(const ck_weight_shape *s, ck_packing p) {
    ck_weight_shape merged = ck_merge_groups(s, p);
    return padded_channels(&merged, p) * ck_channel_size_f32(k_of(&merged));
}

size_t ck_packed_size_bf16(const ck_weight_shape *s, ck_packing p) {
    ck_weight_shape merged = ck_merge_groups(s, p);
    return padded_channels(&merged, p) * ck_channel_size_bf16(k_of(&merged));
}

size_t ck_depthwise_block_size(size_t taps, size_t lanes) {
    return 4 * lanes * (sizeof(int32_t) + sizeof(float) + taps);
}

size_t ck_packed_size_depthwise_u8(const ck_weight_shape *s, ck_packing p) {
    size_t blocks = 0;
    for (size_t c = 0; c < s->out_channels; c += ck_depthwise_width(s->out_channels - c, p.lanes)) ++blocks;
    return blocks * ck_depthwise_block_size(s->taps, p.lanes);
}

size_t ck_packed_size_depthwise_f32(const ck_weight_shape *s, ck_packing p) {
    return round_up(s->out_channels, p.lanes) * sizeof(float) * (1 + s->taps);
}

// MARK: Packing

// Weights are transposed: they come with an output channel's together and leave with an input channel's together. Sixteen
// channels are read at a time, as many streams as a processor follows, which write cache lines whole.
#define STREAMS 16

/// Bytes of a word.
#define QUAD 4

typedef uint32_t words __attribute__((vector_size(16)));
typedef uint8_t bytes8 __attribute__((vector_size(8)));
typedef uint8_t bytes16 __attribute__((vector_size(16)));

static size_t min(size_t a, size_t b) {
    return a < b ? a : b;
}

/// Of four rows of four words, the columns.
static inline void transpose_words(const words rows[4], words columns[4]) {
    words a = __builtin_shufflevector(rows[0], rows[1], 0, 4, 1, 5), b = __builtin_shufflevector(rows[2], rows[3], 0, 4, 1, 5);
    words c = __builtin_shufflevector(rows[0], rows[1], 2, 6, 3, 7), d = __builtin_shufflevector(rows[2], rows[3], 2, 6, 3, 7);
    columns[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
    columns[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
    columns[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
    columns[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
}

/// Walks over the positions in a panel, in words, of an output channel's weights in the order in which they are given.
typedef struct walk {
    size_t at;
    size_t tap, taps;
    size_t tap_step;  ///< From one tap to the next.
    size_t step;      ///< From one input channel to the next.
} walk;

static inline size_t next(walk *w) {
    size_t at = w->at;
    w->at += w->tap_step;
    if (++w->tap == w->taps) {
        w->tap = 0;
        w->at += w->step - w->taps * w->tap_step;
    }
    return at;
}

/// Writes word `j` of channel `o` to to[position j + o], with `count` channels `pitch` bytes apart.
static void pack_words(const char *from, size_t pitch, size_t count, size_t length, walk start, uint32_t *to) {
    for (size_t first = 0; first < count; first += STREAMS) {
        size_t last = min(first + STREAMS, count), fours = first + (last - first) / 4 * 4;
        walk w = start;
        size_t j = 0;
        for (; j + 4 <= length; j += 4) {
            size_t at[4] = {next(&w), next(&w), next(&w), next(&w)};
            const char *source = from + j * 4;
            for (size_t o = first; o < fours; o += 4) {
                words rows[4], columns[4];
                for (size_t i = 0; i < 4; ++i) memcpy(&rows[i], source + (o + i) * pitch, sizeof rows[i]);
                transpose_words(rows, columns);
                for (size_t i = 0; i < 4; ++i) memcpy(to + at[i] + o, &columns[i], sizeof columns[i]);
            }
            for (size_t o = fours; o < last; ++o) {
                for (size_t i = 0; i < 4; ++i) memcpy(to + at[i] + o, source + o * pitch + i * 4, 4);
            }
        }
        for (; j < length; ++j) {
            size_t at = next(&w);
            for (size_t o = first; o < last; ++o) memcpy(to + at + o, from + o * pitch + j * 4, 4);
        }
    }
}

/// Bias of one output channel with the zero point folded in: bias + sum (offset - zero point) * w, wrapping.
static int32_t folded_bias(const ck_weights_s8 *w, size_t channel, ck_packing p) {
    size_t k = k_of(&w->shape), step = w->order == CK_WEIGHTS_INPUT_OUTPUT ? w->shape.out_channels : 1;
    const int8_t *weights = w->weights + (step == 1 ? channel * k : channel);
    int32_t sum = 0;
    if (step == 1) {
        for (size_t i = 0; i < k; ++i) sum += weights[i];
    } else {
        for (size_t i = 0; i < k; ++i) sum += weights[i * step];
    }
    uint32_t bias = w->bias ? (uint32_t)w->bias[channel] : 0;
    return (int32_t)(bias + (uint32_t)(p.offset - w->in_zero_point) * (uint32_t)sum);
}

/// Bytes of four input channels, for each tap, as the words that the kernels multiply by.
///
/// From `count` output channels `k` bytes apart, with taps innermost, to words `tap_step` apart.
static void pack_quads(const int8_t *from, size_t k, size_t count, size_t taps, size_t tap_step, uint32_t *to) {
    for (size_t o = 0; o < count; ++o) {
        const int8_t *source = from + o * k;
        size_t tap = 0;
        for (; tap + 8 <= taps; tap += 8) {
            bytes8 rows[4];
            for (size_t i = 0; i < 4; ++i) memcpy(&rows[i], source + i * taps + tap, sizeof rows[i]);
            bytes16 a = __builtin_shufflevector(rows[0], rows[1], 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
            bytes16 b = __builtin_shufflevector(rows[2], rows[3], 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
            words low = (words)__builtin_shufflevector(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
            words high = (words)__builtin_shufflevector(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31);
            for (size_t i = 0; i < 4; ++i) {
                to[(tap + i) * tap_step + o] = low[i];
                to[(tap + 4 + i) * tap_step + o] = high[i];
            }
        }
        for (; tap < taps; ++tap) {
            int8_t quad[4] = {source[tap], source[taps + tap], source[2 * taps + tap], source[3 * taps + tap]};
            memcpy(to + tap * tap_step + o, quad, sizeof quad);
        }
    }
}

/// Channels of a panel that belong to one group of the original shape, and the first of their inputs in the merged one.
typedef struct slice {
    size_t channels, input;
} slice;

/// The slice that begins at a channel, of which the panel has `count` left.
static slice slice_at(const ck_weight_shape *s, const ck_weight_shape *merged, size_t channel, size_t count) {
    size_t outputs = s->out_channels / s->groups, span = s->groups / merged->groups;
    size_t left = outputs - channel % outputs;
    return (slice){left < count ? left : count, channel / outputs % span * s->group_channels};
}

/// Packs panels whose groups are those of the weights, with a k-step of four bytes.
static void pack_words_u8(const ck_weights_s8 *w, size_t first, size_t count, size_t width, int8_t *weights) {
    const ck_weight_shape *s = &w->shape;
    const size_t k = k_of(s), quads = s->group_channels / QUAD;
    const bool is_dense = w->order == CK_WEIGHTS_OUTPUT_TAP_INPUT
        || (w->order == CK_WEIGHTS_OUTPUT_INPUT_TAP && (s->taps == 1 || s->group_channels == 1));
    const int8_t *from = w->weights + first * k;
    if (is_dense) {
        size_t whole = k / QUAD, rest = k % QUAD;
        pack_words((const char *)from, k, count, whole, (walk){.taps = 1, .step = width}, (uint32_t *)weights);
        weights += whole * width * QUAD;
        for (size_t o = 0; o < count && rest; ++o) memcpy(weights + o * QUAD, from + o * k + whole * QUAD, rest);
    } else if (w->order == CK_WEIGHTS_OUTPUT_INPUT_TAP && s->group_channels % QUAD == 0) {
        for (size_t quad = 0; quad < quads; ++quad, from += QUAD * s->taps) {
            pack_quads(from, k, count, s->taps, quads * width, (uint32_t *)weights + quad * width);
        }
    } else {
        for (size_t i = 0; i < k; ++i) {
            int8_t *row = weights + i / QUAD * width * QUAD + i % QUAD;
            size_t tap = i / s->group_channels, channel = i % s->group_channels;
            for (size_t o = 0; o < count; ++o) {
                row[o * QUAD] = w->weights[ck_weight_index(s, w->order, first + o, tap, channel)];
            }
        }
    }
}

/// Packs `count` channels from `first` on as one panel; returns its end.
static char *pack_panel_u8(
    const ck_weights_s8 *w, const ck_weight_shape *merged, ck_packing p, size_t first, size_t count, char *to) {
    const ck_weight_shape *s = &w->shape;
    const size_t width = panel_width(merged, p), size = width * ck_channel_size_u8(k_of(merged), p), step = p.k_step;
    const bool is_plain = merged->groups == s->groups && step == QUAD;
    if (!is_plain || count < width || k_of(s) % QUAD) memset(to, 0, size);
    int32_t *bias = (int32_t *)to;
    float *multipliers = (float *)(bias + width);
    int8_t *weights = (int8_t *)(multipliers + width);
    for (size_t o = 0; o < count; ++o) {
        bias[o] = folded_bias(w, first + o, p);
        multipliers[o] = w->multipliers[first + o];
    }
    if (is_plain) {
        pack_words_u8(w, first, count, width, weights);
        return to + size;
    }
    for (size_t o = 0; o < count; ++o) {
        size_t input = slice_at(s, merged, first + o, 1).input;
        for (size_t tap = 0; tap < s->taps; ++tap) {
            size_t at = tap * merged->group_channels + input;
            for (size_t i = 0; i < s->group_channels; ++i, ++at) {
                weights[(at / step * width + o) * step + at % step] =
                    w->weights[ck_weight_index(s, w->order, first + o, tap, i)];
            }
        }
    }
    return to + size;
}

/// Packs `count` channels from `first` on as one panel; returns its end.
static char *pack_panel_f32(
    const ck_weights_f32 *w, const ck_weight_shape *merged, ck_packing p, size_t first, size_t count, char *to) {
    const ck_weight_shape *s = &w->shape;
    const size_t k = k_of(s), width = panel_width(merged, p), size = width * ck_channel_size_f32(k_of(merged));
    const bool is_plain = merged->groups == s->groups;
    if (!is_plain || count < width) memset(to, 0, size);
    float *bias = (float *)to, *weights = bias + width;
    if (w->bias) {
        memcpy(bias, w->bias + first, count * sizeof *bias);
    } else {
        memset(bias, 0, width * sizeof *bias);
    }
    if (!is_plain) {
        for (size_t o = 0; o < count; ++o) {
            size_t input = slice_at(s, merged, first + o, 1).input;
            for (size_t tap = 0; tap < s->taps; ++tap) {
                float *row = weights + (tap * merged->group_channels + input) * width + o;
                for (size_t i = 0; i < s->group_channels; ++i, row += width) {
                    *row = w->weights[ck_weight_index(s, w->order, first + o, tap, i)];
                }
            }
        }
        return to + size;
    }
    if (w->order == CK_WEIGHTS_INPUT_OUTPUT) {
        for (size_t i = 0; i < k; ++i) {
            memcpy(weights + i * width, w->weights + i * s->out_channels + first, count * sizeof *weights);
        }
        return to + size;
    }
    walk positions = {.taps = 1, .step = width};
    if (w->order == CK_WEIGHTS_OUTPUT_INPUT_TAP) {
        positions.taps = s->taps;
        positions.tap_step = s->group_channels * width;
    }
    pack_words((const char *)(w->weights + first * k), k * sizeof(float), count, k, positions, (uint32_t *)weights);
    return to + size;
}

/// Rounded half to even; NaN stays NaN.
static uint16_t to_bf16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (x != x) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// Packs `count` channels from `first` on as one panel; returns its end.
static char *pack_panel_bf16(
    const ck_weights_f32 *w, const ck_weight_shape *merged, ck_packing p, size_t first, size_t count, char *to) {
    const ck_weight_shape *s = &w->shape;
    size_t width = panel_width(merged, p), size = width * ck_channel_size_bf16(k_of(merged));
    memset(to, 0, size);
    float *bias = (float *)to;
    uint16_t *weights = (uint16_t *)(bias + width);
    if (w->bias) memcpy(bias, w->bias + first, count * sizeof *bias);
    slice part;
    for (size_t o = 0; o < count; o += part.channels) {
        part = slice_at(s, merged, first + o, count - o);
        for (size_t tap = 0; tap < s->taps; ++tap) {
            size_t at = tap * merged->group_channels + part.input;
            for (size_t i = 0; i < s->group_channels; ++i, ++at) {
                uint16_t *pair = weights + (at / 2 * width + o) * 2 + at % 2;
                for (size_t j = 0; j < part.channels; ++j) {
                    pair[j * 2] = to_bf16(w->weights[ck_weight_index(s, w->order, first + o + j, tap, i)]);
                }
            }
        }
    }
    return to + size;
}

/// Calls `pack_panel` for all panels of all groups.
#define PACK_PANELS(pack_panel, w, p, packed)                                                             \
    do {                                                                                                  \
        if ((w)->shape.out_channels == 0) return;                                                         \
        char *to = packed;                                                                                \
        ck_weight_shape merged = ck_merge_groups(&(w)->shape, p);                                         \
        size_t outputs = merged.out_channels / merged.groups, width = panel_width(&merged, p);            \
        for (size_t group = 0; group < merged.groups; ++group) {                                          \
            for (size_t o = 0; o < outputs; o += width) {                                                 \
                size_t count = outputs - o < width ? outputs - o : width;                                 \
                to = pack_panel(w, &merged, p, group * outputs + o, count, to);                           \
            }                                                                                             \
        }                                                                                                 \
    } while (0)

void ck_pack_u8(const ck_weights_s8 *w, ck_packing p, void *packed) {
    PACK_PANELS(pack_panel_u8, w, p, packed);
}

void ck_pack_f32(const ck_weights_f32 *w, ck_packing p, void *packed) {
    PACK_PANELS(pack_panel_f32, w, p, packed);
}

void ck_pack_bf16(const ck_weights_f32 *w, ck_packing p, void *packed) {
    PACK_PANELS(pack_panel_bf16, w, p, packed);
}

void ck_pack_depthwise_u8(const ck_weights_s8 *w, ck_packing p, void *packed) {
    const size_t channels = w->shape.out_channels, taps = w->shape.taps, bytes = 4 * p.lanes;
    memset(packed, 0, ck_packed_size_depthwise_u8(&w->shape, p));
    int32_t *bias = packed;
    for (size_t c = 0, width; c < channels; c += width) {
        width = ck_depthwise_width(channels - c, p.lanes);
        const size_t first = ck_depthwise_first(c, width, channels);
        float *multipliers = (float *)(bias + bytes);
        int8_t *weights = (int8_t *)(multipliers + bytes);
        for (size_t i = 0; i < bytes; ++i) {
            const size_t channel = first + i % width;
            if (channel >= channels) continue;
            const size_t lane = i % 16 / 4 * p.lanes + i / 16 * 4 + i % 4;
            bias[lane] = folded_bias(w, channel, p);
            multipliers[lane] = w->multipliers[channel];
            for (size_t tap = 0; tap < taps; ++tap) weights[tap * bytes + i] = w->weights[channel * taps + tap];
        }
        bias = (int32_t *)(weights + taps * bytes);
    }
}

void ck_pack_depthwise_f32(const ck_weights_f32 *w, ck_packing p, void *packed) {
    size_t channels = w->shape.out_channels, taps = w->shape.taps, width = round_up(channels, p.lanes);
    memset(packed, 0, ck_packed_size_depthwise_f32(&w->shape, p));
    float *bias = packed, *weights = bias + width;
    for (size_t c = 0; c < channels; ++c) {
        if (w->bias) bias[c] = w->bias[c];
        for (size_t tap = 0; tap < taps; ++tap) weights[tap * width + c] = w->weights[c * taps + tap];
    }
}
