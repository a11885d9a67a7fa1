// Depthwise convolution of bytes.
//
// A register holds CK_BYTES channels of one pixel. The rows under a window are interleaved by fours, so that a 32-bit
// lane holds four vertical taps of one channel, and summed by the dot product of the general convolution.
//
// What remains of the channels is computed in narrower blocks. A register is then divided among 2 or 4 streams: equal
// parts of the row of outputs, which advance together.

/// Rows of taps that are interleaved.
#define CK_GROUP 4

/// A block of channels of a layer.
typedef struct ck_depthwise_block {
    const ck_conv_u8 *layer;
    uint8_t *output;  ///< Of pixel `origin`; not that of a layer with a residual.
    size_t origin, out_stride;
    size_t channel;
    size_t channels;  ///< Of each stream.
    const int32_t *bias;
    const float *multipliers;
    const uint8_t *weights;
} ck_depthwise_block;

/// Parts of a row of outputs.
typedef struct ck_streams {
    size_t count;           ///< Outputs of each; parts that would not be equal overlap.
    ptrdiff_t x[CK_PARTS];  ///< Input column under the first tap of the next window.
    uint8_t *output[CK_PARTS];
} ck_streams;

/// The streams of the row that begins the range; ends the range's beginning there.
CK_INLINE ck_streams ck_next_row(
    const ck_depthwise_block *b, const size_t streams, const size_t height, ck_range *pixels, ck_tap_row *rows) {
    const ck_conv_u8 *layer = b->layer;
    const ck_depthwise_row row = ck_depthwise_row_at(
        &layer->geometry, *pixels, layer->input + b->channel, layer->in_stride, layer->padding + b->channel, height,
        rows);
    ck_streams s = {.count = (row.count + streams - 1) / streams};
    CK_UNROLL for (size_t i = 0; i < streams; ++i) {
        const size_t first = (i + 1) * s.count < row.count ? i * s.count : row.count - s.count;
        s.x[i] = row.x + (ptrdiff_t)(first * layer->geometry.stride_width);
        s.output[i] = b->output + (row.pixel - b->origin + first) * b->out_stride + b->channel;
    }
    pixels->first += row.count;
    return s;
}

/// The pixels of one row under tap columns `x`.
CK_INLINE ck_bytes ck_load_taps(
    const ck_depthwise_block *b, const size_t streams, ck_tap_row row, const ptrdiff_t *x) {
    const uint8_t *from[CK_PARTS];
    CK_UNROLL for (size_t i = 0; i < streams; ++i) {
        from[i] = ck_tap_at(row, x[i], b->layer->geometry.in_width, b->layer->padding + b->channel);
    }
    if (b->channels * streams == CK_BYTES) return ck_load_streams(from, streams);
    uint8_t parts[CK_PARTS][CK_PART] = {0};
    for (size_t i = 0; i < streams; ++i) ck_copy_bytes(parts[i], from[i], b->channels);
    return ck_load_bytes(parts[0], CK_BYTES);
}

/// Requantises and stores the next output of each stream.
CK_INLINE void ck_finish_outputs(
    const ck_depthwise_block *b, const size_t streams, const ck_sums *sums, const ck_requantizer *q, ck_streams *s) {
    ck_vf32 f[4];
    CK_UNROLL for (size_t v = 0; v < 4; ++v) {
        f[v] = ck_to_f32(ck_total(sums[v])) * ck_load_f32(b->multipliers + v * CK_LANES, CK_LANES);
    }
    const ck_bytes bytes = ck_requantize_lanes(f, 4, q);
    if (b->channels * streams == CK_BYTES) {
        ck_store_streams(s->output, bytes, streams);
    } else {
        uint8_t parts[CK_PARTS][CK_PART];
        ck_store_bytes(parts[0], bytes, CK_BYTES);
        for (size_t i = 0; i < streams; ++i) ck_copy_bytes(s->output[i], parts[i], b->channels);
    }
    CK_UNROLL for (size_t i = 0; i < streams; ++i) s->output[i] += b->out_stride;
    --s->count;
}

/// Weights of the taps in one column of the window and up to CK_GROUP of the `height` rows left.
CK_INLINE ck_four ck_interleave_weights(const uint8_t *weights, const size_t height, size_t width) {
    ck_bytes rows[CK_GROUP] = {0};
    CK_UNROLL for (size_t i = 0; i < CK_GROUP; ++i) {
        if (i < height) rows[i] = ck_load_bytes(weights + i * width * CK_BYTES, CK_BYTES);
    }
    return ck_interleave(rows[0], rows[1], rows[2], rows[3]);
}

