#include "convolution.h"

#include <string.h>

/// Rows this far apart fall into the same set of a first-level cache, and a tile has more rows than a set has lines.
#define CACHE_ALIAS 4096
#define CACHE_LINE 64

/// Tiles are set up a block at a time, and a panel of weights is read once for all of them. Pointers, gathered rows and
/// the panel should stay in the first-level cache; but where the weights of all panels exceed the second level, reading them
/// seldom matters more.
#define MAX_BLOCK_TILES 8
#define MAX_BLOCK_SIZE 16384
#define LARGE_WEIGHTS (256 << 10)
#define MAX_LARGE_BLOCK_SIZE 65536

/// Rows are gathered in pieces of this size: the last may read and write past the row's end.
#define PIECE 16

static size_t min(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t round_up(size_t n, size_t unit) {
    return (n + unit - 1) / unit * unit;
}

// MARK: Pointers

static ck_window next_window(const ck_geometry *g, ck_window w) {
    ptrdiff_t end_x = (ptrdiff_t)(g->out_width * g->stride_width) - (ptrdiff_t)g->pad_left;
    ptrdiff_t end_y = (ptrdiff_t)(g->out_height * g->stride_height) - (ptrdiff_t)g->pad_top;
    w.x += (ptrdiff_t)g->stride_width;
    if (w.x < end_x) return w;
    w.x = -(ptrdiff_t)g->pad_left;
    w.y += (ptrdiff_t)g->stride_height;
    if (w.y < end_y) return w;
    w.y = -(ptrdiff_t)g->pad_top;
    w.image += 1;
    return w;
}

/// How many of `count` windows from `w` on, all in one row of the output, lie wholly inside the input; 0 if `w` does not.
static size_t interior_run(const ck_geometry *g, ck_window w, size_t count) {
    ptrdiff_t last_y = (ptrdiff_t)g->in_height - 1 - (ptrdiff_t)((g->kernel_height - 1) * g->dilation_height);
    ptrdiff_t last_x = (ptrdiff_t)g->in_width - 1 - (ptrdiff_t)((g->kernel_width - 1) * g->dilation_width);
    if (w.y < 0 || w.x < 0 || w.y > last_y || w.x > last_x) return 0;
    ptrdiff_t row_end = (ptrdiff_t)((g->out_width - 1) * g->stride_width) - (ptrdiff_t)g->pad_left;
    size_t room = (size_t)((last_x < row_end ? last_x : row_end) - w.x);
    return room >= (count - 1) * g->stride_width ? count : room / g->stride_width + 1;
}

static ck_window skip_windows(const ck_geometry *g, ck_window w, size_t count) {
    w.x += (ptrdiff_t)((count - 1) * g->stride_width);
    return next_window(g, w);
}

/// Points at the taps of `count` windows from `w` on; returns the window behind them.
static ck_window point_at_taps(
    const ck_geometry *g, const char *input, size_t in_stride, const char *padding,
    ck_window w, size_t count, size_t pitch, const void **pointers) {
    size_t tap_step = g->dilation_width * in_stride, row_step = g->dilation_height * g->in_width * in_stride;
    size_t pixel_step = g->stride_width * in_stride;
    for (size_t i = 0, run; i < count; i += run) {
        const void **to = pointers + i;
        run = interior_run(g, w, count - i);
        if (run > 0) {
            const char *row = input + (size_t)ck_tap_pixel(g, w, 0, 0) * in_stride;
            for (size_t ky = 0; ky < g->kernel_height; ++ky, row += row_step) {
                const char *at = row;
                for (size_t kx = 0; kx < g->kernel_width; ++kx, at += tap_step, to += pitch) {
                    for (size_t j = 0; j < run; ++j) to[j] = at + j * pixel_step;
                }
            }
        } else {
            for (size_t ky = 0; ky < g->kernel_height; ++ky) {
                for (size_t kx = 0; kx < g->kernel_width; ++kx, to += pitch) {
                    ptrdiff_t at = ck_tap_pixel(g, w, ky, kx);
                    *to = at < 0 ? padding : input + (size_t)at * in_stride;
                }
            }
            run = 1;
        }
        w = skip_windows(g, w, run);
    }
    return w;
}

void ck_point_at_taps(
    const ck_geometry *g, const char *input, size_t in_stride, const char *padding,
    size_t first, size_t count, size_t pitch, const void **pointers) {
    point_at_taps(g, input, in_stride, padding, ck_window_at(g, first), count, pitch, pointers);
}

// MARK: Gathering

/// memcpy without the call, for the few bytes of a tap.
static inline char *copy(char *to, const char *from, size_t size) {
    char *end = to + size;
    for (; to + 8 <= end; to += 8, from += 8) memcpy(to, from, 8);
    if (size & 4) {
        memcpy(to, from, 4);
        to += 4, from += 4;
    }
    if (size & 2) {
        memcpy(to, from, 2);
        to += 2, from += 2;
    }
    if (size & 1) *to = *from;
    return end;
}

static inline char *fill(char *to, char value, size_t size) {
    if (size) memset(to, value, size);
    return to + size;
}

/// Converts the taps of one window into a row.
static void gather_converted(const ck_convolution *c, const char *input, ck_window w, char *row) {
    const ck_geometry *g = c->geometry;
    size_t size = c->tap_size, width = g->kernel_width, step = g->dilation_width * c->in_stride;
    bool dense = step == size;
    // What the taps leave of the last k-step must be numbers, though their weights are zero.
    memset(row + c->row_size - c->step_size, 0, c->step_size);
    ck_range valid = ck_valid_taps(w.x, g->dilation_width, width, g->in_width);
    for (size_t ky = 0; ky < g->kernel_height; ++ky) {
        ptrdiff_t y = w.y + (ptrdiff_t)(ky * g->dilation_height);
        if (y < 0 || y >= (ptrdiff_t)g->in_height) {
            for (size_t kx = 0; kx < width; ++kx) row = c->convert(row, c->padding, size);
            continue;
        }
        for (size_t kx = 0; kx < valid.first; ++kx) row = c->convert(row, c->padding, size);
        if (valid.first < valid.last) {
            const char *from = input + (size_t)ck_tap_pixel(g, w, ky, valid.first) * c->in_stride;
            size_t runs = dense ? 1 : valid.last - valid.first, run = dense ? (valid.last - valid.first) * size : size;
            for (size_t i = 0; i < runs; ++i, from += step) row = c->convert(row, from, run);
        }
        for (size_t kx = valid.last; kx < width; ++kx) row = c->convert(row, c->padding, size);
    }
}

/// Copies the taps of one window into a row. What the taps leave of the last k-step meets weights that are zero.
static void gather(const ck_convolution *c, const char *input, ck_window w, char *row) {
    const ck_geometry *g = c->geometry;
    size_t size = c->tap_size, width = g->kernel_width;
    ck_range valid = ck_valid_taps(w.x, g->dilation_width, width, g->in_width);
    for (size_t ky = 0; ky < g->kernel_height; ++ky) {
        ptrdiff_t y = w.y + (ptrdiff_t)(ky * g->dilation_height);
        if (y < 0 || y >= (ptrdiff_t)g->in_height || valid.first == valid.last) {
            row = fill(row, *c->padding, width * size);
            continue;
        }
        row = fill(row, *c->padding, valid.first * size);
        const char *from = input + (size_t)ck_tap_pixel(g, w, ky, valid.first) * c->in_stride;
        for (size_t kx = valid.first; kx < valid.last; ++kx, from += g->dilation_width * c->in_stride) {
            row = copy(row, from, size);
        }
        row = fill(row, *c->padding, (width - valid.last) * size);
    }
}

/// Copies `pieces` pieces of each row of taps.
static inline __attribute__((always_inline)) void copy_pieces(
    const ck_convolution *c, const char *from, size_t count, size_t pieces, char *rows, size_t pitch) {
    const ck_geometry *g = c->geometry;
    const size_t size = g->kernel_width * c->tap_size, height = g->kernel_height;
    const size_t row_step = g->dilation_height * g->in_width * c->in_stride, step = g->stride_width * c->in_stride;
    for (size_t i = 0; i < count; ++i, from += step, rows += pitch) {
        const char *source = from;
        char *to = rows;
        for (size_t ky = 0; ky < height; ++ky, source += row_step, to += size) {
            for (size_t at = 0; at < pieces * PIECE; at += PIECE) memcpy(to + at, source + at, PIECE);
        }
    }
}

/// Copies the taps of `count` windows that lie inside the input and whose rows of taps are contiguous there. Reads up to
/// PIECE - 1 bytes past the last tap.
static void gather_interior(
    const ck_convolution *c, const char *input, ck_window w, size_t count, char *rows, size_t pitch) {
    const char *from = input + (size_t)ck_tap_pixel(c->geometry, w, 0, 0) * c->in_stride;
    size_t pieces = (c->geometry->kernel_width * c->tap_size + PIECE - 1) / PIECE;
    switch (pieces) {
    case 1: return copy_pieces(c, from, count, 1, rows, pitch);
    case 2: return copy_pieces(c, from, count, 2, rows, pitch);
    case 3: return copy_pieces(c, from, count, 3, rows, pitch);
    default: return copy_pieces(c, from, count, pieces, rows, pitch);
    }
}

/// How many of `count` windows from `w` on may be gathered in pieces.
static size_t gatherable_run(const ck_convolution *c, ck_window w, size_t count) {
    const ck_geometry *g = c->geometry;
    if (g->dilation_width != 1 || c->in_stride != c->tap_size) return 0;
    size_t run = interior_run(g, w, count);
    // The last tap of the run, and what is left of the input behind it.
    ptrdiff_t pixels = (ptrdiff_t)(g->batch * g->in_height * g->in_width);
    while (run > 0) {
        ck_window last = w;
        last.x += (ptrdiff_t)((run - 1) * g->stride_width);
        size_t behind = (size_t)(pixels - 1 - ck_tap_pixel(g, last, g->kernel_height - 1, g->kernel_width - 1));
        if (behind * c->in_stride >= PIECE) break;
        --run;
    }
    return run;
}

// MARK: Tiles

void ck_convolution_prepare(ck_convolution *c, size_t gather_below) {
    const ck_geometry *g = c->geometry;
    size_t taps = g->kernel_height * g->kernel_width;
    bool partial = c->tap_size % c->step_size != 0, dense = c->in_stride == c->tap_size;
    bool small = dense && taps > 1 && c->tap_size < gather_below;
    bool aliases = taps == 1 && c->in_stride % CACHE_ALIAS == 0;
    bool joinable = small && !c->convert && g->dilation_width == 1 && g->kernel_width * c->tap_size % c->step_size == 0;
    c->joins_rows = joinable;
    c->gathers = !joinable && (c->convert || partial || small || aliases);
    c->maps_pixels = taps == 1 && g->stride_height == 1 && g->stride_width == 1 && g->pad_top == 0 && g->pad_left == 0
        && g->out_height == g->in_height && g->out_width == g->in_width;
    if (c->joins_rows) {
        c->taps = g->kernel_height;
        c->row_size = g->kernel_width * c->tap_size;
    } else {
        c->taps = c->gathers ? 1 : taps;
        c->row_size = c->gathers ? round_up(taps * c->tap_size / (c->convert ? 2 : 1), c->step_size) : c->tap_size;
    }
}

/// Bytes between gathered rows.
static size_t row_pitch(const ck_convolution *c) {
    size_t pitch = round_up(c->row_size * c->taps + PIECE, sizeof(void *));
    return pitch % CACHE_ALIAS ? pitch : pitch + CACHE_LINE;
}

static size_t tile_size(const ck_convolution *c) {
    return c->rows * (c->taps * sizeof(void *) + (c->gathers || c->joins_rows ? row_pitch(c) : 0));
}

/// Most tiles of a block.
static size_t block_tiles(const ck_convolution *c) {
    bool large = c->panels * c->panel_size > LARGE_WEIGHTS;
    size_t tiles = large ? MAX_LARGE_BLOCK_SIZE / tile_size(c) : min(MAX_BLOCK_SIZE / tile_size(c), MAX_BLOCK_TILES);
    return tiles ? tiles : 1;
}

size_t ck_convolution_scratch_size(const ck_convolution *c) {
    return block_tiles(c) * tile_size(c);
}

/// Points at one pixel of input per pixel of output.
static void point_at_pixels(const ck_convolution *c, const char *input, size_t pixel, size_t count, const void **pointers) {
    const char *from = input + pixel * c->in_stride;
    for (size_t i = 0; i < count; ++i) pointers[i] = from + i * c->in_stride;
}

/// Gathers the taps of `count` windows from `w` on; returns the window behind them.
static ck_window gather_rows(
    const ck_convolution *c, const char *input, ck_window w, size_t count, const void **pointers) {
    char *row = (char *)(pointers + c->rows);
    size_t pitch = row_pitch(c);
    for (size_t i = 0; i < count; ++i) pointers[i] = row + i * pitch;
    for (size_t i = 0, run; i < count; i += run, row += run * pitch) {
        run = 1;
        if (c->convert) {
            gather_converted(c, input, w, row);
        } else if ((run = gatherable_run(c, w, count - i)) > 0) {
            gather_interior(c, input, w, run, row, pitch);
        } else {
            gather(c, input, w, row);
            run = 1;
        }
        w = skip_windows(c->geometry, w, run);
    }
    return w;
}

/// Points at the rows of taps of `count` windows from `w` on, gathering those over padding; returns the window behind them.
static ck_window join_rows(const ck_convolution *c, const char *input, ck_window w, size_t count, const void **pointers) {
    const ck_geometry *g = c->geometry;
    char *gathered = (char *)(pointers + c->rows * c->taps);
    const size_t row_step = g->dilation_height * g->in_width * c->in_stride, step = g->stride_width * c->in_stride;
    for (size_t i = 0, run; i < count; i += run) {
        run = interior_run(g, w, count - i);
        const char *row;
        size_t next_row;
        if (run > 0) {
            row = input + (size_t)ck_tap_pixel(g, w, 0, 0) * c->in_stride;
            next_row = row_step;
        } else {
            run = 1;
            gather(c, input, w, gathered);
            row = gathered;
            next_row = c->row_size;
            gathered += row_pitch(c);
        }
        for (size_t ky = 0; ky < g->kernel_height; ++ky, row += next_row) {
            for (size_t j = 0; j < run; ++j) pointers[ky * c->rows + i + j] = row + j * step;
        }
        w = skip_windows(g, w, run);
    }
    return w;
}

/// Sets up the pointers of a block of one group's input, tile by tile.
static void set_up_block(const ck_convolution *c, const char *input, ck_range pixels, char *tile) {
    size_t size = tile_size(c);
    ck_window w = ck_window_at(c->geometry, pixels.first);
    for (size_t pixel = pixels.first; pixel < pixels.last; pixel += c->rows, tile += size) {
        size_t count = min(c->rows, pixels.last - pixel);
        const void **pointers = (const void **)tile;
        if (c->gathers) {
            w = gather_rows(c, input, w, count, pointers);
        } else if (c->joins_rows) {
            w = join_rows(c, input, w, count, pointers);
        } else if (c->maps_pixels) {
            point_at_pixels(c, input, pixel, count, pointers);
        } else {
            w = point_at_taps(c->geometry, input, c->in_stride, c->padding, w, count, c->rows, pointers);
        }
    }
}

/// Computes panels of one group, numbered within the group, over one block of pixels.
static void run_block(const ck_convolution *c, size_t group, ck_range pixels, ck_range panels, char *scratch) {
    size_t size = tile_size(c);
    set_up_block(c, c->input + group * c->tap_size, pixels, scratch);
    for (size_t panel = panels.first; panel < panels.last; ++panel) {
        size_t channel = panel * c->width;
        ck_tile t = {
            .panel = c->weights + (group * c->panels + panel) * c->panel_size,
            .channel = group * c->outputs + channel,
            .channels = min(c->width, c->outputs - channel),
        };
        const char *tile = scratch;
        for (size_t pixel = pixels.first; pixel < pixels.last; pixel += c->rows, tile += size) {
            t.pointers = (const void *const *)tile;
            t.pixel = pixel;
            t.rows = min(c->rows, pixels.last - pixel);
            c->kernel(c, &t);
        }
    }
}

void ck_convolution_run(const ck_convolution *c, ck_range pixels, ck_range panels, void *scratch) {
    size_t pixel_count = pixels.last - pixels.first, most = block_tiles(c) * c->rows;
    if (pixel_count == 0) return;
    // Blocks of about the same size, in whole tiles.
    size_t blocks = (pixel_count + most - 1) / most;
    size_t block = round_up((pixel_count + blocks - 1) / blocks, c->rows);
    while (panels.first < panels.last) {
        size_t group = panels.first / c->panels, start = group * c->panels;
        size_t end = min(panels.last, start + c->panels);
        for (size_t pixel = pixels.first; pixel < pixels.last; pixel += block) {
            run_block(
                c, group, (ck_range){pixel, min(pixel + block, pixels.last)},
                (ck_range){panels.first - start, end - start}, scratch);
        }
        panels.first = end;
    }
}
