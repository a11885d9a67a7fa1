#include "packing.h"

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
    static const size_t costs[] = {112, 104, 101, 100};
    size_t needed = round_up(outputs, p.lanes) / p.lanes, best = 1, best_cost = SIZE_MAX;
    for (size_t vectors = 1; vectors <= p.max_vectors; ++vectors) {
        size_t cost = round_up(needed, vectors) * costs[vectors - 1];
        if (cost <= best_cost) best = vectors, best_cost = cost;
    }
    return best;
}

static size_t panel_width(const ck_weight_shape *s, ck_packing p) {
    return p.lanes * ck_panel_vectors(s->out_channels / s->groups, p);
}

/// Channels of all groups, each group padded to whole panels.
static size_t padded_channels(const ck_weight_shape *s, ck_packing p) {
    return s->groups * round_up(s->out_channels / s->groups, panel_width(s, p));
}

size_t ck_panel_count(const ck_weight_shape *s, ck_packing p) {
    return s->groups ? padded_channels(s, p) / panel_width(s, p) : 0;
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
    return padded_channels(s, p) * ck_channel_size_u8(k_of(s), p);
}

size_t ck_packed_size_f32(const ck_weight_shape *s, ck_packing p) {
    return padded_channels(s, p) * ck_channel_size_f32(k_of(s));
}

size_t ck_packed_size_bf16(const ck_weight_shape *s, ck_packing p) {
    return padded_channels(s, p) * ck_channel_size_bf16(k_of(s));
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

/// Bias of one output channel with the zero point folded in: bias + sum (offset - zero point) * w, wrapping.
static int32_t folded_bias(const ck_weights_s8 *w, size_t channel, ck_packing p) {
    size_t k = k_of(&w->shape);
    int32_t sum = 0;
    for (size_t i = 0; i < k; ++i) sum += w->weights[channel * k + i];
    uint32_t bias = w->bias ? (uint32_t)w->bias[channel] : 0;
    return (int32_t)(bias + (uint32_t)(p.offset - w->in_zero_point) * (uint32_t)sum);
}

/// Packs `k` weights of each of `count` channels, `step` at a time. In the order of the writes; the reads are as many
/// streams as the panel has channels.
static inline __attribute__((always_inline)) void interleave(
    const int8_t *from, size_t k, size_t count, size_t width, const size_t step, int8_t *to) {
    size_t whole = k / step * step;
    for (size_t i = 0; i < whole; i += step, to += width * step) {
        for (size_t o = 0; o < count; ++o) memcpy(to + o * step, from + o * k + i, step);
    }
    if (whole == k) return;
    for (size_t o = 0; o < count; ++o) memcpy(to + o * step, from + o * k + whole, k - whole);
}

/// Packs `count` channels from `first` on as one panel; returns its end.
static char *pack_panel_u8(const ck_weights_s8 *w, ck_packing p, size_t first, size_t count, char *to) {
    size_t k = k_of(&w->shape), width = panel_width(&w->shape, p), size = width * ck_channel_size_u8(k, p);
    memset(to, 0, size);
    int32_t *bias = (int32_t *)to;
    float *multipliers = (float *)(bias + width);
    int8_t *weights = (int8_t *)(multipliers + width);
    for (size_t o = 0; o < count; ++o) {
        bias[o] = folded_bias(w, first + o, p);
        multipliers[o] = w->multipliers[first + o];
    }
    const int8_t *from = w->weights + first * k;
    if (p.k_step == 4) {
        interleave(from, k, count, width, 4, weights);
    } else {
        interleave(from, k, count, width, 8, weights);
    }
    return to + size;
}

/// Packs `count` channels from `first` on as one panel; returns its end.
static char *pack_panel_f32(const ck_weights_f32 *w, ck_packing p, size_t first, size_t count, char *to) {
    size_t k = k_of(&w->shape), width = panel_width(&w->shape, p), size = width * ck_channel_size_f32(k);
    memset(to, 0, size);
    float *bias = (float *)to, *weights = bias + width;
    if (w->bias) memcpy(bias, w->bias + first, count * sizeof *bias);
    const float *from = w->weights + first * k;
    for (size_t i = 0; i < k; ++i, weights += width) {
        for (size_t o = 0; o < count; ++o) weights[o] = from[o * k + i];
    }
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
static char *pack_panel_bf16(const ck_weights_f32 *w, ck_packing p, size_t first, size_t count, char *to) {
    size_t k = k_of(&w->shape), width = panel_width(&w->shape, p), size = width * ck_channel_size_bf16(k);
    memset(to, 0, size);
    float *bias = (float *)to;
    uint16_t *weights = (uint16_t *)(bias + width);
    if (w->bias) memcpy(bias, w->bias + first, count * sizeof *bias);
    const float *from = w->weights + first * k;
    for (size_t i = 0; i < k; ++i) {
        uint16_t *pair = weights + i / 2 * width * 2 + i % 2;
        for (size_t o = 0; o < count; ++o) pair[o * 2] = to_bf16(from[o * k + i]);
    }
    return to + size;
}

/// Calls `pack_panel` for all panels of all groups.
#define PACK_PANELS(pack_panel, w, p, packed)                                                               \
    do {                                                                                                    \
        if ((w)->shape.out_channels == 0) return;                                                           \
        char *to = packed;                                                                                  \
        size_t outputs = (w)->shape.out_channels / (w)->shape.groups, width = panel_width(&(w)->shape, p);  \
        for (size_t group = 0; group < (w)->shape.groups; ++group) {                                        \
            for (size_t o = 0; o < outputs; o += width) {                                                   \
                to = pack_panel(w, p, group * outputs + o, outputs - o < width ? outputs - o : width, to);  \
            }                                                                                               \
        }                                                                                                   \
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
