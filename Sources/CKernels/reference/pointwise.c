#include "reference.h"

void ck_u8_add_u8__scalar(const ck_add_u8 *k, ck_range pixels) {
    for (size_t p = pixels.first; p < pixels.last; ++p) {
        for (size_t i = 0; i < k->channels; ++i) {
            float a = (float)(k->a[p * k->a_stride + i] - k->a_zero_point) * k->a_multiplier;
            float b = (float)(k->b[p * k->b_stride + i] - k->b_zero_point) * k->b_multiplier;
            k->output[p * k->out_stride + i] = ck_requantize(a + b, k->out);
        }
    }
}

void ck_u8_mul_u8__scalar(const ck_mul_u8 *k, ck_range pixels) {
    for (size_t p = pixels.first; p < pixels.last; ++p) {
        for (size_t i = 0; i < k->channels; ++i) {
            int a = k->a[p * k->a_stride + i] - k->a_zero_point;
            int b = k->b[p * k->b_stride + i] - k->b_zero_point;
            k->output[p * k->out_stride + i] = ck_requantize((float)(a * b) * k->multiplier, k->out);
        }
    }
}

void ck_u8_lut_u8__scalar(const ck_lut_u8 *k, ck_range pixels) {
    for (size_t p = pixels.first; p < pixels.last; ++p) {
        for (size_t i = 0; i < k->channels; ++i) {
            k->output[p * k->out_stride + i] = k->table[k->input[p * k->in_stride + i]];
        }
    }
}

void ck_u8_requantize_u8__scalar(const ck_requantize_u8 *k, ck_range pixels) {
    for (size_t p = pixels.first; p < pixels.last; ++p) {
        for (size_t i = 0; i < k->channels; ++i) {
            float f = (float)(k->input[p * k->in_stride + i] - k->in_zero_point) * k->multiplier;
            k->output[p * k->out_stride + i] = ck_requantize(f, k->out);
        }
    }
}

void ck_f32_quantize_u8__scalar(const ck_quantize_f32 *k, ck_range pixels) {
    ck_output_u8 out = {.zero_point = k->zero_point, .min = 0, .max = 255};
    for (size_t p = pixels.first; p < pixels.last; ++p) {
        for (size_t i = 0; i < k->channels; ++i) {
            float f = k->input[p * k->in_stride + i] / k->scale;
            k->output[p * k->out_stride + i] = ck_requantize(f == f ? f : 0, out);
        }
    }
}

void ck_u8_dequantize_f32__scalar(const ck_dequantize_u8 *k, ck_range pixels) {
    for (size_t p = pixels.first; p < pixels.last; ++p) {
        for (size_t i = 0; i < k->channels; ++i) {
            k->output[p * k->out_stride + i] = (float)(k->input[p * k->in_stride + i] - k->zero_point) * k->scale;
        }
    }
}

void ck_f32_add_f32__scalar(const ck_binary_f32 *k, ck_range pixels) {
    for (size_t p = pixels.first; p < pixels.last; ++p) {
        for (size_t i = 0; i < k->channels; ++i) {
            float f = k->a[p * k->a_stride + i] + k->b[p * k->b_stride + i];
            k->output[p * k->out_stride + i] = ck_clamp(f, k->min, k->max);
        }
    }
}

void ck_f32_mul_f32__scalar(const ck_binary_f32 *k, ck_range pixels) {
    for (size_t p = pixels.first; p < pixels.last; ++p) {
        for (size_t i = 0; i < k->channels; ++i) {
            float f = k->a[p * k->a_stride + i] * k->b[p * k->b_stride + i];
            k->output[p * k->out_stride + i] = ck_clamp(f, k->min, k->max);
        }
    }
}

void ck_f32_clamp_f32__scalar(const ck_binary_f32 *k, ck_range pixels) {
    for (size_t p = pixels.first; p < pixels.last; ++p) {
        for (size_t i = 0; i < k->channels; ++i) {
            k->output[p * k->out_stride + i] = ck_clamp(k->a[p * k->a_stride + i], k->min, k->max);
        }
    }
}
