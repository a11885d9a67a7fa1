// The sums of a tile of a quantised convolution, where the hardware takes four k of a row at a time:
//   ck_load_weights      4 consecutive k of CK_LANES channels
//   ck_load_activations  4 consecutive k of one row, repeated in every lane

#define CK_K_STEP 4

CK_INLINE void ck_sum_tile_u8(
    const size_t rows, const size_t full_rows, const size_t vectors, const ck_convolution *c, const ck_tile *t,
    const int32_t *bias, const int8_t *weights, ck_vi32 totals[CK_U8_ROWS][CK_U8_VECTORS]) {
    const size_t taps = c->taps, length = c->row_size;
    ck_sums sums[CK_U8_ROWS][CK_U8_VECTORS];
    CK_UNROLL for (size_t v = 0; v < vectors; ++v) {
        const ck_sums start = ck_start(ck_load_i32(bias + v * CK_LANES, CK_LANES));
        CK_UNROLL for (size_t i = 0; i < rows; ++i) sums[i][v] = start;
    }
    const void *const *pointers = t->pointers;
    for (size_t tap = 0; tap < taps; ++tap, pointers += full_rows) {
        const uint8_t *x[CK_U8_ROWS];
        CK_UNROLL for (size_t i = 0; i < rows; ++i) x[i] = pointers[i];
        for (size_t k = 0; k < length; k += CK_K_STEP, weights += vectors * CK_LANES * CK_K_STEP) {
            ck_weights w[CK_U8_VECTORS];
            CK_UNROLL for (size_t v = 0; v < vectors; ++v) {
                w[v] = ck_load_weights(weights + v * CK_LANES * CK_K_STEP);
            }
            CK_UNROLL for (size_t i = 0; i < rows; ++i) {
                ck_activations a = ck_load_activations(x[i] + k);
                CK_UNROLL for (size_t v = 0; v < vectors; ++v) sums[i][v] = ck_dot(sums[i][v], a, w[v]);
            }
        }
    }
    CK_UNROLL for (size_t i = 0; i < rows; ++i) {
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) totals[i][v] = ck_total(sums[i][v]);
    }
}