/// By column and group of rows of a window.
typedef ck_weights ck_sliding_weights[CK_SLIDING_EXTENT][2][4];

/// What a sliding window keeps in registers.
typedef struct ck_slide_u8 {
    ck_requantizer requantizer;
    ck_sums start[4], sums[CK_SLIDING_EXTENT][4];
    ck_tap_row rows[CK_SLIDING_EXTENT];
} ck_slide_u8;

/// Adds the next input column, the `column`th of its row, to all windows it lies in, and finishes the one it ends.
/// `phase` is `column` modulo the period.
CK_INLINE void ck_dwconv_u8_column(
    const size_t extent, const size_t stride, const size_t streams, const size_t phase, const ck_depthwise_block *b,
    ck_sliding_weights *weights, ck_slide_u8 *slide, ck_streams *s, size_t column) {
    const size_t slots = ck_slots(extent, stride), columns = extent * ((extent + CK_GROUP - 1) / CK_GROUP);
    const size_t bytes = 4 * (slots * sizeof(ck_sums) + columns * sizeof(ck_weights)) + 8 * CK_BYTES;
    if (bytes > CK_REGISTERS * CK_BYTES) __asm__ volatile("" : "+m"(*weights));
    CK_UNROLL for (size_t first = 0; first < extent; first += CK_GROUP) {
        ck_bytes x[CK_GROUP] = {0};
        CK_UNROLL for (size_t i = 0; i < CK_GROUP; ++i) {
            const size_t row = first + i;
            if (row < extent) x[i] = ck_load_taps(b, streams, slide->rows[row], s->x);
        }
        const ck_four lanes = ck_interleave(x[0], x[1], x[2], x[3]);
        CK_UNROLL for (size_t v = 0; v < 4; ++v) {
            const ck_activations a = ck_activations_of(lanes.v[v]);
            CK_UNROLL for (size_t tap = 0; tap < extent; ++tap) {
                // The column under the window's first tap, plus whole periods.
                const size_t origin = phase + slots * stride * extent - tap;
                if (origin % stride != 0) continue;
                ck_sums *sum = &slide->sums[origin / stride % slots][v];
                const ck_sums before = tap == 0 && first == 0 ? slide->start[v] : *sum;
                *sum = ck_dot(before, a, (*weights)[tap][first / CK_GROUP][v]);
            }
        }
    }
    CK_UNROLL for (size_t i = 0; i < streams; ++i) ++s->x[i];
    const size_t origin = phase + slots * stride * extent - (extent - 1);
    if (origin % stride != 0 || column < extent - 1) return;
    ck_finish_outputs(b, streams, slide->sums[origin / stride % slots], &slide->requantizer, s);
}

CK_INLINE void ck_dwconv_u8_slide(
    const size_t extent, const size_t stride, const size_t streams, const ck_depthwise_block *block, ck_range pixels) {
    const ck_conv_u8 layer = *block->layer;  // a copy, since stores of bytes may alias anything
    ck_depthwise_block b = *block;
    b.layer = &layer;
    b.channels = CK_BYTES / streams;
    ck_slide_u8 slide = {.requantizer = ck_requantizer_of(b.layer->out)};
    ck_sliding_weights weights;
    CK_UNROLL for (size_t tap = 0; tap < extent; ++tap) {
        CK_UNROLL for (size_t first = 0; first < extent; first += CK_GROUP) {
            const ck_four w =
                ck_interleave_weights(b.weights + (first * extent + tap) * CK_BYTES, extent - first, extent);
            CK_UNROLL for (size_t v = 0; v < 4; ++v) weights[tap][first / CK_GROUP][v] = ck_weights_of(w.v[v]);
        }
    }
    CK_UNROLL for (size_t v = 0; v < 4; ++v) {
        slide.start[v] = ck_start(ck_load_i32(b.bias + v * CK_LANES, CK_LANES));
        CK_UNROLL for (size_t slot = 0; slot < extent; ++slot) slide.sums[slot][v] = slide.start[v];
    }
    ck_align_frame();
    while (pixels.first < pixels.last) {
        ck_streams s = ck_next_row(&b, streams, extent, &pixels, slide.rows);
        for (size_t column = 0;; ) {
#define CK_COLUMN(phase)                                                                           \
    if (phase < ck_slots(extent, stride) * stride) {                                               \
        ck_dwconv_u8_column(extent, stride, streams, phase, &b, &weights, &slide, &s, column++);   \
        if (s.count == 0) break;                                                                   \
    }
            CK_COLUMN(0) CK_COLUMN(1) CK_COLUMN(2) CK_COLUMN(3) CK_COLUMN(4) CK_COLUMN(5)
#undef CK_COLUMN
        }
    }
}

