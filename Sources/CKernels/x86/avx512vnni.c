#if defined(__x86_64__)

#include <immintrin.h>

#define CK_ISA avx512vnni
#define CK_ISA_CODE CK_ISA_AVX512VNNI
#define CK_LANES 16
#define CK_BYTES 64
#define CK_U8_ROWS 14
#define CK_U8_VECTORS 2
#define CK_U8_TILE 14x32
#define CK_F32_ROWS 14
#define CK_F32_VECTORS 2
#define CK_F32_TILE 14x32
#define CK_ACTIVATION_OFFSET 0

#pragma clang attribute push(                                                                              \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma"))),                     \
    apply_to = function)

#include "../simd/vectors.h"

typedef __m512i ck_weights, ck_activations, ck_sums;

CK_INLINE ck_weights ck_load_weights(const int8_t *w) {
    return _mm512_loadu_si512(w);
}

CK_INLINE ck_activations ck_load_activations(const uint8_t *x) {
    int32_t four;
    __builtin_memcpy(&four, x, sizeof four);
    return _mm512_set1_epi32(four);
}

CK_INLINE ck_sums ck_dot(ck_sums sums, ck_activations a, ck_weights w) {
    return _mm512_dpbusd_epi32(sums, a, w);
}

CK_INLINE ck_vi32 ck_total(ck_sums sums) {
    return (ck_vi32)sums;
}

#include "../simd/kernels.h"

#pragma clang attribute pop

#endif
