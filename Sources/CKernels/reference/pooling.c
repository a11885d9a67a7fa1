#include "reference.h"

#include <math.h>

void ck_u8_maxpool_u8__scalar(const ck_maxpool_u8 *p, ck_range pixels) {
    const ck_geometry *g = &p->geometry;
    for (size_t pixel = pixels.first; pixel < pixels.last; ++pixel) {
        ck_window w = ck_window_at(g, pixel);
        for (size_t c = 0; c < p->channels; ++c) {
            uint8_t best = 0;
            for (size_t ky = 0; ky < g->kernel_height; ++ky) {
                for (size_t kx = 0; kx < g->kernel_width; ++kx) {
                    ptrdiff_t at = ck_tap_pixel(g, w, ky, kx);
                    if (at < 0) continue;
                    uint8_t x = p->input[(size_t)at * p->in_stride + c];
                    best = x > best ? x : best;
                }
            }
            p->output[pixel * p->out_stride + c] = best;
        }
    }
}

void ck_f32_maxpool_f32__scalar(const ck_maxpool_f32 *p, ck_range pixels) {
    const ck_geometry *g = &p->geometry;
    for (size_t pixel = pixels.first; pixel < pixels.last; ++pixel) {
        ck_window w = ck_window_at(g, pixel);
        for (size_t c = 0; c < p->channels; ++c) {
            float best = -INFINITY;
            for (size_t ky = 0; ky < g->kernel_height; ++ky) {
                for (size_t kx = 0; kx < g->kernel_width; ++kx) {
                    ptrdiff_t at = ck_tap_pixel(g, w, ky, kx);
                    if (at < 0) continue;
                    float x = p->input[(size_t)at * p->in_stride + c];
                    best = x > best ? x : best;
                }
            }
            p->output[pixel * p->out_stride + c] = best;
        }
    }
}

void ck_u8_avgpool_u8__scalar(const ck_avgpool_u8 *p, ck_range pixels) {
    const ck_geometry *g = &p->geometry;
    for (size_t pixel = pixels.first; pixel < pixels.last; ++pixel) {
        ck_window w = ck_window_at(g, pixel);
        float multiplier = p->multiplier / (float)ck_average_count(g, w, p->count_include_pad);
        for (size_t c = 0; c < p->channels; ++c) {
            uint32_t sum = 0;
            for (size_t ky = 0; ky < g->kernel_height; ++ky) {
                for (size_t kx = 0; kx < g->kernel_width; ++kx) {
                    ptrdiff_t at = ck_tap_pixel(g, w, ky, kx);
                    if (at < 0) continue;
                    sum += (uint32_t)(p->input[(size_t)at * p->in_stride + c] - p->in_zero_point);
                }
            }
            p->output[pixel * p->out_stride + c] = ck_requantize((float)(int32_t)sum * multiplier, p->out);
        }
    }
}

void ck_f32_avgpool_f32__scalar(const ck_avgpool_f32 *p, ck_range pixels) {
    const ck_geometry *g = &p->geometry;
    for (size_t pixel = pixels.first; pixel < pixels.last; ++pixel) {
        ck_window w = ck_window_at(g, pixel);
        float count = (float)ck_average_count(g, w, p->count_include_pad);
        for (size_t c = 0; c < p->channels; ++c) {
            float sum = 0;
            for (size_t ky = 0; ky < g->kernel_height; ++ky) {
                for (size_t kx = 0; kx < g->kernel_width; ++kx) {
                    ptrdiff_t at = ck_tap_pixel(g, w, ky, kx);
                    if (at >= 0) sum += p->input[(size_t)at * p->in_stride + c];
                }
            }
            p->output[pixel * p->out_stride + c] = sum / count;
        }
    }
}
