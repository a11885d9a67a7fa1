// Quantised convolution: what becomes of the sums of a tile.

/// Requantises the sums of a tile that has a residual: one function for each width, whatever the height, since code for
/// every tile would be long.
CK_INLINE void ck_conv_u8_add(
    const ck_conv_u8 *arguments, const ck_tile *t, const size_t vectors, const ck_vi32 *totals,
    const float *multipliers) {
    const ck_conv_u8 layer = *arguments;  // a copy, since stores of bytes may alias anything
    const ck_rounding own = ck_rounding_of(layer.out);
    const ck_requantizer sum = ck_requantizer_of(layer.sum);
    const uint8_t *residual = layer.residual + t->pixel * layer.residual_stride + t->channel;
    uint8_t *output = layer.output + t->pixel * layer.out_stride + t->channel;
    const size_t channels = t->channels;
    ck_vf32 m[CK_U8_VECTORS];
    CK_UNROLL for (size_t v = 0; v < vectors; ++v) m[v] = ck_load_f32(multipliers + v * CK_LANES, CK_LANES);
    for (size_t i = 0; i < t->rows; ++i, totals += vectors) {
        ck_vf32 f[CK_U8_VECTORS];
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) {
            const size_t first = v * CK_LANES, left = channels > first ? channels - first : 0;
            ck_vi32 r = ck_load_widened(residual + first, left < CK_LANES ? left : CK_LANES);
            f[v] = ck_round_f32(ck_to_f32(totals[v]) * m[v], own) * layer.own_multiplier
                + ck_to_f32(r - layer.residual_zero_point) * layer.residual_multiplier;
        }
        ck_store_requantized(output, f, vectors, channels, &sum);
        residual += layer.residual_stride;
        output += layer.out_stride;
    }
}

typedef void ck_conv_u8_adder(const ck_conv_u8 *, const ck_tile *, const ck_vi32 *totals, const float *multipliers);

#define CK_DEFINE_ADDER(row_count, vector_count)                                                                  \
    static __attribute__((noinline)) void CK_NAME(ck_conv_u8_add, vector_count##v)(                               \
        const ck_conv_u8 *layer, const ck_tile *t, const ck_vi32 *totals, const float *multipliers) {             \
        ck_conv_u8_add(layer, t, vector_count, totals, multipliers);                                              \
    }
CK_U8_TILES(CK_DEFINE_ADDER)
#undef CK_DEFINE_ADDER

CK_INLINE void ck_conv_u8_tile(
    const size_t rows, const size_t full_rows, const size_t vectors, const ck_convolution *c, const ck_tile *t,
    ck_conv_u8_adder *const add) {
    const size_t width = vectors * CK_LANES;
    const int32_t *bias = t->panel;
    const float *multipliers = (const float *)(bias + width);
    const int8_t *weights = (const int8_t *)(multipliers + width);
    ck_vi32 totals[CK_U8_ROWS][CK_U8_VECTORS];
    ck_sum_tile_u8(rows, full_rows, vectors, c, t, bias, weights, totals);

    const ck_conv_u8 *layer = c->layer;
    if (layer->residual) {
        // A copy, so that only here the sums go through memory.
        ck_vi32 stored[CK_U8_ROWS * CK_U8_VECTORS];
        CK_UNROLL for (size_t i = 0; i < rows; ++i) {
            CK_UNROLL for (size_t v = 0; v < vectors; ++v) stored[i * vectors + v] = totals[i][v];
        }
        return add(layer, t, stored, multipliers);
    }
    const ck_requantizer requantizer = ck_requantizer_of(layer->out);
    const size_t out_stride = layer->out_stride;
    uint8_t *output = layer->output + t->pixel * out_stride + t->channel;
    ck_vf32 m[CK_U8_VECTORS];
    CK_UNROLL for (size_t v = 0; v < vectors; ++v) m[v] = ck_load_f32(multipliers + v * CK_LANES, CK_LANES);
    CK_UNROLL for (size_t i = 0; i < rows; ++i, output += out_stride) {
        ck_vf32 f[CK_U8_VECTORS];
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) f[v] = ck_to_f32(totals[i][v]) * m[v];
        ck_store_requantized(output, f, vectors, t->channels, &requantizer);
    }
}

