#if defined(__x86_64__)

#include <immintrin.h>

// Float convolution with products in bfloat16. Rows are converted where they are gathered, so that activations stay float
// in memory; a k-step is two values, four bytes, as in the quantised kernels.

#define CK_ISA avx512bf16
#define CK_LANES 16
#define CK_F32_ROWS 12
#define CK_F32_VECTORS 4
#define CK_F32_TILES(K) K(12, 1) K(12, 2) K(8, 3) K(6, 4)
/// Bytes of a k-step.
#define CK_STEP_SIZE 4

#pragma clang attribute push(                                                                              \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma"))),                     \
    apply_to = function)

#include "../simd/vectors.h"
#include "../simd/finish_f32.h"

/// Converts floats to bfloat16; see ck_convolution.
static char *convert(char *row, const char *from, size_t size) {
    const float *x = (const float *)from;
    size_t count = size / sizeof(float);
    for (; count >= 32; count -= 32, x += 32, row += 64) {
        _mm512_storeu_si512(row, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + 16), _mm512_loadu_ps(x)));
    }
    while (count > 0) {
        size_t part = count < 16 ? count : 16;
        __mmask16 mask = (__mmask16)((1u << part) - 1);
        __m256i halves = (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, x));
        _mm256_mask_storeu_epi16(row, mask, halves);
        count -= part, x += part, row += part * 2;
    }
    return row;
}

CK_INLINE void ck_conv_f32_tile(
    const size_t rows, const size_t full_rows, const size_t vectors, const ck_convolution *c, const ck_tile *t) {
    const size_t width = vectors * CK_LANES, length = c->row_size;
    const float *bias = t->panel;
    const char *weights = (const char *)(bias + width);
    (void)full_rows;  // gathered rows need one pointer each

    __m512 sums[CK_F32_ROWS][CK_F32_VECTORS];
    CK_UNROLL for (size_t i = 0; i < rows; ++i) {
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) sums[i][v] = _mm512_loadu_ps(bias + v * CK_LANES);
    }
    const char *x[CK_F32_ROWS];
    CK_UNROLL for (size_t i = 0; i < rows; ++i) x[i] = t->pointers[i];
    for (size_t k = 0; k < length; k += CK_STEP_SIZE, weights += width * CK_STEP_SIZE) {
        __m512bh w[CK_F32_VECTORS];
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) {
            w[v] = (__m512bh)_mm512_loadu_si512(weights + v * CK_LANES * CK_STEP_SIZE);
        }
        CK_UNROLL for (size_t i = 0; i < rows; ++i) {
            int32_t pair;
            __builtin_memcpy(&pair, x[i] + k, sizeof pair);
            __m512bh a = (__m512bh)_mm512_set1_epi32(pair);
            CK_UNROLL for (size_t v = 0; v < vectors; ++v) sums[i][v] = _mm512_dpbf16_ps(sums[i][v], a, w[v]);
        }
    }
    ck_f32_sums totals[CK_F32_ROWS];
    CK_UNROLL for (size_t i = 0; i < rows; ++i) {
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) totals[i][v] = (ck_vf32)sums[i][v];
    }
    ck_conv_f32_finish(rows, vectors, c->layer, t, totals);
}

#define CK_F32_FAMILY bf16
#define CK_F32_CONVERT convert
#include "../simd/conv_f32_layer.h"

const ck_bf16_table ck_bf16_table_avx512 = {
    .panel_count = CK_NAME(ck_conv_f32_panel_count, CK_LANES),
    .packed_size = CK_NAME(ck_f32_conv_f32_packed_size, CK_LANES),
    .pack = CK_NAME(ck_f32_conv_f32_pack, CK_LANES),
    .scratch_size = CK_NAME(ck_f32_conv_f32_scratch_size, CK_LANES),
    .conv = CK_NAME(ck_f32_conv_f32, CK_LANES),
};

#pragma clang attribute pop

#endif
