// Quantised convolution, one tile. The instruction set defines how bytes are multiplied:
//   ck_weights     one vector of weights: CK_LANES channels x 4 consecutive k
//   ck_activations 4 consecutive k of one row, repeated in every lane
//   ck_sums        running sums of CK_LANES channels
// with ck_load_weights, ck_load_activations, ck_dot and ck_total.

/// Sums of a tile, bias excluded: totals[row * CK_U8_VECTORS + vector].
CK_INLINE void ck_conv_u8_sum(
    const size_t rows, const size_t vectors, const ck_convolution *c, const ck_tile *t, ck_vi32 *totals) {
    const size_t width = vectors * CK_LANES;
    const int8_t *weights = (const int8_t *)t->panel + width * (sizeof(int32_t) + sizeof(float));
    const size_t taps = c->taps, length = c->row_size;

    ck_sums sums[CK_U8_ROWS][CK_U8_VECTORS];
    CK_UNROLL for (size_t i = 0; i < rows; ++i) {
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) sums[i][v] = (ck_sums){0};
    }
    const void *const *pointers = t->pointers;
    for (size_t tap = 0; tap < taps; ++tap, pointers += CK_U8_ROWS) {
        const uint8_t *x[CK_U8_ROWS];
        CK_UNROLL for (size_t i = 0; i < rows; ++i) x[i] = pointers[i];
        for (size_t k = 0; k < length; k += CK_K_STEP, weights += width * CK_K_STEP) {
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
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) totals[i * CK_U8_VECTORS + v] = ck_total(sums[i][v]);
    }
}

/// Adds bias and residual, requantises and stores. Once for all tile sizes: unlike the sums it is not worth unrolling.
static void ck_conv_u8_finish(const ck_conv_u8 *arguments, const ck_tile *t, const ck_vi32 *totals) {
    const ck_conv_u8 layer = *arguments;  // a copy, since stores of bytes may alias anything
    const ck_rounding rounding = ck_rounding_of(layer.out);
    const size_t width = t->vectors * CK_LANES, rows = t->rows;
    for (size_t first = 0; first < t->channels; first += CK_LANES, ++totals) {
        const size_t left = t->channels - first, count = left < CK_LANES ? left : CK_LANES;
        const int32_t *bias = (const int32_t *)t->panel + first;
        ck_vi32 b = ck_load_i32(bias, CK_LANES);
        ck_vf32 m = ck_load_f32((const float *)(bias + width), CK_LANES);
        size_t at = t->pixel * layer.out_stride + t->channel + first;
        size_t residual_at = t->pixel * layer.residual_stride + t->channel + first;
        for (size_t i = 0; i < rows; ++i, at += layer.out_stride, residual_at += layer.residual_stride) {
            ck_vf32 f = ck_to_f32(totals[i * CK_U8_VECTORS] + b) * m;
            if (layer.residual) {
                ck_vi32 x = ck_widen(ck_load_u8(layer.residual + residual_at, count)) - layer.residual_zero_point;
                f += ck_to_f32(x) * layer.residual_multiplier;
            }
            ck_store_u8(layer.output + at, ck_round(f, rounding), count);
        }
    }
}

CK_INLINE void ck_conv_u8_rows(
    const size_t vectors, const ck_convolution *c, const ck_tile *t, ck_vi32 *totals) {
    switch (t->rows) {
#define CK_CASE(rows) \
    case rows:        \
        return ck_conv_u8_sum(rows, vectors, c, t, totals);
        CK_CASES(CK_U8_ROWS, CK_CASE)
#undef CK_CASE
    }
}

static void CK_NAME(ck_u8s8_igemm_u8, CK_U8_TILE)(const ck_convolution *c, const ck_tile *t) {
    ck_vi32 totals[CK_U8_ROWS * CK_U8_VECTORS];
    switch (t->vectors) {
#define CK_CASE(vectors)                        \
    case vectors:                               \
        ck_conv_u8_rows(vectors, c, t, totals); \
        break;
        CK_CASES(CK_U8_VECTORS, CK_CASE)
#undef CK_CASE
    }
    ck_conv_u8_finish(c->layer, t, totals);
}

#define CK_U8_PANEL (CK_LANES * CK_U8_VECTORS)

static const ck_packing ck_packing_u8 = {CK_LANES, CK_U8_PANEL, CK_ACTIVATION_OFFSET};

static ck_convolution ck_convolution_u8(const ck_conv_u8 *layer) {
    const ck_geometry *g = &layer->geometry;
    size_t inputs = layer->in_channels / layer->groups;
    ck_convolution c = {
        .layer = layer,
        .kernel = CK_NAME(ck_u8s8_igemm_u8, CK_U8_TILE),
        .rows = CK_U8_ROWS,
        .lanes = CK_LANES,
        .panel = CK_U8_PANEL,
        .geometry = g,
        .input = (const char *)layer->input,
        .padding = (const char *)layer->padding,
        .weights = layer->weights,
        .in_stride = layer->in_stride,
        .groups = layer->groups,
        .outputs = layer->out_channels / layer->groups,
        .tap_size = inputs,
        .channel_size = ck_channel_size_u8(g->kernel_height * g->kernel_width * inputs),
    };
    ck_convolution_prepare(&c, 16);
    return c;
}

static size_t CK_NAME(ck_u8s8_conv_u8_packed_size, CK_U8_TILE)(const ck_weight_shape *s) {
    return ck_packed_size_u8(s, ck_packing_u8);
}

static void CK_NAME(ck_u8s8_conv_u8_pack, CK_U8_TILE)(const ck_weights_s8 *w, void *packed) {
    ck_pack_u8(w, ck_packing_u8, packed);
}

static size_t CK_NAME(ck_u8s8_conv_u8_scratch_size, CK_U8_TILE)(const ck_conv_u8 *layer) {
    ck_convolution c = ck_convolution_u8(layer);
    return ck_convolution_scratch_size(&c);
}

static void CK_NAME(ck_u8s8_conv_u8, CK_U8_TILE)(
    const ck_conv_u8 *layer, ck_range pixels, ck_range panels, void *scratch) {
    ck_convolution c = ck_convolution_u8(layer);
    ck_convolution_run(&c, pixels, panels, scratch);
}
