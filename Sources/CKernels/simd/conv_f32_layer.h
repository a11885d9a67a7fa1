// Convolution of float tensors by ck_conv_f32_tile. The including file defines CK_F32_FAMILY, the type that products are
// computed in, and CK_F32_CONVERT, how it converts activations (ck_convolution.convert).

#define CK_F32_NAME(prefix, suffix) CK_F32_NAME_(prefix, CK_F32_FAMILY, suffix)
#define CK_F32_NAME_(prefix, family, suffix) CK_F32_NAME__(prefix, family, suffix)
#define CK_F32_NAME__(prefix, family, suffix) prefix##family##suffix

// One kernel per width of panel: ck_<family>_igemm_f32__<isa>_<rows>x<vectors>v.
#define CK_DEFINE_KERNEL(row_count, vector_count)                                                                   \
    static void CK_NAME(CK_F32_NAME(ck_, _igemm_f32), row_count##x##vector_count##v)(const ck_convolution *c, const ck_tile *t) { \
        enum { full_rows = row_count, vectors = vector_count };                                                     \
        switch (t->rows) { CK_CASES(row_count, CK_TILE_CASE) }                                                      \
    }
#define CK_TILE_CASE(rows) \
    case rows:             \
        return ck_conv_f32_tile(rows, full_rows, vectors, c, t);
CK_F32_TILES(CK_DEFINE_KERNEL)
#undef CK_DEFINE_KERNEL
#undef CK_TILE_CASE

static const ck_packing ck_packing_f32 = {.lanes = CK_LANES, .max_vectors = CK_F32_VECTORS, .k_step = 1};

static ck_convolution ck_convolution_f32(const ck_conv_f32 *layer) {
    const ck_geometry *g = &layer->geometry;
    const size_t taps = g->kernel_height * g->kernel_width;
    const ck_weight_shape s = ck_merge_groups(
        &(ck_weight_shape){layer->out_channels, taps, layer->in_channels / layer->groups, layer->groups}, ck_packing_f32);
    const size_t inputs = s.group_channels, outputs = s.out_channels / s.groups;
    const size_t vectors = ck_panel_vectors(outputs, ck_packing_f32), width = vectors * CK_LANES;
    ck_convolution c = {
        .layer = layer,
        .width = width,
        .geometry = g,
        .input = (const char *)layer->input,
        .padding = (const char *)layer->padding,
        .weights = layer->weights,
        .in_stride = layer->in_stride * sizeof(float),
        .groups = s.groups,
        .outputs = outputs,
        .tap_size = inputs * sizeof(float),
        .panels = (outputs + width - 1) / width,
        .panel_size = width * CK_F32_NAME(ck_channel_size_, )(taps * inputs),
        .step_size = 4,  // one float, or two numbers of 16 bits
        .convert = CK_F32_CONVERT,
    };
    switch (vectors) {
#define CK_CHOOSE(row_count, vector_count)                                        \
    case vector_count:                                                            \
        c.rows = row_count;                                                       \
        c.kernel = CK_NAME(CK_F32_NAME(ck_, _igemm_f32), row_count##x##vector_count##v); \
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
    return CK_F32_NAME(ck_packed_size_, )(s, ck_packing_f32);
}

static void CK_NAME(ck_f32_conv_f32_pack, CK_LANES)(const ck_weights_f32 *w, void *packed) {
    CK_F32_NAME(ck_pack_, )(w, ck_packing_f32, packed);
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
