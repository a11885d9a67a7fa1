#if defined(__x86_64__)

#include <immintrin.h>

#define CK_ISA avxvnni
#define CK_ISA_CODE CK_ISA_AVXVNNI
#define CK_LANES 8
#define CK_BYTES 32
#define CK_U8_ROWS 12
#define CK_U8_VECTORS 2
#define CK_U8_TILES(K) K(12, 1) K(6, 2)
#define CK_F32_ROWS 6
#define CK_F32_VECTORS 2
#define CK_F32_TILES(K) K(6, 1) K(6, 2)
#define CK_ACTIVATION_OFFSET 0

// CK_AVXVNNI_AS_EVEX encodes the one new instruction as AVX-512 VNNI does, and nothing else differs: so the kernel checker
// runs and times this table on processors that have only that. Never defined in the library.
#if defined(CK_AVXVNNI_AS_EVEX)
#define CK_TARGET "avx2,fma"
#else
#define CK_TARGET "avx2,fma,avxvnni"
#endif

#pragma clang attribute push(__attribute__((target(CK_TARGET))), apply_to = function)

#include "../simd/vectors.h"
#include "requantize_avx2.h"
#include "lanes_avx2.h"

typedef __m256i ck_weights, ck_activations, ck_sums;

CK_INLINE ck_weights ck_load_weights(const int8_t *w) {
    return _mm256_loadu_si256((const __m256i *)w);
}

CK_INLINE ck_activations ck_load_activations(const uint8_t *x) {
    int32_t four;
    __builtin_memcpy(&four, x, sizeof four);
    return _mm256_set1_epi32(four);
}

CK_INLINE ck_weights ck_weights_of(ck_bytes bytes) {
    return (__m256i)bytes;
}

CK_INLINE ck_activations ck_activations_of(ck_bytes bytes) {
    return (__m256i)bytes;
}

CK_INLINE ck_sums ck_start(ck_vi32 bias) {
    return (ck_sums)bias;
}

CK_INLINE ck_sums ck_dot(ck_sums sums, ck_activations a, ck_weights w) {
#if defined(CK_AVXVNNI_AS_EVEX)
    __asm__("%{evex%} vpdpbusd %2, %1, %0" : "+x"(sums) : "x"(a), "x"(w));
    return sums;
#else
    return _mm256_dpbusd_avx_epi32(sums, a, w);
#endif
}

CK_INLINE ck_vi32 ck_total(ck_sums sums) {
    return (ck_vi32)sums;
}

#include "../simd/dot_u8.h"
#include "../simd/kernels.h"

#pragma clang attribute pop

#endif
