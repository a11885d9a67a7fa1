#if defined(__x86_64__)

#include <immintrin.h>

#define CK_ISA avx2
#define CK_ISA_CODE CK_ISA_AVX2
#define CK_LANES 8
#define CK_BYTES 32
#define CK_U8_ROWS 4
#define CK_U8_VECTORS 2
#define CK_U8_TILES(K) K(4, 1) K(4, 2)
#define CK_F32_ROWS 6
#define CK_F32_VECTORS 2
#define CK_F32_TILES(K) K(6, 1) K(6, 2)
#define CK_ACTIVATION_OFFSET 0

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#include "../simd/vectors.h"
#include "requantize_avx2.h"
#include "lanes_avx2.h"

// pmaddubsw would saturate at 16 bits on full-range operands; so both sides are widened to 16 bits, as the even and the
// odd bytes of each group of four, and pmaddwd sums pairs of exact products.
typedef struct ck_halves {
    __m256i even, odd;
} ck_halves;

typedef ck_halves ck_weights, ck_activations;
typedef __m256i ck_sums;

CK_INLINE ck_weights ck_weights_of(ck_bytes bytes) {
    const __m256i v = (__m256i)bytes;
    return (ck_weights){_mm256_srai_epi16(_mm256_slli_epi16(v, 8), 8), _mm256_srai_epi16(v, 8)};
}

CK_INLINE ck_activations ck_activations_of(ck_bytes bytes) {
    const __m256i v = (__m256i)bytes;
    return (ck_activations){_mm256_and_si256(v, _mm256_set1_epi16(0xff)), _mm256_srli_epi16(v, 8)};
}

CK_INLINE ck_weights ck_load_weights(const int8_t *w) {
    return ck_weights_of((ck_bytes)_mm256_loadu_si256((const __m256i *)w));
}

CK_INLINE ck_activations ck_load_activations(const uint8_t *x) {
    int32_t four;
    __builtin_memcpy(&four, x, sizeof four);
    return ck_activations_of((ck_bytes)_mm256_set1_epi32(four));
}

CK_INLINE ck_sums ck_start(ck_vi32 bias) {
    return (ck_sums)bias;
}

CK_INLINE ck_sums ck_dot(ck_sums sums, ck_activations a, ck_weights w) {
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(a.even, w.even));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(a.odd, w.odd));
}

CK_INLINE ck_vi32 ck_total(ck_sums sums) {
    return (ck_vi32)sums;
}

#include "../simd/dot_u8.h"
#include "../simd/kernels.h"

#pragma clang attribute pop

#endif
