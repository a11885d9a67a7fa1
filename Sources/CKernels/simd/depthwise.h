// Depthwise convolution, channel multiplier 1: vectors run over channels, taps are reached through pointers as in the
// general convolution.

/// Pixels whose pointers are set up together.
#define CK_DEPTHWISE_PIXELS 8
/// Vectors of channels in flight, to hide the latency of the sums.
#define CK_DEPTHWISE_VECTORS 4

static const ck_packing ck_packing_depthwise = {CK_LANES, CK_LANES, 0};

static size_t ck_depthwise_scratch_size(const ck_geometry *g) {
    return CK_DEPTHWISE_PIXELS * g->kernel_height * g->kernel_width * sizeof(void *);
}

/// One pixel; `pointers` are CK_DEPTHWISE_PIXELS apart. The parts of the packed weights are `width` channels wide.
typedef struct ck_depthwise_pixel {
    const void *const *pointers;
    size_t taps, width, pixel;
} ck_depthwise_pixel;

/// Channels c ..< c + vectors * CK_LANES of a pixel; a single vector may have fewer, `count`.
CK_INLINE void ck_dwconv_u8_block(
    const ck_conv_u8 *layer, const ck_depthwise_pixel *d, size_t c, const size_t vectors, size_t count) {
    const int32_t *bias = layer->weights;
    const float *multipliers = (const float *)(bias + d->width);
    const int16_t *weights = (const int16_t *)(multipliers + d->width) + c;
    ck_vi32 sums[CK_DEPTHWISE_VECTORS];
    CK_UNROLL for (size_t v = 0; v < vectors; ++v) sums[v] = ck_load_i32(bias + c + v * CK_LANES, CK_LANES);
    for (size_t tap = 0; tap < d->taps; ++tap, weights += d->width) {
        const uint8_t *x = (const uint8_t *)d->pointers[tap * CK_DEPTHWISE_PIXELS] + c;
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) {
            // A product of u8 and s8 fits 16 bits.
            ck_vi16 a = __builtin_convertvector(ck_load_u8(x + v * CK_LANES, count), ck_vi16);
            ck_vi16 product = a * ck_load_i16(weights + v * CK_LANES, CK_LANES);
            sums[v] += __builtin_convertvector(product, ck_vi32);
        }
    }
    const ck_rounding own = ck_rounding_of(layer->out), sum = ck_rounding_of(layer->sum);
    CK_UNROLL for (size_t v = 0; v < vectors; ++v) {
        size_t at = c + v * CK_LANES;
        ck_vf32 f = ck_to_f32(sums[v]) * ck_load_f32(multipliers + at, CK_LANES);
        if (layer->residual) {
            const uint8_t *r = layer->residual + d->pixel * layer->residual_stride + at;
            ck_vi32 x = ck_widen(ck_load_u8(r, count)) - layer->residual_zero_point;
            f = ck_round_f32(f, own) * layer->own_multiplier + ck_to_f32(x) * layer->residual_multiplier;
        }
        ck_store_u8(layer->output + d->pixel * layer->out_stride + at, ck_round(f, layer->residual ? sum : own), count);
    }
}

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

static void CK_NAME(ck_u8s8_dwconv_u8, CK_LANES)(
    const ck_conv_u8 *arguments, ck_range pixels, void *scratch) {
    const ck_conv_u8 copy = *arguments, *layer = &copy;  // stores of bytes may alias anything else
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
                g, (const char *)layer->input, layer->in_stride, (const char *)layer->padding, d.pixel,
                left < CK_DEPTHWISE_PIXELS ? left : CK_DEPTHWISE_PIXELS, CK_DEPTHWISE_PIXELS, pointers);
        }
        d.pointers = pointers + ahead;
        for (size_t c = 0; c < channels;) {
            size_t left = channels - c;
            if (left >= CK_DEPTHWISE_VECTORS * CK_LANES) {
                ck_dwconv_u8_block(layer, &d, c, CK_DEPTHWISE_VECTORS, CK_LANES);
                c += CK_DEPTHWISE_VECTORS * CK_LANES;
            } else if (left >= CK_LANES) {
                ck_dwconv_u8_block(layer, &d, c, 1, CK_LANES);
                c += CK_LANES;
            } else if (c > 0 && !layer->residual) {
                c = channels - CK_LANES;  // a whole vector again; a residual could be the output, already written
            } else {
                ck_dwconv_u8_block(layer, &d, c, 1, left);
                c = channels;
            }
        }
    }
}

static size_t CK_NAME(ck_u8s8_dwconv_u8_packed_size, CK_LANES)(const ck_weight_shape *s) {
    return ck_packed_size_depthwise_u8(s, ck_packing_depthwise);
}

static void CK_NAME(ck_u8s8_dwconv_u8_pack, CK_LANES)(const ck_weights_s8 *w, void *packed) {
    ck_pack_depthwise_u8(w, ck_packing_depthwise, packed);
}

static size_t CK_NAME(ck_u8s8_dwconv_u8_scratch_size, CK_LANES)(const ck_conv_u8 *layer) {
    return ck_depthwise_scratch_size(&layer->geometry);
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
