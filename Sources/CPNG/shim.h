#ifndef CLEAVE_CPNG_SHIM_H
#define CLEAVE_CPNG_SHIM_H

#include <png.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

// Reading uses libpng's row interface rather than its simplified one, because the simplified one converts stored
// values to sRGB whenever the file has a gAMA chunk; networks are trained on the stored values. The row interface
// reports errors by longjmp, which must not cross Swift frames, so the whole of it stays in this header.

typedef struct {
    const uint8_t *bytes;
    size_t count;
    size_t position;
    char *message;
    size_t message_capacity;
} cpng_reader;

static inline void cpng_read(png_structp png, png_bytep out, size_t count) {
    cpng_reader *reader = (cpng_reader *)png_get_io_ptr(png);
    if (count > reader->count - reader->position) png_error(png, "unexpected end of file");
    memcpy(out, reader->bytes + reader->position, count);
    reader->position += count;
}

static inline void cpng_fail(png_structp png, png_const_charp message) {
    cpng_reader *reader = (cpng_reader *)png_get_error_ptr(png);
    snprintf(reader->message, reader->message_capacity, "%s", message);
    png_longjmp(png, 1);
}

static inline void cpng_ignore(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static inline void cpng_read_pixels(png_structp png, png_infop info, uint32_t width, uint32_t height, uint8_t *rgb) {
    // Only IHDR, PLTE, tRNS, IDAT and IEND matter here; the rest may hold compressed text of any size.
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_read_info(png, info);
    if (png_get_image_width(png, info) != width || png_get_image_height(png, info) != height)
        png_error(png, "size differs from the header");

    png_set_strip_16(png);
    png_set_expand(png);
    png_set_gray_to_rgb(png);
    png_set_strip_alpha(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_rowbytes(png, info) != (size_t)width * 3) png_error(png, "pixels do not convert to RGB");

    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < height; y++) png_read_row(png, rgb + (size_t)y * width * 3, NULL);
    png_read_end(png, NULL);
}

/// Decodes a PNG in memory to interleaved RGB8 without gamma or colour conversion; alpha is dropped, 16-bit samples
/// keep their high byte. `rgb` holds width·height·3 bytes, `width` and `height` are those of the header.
/// Returns 1, or 0 with a message.
static inline int cpng_decode_rgb8(const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, uint8_t *rgb,
                                   char *message, size_t message_capacity) {
    cpng_reader reader = {bytes, count, 0, message, message_capacity};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, cpng_fail, cpng_ignore);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        snprintf(message, message_capacity, "out of memory");
        png_destroy_read_struct(&png, NULL, NULL);
        return 0;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_read_struct(&png, &info, NULL);
        return 0;
    }
    png_set_read_fn(png, &reader, cpng_read);
    cpng_read_pixels(png, info, width, height, rgb);
    png_destroy_read_struct(&png, &info, NULL);
    return 1;
}

/// The most bytes that `cpng_encode_rgb8` may write.
static inline size_t cpng_encoded_bound(uint32_t width, uint32_t height) {
    png_image image = {.version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_RGB};
    return PNG_IMAGE_PNG_SIZE_MAX(image);
}

/// Encodes interleaved RGB8 into `out`, which holds `*count` bytes; leaves the encoded size in `*count`.
/// Returns 1, or 0 with a message.
static inline int cpng_encode_rgb8(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t *out, size_t *count,
                                   char *message, size_t message_capacity) {
    png_image image = {.version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_RGB};
    png_alloc_size_t size = *count;
    int done = png_image_write_to_memory(&image, out, &size, 0, rgb, 0, NULL);
    if (!done) snprintf(message, message_capacity, "%s", image.message);
    *count = done ? size : 0;
    return done;
}

#endif
