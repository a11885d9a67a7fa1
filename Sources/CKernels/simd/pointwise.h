// Pixel by pixel. Each kernel is a block of up to a register of bytes or of floats; tensors without gaps are one long pixel.

/// Defines kernel `name` over `type`: calls block(k, pixel, first channel, count), inlined for whole blocks of `unit`.
#define CK_DEFINE_POINTWISE(name, type, block, unit, is_dense)                                  \
    static void CK_NAME(name, unit)(const type *arguments, ck_range pixels) {                   \
        const type copy = *arguments, *k = &copy; /* stores of bytes may alias anything else */ \
        size_t channels = k->channels;                                                          \
        if (is_dense && pixels.first < pixels.last) {                                           \
            channels *= pixels.last - pixels.first;                                             \
            pixels.last = pixels.first + 1;                                                     \
        }                                                                                       \
        for (size_t p = pixels.first; p < pixels.last; ++p) {                                   \
            size_t i = 0;                                                                       \
            for (; i + unit <= channels; i += unit) block(k, p, i, unit);                       \
            if (i < channels) block(k, p, i, channels - i);                                     \
        }                                                                                       \
    }

#define CK_UNARY_IS_DENSE (k->in_stride == channels && k->out_stride == channels)
#define CK_BINARY_IS_DENSE (k->a_stride == channels && k->b_stride == channels && k->out_stride == channels)

CK_INLINE void ck_add_u8_block(const ck_add_u8 *k, size_t p, size_t i, size_t count) {
    ck_vf32 a[4], b[4];
    ck_centre(ck_load_bytes(k->a + p * k->a_stride + i, count), k->a_zero_point, a);
    ck_centre(ck_load_bytes(k->b + p * k->b_stride + i, count), k->b_zero_point, b);
    CK_UNROLL for (size_t v = 0; v < 4; ++v) a[v] = a[v] * k->a_multiplier + b[v] * k->b_multiplier;
    ck_store_lanes(k->output + p * k->out_stride + i, a, count, k->out);
}
CK_DEFINE_POINTWISE(ck_u8_add_u8, ck_add_u8, ck_add_u8_block, CK_BYTES, CK_BINARY_IS_DENSE)

CK_INLINE void ck_mul_u8_bytes(const ck_mul_u8 *k, const uint8_t *from, const uint8_t *by, uint8_t *to, size_t count) {
    ck_vf32 a[4], b[4];
    ck_centre(ck_load_bytes(from, count), k->a_zero_point, a);
    ck_centre(ck_load_bytes(by, count), k->b_zero_point, b);
    // The product of two bytes is exact.
    CK_UNROLL for (size_t v = 0; v < 4; ++v) a[v] = a[v] * b[v] * k->multiplier;
    ck_store_lanes(to, a, count, k->out);
}

CK_INLINE void ck_mul_u8_block(const ck_mul_u8 *k, size_t p, size_t i, size_t count) {
    ck_mul_u8_bytes(k, k->a + p * k->a_stride + i, k->b + p * k->b_stride + i, k->output + p * k->out_stride + i, count);
}
CK_DEFINE_POINTWISE(ck_u8_mul_u8_any, ck_mul_u8, ck_mul_u8_block, CK_BYTES, CK_BINARY_IS_DENSE)

/// Channels of a gate that is repeated rather than read anew for each pixel, where the last would not fill a register.
#define CK_GATE_CHANNELS 1024

/// A gate that all pixels share is repeated until a register can begin at any of its channels; pixels without gaps are
/// then one long one.
static void CK_NAME(ck_u8_mul_u8, CK_BYTES)(const ck_mul_u8 *arguments, ck_range pixels) {
    const ck_mul_u8 k = *arguments;  // stores of bytes may alias anything else
    const size_t channels = k.channels;
    const bool repeats = k.b_stride == 0 && k.a_stride == channels && k.out_stride == channels
        && channels % CK_BYTES != 0 && channels <= CK_GATE_CHANNELS;
    if (!repeats) return CK_NAME(ck_u8_mul_u8_any, CK_BYTES)(arguments, pixels);
    uint8_t gate[CK_GATE_CHANNELS + CK_BYTES];
    __builtin_memcpy(gate, k.b, channels);
    for (size_t i = channels; i < channels + CK_BYTES; ++i) gate[i] = gate[i - channels];
    const size_t last = pixels.last * channels, step = CK_BYTES % channels;
    for (size_t i = pixels.first * channels, channel = 0; i < last; i += CK_BYTES) {
        if (last - i >= CK_BYTES) ck_mul_u8_bytes(&k, k.a + i, gate + channel, k.output + i, CK_BYTES);
        else ck_mul_u8_bytes(&k, k.a + i, gate + channel, k.output + i, last - i);
        channel += step;
        if (channel >= channels) channel -= channels;
    }
}

