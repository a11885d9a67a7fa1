#include "layout.h"

#include <string.h>

/// A matrix to transpose: to[j * to_pitch + i] = from[i * from_pitch + j]. Pitches in elements.
typedef struct extent {
    size_t rows, columns, from_pitch, to_pitch;
} extent;

typedef uint8_t v8 __attribute__((vector_size(8)));
typedef uint8_t v16 __attribute__((vector_size(16)));
typedef float v4f __attribute__((vector_size(16)));

static inline v16 load_pair_u8(const uint8_t *a, const uint8_t *b) {
    v8 x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return __builtin_shufflevector(x, y, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
}

static inline void transpose_8x8(const uint8_t *from, size_t from_pitch, uint8_t *to, size_t to_pitch) {
    // Rows interleave in pairs, fours, then eights; each register ends up with two columns.
    v16 pair[4], four[4], eight[4];
    for (size_t i = 0; i < 4; ++i) {
        pair[i] = load_pair_u8(from + 2 * i * from_pitch, from + (2 * i + 1) * from_pitch);
    }
    for (size_t i = 0; i < 2; ++i) {
        v16 a = pair[2 * i], b = pair[2 * i + 1];
        four[2 * i] = __builtin_shufflevector(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
        four[2 * i + 1] =
            __builtin_shufflevector(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31);
    }
    for (size_t i = 0; i < 2; ++i) {
        v16 a = four[i], b = four[i + 2];
        eight[2 * i] =
            __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
        eight[2 * i + 1] =
            __builtin_shufflevector(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    }
    for (size_t i = 0; i < 4; ++i) {
        memcpy(to + 2 * i * to_pitch, &eight[i], 8);
        memcpy(to + (2 * i + 1) * to_pitch, (const char *)&eight[i] + 8, 8);
    }
}

static inline void transpose_4x4(const float *from, size_t from_pitch, float *to, size_t to_pitch) {
    v4f row[4];
    for (size_t i = 0; i < 4; ++i) memcpy(&row[i], from + i * from_pitch, sizeof row[i]);
    v4f a = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5), b = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
    v4f c = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7), d = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
    v4f column[4] = {
        __builtin_shufflevector(a, b, 0, 1, 4, 5), __builtin_shufflevector(a, b, 2, 3, 6, 7),
        __builtin_shufflevector(c, d, 0, 1, 4, 5), __builtin_shufflevector(c, d, 2, 3, 6, 7)};
    for (size_t i = 0; i < 4; ++i) memcpy(to + i * to_pitch, &column[i], sizeof column[i]);
}

/// Rows that are taken across all columns before the next: what they fill of a column is a cache line, so both sides stay in
/// the first-level cache whatever the pitches are.
#define BLOCK_ROWS 64

static void transpose_u8(const uint8_t *from, uint8_t *to, extent e) {
    size_t rows = e.rows / 8 * 8, columns = e.columns / 8 * 8;
    for (size_t block = 0; block < rows; block += BLOCK_ROWS) {
        const size_t end = block + BLOCK_ROWS < rows ? block + BLOCK_ROWS : rows;
        for (size_t j = 0; j < columns; j += 8) {
            for (size_t i = block; i < end; i += 8) {
                transpose_8x8(from + i * e.from_pitch + j, e.from_pitch, to + j * e.to_pitch + i, e.to_pitch);
            }
        }
    }
    for (size_t i = 0; i < e.rows; ++i) {
        for (size_t j = i < rows ? columns : 0; j < e.columns; ++j) {
            to[j * e.to_pitch + i] = from[i * e.from_pitch + j];
        }
    }
}

void ck_transpose_u8(
    const uint8_t *from, size_t from_pitch, uint8_t *to, size_t to_pitch, size_t rows, size_t columns) {
    transpose_u8(from, to, (extent){rows, columns, from_pitch, to_pitch});
}

static void transpose_f32(const float *from, float *to, extent e) {
    size_t rows = e.rows / 4 * 4, columns = e.columns / 4 * 4;
    for (size_t i = 0; i < rows; i += 4) {
        for (size_t j = 0; j < columns; j += 4) {
            transpose_4x4(from + i * e.from_pitch + j, e.from_pitch, to + j * e.to_pitch + i, e.to_pitch);
        }
    }
    for (size_t i = 0; i < e.rows; ++i) {
        for (size_t j = i < rows ? columns : 0; j < e.columns; ++j) {
            to[j * e.to_pitch + i] = from[i * e.from_pitch + j];
        }
    }
}

/// The pixels of a flattened range that belong to the image of its first pixel.
static ck_range first_image(ck_range pixels, size_t image_pixels) {
    size_t end = (pixels.first / image_pixels + 1) * image_pixels;
    return (ck_range){pixels.first, end < pixels.last ? end : pixels.last};
}

/// Offset of channel 0 of a flattened pixel in the dense NCHW tensor.
static size_t nchw_offset(size_t pixel, size_t image_pixels, size_t channels) {
    return pixel / image_pixels * image_pixels * channels + pixel % image_pixels;
}

void ck_u8_nhwc_to_nchw__8x8(const ck_layout_u8 *l, ck_range pixels) {
    for (ck_range r; pixels.first < pixels.last; pixels.first = r.last) {
        r = first_image(pixels, l->pixels);
        transpose_u8(
            l->input + r.first * l->nhwc_stride, l->output + nchw_offset(r.first, l->pixels, l->channels),
            (extent){r.last - r.first, l->channels, l->nhwc_stride, l->pixels});
    }
}

void ck_u8_nchw_to_nhwc__8x8(const ck_layout_u8 *l, ck_range pixels) {
    for (ck_range r; pixels.first < pixels.last; pixels.first = r.last) {
        r = first_image(pixels, l->pixels);
        transpose_u8(
            l->input + nchw_offset(r.first, l->pixels, l->channels), l->output + r.first * l->nhwc_stride,
            (extent){l->channels, r.last - r.first, l->pixels, l->nhwc_stride});
    }
}

void ck_f32_nhwc_to_nchw__4x4(const ck_layout_f32 *l, ck_range pixels) {
    for (ck_range r; pixels.first < pixels.last; pixels.first = r.last) {
        r = first_image(pixels, l->pixels);
        transpose_f32(
            l->input + r.first * l->nhwc_stride, l->output + nchw_offset(r.first, l->pixels, l->channels),
            (extent){r.last - r.first, l->channels, l->nhwc_stride, l->pixels});
    }
}

void ck_f32_nchw_to_nhwc__4x4(const ck_layout_f32 *l, ck_range pixels) {
    for (ck_range r; pixels.first < pixels.last; pixels.first = r.last) {
        r = first_image(pixels, l->pixels);
        transpose_f32(
            l->input + nchw_offset(r.first, l->pixels, l->channels), l->output + r.first * l->nhwc_stride,
            (extent){l->channels, r.last - r.first, l->pixels, l->nhwc_stride});
    }
}
