#if defined(__aarch64__)

#include "../simd/lut.h"

#include <arm_neon.h>

static void look_up(const uint8_t *table, const uint8_t *from, uint8_t *to, size_t count) {
    const uint8x16x4_t t0 = vld1q_u8_x4(table), t1 = vld1q_u8_x4(table + 64);
    const uint8x16x4_t t2 = vld1q_u8_x4(table + 128), t3 = vld1q_u8_x4(table + 192);
    const uint8x16_t part = vdupq_n_u8(64);
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        // An index beyond a part of the table leaves what an earlier part gave.
        uint8x16_t x = vld1q_u8(from + i), y = vqtbl4q_u8(t0, x);
        y = vqtbx4q_u8(y, t1, x = vsubq_u8(x, part));
        y = vqtbx4q_u8(y, t2, x = vsubq_u8(x, part));
        y = vqtbx4q_u8(y, t3, vsubq_u8(x, part));
        vst1q_u8(to + i, y);
    }
    for (; i < count; ++i) to[i] = table[from[i]];
}

void ck_u8_lut_u8__neon(const ck_lut_u8 *k, ck_range pixels) {
    ck_lookup_layer(k, pixels, look_up);
}

#endif
