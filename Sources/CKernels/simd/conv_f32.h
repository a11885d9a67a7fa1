// Float convolution, one tile. Sums run over k in order, fused.

/// Sums of a tile, bias included: totals[row * CK_F32_VECTORS + vector].
CK_INLINE void ck_conv_f32_sum(
    const size_t rows, const size_t vectors, const ck_convolution *c, const ck_tile *t, ck_vf32 *totals) {
    const size_t width = vectors * CK_LANES, taps = c->taps, length = c->row_size / sizeof(float);
    const float *bias = t->panel, *weights = bias + width;

    ck_vf32 sums[CK_F32_ROWS][CK_F32_VECTORS];
    CK_UNROLL for (size_t i = 0; i < rows; ++i) {
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) sums[i][v] = ck_load_f32(bias + v * CK_LANES, CK_LANES);
    }
    const void *const *pointers = t->pointers;
    for (size_t tap = 0; tap < taps; ++tap, pointers += CK_F32_ROWS) {
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
    CK_UNROLL for (size_t i = 0; i < rows; ++i) {
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) totals[i * CK_F32_VECTORS + v] = sums[i][v];
    }
}

static void ck_conv_f32_finish(const ck_conv_f32 *arguments, const ck_tile *t, const ck_vf32 *totals) {
    const ck_conv_f32 layer = *arguments;
    const size_t rows = t->rows;
    for (size_t first = 0; first < t->channels; first += CK_LANES, ++totals) {
        const size_t left = t->channels - first, count = left < CK_LANES ? left : CK_LANES;
        size_t at = t->pixel * layer.out_stride + t->channel + first;
        size_t residual_at = t->pixel * layer.residual_stride + t->channel + first;
        for (size_t i = 0; i < rows; ++i, at += layer.out_stride, residual_at += layer.residual_stride) {
            ck_vf32 f = totals[i * CK_F32_VECTORS];
            if (layer.residual) f += ck_load_f32(layer.residual + residual_at, count);
            ck_store_f32(layer.output + at, ck_clamp_lanes(f, layer.min, layer.max), count);
        }
    }
}

CK_INLINE void ck_conv_f32_rows(
    const size_t vectors, const ck_convolution *c, const ck_tile *t, ck_vf32 *totals) {
    switch (t->rows) {
#define CK_CASE(rows) \
    case rows:        \
        return ck_conv_f32_sum(rows, vectors, c, t, totals);
        CK_CASES(CK_F32_ROWS, CK_CASE)
#undef CK_CASE
    }
}

static void CK_NAME(ck_f32_igemm_f32, CK_F32_TILE)(const ck_convolution *c, const ck_tile *t) {
    ck_vf32 totals[CK_F32_ROWS * CK_F32_VECTORS];
    switch (t->vectors) {
#define CK_CASE(vectors)                         \
    case vectors:                                \
        ck_conv_f32_rows(vectors, c, t, totals); \
        break;
        CK_CASES(CK_F32_VECTORS, CK_CASE)
#undef CK_CASE
    }
    ck_conv_f32_finish(c->layer, t, totals);
}

#define CK_F32_PANEL (CK_LANES * CK_F32_VECTORS)

static const ck_packing ck_packing_f32 = {CK_LANES, CK_F32_PANEL, 0};

static ck_convolution ck_convolution_f32(const ck_conv_f32 *layer) {
    const ck_geometry *g = &layer->geometry;
    size_t inputs = layer->in_channels / layer->groups;
    ck_convolution c = {
        .layer = layer,
        .kernel = CK_NAME(ck_f32_igemm_f32, CK_F32_TILE),
        .rows = CK_F32_ROWS,
        .lanes = CK_LANES,
        .panel = CK_F32_PANEL,
        .geometry = g,
        .input = (const char *)layer->input,
        .padding = (const char *)layer->padding,
        .weights = layer->weights,
        .in_stride = layer->in_stride * sizeof(float),
        .groups = layer->groups,
        .outputs = layer->out_channels / layer->groups,
        .tap_size = inputs * sizeof(float),
        .channel_size = ck_channel_size_f32(g->kernel_height * g->kernel_width * inputs),
    };
    ck_convolution_prepare(&c, 8 * sizeof(float));
    return c;
}

static size_t CK_NAME(ck_f32_conv_f32_packed_size, CK_F32_TILE)(const ck_weight_shape *s) {
    return ck_packed_size_f32(s, ck_packing_f32);
}

static void CK_NAME(ck_f32_conv_f32_pack, CK_F32_TILE)(const ck_weights_f32 *w, void *packed) {
    ck_pack_f32(w, ck_packing_f32, packed);
}

static size_t CK_NAME(ck_f32_conv_f32_scratch_size, CK_F32_TILE)(const ck_conv_f32 *layer) {
    ck_convolution c = ck_convolution_f32(layer);
    return ck_convolution_scratch_size(&c);
}

static void CK_NAME(ck_f32_conv_f32, CK_F32_TILE)(
    const ck_conv_f32 *layer, ck_range pixels, ck_range panels, void *scratch) {
    ck_convolution c = ck_convolution_f32(layer);
    ck_convolution_run(&c, pixels, panels, scratch);
}