CK_INLINE void ck_requantize_u8_block(const ck_requantize_u8 *k, size_t p, size_t i, size_t count) {
    ck_vf32 f[4];
    ck_centre(ck_load_bytes(k->input + p * k->in_stride + i, count), k->in_zero_point, f);
    CK_UNROLL for (size_t v = 0; v < 4; ++v) f[v] *= k->multiplier;
    ck_store_lanes(k->output + p * k->out_stride + i, f, count, k->out);
}
CK_DEFINE_POINTWISE(ck_u8_requantize_u8, ck_requantize_u8, ck_requantize_u8_block, CK_BYTES, CK_UNARY_IS_DENSE)

CK_INLINE void ck_quantize_u8_block(const ck_quantize_f32 *k, size_t p, size_t i, size_t count) {
    const float *x = k->input + p * k->in_stride + i;
    const ck_vf32 zero = {0};
    const ck_requantizer q = ck_requantizer_of((ck_output_u8){k->zero_point, 0, 255});
    ck_vf32 f[4];
    CK_UNROLL for (size_t v = 0; v < 4; ++v) {
        const size_t first = v * CK_LANES, left = count > first ? count - first : 0;
        f[v] = left ? ck_load_f32(x + first, left < CK_LANES ? left : CK_LANES) / k->scale : zero;
        f[v] = ck_select(f[v] == f[v], f[v], zero);
    }
    ck_store_requantized(k->output + p * k->out_stride + i, f, 4, count, &q);
}
CK_DEFINE_POINTWISE(ck_f32_quantize_u8, ck_quantize_f32, ck_quantize_u8_block, CK_BYTES, CK_UNARY_IS_DENSE)

CK_INLINE ck_vi32 ck_centred(const uint8_t *from, size_t count, uint8_t zero_point) {
    return ck_widen(ck_load_u8(from, count)) - zero_point;
}

CK_INLINE void ck_dequantize_f32_block(const ck_dequantize_u8 *k, size_t p, size_t i, size_t count) {
    ck_vi32 x = ck_centred(k->input + p * k->in_stride + i, count, k->zero_point);
    ck_store_f32(k->output + p * k->out_stride + i, ck_to_f32(x) * k->scale, count);
}
CK_DEFINE_POINTWISE(ck_u8_dequantize_f32, ck_dequantize_u8, ck_dequantize_f32_block, CK_LANES, CK_UNARY_IS_DENSE)

CK_INLINE void ck_add_f32_block(const ck_binary_f32 *k, size_t p, size_t i, size_t count) {
    ck_vf32 f = ck_load_f32(k->a + p * k->a_stride + i, count) + ck_load_f32(k->b + p * k->b_stride + i, count);
    ck_store_f32(k->output + p * k->out_stride + i, ck_clamp_lanes(f, k->min, k->max), count);
}
CK_DEFINE_POINTWISE(ck_f32_add_f32, ck_binary_f32, ck_add_f32_block, CK_LANES, CK_BINARY_IS_DENSE)

CK_INLINE void ck_mul_f32_block(const ck_binary_f32 *k, size_t p, size_t i, size_t count) {
    ck_vf32 f = ck_load_f32(k->a + p * k->a_stride + i, count) * ck_load_f32(k->b + p * k->b_stride + i, count);
    ck_store_f32(k->output + p * k->out_stride + i, ck_clamp_lanes(f, k->min, k->max), count);
}
CK_DEFINE_POINTWISE(ck_f32_mul_f32, ck_binary_f32, ck_mul_f32_block, CK_LANES, CK_BINARY_IS_DENSE)

CK_INLINE void ck_clamp_f32_block(const ck_binary_f32 *k, size_t p, size_t i, size_t count) {
    ck_vf32 f = ck_load_f32(k->a + p * k->a_stride + i, count);
    ck_store_f32(k->output + p * k->out_stride + i, ck_clamp_lanes(f, k->min, k->max), count);
}
CK_DEFINE_POINTWISE(
    ck_f32_clamp_f32, ck_binary_f32, ck_clamp_f32_block, CK_LANES, (k->a_stride == channels && k->out_stride == channels))
