// Where a sliding window lies over its image.
#ifndef CK_WINDOW_H
#define CK_WINDOW_H

#include "CKernels.h"

/// The input position of the first tap of an output pixel's window; it may lie in the padding.
typedef struct ck_window {
    size_t image;
    ptrdiff_t y, x;
} ck_window;

static inline ck_window ck_window_at(const ck_geometry *g, size_t pixel) {
    size_t row = pixel / g->out_width;
    return (ck_window){
        .image = row / g->out_height,
        .y = (ptrdiff_t)(row % g->out_height * g->stride_height) - (ptrdiff_t)g->pad_top,
        .x = (ptrdiff_t)(pixel % g->out_width * g->stride_width) - (ptrdiff_t)g->pad_left,
    };
}

/// Index of the input pixel under a tap, or -1 in the padding.
static inline ptrdiff_t ck_tap_pixel(const ck_geometry *g, ck_window w, size_t ky, size_t kx) {
    ptrdiff_t y = w.y + (ptrdiff_t)(ky * g->dilation_height), x = w.x + (ptrdiff_t)(kx * g->dilation_width);
    ptrdiff_t height = (ptrdiff_t)g->in_height, width = (ptrdiff_t)g->in_width;
    if (y < 0 || y >= height || x < 0 || x >= width) return -1;
    return ((ptrdiff_t)w.image * height + y) * width + x;
}

/// The taps of one axis whose input position `start + k * dilation` lies in `0 ..< limit`.
static inline ck_range ck_valid_taps(ptrdiff_t start, size_t dilation, size_t taps, size_t limit) {
    size_t first = start < 0 ? (size_t)-start : 0;
    ptrdiff_t room = (ptrdiff_t)limit - start;
    size_t last = room <= 0 ? 0 : (size_t)room;
    if (dilation != 1) {  // a division costs more than a small window
        first = (first + dilation - 1) / dilation;
        last = (last + dilation - 1) / dilation;
    }
    if (last > taps) last = taps;
    return (ck_range){first < last ? first : last, last};
}

/// Divisor of an average: taps in the input or, when padding counts, in the padded input; at least 1.
static inline size_t ck_average_count(const ck_geometry *g, ck_window w, bool count_include_pad) {
    ptrdiff_t top = count_include_pad ? (ptrdiff_t)g->pad_top : 0;
    ptrdiff_t left = count_include_pad ? (ptrdiff_t)g->pad_left : 0;
    size_t bottom = count_include_pad ? g->pad_bottom : 0, right = count_include_pad ? g->pad_right : 0;
    ck_range y = ck_valid_taps(
        w.y + top, g->dilation_height, g->kernel_height, g->in_height + (size_t)top + bottom);
    ck_range x = ck_valid_taps(
        w.x + left, g->dilation_width, g->kernel_width, g->in_width + (size_t)left + right);
    size_t count = (y.last - y.first) * (x.last - x.first);
    return count ? count : 1;
}

#endif
