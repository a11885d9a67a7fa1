// Floats to bytes, 256 bits. Definition: ck_requantize of the reference.

typedef struct ck_requantizer {
    __m256 upper;
    __m256i zero_points, min, max;  ///< 16-bit, then bytes.
} ck_requantizer;

CK_INLINE ck_requantizer ck_requantizer_of(ck_output_u8 out) {
    return (ck_requantizer){
        .upper = _mm256_set1_ps((float)(255 - out.zero_point)),
        .zero_points = _mm256_set1_epi16(out.zero_point),
        .min = _mm256_set1_epi8((char)out.min),
        .max = _mm256_set1_epi8((char)out.max),
    };
}

/// Requantises `vectors` (1 ... 4) vectors. Packing works within halves of a register, so each half holds four channels
/// of every vector.
///
/// Conversion rounds half to even. It turns what exceeds 32 bits into the most negative integer, so only the upper bound is
/// needed before it; the saturation of the packing instructions does the rest.
CK_INLINE ck_bytes ck_requantize_lanes(const ck_vf32 *f, const size_t vectors, const ck_requantizer *q) {
    __m256i i[4];
    CK_UNROLL for (size_t v = 0; v < 4; ++v) {
        i[v] = v < vectors ? _mm256_cvtps_epi32(_mm256_min_ps(q->upper, (__m256)f[v])) : i[v - 1];
    }
    __m256i low = _mm256_adds_epi16(_mm256_packs_epi32(i[0], i[1]), q->zero_points);
    __m256i high = vectors > 2 ? _mm256_adds_epi16(_mm256_packs_epi32(i[2], i[3]), q->zero_points) : low;
    return (ck_bytes)_mm256_max_epu8(q->min, _mm256_min_epu8(q->max, _mm256_packus_epi16(low, high)));
}

/// Requantises `vectors` vectors and stores the first `count` bytes.
CK_INLINE void ck_store_requantized(
    uint8_t *to, const ck_vf32 *f, const size_t vectors, size_t count, const ck_requantizer *q) {
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i bytes = _mm256_permutevar8x32_epi32((__m256i)ck_requantize_lanes(f, vectors, q), order);
    if (count < vectors * CK_LANES) {
        ck_copy_bytes(to, &bytes, count);
    } else {
        __builtin_memcpy(to, &bytes, vectors * CK_LANES);
    }
}

/// The first `count` bytes as integers, CK_LANES or fewer; the lanes beyond are zero.
CK_INLINE ck_vi32 ck_load_widened(const uint8_t *from, size_t count) {
    return ck_widen(ck_load_u8(from, count));
}
