// Depthwise convolution of floats: sums run over the taps in the order of the kernel's columns.

/// Vectors of channels in flight, to hide the latency of the sums.
#define CK_STEP_VECTORS 4
/// Rows of outputs that a window slides over together, where the core has registers for their sums.
#define CK_SLIDE_ROWS(extent) ((extent) == 3 || CK_REGISTERS == 32 ? 2 : 1)
/// Most rows of taps under them.
#define CK_SLIDING_ROWS (CK_SLIDING_EXTENT + 2)

/// A block of channels of a layer.
typedef struct ck_depthwise_block_f32 {
    const ck_conv_f32 *layer;
    size_t channel;
    size_t count;  ///< Channels of the block's last vector.
    const float *bias, *weights;
    size_t width;  ///< Channels of the packed weights.
} ck_depthwise_block_f32;

CK_INLINE ck_depthwise_row ck_row_f32(
    const ck_depthwise_block_f32 *b, const size_t height, ck_range pixels, ck_tap_row *rows) {
    const ck_conv_f32 *layer = b->layer;
    return ck_depthwise_row_at(
        &layer->geometry, pixels, layer->input + b->channel, layer->in_stride * sizeof(float),
        layer->padding + b->channel, height, rows);
}

CK_INLINE const float *ck_tap_at_f32(const ck_depthwise_block_f32 *b, ck_tap_row row, ptrdiff_t x) {
    return ck_tap_at(row, x, b->layer->geometry.in_width, b->layer->padding + b->channel);
}

/// Adds the residual, clamps and stores an output.
CK_INLINE void ck_finish_f32(
    const ck_depthwise_block_f32 *b, const size_t vectors, const size_t count, const ck_vf32 *sums, size_t pixel) {
    const ck_conv_f32 *layer = b->layer;
    CK_UNROLL for (size_t v = 0; v < vectors; ++v) {
        const size_t at = b->channel + v * CK_LANES;
        ck_vf32 f = sums[v];
        if (layer->residual) f += ck_load_f32(layer->residual + pixel * layer->residual_stride + at, count);
        ck_store_f32(layer->output + pixel * layer->out_stride + at, ck_clamp_lanes(f, layer->min, layer->max), count);
    }
}

/// By row and column of a window.
typedef ck_vf32 ck_sliding_weights_f32[CK_SLIDING_EXTENT][CK_SLIDING_EXTENT];

/// A window on its way along one or two rows of outputs.
typedef struct ck_slide_f32 {
    ck_vf32 start, sums[2][CK_SLIDING_EXTENT];  ///< Sums by row and slot.
    const char *taps[CK_SLIDING_ROWS];          ///< Under the next column, of each row of taps.
    size_t steps[CK_SLIDING_ROWS];
    ptrdiff_t x;          ///< The next column.
    size_t pixel, count;  ///< Outputs of the first row that are left.
} ck_slide_f32;

/// Adds one column of the input to all windows it lies in, and finishes those it is the last one of. `phase` counts columns
/// from the first of the row, modulo the columns after which slots repeat.
CK_INLINE void ck_dwconv_f32_column(
    const size_t extent, const size_t stride, const size_t rows, const size_t phase, const ck_depthwise_block_f32 *b,
    ck_sliding_weights_f32 *weights, ck_slide_f32 *slide, size_t column) {
    const size_t slots = ck_slots(extent, stride), height = extent + (rows - 1) * stride;
    const bool in_registers = slots * rows + height + extent * extent + 4 <= CK_REGISTERS;
    if (!in_registers) __asm__ volatile("" : "+m"(*weights));
    // Taps beside the input add nothing.
    if ((size_t)slide->x < b->layer->geometry.in_width) {
        ck_vf32 x[CK_SLIDING_ROWS];
        CK_UNROLL for (size_t i = 0; i < height; ++i) {
            x[i] = ck_load_f32((const float *)slide->taps[i], CK_LANES);
            slide->taps[i] += slide->steps[i];
        }
        CK_UNROLL for (size_t i = 0; i < extent; ++i) {
            CK_UNROLL for (size_t tap = 0; tap < extent; ++tap) {
                const size_t origin = phase + slots * stride * extent - tap;
                if (origin % stride != 0) continue;
                const ck_vf32 w = (*weights)[i][tap];
                CK_UNROLL for (size_t r = 0; r < rows; ++r) {
                    ck_vf32 *sum = &slide->sums[r][origin / stride % slots];
                    *sum = ck_fma(x[i + r * stride], w, *sum);
                }
            }
        }
    }
    ++slide->x;
    const size_t origin = phase + slots * stride * extent - (extent - 1);
    if (origin % stride != 0) return;
    const size_t slot = origin / stride % slots;
    if (column >= extent - 1) {
        CK_UNROLL for (size_t r = 0; r < rows; ++r) {
            ck_finish_f32(b, 1, CK_LANES, &slide->sums[r][slot], slide->pixel + r * b->layer->geometry.out_width);
        }
        ++slide->pixel;
        --slide->count;
    }
    CK_UNROLL for (size_t r = 0; r < rows; ++r) slide->sums[r][slot] = slide->start;
}

