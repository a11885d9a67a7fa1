#if defined(__x86_64__)

#include <immintrin.h>

#define CK_ISA avx512vnni
#define CK_ISA_CODE CK_ISA_AVX512VNNI
#define CK_LANES 16
#define CK_BYTES 64
#define CK_U8_ROWS 12
#define CK_U8_VECTORS 4
#define CK_U8_TILES(K) K(12, 1) K(12, 2) K(8, 3) K(6, 4)
#define CK_F32_ROWS 12
#define CK_F32_VECTORS 4
#define CK_F32_TILES(K) K(12, 1) K(12, 2) K(8, 3) K(6, 4)
#define CK_ACTIVATION_OFFSET 0

#pragma clang attribute push(                                                                              \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma"))),                     \
    apply_to = function)

#include "masks_avx512.h"
#include "../simd/vectors.h"
#include "requantize_avx512.h"
#include "lanes_avx512.h"

typedef __m512i ck_weights, ck_activations, ck_sums;

CK_INLINE ck_weights ck_load_weights(const int8_t *w) {
    return _mm512_loadu_si512(w);
}

CK_INLINE ck_activations ck_load_activations(const uint8_t *x) {
    int32_t four;
    __builtin_memcpy(&four, x, sizeof four);
    return _mm512_set1_epi32(four);
}

CK_INLINE ck_weights ck_weights_of(ck_bytes bytes) {
    return (__m512i)bytes;
}

CK_INLINE ck_activations ck_activations_of(ck_bytes bytes) {
    return (__m512i)bytes;
}

CK_INLINE ck_sums ck_start(ck_vi32 bias) {
    return (ck_sums)bias;
}

CK_INLINE ck_sums ck_dot(ck_sums sums, ck_activations a, ck_weights w) {
    return _mm512_dpbusd_epi32(sums, a, w);
}

CK_INLINE ck_vi32 ck_total(ck_sums sums) {
    return (ck_vi32)sums;
}

#include "../simd/dot_u8.h"
#include "../simd/kernels.h"

#pragma clang attribute pop

#endif