/// Any window.
CK_INLINE void ck_dwconv_u8_step(
    const size_t streams, const ck_depthwise_block *block, ck_range pixels, void *scratch) {
    const ck_conv_u8 layer = *block->layer;
    ck_depthwise_block b = *block;
    b.layer = &layer;
    const ck_geometry *g = &b.layer->geometry;
    const size_t height = g->kernel_height, width = g->kernel_width;
    const ck_requantizer requantizer = ck_requantizer_of(b.layer->out);
    ck_tap_row *rows = scratch;
    while (pixels.first < pixels.last) {
        ck_streams s = ck_next_row(&b, streams, height, &pixels, rows);
        while (s.count > 0) {
            ck_sums sums[4];
            CK_UNROLL for (size_t v = 0; v < 4; ++v) sums[v] = ck_start(ck_load_i32(b.bias + v * CK_LANES, CK_LANES));
            for (size_t tap = 0; tap < width; ++tap) {
                ptrdiff_t x[CK_PARTS];
                CK_UNROLL for (size_t i = 0; i < streams; ++i) x[i] = s.x[i] + (ptrdiff_t)(tap * g->dilation_width);
                for (size_t row = 0; row < height; row += CK_GROUP) {
                    ck_bytes taps[CK_GROUP] = {0};
                    CK_UNROLL for (size_t i = 0; i < CK_GROUP; ++i) {
                        if (row + i < height) taps[i] = ck_load_taps(&b, streams, rows[row + i], x);
                    }
                    const ck_four lanes = ck_interleave(taps[0], taps[1], taps[2], taps[3]);
                    const ck_four w =
                        ck_interleave_weights(b.weights + (row * width + tap) * CK_BYTES, height - row, width);
                    CK_UNROLL for (size_t v = 0; v < 4; ++v) {
                        sums[v] = ck_dot(sums[v], ck_activations_of(lanes.v[v]), ck_weights_of(w.v[v]));
                    }
                }
            }
            ck_finish_outputs(&b, streams, sums, &requantizer, &s);
            CK_UNROLL for (size_t i = 0; i < streams; ++i) s.x[i] += (ptrdiff_t)g->stride_width;
        }
    }
}

// CK_STREAMS(K, ...): K(streams, ...) for all ways to divide a register.
#if CK_PARTS == 4
#define CK_STREAMS(K, ...) K(1, __VA_ARGS__) K(2, __VA_ARGS__) K(4, __VA_ARGS__)
#elif CK_PARTS == 2
#define CK_STREAMS(K, ...) K(1, __VA_ARGS__) K(2, __VA_ARGS__)
#else
#define CK_STREAMS(K, ...) K(1, __VA_ARGS__)
#endif

// One function per division and sliding window, ck_dwconv_u8__<isa>_<extent>s<stride>x<streams>, and for any window.
#define CK_DEFINE_SLIDE(streams, extent, stride)                                                              \
    __attribute__((noinline)) static void CK_NAME(ck_dwconv_u8, extent##s##stride##x##streams)(               \
        const ck_depthwise_block *b, ck_range pixels, void *scratch) {                                        \
        (void)scratch;                                                                                        \
        ck_dwconv_u8_slide(extent, stride, streams, b, pixels);                                               \
    }
#define CK_DEFINE_SLIDES(extent, stride) CK_STREAMS(CK_DEFINE_SLIDE, extent, stride)
#define CK_DEFINE_STEP(streams, name)                                      \
    __attribute__((noinline)) static void CK_NAME(name, x##streams)(       \
        const ck_depthwise_block *b, ck_range pixels, void *scratch) {     \
        ck_dwconv_u8_step(streams, b, pixels, scratch);                    \
    }
CK_SLIDING_WINDOWS(CK_DEFINE_SLIDES)
CK_STREAMS(CK_DEFINE_STEP, ck_dwconv_u8)
#undef CK_DEFINE_SLIDE
#undef CK_DEFINE_SLIDES
#undef CK_DEFINE_STEP

typedef void ck_dwconv_u8_kernel(const ck_depthwise_block *, ck_range pixels, void *scratch);