/// Slides along the outputs that begin the range, to the end of their row, or also along those below them.
CK_INLINE size_t ck_dwconv_f32_rows(
    const size_t extent, const size_t stride, const size_t rows, const ck_depthwise_block_f32 *b, ck_range pixels,
    ck_sliding_weights_f32 *weights, ck_vf32 start) {
    const size_t slots = ck_slots(extent, stride), height = extent + (rows - 1) * stride;
    ck_tap_row taps[CK_SLIDING_ROWS];
    const ck_depthwise_row row = ck_row_f32(b, height, pixels, taps);
    ck_slide_f32 slide = {.start = start, .x = row.x, .pixel = row.pixel, .count = row.count};
    CK_UNROLL for (size_t i = 0; i < height; ++i) {
        slide.steps[i] = taps[i].step;
        slide.taps[i] = taps[i].pixels + (row.x > 0 ? (size_t)row.x * taps[i].step : 0);
    }
    CK_UNROLL for (size_t r = 0; r < rows; ++r) {
        CK_UNROLL for (size_t slot = 0; slot < slots; ++slot) slide.sums[r][slot] = start;
    }
    for (size_t column = 0;;) {
#define CK_COLUMN(phase)                                                                            if (phase < slots * stride) {                                                                       ck_dwconv_f32_column(extent, stride, rows, phase, b, weights, &slide, column++);                if (slide.count == 0) return row.count;                                                     }
        CK_COLUMN(0) CK_COLUMN(1) CK_COLUMN(2) CK_COLUMN(3) CK_COLUMN(4) CK_COLUMN(5)
#undef CK_COLUMN
    }
}

/// How many whole rows of outputs of one image, at most two, begin the range.
CK_INLINE size_t ck_whole_rows(const ck_geometry *g, ck_range pixels) {
    if (pixels.last - pixels.first < 2 * g->out_width || pixels.first % g->out_width != 0) return 1;
    return pixels.first / g->out_width % g->out_height + 1 < g->out_height ? 2 : 1;
}

CK_INLINE void ck_dwconv_f32_slide(
    const size_t extent, const size_t stride, const ck_depthwise_block_f32 *block, ck_range pixels) {
    const ck_conv_f32 layer = *block->layer;  // a copy, since stores of vectors may alias anything
    ck_depthwise_block_f32 b = *block;
    b.layer = &layer;
    ck_sliding_weights_f32 weights;
    CK_UNROLL for (size_t i = 0; i < extent; ++i) {
        CK_UNROLL for (size_t tap = 0; tap < extent; ++tap) {
            weights[i][tap] = ck_load_f32(b.weights + (i * extent + tap) * b.width, CK_LANES);
        }
    }
    const ck_vf32 start = ck_load_f32(b.bias, CK_LANES);
    ck_align_frame();
    while (pixels.first < pixels.last) {
        if (CK_SLIDE_ROWS(extent) == 2 && layer.geometry.stride_height == stride
            && ck_whole_rows(&layer.geometry, pixels) == 2) {
            pixels.first += 2 * ck_dwconv_f32_rows(extent, stride, 2, &b, pixels, &weights, start);
        } else {
            pixels.first += ck_dwconv_f32_rows(extent, stride, 1, &b, pixels, &weights, start);
        }
    }
}

