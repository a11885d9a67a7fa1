// What follows the sums of a float convolution's tile: residual, clamp, store.

typedef ck_vf32 ck_f32_sums[CK_F32_VECTORS];

/// Adds the residual, clamps and stores a whole tile.
CK_INLINE void ck_conv_f32_finish_whole(
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

CK_INLINE void ck_conv_f32_finish(
    const size_t rows, const size_t vectors, const ck_conv_f32 *layer, const ck_tile *t, const ck_f32_sums *sums) {
    if (t->channels == vectors * CK_LANES) return ck_conv_f32_finish_whole(rows, vectors, layer, t, sums);
    ck_f32_sums totals[CK_F32_ROWS];  // so that only a part takes the sums through memory
    CK_UNROLL for (size_t i = 0; i < rows; ++i) {
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) totals[i][v] = sums[i][v];
    }
    ck_conv_f32_finish_part(layer, t, totals);
}
