// Depthwise convolution of floats.

/// Pixels whose pointers are set up together.
#define CK_DEPTHWISE_PIXELS 8
/// Vectors of channels in flight, to hide the latency of the sums.
#define CK_DEPTHWISE_VECTORS 4

static const ck_packing ck_packing_depthwise = {.lanes = CK_LANES};

static size_t ck_depthwise_scratch_size(const ck_geometry *g) {
    return CK_DEPTHWISE_PIXELS * g->kernel_height * g->kernel_width * sizeof(void *);
}

/// One pixel; `pointers` are CK_DEPTHWISE_PIXELS apart. The parts of the packed weights are `width` channels wide.
typedef struct ck_depthwise_pixel {
    const void *const *pointers;
    size_t taps, width, pixel;
} ck_depthwise_pixel;

CK_INLINE void ck_dwconv_f32_block(
    const ck_conv_f32 *layer, const ck_depthwise_pixel *d, size_t c, const size_t vectors, size_t count) {
    const float *bias = layer->weights, *weights = bias + d->width + c;
    ck_vf32 sums[CK_DEPTHWISE_VECTORS];
    CK_UNROLL for (size_t v = 0; v < vectors; ++v) sums[v] = ck_load_f32(bias + c + v * CK_LANES, CK_LANES);
    for (size_t tap = 0; tap < d->taps; ++tap, weights += d->width) {
        const float *x = (const float *)d->pointers[tap * CK_DEPTHWISE_PIXELS] + c;
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) {
            ck_vf32 a = ck_load_f32(x + v * CK_LANES, count);
            sums[v] = ck_fma(a, ck_load_f32(weights + v * CK_LANES, CK_LANES), sums[v]);
        }
    }
    CK_UNROLL for (size_t v = 0; v < vectors; ++v) {
        size_t at = c + v * CK_LANES;
        ck_vf32 f = sums[v];
        if (layer->residual) f += ck_load_f32(layer->residual + d->pixel * layer->residual_stride + at, count);
        ck_store_f32(
            layer->output + d->pixel * layer->out_stride + at, ck_clamp_lanes(f, layer->min, layer->max), count);
    }
}

static void CK_NAME(ck_f32_dwconv_f32, CK_LANES)(const ck_conv_f32 *layer, ck_range pixels, void *scratch) {
    const ck_geometry *g = &layer->geometry;
    const size_t channels = layer->out_channels;
    const void **pointers = scratch;
    ck_depthwise_pixel d = {
        .taps = g->kernel_height * g->kernel_width,
        .width = (channels + CK_LANES - 1) / CK_LANES * CK_LANES,
    };
    for (d.pixel = pixels.first; d.pixel < pixels.last; ++d.pixel) {
        size_t ahead = (d.pixel - pixels.first) % CK_DEPTHWISE_PIXELS;
        if (ahead == 0) {
            size_t left = pixels.last - d.pixel;
            ck_point_at_taps(
                g, (const char *)layer->input, layer->in_stride * sizeof(float), (const char *)layer->padding, d.pixel,
                left < CK_DEPTHWISE_PIXELS ? left : CK_DEPTHWISE_PIXELS, CK_DEPTHWISE_PIXELS, pointers);
        }
        d.pointers = pointers + ahead;
        for (size_t c = 0; c < channels;) {
            size_t left = channels - c;
            if (left >= CK_DEPTHWISE_VECTORS * CK_LANES) {
                ck_dwconv_f32_block(layer, &d, c, CK_DEPTHWISE_VECTORS, CK_LANES);
                c += CK_DEPTHWISE_VECTORS * CK_LANES;
            } else if (left >= CK_LANES) {
                ck_dwconv_f32_block(layer, &d, c, 1, CK_LANES);
                c += CK_LANES;
            } else if (c > 0 && !layer->residual) {
                c = channels - CK_LANES;  // a whole vector again; a residual could be the output, already written
            } else {
                ck_dwconv_f32_block(layer, &d, c, 1, left);
                c = channels;
            }
        }
    }
}

static size_t CK_NAME(ck_f32_dwconv_f32_packed_size, CK_LANES)(const ck_weight_shape *s) {
    return ck_packed_size_depthwise_f32(s, ck_packing_depthwise);
}

static void CK_NAME(ck_f32_dwconv_f32_pack, CK_LANES)(const ck_weights_f32 *w, void *packed) {
    ck_pack_depthwise_f32(w, ck_packing_depthwise, packed);
}

static size_t CK_NAME(ck_f32_dwconv_f32_scratch_size, CK_LANES)(const ck_conv_f32 *layer) {
    return ck_depthwise_scratch_size(&layer->geometry);
}
