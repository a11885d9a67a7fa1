// The zips and streams of simd/lanes.h, 256 bits.

#define CK_DEFINE_ZIP(name, instruction)                      \
    CK_INLINE ck_bytes name(ck_bytes a, ck_bytes b) {         \
        return (ck_bytes)instruction((__m256i)a, (__m256i)b); \
    }
CK_DEFINE_ZIP(ck_zip_low_8, _mm256_unpacklo_epi8)
CK_DEFINE_ZIP(ck_zip_high_8, _mm256_unpackhi_epi8)
CK_DEFINE_ZIP(ck_zip_low_16, _mm256_unpacklo_epi16)
CK_DEFINE_ZIP(ck_zip_high_16, _mm256_unpackhi_epi16)
#undef CK_DEFINE_ZIP

CK_INLINE ck_bytes ck_load_streams(const uint8_t *const *from, const size_t streams) {
    if (streams == 1) return (ck_bytes)_mm256_loadu_si256((const __m256i *)from[0]);
    __m256i v = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)from[0]));
    return (ck_bytes)_mm256_inserti128_si256(v, _mm_loadu_si128((const __m128i *)from[1]), 1);
}

CK_INLINE void ck_store_streams(uint8_t *const *to, ck_bytes bytes, const size_t streams) {
    const __m256i v = (__m256i)bytes;
    if (streams == 1) {
        _mm256_storeu_si256((__m256i *)to[0], v);
    } else {
        _mm_storeu_si128((__m128i *)to[0], _mm256_castsi256_si128(v));
        _mm_storeu_si128((__m128i *)to[1], _mm256_extracti128_si256(v, 1));
    }
}
