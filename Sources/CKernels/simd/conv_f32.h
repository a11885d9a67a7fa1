// Float convolution, one tile. Sums run over k in order, fused.

#include "finish_f32.h"

CK_INLINE void ck_conv_f32_tile(
    const size_t rows, const size_t full_rows, const size_t vectors, const ck_convolution *c, const ck_tile *t) {
    const size_t width = vectors * CK_LANES, taps = c->taps, length = c->row_size / sizeof(float);
    const float *bias = t->panel, *weights = bias + width;

    ck_vf32 sums[CK_F32_ROWS][CK_F32_VECTORS];
    CK_UNROLL for (size_t i = 0; i < rows; ++i) {
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) sums[i][v] = ck_load_f32(bias + v * CK_LANES, CK_LANES);
    }
    const void *const *pointers = t->pointers;
    for (size_t tap = 0; tap < taps; ++tap, pointers += full_rows) {
        const float *x[CK_F32_ROWS];
        CK_UNROLL for (size_t i = 0; i < rows; ++i) x[i] = pointers[i];
        for (size_t k = 0; k < length; ++k, weights += width) {
            ck_vf32 w[CK_F32_VECTORS];
            CK_UNROLL for (size_t v = 0; v < vectors; ++v) w[v] = ck_load_f32(weights + v * CK_LANES, CK_LANES);
            CK_UNROLL for (size_t i = 0; i < rows; ++i) {
                ck_vf32 a = ck_splat(x[i][k]);
                CK_UNROLL for (size_t v = 0; v < vectors; ++v) sums[i][v] = ck_fma(a, w[v], sums[i][v]);
            }
        }
    }
    ck_conv_f32_finish(rows, vectors, c->layer, t, sums);
}

#define CK_F32_FAMILY f32
#define CK_F32_CONVERT NULL
#include "conv_f32_layer.h"
