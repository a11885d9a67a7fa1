#if defined(__aarch64__)

#include <arm_neon.h>

#define CK_ISA neon_i8mm
#define CK_ISA_CODE CK_ISA_NEON_I8MM
#define CK_LANES 4
#define CK_BYTES 16
#define CK_U8_ROWS 12
#define CK_U8_VECTORS 4
#define CK_U8_TILES(K) K(12, 1) K(8, 2) K(8, 3) K(6, 4)
#define CK_F32_ROWS 8
#define CK_F32_VECTORS 4
#define CK_F32_TILES(K) K(8, 1) K(8, 2) K(8, 3) K(6, 4)
#define CK_ACTIVATION_OFFSET 0

#pragma clang attribute push(__attribute__((target("i8mm"))), apply_to = function)

#include "../simd/vectors.h"
#include "requantize_neon.h"
#include "lanes_neon.h"

// Channel by channel, as depthwise convolution wants it: usdot.
typedef int8x16_t ck_weights;
typedef uint8x16_t ck_activations;
typedef int32x4_t ck_sums;

CK_INLINE ck_weights ck_weights_of(ck_bytes bytes) {
    return (int8x16_t)bytes;
}

CK_INLINE ck_activations ck_activations_of(ck_bytes bytes) {
    return (uint8x16_t)bytes;
}

CK_INLINE ck_sums ck_start(ck_vi32 bias) {
    return (ck_sums)bias;
}

CK_INLINE ck_sums ck_dot(ck_sums sums, ck_activations a, ck_weights w) {
    return vusdotq_s32(sums, a, w);
}

CK_INLINE ck_vi32 ck_total(ck_sums sums) {
    return (ck_vi32)sums;
}

#define CK_K_STEP 8

/// usmmla multiplies a 2 x 8 matrix of activations by one of weights, rows by rows: sums of two rows x two channels.
CK_INLINE void ck_sum_tile_u8(
    const size_t rows, const size_t full_rows, const size_t vectors, const ck_convolution *c, const ck_tile *t,
    const int32_t *bias, const int8_t *weights, ck_vi32 totals[CK_U8_ROWS][CK_U8_VECTORS]) {
    const size_t taps = c->taps, length = c->row_size;
    const size_t row_pairs = (rows + 1) / 2, channel_pairs = vectors * CK_LANES / 2;
    int32x4_t sums[CK_U8_ROWS / 2][CK_U8_VECTORS * CK_LANES / 2];
    CK_UNROLL for (size_t j = 0; j < channel_pairs; ++j) {
        const int32x2_t start = vld1_s32(bias + 2 * j);
        CK_UNROLL for (size_t i = 0; i < row_pairs; ++i) sums[i][j] = vcombine_s32(start, start);
    }
    const void *const *pointers = t->pointers;
    for (size_t tap = 0; tap < taps; ++tap, pointers += full_rows) {
        const uint8_t *x[CK_U8_ROWS];
        // The last of an odd number of rows is paired with itself.
        CK_UNROLL for (size_t i = 0; i < 2 * row_pairs; ++i) x[i] = pointers[i < rows ? i : rows - 1];
        for (size_t k = 0; k < length; k += CK_K_STEP, weights += channel_pairs * 2 * CK_K_STEP) {
            // There are fewer activations than weights, so they are the ones to stay in registers.
            uint8x16_t a[CK_U8_ROWS / 2];
            CK_UNROLL for (size_t i = 0; i < row_pairs; ++i) {
                a[i] = vcombine_u8(vld1_u8(x[2 * i] + k), vld1_u8(x[2 * i + 1] + k));
            }
            CK_UNROLL for (size_t j = 0; j < channel_pairs; ++j) {
                const int8x16_t w = vld1q_s8(weights + j * 2 * CK_K_STEP);
                CK_UNROLL for (size_t i = 0; i < row_pairs; ++i) sums[i][j] = vusmmlaq_s32(sums[i][j], a[i], w);
            }
        }
    }
    CK_UNROLL for (size_t i = 0; i < rows; ++i) {
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) {
            const int64x2_t low = (int64x2_t)sums[i / 2][2 * v], high = (int64x2_t)sums[i / 2][2 * v + 1];
            totals[i][v] = (ck_vi32)(i % 2 == 0 ? vzip1q_s64(low, high) : vzip2q_s64(low, high));
        }
    }
}

#include "../simd/kernels.h"

#pragma clang attribute pop

#endif
