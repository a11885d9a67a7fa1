#if defined(__aarch64__)

#include <arm_neon.h>

#define CK_ISA neon
#define CK_ISA_CODE CK_ISA_NEON
#define CK_LANES 4
#define CK_BYTES 16
#define CK_U8_ROWS 4
#define CK_U8_VECTORS 2
#define CK_U8_TILES(K) K(4, 1) K(4, 2)
#define CK_F32_ROWS 8
#define CK_F32_VECTORS 4
#define CK_F32_TILES(K) K(8, 1) K(8, 2) K(8, 3) K(6, 4)
#define CK_ACTIVATION_OFFSET 128

#include "../simd/vectors.h"
#include "requantize_neon.h"
#include "lanes_neon.h"

// Activations less 128 are signed bytes, whose products fit 16 bits and are summed in pairs into 32: each channel has
// two partial sums, added at the end.
typedef int8x16_t ck_weights;
typedef int8x16_t ck_activations;
typedef struct ck_sums {
    int32x4_t low, high;
} ck_sums;

CK_INLINE ck_weights ck_load_weights(const int8_t *w) {
    return vld1q_s8(w);
}

CK_INLINE ck_activations ck_load_activations(const uint8_t *x) {
    uint32_t four;
    __builtin_memcpy(&four, x, sizeof four);
    return vreinterpretq_s8_u32(vdupq_n_u32(four ^ 0x80808080u));
}

CK_INLINE ck_weights ck_weights_of(ck_bytes bytes) {
    return (int8x16_t)bytes;
}

CK_INLINE ck_activations ck_activations_of(ck_bytes bytes) {
    return vreinterpretq_s8_u8(veorq_u8((uint8x16_t)bytes, vdupq_n_u8(0x80)));
}

CK_INLINE ck_sums ck_start(ck_vi32 bias) {
    const int32x4_t b = (int32x4_t)bias, zero = vdupq_n_s32(0);
    return (ck_sums){vzip1q_s32(b, zero), vzip2q_s32(b, zero)};
}

CK_INLINE ck_sums ck_dot(ck_sums sums, ck_activations a, ck_weights w) {
    sums.low = vpadalq_s16(sums.low, vmull_s8(vget_low_s8(a), vget_low_s8(w)));
    sums.high = vpadalq_s16(sums.high, vmull_high_s8(a, w));
    return sums;
}

CK_INLINE ck_vi32 ck_total(ck_sums sums) {
    return (ck_vi32)vpaddq_s32(sums.low, sums.high);
}

#include "../simd/dot_u8.h"
#include "../simd/kernels.h"

#endif
