// The zips and streams of simd/lanes.h, 512 bits.

#define CK_DEFINE_ZIP(name, instruction)                      \
    CK_INLINE ck_bytes name(ck_bytes a, ck_bytes b) {         \
        return (ck_bytes)instruction((__m512i)a, (__m512i)b); \
    }
CK_DEFINE_ZIP(ck_zip_low_8, _mm512_unpacklo_epi8)
CK_DEFINE_ZIP(ck_zip_high_8, _mm512_unpackhi_epi8)
CK_DEFINE_ZIP(ck_zip_low_16, _mm512_unpacklo_epi16)
CK_DEFINE_ZIP(ck_zip_high_16, _mm512_unpackhi_epi16)
#undef CK_DEFINE_ZIP

CK_INLINE ck_bytes ck_load_streams(const uint8_t *const *from, const size_t streams) {
    if (streams == 1) return (ck_bytes)_mm512_loadu_si512(from[0]);
    if (streams == 2) {
        __m512i v = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)from[0]));
        return (ck_bytes)_mm512_inserti64x4(v, _mm256_loadu_si256((const __m256i *)from[1]), 1);
    }
    __m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)from[0]));
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)from[1]), 1);
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)from[2]), 2);
    return (ck_bytes)_mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)from[3]), 3);
}

CK_INLINE void ck_store_streams(uint8_t *const *to, ck_bytes bytes, const size_t streams) {
    const __m512i v = (__m512i)bytes;
    if (streams == 1) {
        _mm512_storeu_si512(to[0], v);
    } else if (streams == 2) {
        _mm256_storeu_si256((__m256i *)to[0], _mm512_castsi512_si256(v));
        _mm256_storeu_si256((__m256i *)to[1], _mm512_extracti64x4_epi64(v, 1));
    } else {
        _mm_storeu_si128((__m128i *)to[0], _mm512_castsi512_si128(v));
        _mm_storeu_si128((__m128i *)to[1], _mm512_extracti32x4_epi32(v, 1));
        _mm_storeu_si128((__m128i *)to[2], _mm512_extracti32x4_epi32(v, 2));
        _mm_storeu_si128((__m128i *)to[3], _mm512_extracti32x4_epi32(v, 3));
    }
}
