// Bytes as 32-bit lanes and back, a register at a time. The instruction set defines
//   ck_zip_low_8, ck_zip_high_8, ck_zip_low_16, ck_zip_high_16
//                        elements of a and b by turns, from the lower or the upper half of each 128 bits
//   ck_load_streams, ck_store_streams
//                        a register as 1, 2 or 4 equal parts, each at its own address
//   ck_requantize_lanes  four vectors of floats to a register of bytes
//
// Zips make four registers of lanes of one of bytes: of every sixteen channels they hold 0-3, 4-7, 8-11 and 12-15, and
// packing, which works within 128 bits as well, restores the order of the bytes without a permutation.

/// The least of what a part of a register can be.
#define CK_PART 16
/// Parts of a register, all as small as can be.
#define CK_PARTS (CK_BYTES / CK_PART)

typedef struct ck_four {
    ck_bytes v[4];
} ck_four;

/// Lanes whose bytes are those of a, b, c, d, from the lowest up.
CK_INLINE ck_four ck_interleave(ck_bytes a, ck_bytes b, ck_bytes c, ck_bytes d) {
    const ck_bytes ab_low = ck_zip_low_8(a, b), ab_high = ck_zip_high_8(a, b);
    const ck_bytes cd_low = ck_zip_low_8(c, d), cd_high = ck_zip_high_8(c, d);
    return (ck_four){{
        ck_zip_low_16(ab_low, cd_low),
        ck_zip_high_16(ab_low, cd_low),
        ck_zip_low_16(ab_high, cd_high),
        ck_zip_high_16(ab_high, cd_high),
    }};
}

typedef uint16_t ck_vu16 __attribute__((vector_size(CK_BYTES)));

/// Sixteen-bit lanes of the lower or the upper half of each 128 bits.
CK_INLINE ck_vu16 ck_widen_low(ck_bytes x) {
    return (ck_vu16)ck_zip_low_8(x, (ck_bytes){0});
}

CK_INLINE ck_vu16 ck_widen_high(ck_bytes x) {
    return (ck_vu16)ck_zip_high_8(x, (ck_bytes){0});
}

/// (float)(x - zero_point), exactly. A byte over the exponent of 2^23 is 2^23 + x, so no conversion is needed.
CK_INLINE void ck_centre(ck_bytes x, uint8_t zero_point, ck_vf32 *f) {
    const ck_bytes zero = {0}, exponent = zero + (uint8_t)0x4b;
    const ck_four lanes = ck_interleave(x, zero, zero, exponent);
    CK_UNROLL for (size_t v = 0; v < 4; ++v) f[v] = (ck_vf32)lanes.v[v] - ck_splat(8388608.0f + zero_point);
}

/// Requantises a register of bytes and stores the first `count`.
CK_INLINE void ck_store_lanes(uint8_t *to, const ck_vf32 *f, size_t count, ck_output_u8 out) {
    const ck_requantizer q = ck_requantizer_of(out);
    ck_store_bytes(to, ck_requantize_lanes(f, 4, &q), count);
}
