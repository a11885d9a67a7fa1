// Floats to bytes, 512 bits. Definition: ck_requantize of the reference.

typedef struct ck_requantizer {
    __m512i upper;                   ///< The bits of a float.
    __m512i zero_points, min, max;  ///< 16-bit, then bytes.
} ck_requantizer;

CK_INLINE ck_requantizer ck_requantizer_of(ck_output_u8 out) {
    return (ck_requantizer){
        .upper = _mm512_castps_si512(_mm512_set1_ps((float)(255 - out.zero_point))),
        .zero_points = _mm512_set1_epi16(out.zero_point),
        .min = _mm512_set1_epi8((char)out.min),
        .max = _mm512_set1_epi8((char)out.max),
    };
}

/// Requantises `vectors` (1 ... 4) vectors. Packing works within quarters of a register, so each quarter holds four
/// channels of every vector.
///
/// Conversion rounds half to even. It turns what exceeds 32 bits into the most negative integer, so only the upper bound
/// is needed before it; the saturation of the packing instructions does the rest. That bound is not negative, so the bits
/// of floats may be compared as integers, which keeps the ports of the conversions free.
CK_INLINE ck_bytes ck_requantize_lanes(const ck_vf32 *f, const size_t vectors, const ck_requantizer *q) {
    __m512i i[4];
    CK_UNROLL for (size_t v = 0; v < 4; ++v) {
        i[v] = v < vectors ? _mm512_cvtps_epi32((__m512)_mm512_min_epi32(q->upper, (__m512i)f[v])) : i[v - 1];
    }
    __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(i[0], i[1]), q->zero_points);
    __m512i high = vectors > 2 ? _mm512_adds_epi16(_mm512_packs_epi32(i[2], i[3]), q->zero_points) : low;
    return (ck_bytes)_mm512_max_epu8(q->min, _mm512_min_epu8(q->max, _mm512_packus_epi16(low, high)));
}

/// Stores the first `count` < 64 bytes. A masked store holds up loads of the pixel after it, which is what a residual in
/// the output's place is; so whole groups of eight channels, as most layers have, are stored as such.
CK_INLINE void ck_store_first(uint8_t *to, __m512i bytes, size_t count) {
    if (count % 8 != 0) return _mm512_mask_storeu_epi8(to, ((__mmask64)1 << count) - 1, bytes);
    __m256i half = _mm512_castsi512_si256(bytes);
    if (count & 32) {
        _mm256_storeu_si256((__m256i *)to, half);
        half = _mm512_extracti64x4_epi64(bytes, 1);
        to += 32;
    }
    __m128i quarter = _mm256_castsi256_si128(half);
    if (count & 16) {
        _mm_storeu_si128((__m128i *)to, quarter);
        quarter = _mm256_extracti128_si256(half, 1);
        to += 16;
    }
    if (count & 8) _mm_storeu_si64(to, quarter);
}

/// Requantises `vectors` vectors and stores the first `count` bytes.
CK_INLINE void ck_store_requantized(
    uint8_t *to, const ck_vf32 *f, const size_t vectors, size_t count, const ck_requantizer *q) {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i bytes = _mm512_permutexvar_epi32(order, (__m512i)ck_requantize_lanes(f, vectors, q));
    if (count < vectors * CK_LANES) {
        ck_store_first(to, bytes, count);
    } else if (vectors == 4) {
        _mm512_storeu_si512(to, bytes);
    } else if (vectors == 2) {
        _mm256_storeu_si256((__m256i *)to, _mm512_castsi512_si256(bytes));
    } else if (vectors == 1) {
        _mm_storeu_si128((__m128i *)to, _mm512_castsi512_si128(bytes));
    } else {
        ck_store_first(to, bytes, vectors * CK_LANES);
    }
}

/// The first `count` bytes as integers, CK_LANES or fewer; the lanes beyond are zero.
CK_INLINE ck_vi32 ck_load_widened(const uint8_t *from, size_t count) {
    return (ck_vi32)_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8((__mmask16)((1u << count) - 1), from));
}
