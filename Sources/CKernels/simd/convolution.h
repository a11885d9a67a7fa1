// Convolution through indirect addressing: everything but the tile kernels, which differ per instruction set.
//
// Output is computed in tiles of `rows` pixels x one panel of channels. A tile's kernel reads its inputs through one
// pointer per (tap, row): padding is a pointer to the padding row, and no patch is copied. Where the channels of a tap are
// few, a pointer stands for all taps of a row of the kernel, if they lie side by side and fill whole k-steps; only where they do
// not, or where taps would collide in the cache, are the taps of a pixel gathered into one contiguous row first.
#ifndef CK_CONVOLUTION_H
#define CK_CONVOLUTION_H

#include "../window.h"

/// One tile for a kernel to compute.
typedef struct ck_tile {
    const void *const *pointers;  ///< [taps][the kernel's full row count]; only `rows` of each are set.
    const void *panel;            ///< Packed weights.
    size_t rows;                  ///< 1 ... the kernel's row count.
    size_t pixel;                 ///< First output pixel.
    size_t channel;               ///< First output channel.
    size_t channels;              ///< Valid channels of the panel.
} ck_tile;

/// One layer as a kernel family sees it. Sizes of elements are in bytes: this part is the same for u8 and float.
/// A family may convert elements where they are gathered.
typedef struct ck_convolution {
    const void *layer;  ///< ck_conv_u8 or ck_conv_f32.
    void (*kernel)(const struct ck_convolution *, const ck_tile *);
    size_t rows, width;  ///< Pixels and channels of a tile; a panel of weights is as wide.

    const ck_geometry *geometry;
    const char *input;
    const char *padding;
    const char *weights;
    size_t in_stride;        ///< Bytes between pixels.
    size_t groups, outputs;  ///< Output channels of one group.
    size_t tap_size;         ///< Bytes of one tap of one group.
    size_t panels;           ///< Of one group.
    size_t panel_size;       ///< Packed bytes of one.
    size_t step_size;        ///< Bytes a kernel reads at once under a pointer; row_size is a multiple of it.

    /// Writes `size` bytes of input to a row in the form that the kernel reads; NULL for a family that reads the input.
    char *(*convert)(char *row, const char *from, size_t size);

    bool gathers;
    bool joins_rows;   ///< A pointer stands for a row of the kernel; only windows over padding are gathered.
    bool maps_pixels;  ///< Each output pixel reads the input pixel of the same number.
    size_t taps;       ///< Pointers per row: kernel taps, kernel rows when joining, or 1 when gathering.
    size_t row_size;   ///< Bytes under one pointer.
} ck_convolution;

/// Completes a description whose members up to `convert` are set. Taps of fewer than `gather_below` bytes are joined or
/// gathered where they lie side by side; with `convert` all are gathered, into rows that are half as long.
void ck_convolution_prepare(ck_convolution *, size_t gather_below);

size_t ck_convolution_scratch_size(const ck_convolution *);

void ck_convolution_run(const ck_convolution *, ck_range pixels, ck_range panels, void *scratch);

/// Points at the taps of `count` output pixels: pointers[tap * pitch + i] for pixel first + i.
void ck_point_at_taps(
    const ck_geometry *, const char *input, size_t in_stride, const char *padding,
    size_t first, size_t count, size_t pitch, const void **pointers);

#endif
