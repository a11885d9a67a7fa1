// Packed weights. A vector holds `lanes` output channels, a panel a whole number of vectors: the last panel of a group is
// only as wide as its channels need. Channels beyond the last are zeros.
//
// u8 panel:  int32 bias[width], float multipliers[width], int8 weights[k / 4][width][4]
// f32 panel: float bias[width], float weights[k][width]
// with k = taps x group_channels, flattened, and in the u8 case rounded up to 4.
// Depthwise, w = channels rounded up to lanes:
// u8:  int32 bias[w], float multipliers[w], int16 weights[taps][w]
// f32: float bias[w], float weights[taps][w]
//
// Kernels accumulate bias + sum (x - offset) * w over raw activations, `offset` being 0 or, where the hardware wants
// signed operands, 128; the input zero point is folded into the bias.
#ifndef CK_PACKING_H
#define CK_PACKING_H

#include "CKernels.h"

#define CK_K_STEP 4

/// How a kernel family wants its weights.
typedef struct ck_packing {
    size_t lanes, panel;
    int32_t offset;
} ck_packing;

/// Packed bytes of one output channel.
size_t ck_channel_size_u8(size_t k);
size_t ck_channel_size_f32(size_t k);

size_t ck_packed_size_u8(const ck_weight_shape *, ck_packing);
size_t ck_packed_size_f32(const ck_weight_shape *, ck_packing);
size_t ck_packed_size_depthwise_u8(const ck_weight_shape *, ck_packing);
size_t ck_packed_size_depthwise_f32(const ck_weight_shape *, ck_packing);

void ck_pack_u8(const ck_weights_s8 *, ck_packing, void *packed);
void ck_pack_f32(const ck_weights_f32 *, ck_packing, void *packed);
void ck_pack_depthwise_u8(const ck_weights_s8 *, ck_packing, void *packed);
void ck_pack_depthwise_f32(const ck_weights_f32 *, ck_packing, void *packed);

#endif