// One kernel per width of panel: ck_u8s8_igemm_u8__<isa>_<rows>x<vectors>v.
#define CK_DEFINE_KERNEL(row_count, vector_count)                                                                      \
    static void CK_NAME(ck_u8s8_igemm_u8, row_count##x##vector_count##v)(const ck_convolution *c, const ck_tile *t) {  \
        enum { full_rows = row_count, vectors = vector_count };                                                        \
        ck_conv_u8_adder *const add = CK_NAME(ck_conv_u8_add, vector_count##v);                                        \
        switch (t->rows) { CK_CASES(row_count, CK_TILE_CASE) }                                                         \
    }
#define CK_TILE_CASE(rows) \
    case rows:             \
        return ck_conv_u8_tile(rows, full_rows, vectors, c, t, add);
CK_U8_TILES(CK_DEFINE_KERNEL)
#undef CK_DEFINE_KERNEL
#undef CK_TILE_CASE

static const ck_packing ck_packing_u8 = {CK_LANES, CK_U8_VECTORS, CK_ACTIVATION_OFFSET, CK_K_STEP};

static ck_convolution ck_convolution_u8(const ck_conv_u8 *layer) {
    const ck_geometry *g = &layer->geometry;
    const size_t taps = g->kernel_height * g->kernel_width;
    const ck_weight_shape s = ck_merge_groups(
        &(ck_weight_shape){layer->out_channels, taps, layer->in_channels / layer->groups, layer->groups}, ck_packing_u8);
    const size_t inputs = s.group_channels, outputs = s.out_channels / s.groups;
    const size_t vectors = ck_panel_vectors(outputs, ck_packing_u8), width = vectors * CK_LANES;
    ck_convolution c = {
        .layer = layer,
        .width = width,
        .geometry = g,
        .input = (const char *)layer->input,
        .padding = (const char *)layer->padding,
        .weights = layer->weights,
        .in_stride = layer->in_stride,
        .groups = s.groups,
        .outputs = outputs,
        .tap_size = inputs,
        .panels = (outputs + width - 1) / width,
        .panel_size = width * ck_channel_size_u8(taps * inputs, ck_packing_u8),
        .step_size = CK_K_STEP,
    };
    switch (vectors) {
#define CK_CHOOSE(row_count, vector_count)                                        \
    case vector_count:                                                            \
        c.rows = row_count;                                                       \
        c.kernel = CK_NAME(ck_u8s8_igemm_u8, row_count##x##vector_count##v); \
        break;
        CK_U8_TILES(CK_CHOOSE)
#undef CK_CHOOSE
    }
    ck_convolution_prepare(&c, 16);
    return c;
}

static size_t CK_NAME(ck_conv_u8_panel_count, CK_LANES)(const ck_weight_shape *s) {
    return ck_panel_count(s, ck_packing_u8);
}

static size_t CK_NAME(ck_u8s8_conv_u8_packed_size, CK_LANES)(const ck_weight_shape *s) {
    return ck_packed_size_u8(s, ck_packing_u8);
}

static void CK_NAME(ck_u8s8_conv_u8_pack, CK_LANES)(const ck_weights_s8 *w, void *packed) {
    ck_pack_u8(w, ck_packing_u8, packed);
}

static size_t CK_NAME(ck_u8s8_conv_u8_scratch_size, CK_LANES)(const ck_conv_u8 *layer) {
    ck_convolution c = ck_convolution_u8(layer);
    return ck_convolution_scratch_size(&c);
}

static void CK_NAME(ck_u8s8_conv_u8, CK_LANES)(
    const ck_conv_u8 *layer, ck_range pixels, ck_range panels, void *scratch) {
    ck_convolution c = ck_convolution_u8(layer);
    ck_convolution_run(&c, pixels, panels, scratch);
}
