// Pixel by pixel. Each kernel is a block of up to CK_LANES channels; tensors without gaps are one long pixel.

/// Defines kernel `name` over `type`: calls block(k, pixel, first channel, count), inlined for whole vectors.
#define CK_DEFINE_POINTWISE(name, type, block, is_dense)                                       \
    static void CK_NAME(name, CK_LANES)(const type *arguments, ck_range pixels) {              \
        const type copy = *arguments, *k = &copy; /* stores of bytes may alias anything else */ \
        size_t channels = k->channels;                                                         \
        if (is_dense && pixels.first < pixels.last) {                                          \
            channels *= pixels.last - pixels.first;                                            \
            pixels.last = pixels.first + 1;                                                    \
        }                                                                                      \
        for (size_t p = pixels.first; p < pixels.last; ++p) {                                  \
            size_t i = 0;                                                                      \
            for (; i + CK_LANES <= channels; i += CK_LANES) block(k, p, i, CK_LANES);          \
            if (i < channels) block(k, p, i, channels - i);                                    \
        }                                                                                      \
    }

#define CK_UNARY_IS_DENSE (k->in_stride == channels && k->out_stride == channels)
#define CK_BINARY_IS_DENSE (k->a_stride == channels && k->b_stride == channels && k->out_stride == channels)

CK_INLINE ck_vi32 ck_centred(const uint8_t *from, size_t count, uint8_t zero_point) {
    return ck_widen(ck_load_u8(from, count)) - zero_point;
}

CK_INLINE void ck_add_u8_block(const ck_add_u8 *k, size_t p, size_t i, size_t count) {
    ck_vf32 a = ck_to_f32(ck_centred(k->a + p * k->a_stride + i, count, k->a_zero_point)) * k->a_multiplier;
    ck_vf32 b = ck_to_f32(ck_centred(k->b + p * k->b_stride + i, count, k->b_zero_point)) * k->b_multiplier;
    ck_store_u8(k->output + p * k->out_stride + i, ck_round(a + b, ck_rounding_of(k->out)), count);
}
CK_DEFINE_POINTWISE(ck_u8_add_u8, ck_add_u8, ck_add_u8_block, CK_BINARY_IS_DENSE)

CK_INLINE void ck_mul_u8_block(const ck_mul_u8 *k, size_t p, size_t i, size_t count) {
    ck_vi32 a = ck_centred(k->a + p * k->a_stride + i, count, k->a_zero_point);
    ck_vi32 b = ck_centred(k->b + p * k->b_stride + i, count, k->b_zero_point);
    ck_vu8 y = ck_round(ck_to_f32(a * b) * k->multiplier, ck_rounding_of(k->out));
    ck_store_u8(k->output + p * k->out_stride + i, y, count);
}
CK_DEFINE_POINTWISE(ck_u8_mul_u8, ck_mul_u8, ck_mul_u8_block, CK_BINARY_IS_DENSE)

CK_INLINE void ck_requantize_u8_block(const ck_requantize_u8 *k, size_t p, size_t i, size_t count) {
    ck_vi32 x = ck_centred(k->input + p * k->in_stride + i, count, k->in_zero_point);
    ck_vu8 y = ck_round(ck_to_f32(x) * k->multiplier, ck_rounding_of(k->out));
    ck_store_u8(k->output + p * k->out_stride + i, y, count);
}
CK_DEFINE_POINTWISE(ck_u8_requantize_u8, ck_requantize_u8, ck_requantize_u8_block, CK_UNARY_IS_DENSE)

CK_INLINE void ck_quantize_u8_block(const ck_quantize_f32 *k, size_t p, size_t i, size_t count) {
    ck_vf32 zero = {0}, f = ck_load_f32(k->input + p * k->in_stride + i, count) / k->scale;
    f = ck_select(f == f, f, zero);
    ck_vu8 y = ck_round(f, ck_rounding_of((ck_output_u8){k->zero_point, 0, 255}));
    ck_store_u8(k->output + p * k->out_stride + i, y, count);
}
CK_DEFINE_POINTWISE(ck_f32_quantize_u8, ck_quantize_f32, ck_quantize_u8_block, CK_UNARY_IS_DENSE)

CK_INLINE void ck_dequantize_f32_block(const ck_dequantize_u8 *k, size_t p, size_t i, size_t count) {
    ck_vi32 x = ck_centred(k->input + p * k->in_stride + i, count, k->zero_point);
    ck_store_f32(k->output + p * k->out_stride + i, ck_to_f32(x) * k->scale, count);
}
CK_DEFINE_POINTWISE(ck_u8_dequantize_f32, ck_dequantize_u8, ck_dequantize_f32_block, CK_UNARY_IS_DENSE)

CK_INLINE void ck_add_f32_block(const ck_binary_f32 *k, size_t p, size_t i, size_t count) {
    ck_vf32 f = ck_load_f32(k->a + p * k->a_stride + i, count) + ck_load_f32(k->b + p * k->b_stride + i, count);
    ck_store_f32(k->output + p * k->out_stride + i, ck_clamp_lanes(f, k->min, k->max), count);
}
CK_DEFINE_POINTWISE(ck_f32_add_f32, ck_binary_f32, ck_add_f32_block, CK_BINARY_IS_DENSE)

CK_INLINE void ck_mul_f32_block(const ck_binary_f32 *k, size_t p, size_t i, size_t count) {
    ck_vf32 f = ck_load_f32(k->a + p * k->a_stride + i, count) * ck_load_f32(k->b + p * k->b_stride + i, count);
    ck_store_f32(k->output + p * k->out_stride + i, ck_clamp_lanes(f, k->min, k->max), count);
}
CK_DEFINE_POINTWISE(ck_f32_mul_f32, ck_binary_f32, ck_mul_f32_block, CK_BINARY_IS_DENSE)

CK_INLINE void ck_clamp_f32_block(const ck_binary_f32 *k, size_t p, size_t i, size_t count) {
    ck_vf32 f = ck_load_f32(k->a + p * k->a_stride + i, count);
    ck_store_f32(k->output + p * k->out_stride + i, ck_clamp_lanes(f, k->min, k->max), count);
}
CK_DEFINE_POINTWISE(
    ck_f32_clamp_f32, ck_binary_f32, ck_clamp_f32_block, (k->a_stride == channels && k->out_stride == channels))
