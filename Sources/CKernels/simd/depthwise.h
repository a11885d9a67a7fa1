// Depthwise convolution, channel multiplier 1: vectors run over channels, and the outputs of one row are computed together.
//
// Common windows slide: what is read under a column serves all windows it lies in, whose sums stay open in registers
// meanwhile. Output i is summed in slot i % slots; loops over columns are unrolled until columns meet the same slots again.

/// Extents of the largest window that slides.
#define CK_SLIDING_EXTENT 5

/// The windows that slide, all with dilation 1: K(height and width, stride).
#define CK_SLIDING_WINDOWS(K) K(3, 1) K(3, 2) K(5, 1) K(5, 2)

/// Vector registers of a core.
#define CK_REGISTERS (CK_BYTES == 32 ? 16 : 32)

CK_INLINE bool ck_is_window(const ck_geometry *g, size_t extent, size_t stride) {
    return g->kernel_height == extent && g->kernel_width == extent && g->stride_width == stride
        && g->dilation_height == 1 && g->dilation_width == 1;
}

/// Windows that one column of the input may lie in. After slots * stride columns, columns meet the same slots again.
CK_INLINE size_t ck_slots(const size_t extent, const size_t stride) {
    return (extent + stride - 1) / stride;
}

/// Aligns the frame of the calling function: without an aligned variable, clang keeps registers that it spills at odd
/// places across cache lines.
CK_INLINE void ck_align_frame(void) {
    ck_bytes aligned;
    __asm__ volatile("" : "=m"(aligned));
}

/// A row of taps under windows: column 0 of its input row, and the bytes between pixels; in the padding, none.
typedef struct ck_tap_row {
    const char *pixels;
    size_t step;
} ck_tap_row;

/// Windows whose outputs lie in one row.
typedef struct ck_depthwise_row {
    size_t pixel, count;  ///< Outputs.
    ptrdiff_t x;          ///< Input column under the first tap of the first window.
} ck_depthwise_row;

/// The row that begins the range, and its rows of taps. `in_stride` is in bytes.
CK_INLINE ck_depthwise_row ck_depthwise_row_at(
    const ck_geometry *g, ck_range pixels, const void *input, size_t in_stride, const void *padding, const size_t height,
    ck_tap_row *rows) {
    const ck_window w = ck_window_at(g, pixels.first);
    for (size_t i = 0; i < height; ++i) {
        const size_t y = (size_t)w.y + i * g->dilation_height;  // what lies above the input wraps to more than its height
        if (y < g->in_height) {
            const size_t first = (w.image * g->in_height + y) * g->in_width;
            rows[i] = (ck_tap_row){(const char *)input + first * in_stride, in_stride};
        } else {
            rows[i] = (ck_tap_row){padding, 0};
        }
    }
    const size_t left = pixels.last - pixels.first, to_end = g->out_width - pixels.first % g->out_width;
    return (ck_depthwise_row){pixels.first, left < to_end ? left : to_end, w.x};
}

/// The tap of a row in input column `x`.
CK_INLINE const void *ck_tap_at(ck_tap_row row, ptrdiff_t x, size_t in_width, const void *padding) {
    return (size_t)x < in_width ? row.pixels + (size_t)x * row.step : padding;
}

/// Scratch for the rows of taps of a window that does not slide.
static size_t ck_depthwise_rows_size(const ck_geometry *g) {
    return g->kernel_height * sizeof(ck_tap_row);
}

#include "depthwise_u8.h"
#include "depthwise_f32.h"
