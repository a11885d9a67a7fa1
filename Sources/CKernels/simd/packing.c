#include "packing.h"

#include <string.h>

static size_t round_up(size_t n, size_t unit) {
    return (n + unit - 1) / unit * unit;
}

static size_t k_of(const ck_weight_shape *s) {
    return s->taps * s->group_channels;
}

/// Channels of all groups, each group padded to whole vectors.
static size_t padded_channels(const ck_weight_shape *s, ck_packing p) {
    return s->groups * round_up(s->out_channels / s->groups, p.lanes);
}

size_t ck_channel_size_u8(size_t k) {
    return sizeof(int32_t) + sizeof(float) + round_up(k, CK_K_STEP);
}

size_t ck_channel_size_f32(size_t k) {
    return sizeof(float) * (1 + k);
}

size_t ck_packed_size_u8(const ck_weight_shape *s, ck_packing p) {
    return padded_channels(s, p) * ck_channel_size_u8(k_of(s));
}

size_t ck_packed_size_f32(const ck_weight_shape *s, ck_packing p) {
    return padded_channels(s, p) * ck_channel_size_f32(k_of(s));
}

size_t ck_packed_size_depthwise_u8(const ck_weight_shape *s, ck_packing p) {
    return round_up(s->out_channels, p.lanes) * (sizeof(int32_t) + sizeof(float) + s->taps * sizeof(int16_t));
}

size_t ck_packed_size_depthwise_f32(const ck_weight_shape *s, ck_packing p) {
    return round_up(s->out_channels, p.lanes) * sizeof(float) * (1 + s->taps);
}

/// Bias of one output channel with the zero point folded in: bias + sum (offset - zero point) * w, wrapping.
static int32_t folded_bias(const ck_weights_s8 *w, size_t channel, ck_packing p) {
    size_t k = k_of(&w->shape);
    int32_t sum = 0;
    for (size_t i = 0; i < k; ++i) sum += w->weights[channel * k + i];
    uint32_t bias = w->bias ? (uint32_t)w->bias[channel] : 0;
    return (int32_t)(bias + (uint32_t)(p.offset - w->in_zero_point) * (uint32_t)sum);
}

/// Packs `count` channels from `first` on as one panel; returns its end.
static char *pack_panel_u8(const ck_weights_s8 *w, ck_packing p, size_t first, size_t count, char *to) {
    size_t k = k_of(&w->shape), width = round_up(count, p.lanes), size = width * ck_channel_size_u8(k);
    memset(to, 0, size);
    int32_t *bias = (int32_t *)to;
    float *multipliers = (float *)(bias + width);
    int8_t *weights = (int8_t *)(multipliers + width);
    for (size_t o = 0; o < count; ++o) {
        bias[o] = folded_bias(w, first + o, p);
        multipliers[o] = w->multipliers[first + o];
        const int8_t *from = w->weights + (first + o) * k;
        for (size_t i = 0; i < k; ++i) weights[(i / CK_K_STEP * width + o) * CK_K_STEP + i % CK_K_STEP] = from[i];
    }
    return to + size;
}

static char *pack_panel_f32(const ck_weights_f32 *w, ck_packing p, size_t first, size_t count, char *to) {
    size_t k = k_of(&w->shape), width = round_up(count, p.lanes), size = width * ck_channel_size_f32(k);
    memset(to, 0, size);
    float *bias = (float *)to, *weights = bias + width;
    for (size_t o = 0; o < count; ++o) {
        if (w->bias) bias[o] = w->bias[first + o];
        const float *from = w->weights + (first + o) * k;
        for (size_t i = 0; i < k; ++i) weights[i * width + o] = from[i];
    }
    return to + size;
}

void ck_pack_u8(const ck_weights_s8 *w, ck_packing p, void *packed) {
    char *to = packed;
    size_t outputs = w->shape.out_channels / w->shape.groups;
    for (size_t group = 0; group < w->shape.groups; ++group) {
        for (size_t o = 0; o < outputs; o += p.panel) {
            size_t count = outputs - o < p.panel ? outputs - o : p.panel;
            to = pack_panel_u8(w, p, group * outputs + o, count, to);
        }
    }
}

void ck_pack_f32(const ck_weights_f32 *w, ck_packing p, void *packed) {
    char *to = packed;
    size_t outputs = w->shape.out_channels / w->shape.groups;
    for (size_t group = 0; group < w->shape.groups; ++group) {
        for (size_t o = 0; o < outputs; o += p.panel) {
            size_t count = outputs - o < p.panel ? outputs - o : p.panel;
            to = pack_panel_f32(w, p, group * outputs + o, count, to);
        }
    }
}

void ck_pack_depthwise_u8(const ck_weights_s8 *w, ck_packing p, void *packed) {
    size_t channels = w->shape.out_channels, taps = w->shape.taps, width = round_up(channels, p.lanes);
    memset(packed, 0, ck_packed_size_depthwise_u8(&w->shape, p));
    int32_t *bias = packed;
    float *multipliers = (float *)(bias + width);
    int16_t *weights = (int16_t *)(multipliers + width);
    for (size_t c = 0; c < channels; ++c) {
        bias[c] = folded_bias(w, c, p);
        multipliers[c] = w->multipliers[c];
        for (size_t tap = 0; tap < taps; ++tap) weights[tap * width + c] = w->weights[c * taps + tap];
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
