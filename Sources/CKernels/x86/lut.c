#if defined(__x86_64__)

#include "../simd/lut.h"

#include <immintrin.h>

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,bmi2"))) static void look_up_vbmi(
    const uint8_t *table, const uint8_t *from, uint8_t *to, size_t count) {
    const __m512i t0 = _mm512_loadu_si512(table), t1 = _mm512_loadu_si512(table + 64);
    const __m512i t2 = _mm512_loadu_si512(table + 128), t3 = _mm512_loadu_si512(table + 192);
    for (size_t i = 0; i < count; i += 64) {
        const __mmask64 valid = count - i < 64 ? _bzhi_u64(~0ull, (unsigned)(count - i)) : ~0ull;
        const __m512i x = _mm512_maskz_loadu_epi8(valid, from + i);
        // A permutation looks at 7 bits; the eighth chooses between two.
        const __m512i low = _mm512_permutex2var_epi8(t0, x, t1), high = _mm512_permutex2var_epi8(t2, x, t3);
        const __m512i y = _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(x), high);
        if (valid == ~0ull) _mm512_storeu_si512(to + i, y);
        else _mm512_mask_storeu_epi8(to + i, valid, y);
    }
}

__attribute__((target("avx2"))) static void look_up_avx2(
    const uint8_t *table, const uint8_t *from, uint8_t *to, size_t count) {
    __m256i rows[16];
    for (size_t i = 0; i < 16; ++i) {
        rows[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(table + 16 * i)));
    }
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        const __m256i x = _mm256_loadu_si256((const __m256i *)(from + i));
        // The low four bits look up all rows; each of the others, moved to the top of the byte, halves what is left.
        const __m256i column = _mm256_and_si256(x, _mm256_set1_epi8(15));
        __m256i y[16];
#pragma clang loop unroll(full)
        for (size_t row = 0; row < 16; ++row) y[row] = _mm256_shuffle_epi8(rows[row], column);
#pragma clang loop unroll(full)
        for (int bit = 4, left = 8; bit < 8; ++bit, left /= 2) {
            const __m256i chosen = _mm256_slli_epi16(x, 7 - bit);
#pragma clang loop unroll(full)
            for (int pair = 0; pair < left; ++pair) {
                y[pair] = _mm256_blendv_epi8(y[2 * pair], y[2 * pair + 1], chosen);
            }
        }
        _mm256_storeu_si256((__m256i *)(to + i), y[0]);
    }
    for (; i < count; ++i) to[i] = table[from[i]];
}

void ck_u8_lut_u8__x86(const ck_lut_u8 *k, ck_range pixels) {
    ck_lookup_layer(k, pixels, __builtin_cpu_supports("avx512vbmi") ? look_up_vbmi : look_up_avx2);
}

#endif
