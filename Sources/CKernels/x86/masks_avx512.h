// Parts of vectors through masks: see ck_load_part and ck_store_part of simd/vectors.h.
#define CK_HAS_MASKS 1

/// Reads `size` bytes as a vector of `width` (16, 32 or 64) bytes, zeros beyond.
static inline __attribute__((always_inline)) void ck_load_part(void *vector, const size_t width, const void *from, size_t size) {
    const __mmask64 mask = ((__mmask64)1 << size) - 1;
    if (width == 64) _mm512_storeu_si512(vector, _mm512_maskz_loadu_epi8(mask, from));
    if (width == 32) _mm256_storeu_si256(vector, _mm256_maskz_loadu_epi8((__mmask32)mask, from));
    if (width == 16) _mm_storeu_si128(vector, _mm_maskz_loadu_epi8((__mmask16)mask, from));
}

static inline __attribute__((always_inline)) void ck_store_part(void *to, const void *vector, const size_t width, size_t size) {
    const __mmask64 mask = ((__mmask64)1 << size) - 1;
    if (width == 64) _mm512_mask_storeu_epi8(to, mask, _mm512_loadu_si512(vector));
    if (width == 32) _mm256_mask_storeu_epi8(to, (__mmask32)mask, _mm256_loadu_si256(vector));
    if (width == 16) _mm_mask_storeu_epi8(to, (__mmask16)mask, _mm_loadu_si128(vector));
}