/// Any window; a single vector may be partial.
CK_INLINE void ck_dwconv_f32_step(
    const size_t vectors, const size_t count, const ck_depthwise_block_f32 *b, ck_range pixels, void *scratch) {
    const ck_geometry *g = &b->layer->geometry;
    const size_t height = g->kernel_height, width = g->kernel_width;
    ck_tap_row *rows = scratch;
    while (pixels.first < pixels.last) {
        ck_depthwise_row row = ck_row_f32(b, height, pixels, rows);
        pixels.first += row.count;
        for (; row.count > 0; --row.count, row.x += (ptrdiff_t)g->stride_width) {
            ck_vf32 sums[CK_STEP_VECTORS];
            CK_UNROLL for (size_t v = 0; v < vectors; ++v) sums[v] = ck_load_f32(b->bias + v * CK_LANES, CK_LANES);
            const float *weights = b->weights;
            for (size_t i = 0; i < height; ++i) {
                for (size_t tap = 0; tap < width; ++tap, weights += b->width) {
                    const float *x = ck_tap_at_f32(b, rows[i], row.x + (ptrdiff_t)(tap * g->dilation_width));
                    CK_UNROLL for (size_t v = 0; v < vectors; ++v) {
                        const ck_vf32 w = ck_load_f32(weights + v * CK_LANES, CK_LANES);
                        sums[v] = ck_fma(ck_load_f32(x + v * CK_LANES, count), w, sums[v]);
                    }
                }
            }
            ck_finish_f32(b, vectors, count, sums, row.pixel++);
        }
    }
}

// One function per sliding window: ck_dwconv_f32__<isa>_<extent>s<stride>.
#define CK_DEFINE_SLIDE(extent, stride)                                            \
    __attribute__((noinline)) static void CK_NAME(ck_dwconv_f32, extent##s##stride)( \
        const ck_depthwise_block_f32 *b, ck_range pixels) {                        \
        ck_dwconv_f32_slide(extent, stride, b, pixels);                            \
    }
CK_SLIDING_WINDOWS(CK_DEFINE_SLIDE)
#undef CK_DEFINE_SLIDE

/// Vectors a block of this window should have where the channels suffice.
static size_t ck_dwconv_f32_vectors(const ck_geometry *g) {
#define CK_TRY(extent, stride) \
    if (ck_is_window(g, extent, stride)) return 1;
    CK_SLIDING_WINDOWS(CK_TRY)
#undef CK_TRY
    return CK_STEP_VECTORS;
}

static void CK_NAME(ck_dwconv_f32, block)(
    const ck_depthwise_block_f32 *b, size_t vectors, ck_range pixels, void *scratch) {
#define CK_TRY(extent, stride)                                                       \
    if (ck_is_window(&b->layer->geometry, extent, stride) && b->count == CK_LANES) { \
        return CK_NAME(ck_dwconv_f32, extent##s##stride)(b, pixels);                 \
    }
    CK_SLIDING_WINDOWS(CK_TRY)
#undef CK_TRY
    if (b->count < CK_LANES) return ck_dwconv_f32_step(1, b->count, b, pixels, scratch);
    if (vectors == 1) return ck_dwconv_f32_step(1, CK_LANES, b, pixels, scratch);
    ck_dwconv_f32_step(CK_STEP_VECTORS, CK_LANES, b, pixels, scratch);
}

static void CK_NAME(ck_f32_dwconv_f32, CK_LANES)(const ck_conv_f32 *layer, ck_range pixels, void *scratch) {
    const ck_geometry *g = &layer->geometry;
    const size_t channels = layer->out_channels, most = ck_dwconv_f32_vectors(g);
    const size_t width = (channels + CK_LANES - 1) / CK_LANES * CK_LANES;
    const float *packed = layer->weights;
    for (size_t c = 0; c < channels;) {
        const size_t left = channels - c, vectors = left >= most * CK_LANES ? most : 1;
        // The last vector overlaps the one before, but for a residual, which could be the output.
        const bool overlaps = left < CK_LANES && channels >= CK_LANES && !layer->residual;
        const size_t first = overlaps ? channels - CK_LANES : c;
        const ck_depthwise_block_f32 b = {
            .layer = layer,
            .channel = first,
            .count = left < CK_LANES && !overlaps ? left : CK_LANES,
            .bias = packed + first,
            .weights = packed + width + first,
            .width = width,
        };
        CK_NAME(ck_dwconv_f32, block)(&b, vectors, pixels, scratch);
        c = first + vectors * CK_LANES;
    }
}

static size_t CK_NAME(ck_f32_dwconv_f32_packed_size, CK_LANES)(const ck_weight_shape *s) {
    return ck_packed_size_depthwise_f32(s, (ck_packing){.lanes = CK_LANES});
}

static void CK_NAME(ck_f32_dwconv_f32_pack, CK_LANES)(const ck_weights_f32 *w, void *packed) {
    ck_pack_depthwise_f32(w, (ck_packing){.lanes = CK_LANES}, packed);
}

static size_t CK_NAME(ck_f32_dwconv_f32_scratch_size, CK_LANES)(const ck_conv_f32 *layer) {
    return ck_depthwise_rows_size(&layer->geometry);
}
