// Float convolution, one tile. Sums run over k in order, fused.

typedef ck_vf32 ck_f32_sums[CK_F32_VECTORS];

/// Adds the residual, clamps and stores a whole tile.
CK_INLINE void ck_conv_f32_finish(
    const size_t rows, const size_t vectors, const ck_conv_f32 *layer, const ck_tile *t, const ck_f32_sums *sums) {
    const float min = layer->min, max = layer->max, *residual = layer->residual;
    const size_t out_stride = layer->out_stride, residual_stride = layer->residual_stride;
    float *output = layer->output + t->pixel * out_stride + t->channel;
    if (residual) residual += t->pixel * residual_stride + t->channel;
    CK_UNROLL for (size_t i = 0; i < rows; ++i, output += out_stride) {
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) {
            const size_t first = v * CK_LANES;
            ck_vf32 f = sums[i][v];
            if (residual) f += ck_load_f32(residual + i * residual_stride + first, CK_LANES);
            ck_store_f32(output + first, ck_clamp_lanes(f, min, max), CK_LANES);
        }
    }
}

/// The same for a tile that has fewer channels than its panel.
static void ck_conv_f32_finish_part(const ck_conv_f32 *arguments, const ck_tile *t, const ck_f32_sums *sums) {
    const ck_conv_f32 layer = *arguments;
    for (size_t i = 0; i < t->rows; ++i) {
        float *output = layer.output + (t->pixel + i) * layer.out_stride + t->channel;
        const float *residual = layer.residual + (t->pixel + i) * layer.residual_stride + t->channel;
        for (size_t first = 0; first < t->channels; first += CK_LANES) {
            const size_t left = t->channels - first, count = left < CK_LANES ? left : CK_LANES;
            ck_vf32 f = sums[i][first / CK_LANES];
            if (layer.residual) f += ck_load_f32(residual + first, count);
            ck_store_f32(output + first, ck_clamp_lanes(f, layer.min, layer.max), count);
        }
    }
}

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

    if (t->channels == width) return ck_conv_f32_finish(rows, vectors, c->layer, t, sums);
    ck_vf32 totals[CK_F32_ROWS][CK_F32_VECTORS];
    CK_UNROLL for (size_t i = 0; i < rows; ++i) {
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) totals[i][v] = sums[i][v];
    }
    ck_conv_f32_finish_part(c->layer, t, totals);
}

// One kernel per width of panel: ck_f32_igemm_f32__<isa>_<rows>x<vectors>v.
#define CK_DEFINE_KERNEL(row_count, vector_count)                                                                   \
    static void CK_NAME(ck_f32_igemm_f32, row_count##x##vector_count##v)(const ck_convolution *c, const ck_tile *t) { \
        enum { full_rows = row_count, vectors = vector_count };                                                     \
        switch (t->rows) { CK_CASES(row_count, CK_TILE_CASE) }                                                      \
    }
#define CK_TILE_CASE(rows) \
    case rows:             \
        return ck_conv_f32_tile(rows, full_rows, vectors, c, t);
CK_F32_TILES(CK_DEFINE_KERNEL)
#undef CK_DEFINE_KERNEL
#undef CK_TILE_CASE

static const ck_packing ck_packing_f32 = {CK_LANES, CK_F32_VECTORS, 0};

static ck_convolution ck_convolution_f32(const ck_conv_f32 *layer) {
    const ck_geometry *g = &layer->geometry;
    const size_t inputs = layer->in_channels / layer->groups, outputs = layer->out_channels / layer->groups;
    const size_t vectors = ck_panel_vectors(outputs, ck_packing_f32), width = vectors * CK_LANES;
    ck_convolution c = {
        .layer = layer,
        .width = width,
        .geometry = g,
        .input = (const char *)layer->input,
        .padding = (const char *)layer->padding,
        .weights = layer->weights,
        .in_stride = layer->in_stride * sizeof(float),
        .groups = layer->groups,
        .outputs = outputs,
        .tap_size = inputs * sizeof(float),
        .panels = (outputs + width - 1) / width,
        .panel_size = width * ck_channel_size_f32(g->kernel_height * g->kernel_width * inputs),
    };
    switch (vectors) {
#define CK_CHOOSE(row_count, vector_count)                                        \
    case vector_count:                                                            \
        c.rows = row_count;                                                       \
        c.kernel = CK_NAME(ck_f32_igemm_f32, row_count##x##vector_count##v); \
        break;
        CK_F32_TILES(CK_CHOOSE)
#undef CK_CHOOSE
    }
    ck_convolution_prepare(&c, 8 * sizeof(float));
    return c;
}

static size_t CK_NAME(ck_conv_f32_panel_count, CK_LANES)(const ck_weight_shape *s) {
    return ck_panel_count(s, ck_packing_f32);
}

static size_t CK_NAME(ck_f32_conv_f32_packed_size, CK_LANES)(const ck_weight_shape *s) {
    return ck_packed_size_f32(s, ck_packing_f32);
}

static void CK_NAME(ck_f32_conv_f32_pack, CK_LANES)(const ck_weights_f32 *w, void *packed) {
    ck_pack_f32(w, ck_packing_f32, packed);
}

static size_t CK_NAME(ck_f32_conv_f32_scratch_size, CK_LANES)(const ck_conv_f32 *layer) {
    ck_convolution c = ck_convolution_f32(layer);
    return ck_convolution_scratch_size(&c);
}

static void CK_NAME(ck_f32_conv_f32, CK_LANES)(
    const ck_conv_f32 *layer, ck_range pixels, ck_range panels, void *scratch) {
    ck_convolution c = ck_convolution_f32(layer);
    ck_convolution_run(&c, pixels, panels, scratch);
}
