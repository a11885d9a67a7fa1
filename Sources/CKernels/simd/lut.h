// Table lookups, the table held in registers.
#ifndef CK_LUT_H
#define CK_LUT_H

#include "CKernels.h"

/// Looks up one run of bytes.
typedef void ck_lookup(const uint8_t *table, const uint8_t *from, uint8_t *to, size_t count);

/// Divides a layer into runs; tensors without gaps are one.
static inline void ck_lookup_layer(const ck_lut_u8 *k, ck_range pixels, ck_lookup *lookup) {
    if (pixels.first >= pixels.last) return;
    size_t run = k->channels, runs = pixels.last - pixels.first;
    if (k->in_stride == k->channels && k->out_stride == k->channels) {
        run *= runs;
        runs = 1;
    }
    const uint8_t *from = k->input + pixels.first * k->in_stride;
    uint8_t *to = k->output + pixels.first * k->out_stride;
    for (; runs > 0; --runs, from += k->in_stride, to += k->out_stride) lookup(k->table, from, to, run);
}

#if defined(__x86_64__)
/// With byte permutations where the processor has them (AVX-512 VBMI), else with 16-byte shuffles (AVX2).
void ck_u8_lut_u8__x86(const ck_lut_u8 *, ck_range pixels);
#define CK_LUT_KERNEL ck_u8_lut_u8__x86
#elif defined(__aarch64__)
void ck_u8_lut_u8__neon(const ck_lut_u8 *, ck_range pixels);
#define CK_LUT_KERNEL ck_u8_lut_u8__neon
#endif

#endif
