// Floats to bytes, 128 bits. Definition: ck_requantize of the reference.

typedef struct ck_requantizer {
    int16x8_t zero_points;
    uint8x16_t min, max;
} ck_requantizer;

CK_INLINE ck_requantizer ck_requantizer_of(ck_output_u8 out) {
    return (ck_requantizer){vdupq_n_s16(out.zero_point), vdupq_n_u8(out.min), vdupq_n_u8(out.max)};
}

/// Requantises `vectors` (1 ... 4) vectors. Conversion rounds half to even, and all steps saturate.
CK_INLINE ck_bytes ck_requantize_lanes(const ck_vf32 *f, const size_t vectors, const ck_requantizer *q) {
    int16x4_t i[4];
    CK_UNROLL for (size_t v = 0; v < 4; ++v) {
        i[v] = v < vectors ? vqmovn_s32(vcvtnq_s32_f32((float32x4_t)f[v])) : i[v - 1];
    }
    uint8x8_t low = vqmovun_s16(vqaddq_s16(vcombine_s16(i[0], i[1]), q->zero_points));
    uint8x8_t high = vectors > 2 ? vqmovun_s16(vqaddq_s16(vcombine_s16(i[2], i[3]), q->zero_points)) : low;
    return (ck_bytes)vmaxq_u8(q->min, vminq_u8(q->max, vcombine_u8(low, high)));
}

/// Requantises `vectors` vectors and stores the first `count` bytes.
CK_INLINE void ck_store_requantized(
    uint8_t *to, const ck_vf32 *f, const size_t vectors, size_t count, const ck_requantizer *q) {
    const ck_bytes bytes = ck_requantize_lanes(f, vectors, q);
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
