#if defined(__aarch64__)

#include <arm_neon.h>

#define CK_ISA neon_dotprod
#define CK_ISA_CODE CK_ISA_NEON_DOTPROD
#define CK_LANES 4
#define CK_BYTES 16
#define CK_U8_ROWS 8
#define CK_U8_VECTORS 4
#define CK_U8_TILES(K) K(8, 1) K(8, 2) K(8, 3) K(6, 4)
#define CK_F32_ROWS 8
#define CK_F32_VECTORS 4
#define CK_F32_TILES(K) K(8, 1) K(8, 2) K(8, 3) K(6, 4)
#define CK_ACTIVATION_OFFSET 128

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

#include "../simd/vectors.h"
#include "requantize_neon.h"
#include "lanes_neon.h"

// sdot wants signed operands: activations less 128.
typedef int8x16_t ck_weights, ck_activations;
typedef int32x4_t ck_sums;

CK_INLINE ck_weights ck_load_weights(const int8_t *w) {
    return vld1q_s8(w);
}

CK_INLINE ck_activations ck_load_activations(const uint8_t *x) {
    uint32_t four;
    __builtin_memcpy(&four, x, sizeof four);
    return vreinterpretq_s8_u32(veorq_u32(vdupq_n_u32(four), vdupq_n_u32(0x80808080u)));
}

CK_INLINE ck_weights ck_weights_of(ck_bytes bytes) {
    return (int8x16_t)bytes;
}

CK_INLINE ck_activations ck_activations_of(ck_bytes bytes) {
    return vreinterpretq_s8_u8(veorq_u8((uint8x16_t)bytes, vdupq_n_u8(0x80)));
}

CK_INLINE ck_sums ck_start(ck_vi32 bias) {
    return (ck_sums)bias;
}

CK_INLINE ck_sums ck_dot(ck_sums sums, ck_activations a, ck_weights w) {
    return vdotq_s32(sums, a, w);
}

CK_INLINE ck_vi32 ck_total(ck_sums sums) {
    return (ck_vi32)sums;
}

#include "../simd/dot_u8.h"
#include "../simd/kernels.h"

#pragma clang attribute pop

#endif