static ck_dwconv_u8_kernel *ck_dwconv_u8_choose(const ck_geometry *g, size_t channels, size_t streams) {
#define CK_CHOOSE(parts, name) \
    if (streams == parts) return CK_NAME(ck_dwconv_u8, name##x##parts);
#define CK_CHOOSE_SLIDE(extent, stride) \
    if (ck_is_window(g, extent, stride)) { CK_STREAMS(CK_CHOOSE, extent##s##stride) }
    if (channels >= CK_PART) { CK_SLIDING_WINDOWS(CK_CHOOSE_SLIDE) }
    CK_STREAMS(CK_CHOOSE, )
    return NULL;
#undef CK_CHOOSE
#undef CK_CHOOSE_SLIDE
}

static const ck_packing ck_packing_depthwise_u8 = {.lanes = CK_LANES, .offset = CK_ACTIVATION_OFFSET};

/// The convolution proper; `output` is that of the first pixel.
static void CK_NAME(ck_dwconv_u8, layer)(
    const ck_conv_u8 *layer, ck_range pixels, uint8_t *output, size_t out_stride, void *scratch) {
    const ck_geometry *g = &layer->geometry;
    const size_t channels = layer->out_channels, taps = g->kernel_height * g->kernel_width;
    const char *packed = layer->weights;
    for (size_t c = 0, width; c < channels; c += width, packed += ck_depthwise_block_size(taps, CK_LANES)) {
        width = ck_depthwise_width(channels - c, CK_LANES);
        const int32_t *bias = (const int32_t *)packed;
        const float *multipliers = (const float *)(bias + CK_BYTES);
        const ck_depthwise_block b = {
            .layer = layer,
            .output = output,
            .origin = pixels.first,
            .out_stride = out_stride,
            .channel = ck_depthwise_first(c, width, channels),
            .channels = width < channels ? width : channels,
            .bias = bias,
            .multipliers = multipliers,
            .weights = (const uint8_t *)(multipliers + CK_BYTES),
        };
        ck_dwconv_u8_choose(g, channels, CK_BYTES / width)(&b, pixels, scratch);
    }
}

static void CK_NAME(ck_u8s8_dwconv_u8, CK_BYTES)(const ck_conv_u8 *layer, ck_range pixels, void *scratch) {
    const size_t out_stride = layer->out_stride;
    if (!layer->residual) {
        uint8_t *output = layer->output + pixels.first * out_stride;
        return CK_NAME(ck_dwconv_u8, layer)(layer, pixels, output, out_stride, scratch);
    }
    // The residual may be the output itself, so that rows go through scratch memory.
    const size_t channels = layer->out_channels, out_width = layer->geometry.out_width;
    uint8_t *own = (uint8_t *)scratch + ck_depthwise_rows_size(&layer->geometry);
    for (ck_range row = pixels; row.first < pixels.last; row.first = row.last) {
        row.last = (row.first / out_width + 1) * out_width;
        if (row.last > pixels.last) row.last = pixels.last;
        CK_NAME(ck_dwconv_u8, layer)(layer, row, own, channels, scratch);
        const ck_add_u8 sum = {
            .channels = channels,
            .a = own,
            .a_stride = channels,
            .a_zero_point = layer->out.zero_point,
            .a_multiplier = layer->own_multiplier,
            .b = layer->residual + row.first * layer->residual_stride,
            .b_stride = layer->residual_stride,
            .b_zero_point = layer->residual_zero_point,
            .b_multiplier = layer->residual_multiplier,
            .output = layer->output + row.first * out_stride,
            .out_stride = out_stride,
            .out = layer->sum,
        };
        CK_NAME(ck_u8_add_u8, CK_BYTES)(&sum, (ck_range){0, row.last - row.first});
    }
}

static size_t CK_NAME(ck_u8s8_dwconv_u8_packed_size, CK_BYTES)(const ck_weight_shape *s) {
    return ck_packed_size_depthwise_u8(s, ck_packing_depthwise_u8);
}

static void CK_NAME(ck_u8s8_dwconv_u8_pack, CK_BYTES)(const ck_weights_s8 *w, void *packed) {
    ck_pack_depthwise_u8(w, ck_packing_depthwise_u8, packed);
}

static size_t CK_NAME(ck_u8s8_dwconv_u8_scratch_size, CK_BYTES)(const ck_conv_u8 *layer) {
    const size_t row = layer->residual ? layer->geometry.out_width * layer->out_channels : 0;
    return ck_depthwise_rows_size(&layer->geometry) + row;
}
