// Packed weights. A vector holds `lanes` output channels, a panel a whole number of vectors. All panels of a layer have the
// same width; channels beyond a group's last are zeros. Where groups have few channels, several are computed as one: a panel
// then has weights for the inputs of all of them, zeros but for a channel's own group.
//
// u8 panel:  int32 bias[width], float multipliers[width], int8 weights[k / k_step][width][k_step]
// f32 panel: float bias[width], float weights[k][width]
// bf16 panel: float bias[width], bf16 weights[k / 2][width][2]
// with k = taps x group_channels, flattened, and rounded up to k_step in the u8 case and to 2 in bf16.
// Depthwise:
// u8 block:  int32 bias[4][lanes], float multipliers[4][lanes], int8 weights[taps][4 * lanes]; a block has as many
//            channels as a register has bytes, or a half or a quarter, repeated. Bias and multipliers are in the order
//            of the lanes that zips make of bytes, see lanes.h.
// f32:       float bias[w], float weights[taps][w], w = channels rounded up to lanes
//
// Kernels accumulate bias + sum (x - offset) * w over raw activations, `offset` being 0 or, where the hardware wants
// signed operands, 128; the input zero point is folded into the bias.
#ifndef CK_PACKING_H
#define CK_PACKING_H

#include "CKernels.h"

/// How a kernel family wants its weights.
typedef struct ck_packing {
    size_t lanes;
    size_t max_vectors;  ///< Of a panel.
    int32_t offset;
    size_t k_step;       ///< k of a channel that the hardware sums at once: 4 or 8 of u8, 1 float.
} ck_packing;

/// Vectors of the panels for a group of `outputs` channels: as wide as can be (loads are shared by more products) without
/// computing many channels that do not exist.
size_t ck_panel_vectors(size_t outputs, ck_packing);

/// The shape with as many groups made one as costs least. What follows computes with it, given the original.
ck_weight_shape ck_merge_groups(const ck_weight_shape *, ck_packing);

/// Panels of all groups.
size_t ck_panel_count(const ck_weight_shape *, ck_packing);

/// Packed bytes of one output channel.
size_t ck_channel_size_u8(size_t k, ck_packing);
size_t ck_channel_size_f32(size_t k);
size_t ck_channel_size_bf16(size_t k);

size_t ck_packed_size_u8(const ck_weight_shape *, ck_packing);
size_t ck_packed_size_f32(const ck_weight_shape *, ck_packing);
size_t ck_packed_size_bf16(const ck_weight_shape *, ck_packing);
size_t ck_packed_size_depthwise_u8(const ck_weight_shape *, ck_packing);
size_t ck_packed_size_depthwise_f32(const ck_weight_shape *, ck_packing);

/// Channels of a depthwise block that begins where `left` channels are left.
static inline size_t ck_depthwise_width(size_t left, size_t lanes) {
    size_t width = 4 * lanes;
    while (width > left && width > 16) width /= 2;
    return width;
}

/// First channel of that block: the last one overlaps the block before rather than to reach past the end.
static inline size_t ck_depthwise_first(size_t channel, size_t width, size_t channels) {
    return channel + width <= channels || width > channels ? channel : channels - width;
}

size_t ck_depthwise_block_size(size_t taps, size_t lanes);

void ck_pack_u8(const ck_weights_s8 *, ck_packing, void *packed);
void ck_pack_f32(const ck_weights_f32 *, ck_packing, void *packed);
void ck_pack_bf16(const ck_weights_f32 *, ck_packing, void *packed);
void ck_pack_depthwise_u8(const ck_weights_s8 *, ck_packing, void *packed);
void ck_pack_depthwise_f32(const ck_weights_f32 *, ck_packing, void *packed);

#endif
