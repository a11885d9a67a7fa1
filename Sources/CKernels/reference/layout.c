#include "reference.h"

/// Offset of channel 0 of a flattened pixel in a dense NCHW tensor; channels are `pixels` apart.
static size_t nchw_offset(size_t pixel, size_t pixels, size_t channels) {
    return pixel / pixels * pixels * channels + pixel % pixels;
}

void ck_u8_nhwc_to_nchw__scalar(const ck_layout_u8 *l, ck_range pixels) {
    for (size_t p = pixels.first; p < pixels.last; ++p) {
        uint8_t *to = l->output + nchw_offset(p, l->pixels, l->channels);
        for (size_t c = 0; c < l->channels; ++c) to[c * l->pixels] = l->input[p * l->nhwc_stride + c];
    }
}

void ck_u8_nchw_to_nhwc__scalar(const ck_layout_u8 *l, ck_range pixels) {
    for (size_t p = pixels.first; p < pixels.last; ++p) {
        const uint8_t *from = l->input + nchw_offset(p, l->pixels, l->channels);
        for (size_t c = 0; c < l->channels; ++c) l->output[p * l->nhwc_stride + c] = from[c * l->pixels];
    }
}

void ck_f32_nhwc_to_nchw__scalar(const ck_layout_f32 *l, ck_range pixels) {
    for (size_t p = pixels.first; p < pixels.last; ++p) {
        float *to = l->output + nchw_offset(p, l->pixels, l->channels);
        for (size_t c = 0; c < l->channels; ++c) to[c * l->pixels] = l->input[p * l->nhwc_stride + c];
    }
}

void ck_f32_nchw_to_nhwc__scalar(const ck_layout_f32 *l, ck_range pixels) {
    for (size_t p = pixels.first; p < pixels.last; ++p) {
        const float *from = l->input + nchw_offset(p, l->pixels, l->channels);
        for (size_t c = 0; c < l->channels; ++c) l->output[p * l->nhwc_stride + c] = from[c * l->pixels];
    }
}
