// The zips and streams of simd/lanes.h, 128 bits.

#define CK_DEFINE_ZIP(name, instruction, type)          \
    CK_INLINE ck_bytes name(ck_bytes a, ck_bytes b) {   \
        return (ck_bytes)instruction((type)a, (type)b); \
    }
CK_DEFINE_ZIP(ck_zip_low_8, vzip1q_u8, uint8x16_t)
CK_DEFINE_ZIP(ck_zip_high_8, vzip2q_u8, uint8x16_t)
CK_DEFINE_ZIP(ck_zip_low_16, vzip1q_u16, uint16x8_t)
CK_DEFINE_ZIP(ck_zip_high_16, vzip2q_u16, uint16x8_t)
#undef CK_DEFINE_ZIP

CK_INLINE ck_bytes ck_load_streams(const uint8_t *const *from, const size_t streams) {
    (void)streams;  // 1
    return (ck_bytes)vld1q_u8(from[0]);
}

CK_INLINE void ck_store_streams(uint8_t *const *to, ck_bytes bytes, const size_t streams) {
    (void)streams;
    vst1q_u8(to[0], (uint8x16_t)bytes);
}
