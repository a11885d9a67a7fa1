// Pooling: vectors run over channels, taps are clipped to the input.

/// The part of the input under one window.
typedef struct ck_pool_window {
    size_t origin;  ///< Element offset of the first valid tap.
    size_t rows, columns;
    size_t row_step, column_step;  ///< Elements between taps.
} ck_pool_window;

static ck_pool_window ck_pool_window_of(const ck_geometry *g, ck_window w, size_t stride) {
    ck_range y = ck_valid_taps(w.y, g->dilation_height, g->kernel_height, g->in_height);
    ck_range x = ck_valid_taps(w.x, g->dilation_width, g->kernel_width, g->in_width);
    ck_pool_window p = {
        .rows = y.last - y.first,
        .columns = x.last - x.first,
        .row_step = g->dilation_height * g->in_width * stride,
        .column_step = g->dilation_width * stride,
    };
    if (p.rows && p.columns) p.origin = (size_t)ck_tap_pixel(g, w, y.first, x.first) * stride;
    return p;
}

/// Defines kernel `name` over `type`: calls block(p, window, divisor, pixel, first channel, count), inlined for whole blocks of
/// `unit` channels. The last block overlaps the one before, where there is one.
#define CK_DEFINE_POOL(name, type, unit, block, divisor)                                                     \
    static void CK_NAME(name, unit)(const type *arguments, ck_range pixels) {                                \
        const type copy = *arguments, *p = &copy; /* stores may alias anything else */                       \
        const ck_geometry *g = &p->geometry;                                                                 \
        const size_t channels = p->channels;                                                                 \
        if (pixels.first >= pixels.last) return;                                                             \
        ck_window window = ck_window_at(g, pixels.first);                                                    \
        size_t left = g->out_width - pixels.first % g->out_width;                                            \
        for (size_t pixel = pixels.first; pixel < pixels.last; ++pixel) {                                    \
            if (left == 0) {                                                                                 \
                window = ck_window_at(g, pixel);                                                             \
                left = g->out_width;                                                                         \
            }                                                                                                \
            const ck_pool_window w = ck_pool_window_of(g, window, p->in_stride);                             \
            const float count = (float)(divisor);                                                            \
            if (channels < unit) block(p, &w, count, pixel, 0, channels);                                    \
            for (size_t c = 0; c + unit <= channels; c += unit) block(p, &w, count, pixel, c, unit);         \
            if (channels > unit && channels % unit != 0) block(p, &w, count, pixel, channels - unit, unit);  \
            window.x += (ptrdiff_t)g->stride_width;                                                          \
            --left;                                                                                          \
        }                                                                                                    \
    }

CK_INLINE void ck_maxpool_u8_block(
    const ck_maxpool_u8 *p, const ck_pool_window *w, float divisor, size_t pixel, size_t c, size_t count) {
    (void)divisor;
    ck_bytes best = {0};
    for (size_t row = 0; row < w->rows; ++row) {
        const uint8_t *x = p->input + w->origin + row * w->row_step + c;
        for (size_t column = 0; column < w->columns; ++column, x += w->column_step) {
            best = __builtin_elementwise_max(best, ck_load_bytes(x, count));
        }
    }
    ck_store_bytes(p->output + pixel * p->out_stride + c, best, count);
}
CK_DEFINE_POOL(ck_u8_maxpool_u8, ck_maxpool_u8, CK_BYTES, ck_maxpool_u8_block, 1)

CK_INLINE void ck_maxpool_f32_block(
    const ck_maxpool_f32 *p, const ck_pool_window *w, float divisor, size_t pixel, size_t c, size_t count) {
    (void)divisor;
    ck_vf32 best = ck_splat(-__builtin_inff());
    for (size_t row = 0; row < w->rows; ++row) {
        const float *x = p->input + w->origin + row * w->row_step + c;
        for (size_t column = 0; column < w->columns; ++column, x += w->column_step) {
            best = ck_max(ck_load_f32(x, count), best);
        }
    }
    ck_store_f32(p->output + pixel * p->out_stride + c, best, count);
}
CK_DEFINE_POOL(ck_f32_maxpool_f32, ck_maxpool_f32, CK_LANES, ck_maxpool_f32_block, 1)

/// Bytes that 16 bits can sum.
#define CK_SHORT_SUM 257

/// Sums of a register of bytes, of up to CK_SHORT_SUM of them in 16 bits.
typedef struct ck_byte_sums {
    ck_vu16 low, high;
    ck_four totals;
    size_t pending;
} ck_byte_sums;

CK_INLINE void ck_carry_sums(ck_byte_sums *s) {
    const ck_bytes zero = {0}, low = (ck_bytes)s->low, high = (ck_bytes)s->high;
    const ck_four lanes = {{
        ck_zip_low_16(low, zero), ck_zip_high_16(low, zero), ck_zip_low_16(high, zero), ck_zip_high_16(high, zero)}};
    CK_UNROLL for (size_t v = 0; v < 4; ++v) {
        s->totals.v[v] = (ck_bytes)((ck_vi32)s->totals.v[v] + (ck_vi32)lanes.v[v]);
    }
    s->low = s->high = (ck_vu16){0};
    s->pending = 0;
}

CK_INLINE void ck_avgpool_u8_block(
    const ck_avgpool_u8 *p, const ck_pool_window *w, float divisor, size_t pixel, size_t c, size_t count) {
    ck_byte_sums sums = {0};
    for (size_t row = 0; row < w->rows; ++row) {
        const uint8_t *x = p->input + w->origin + row * w->row_step + c;
        for (size_t column = 0; column < w->columns;) {
            const size_t left = w->columns - column, room = CK_SHORT_SUM - sums.pending, run = left < room ? left : room;
            for (size_t i = 0; i < run; ++i, x += w->column_step) {
                const ck_bytes bytes = ck_load_bytes(x, count);
                sums.low += ck_widen_low(bytes);
                sums.high += ck_widen_high(bytes);
            }
            column += run;
            sums.pending += run;
            if (sums.pending == CK_SHORT_SUM) ck_carry_sums(&sums);
        }
    }
    ck_carry_sums(&sums);
    const float multiplier = p->multiplier / divisor;
    const int32_t zero_points = (int32_t)(w->rows * w->columns * p->in_zero_point);
    ck_vf32 f[4];
    CK_UNROLL for (size_t v = 0; v < 4; ++v) f[v] = ck_to_f32((ck_vi32)sums.totals.v[v] - zero_points) * multiplier;
    ck_store_lanes(p->output + pixel * p->out_stride + c, f, count, p->out);
}
CK_DEFINE_POOL(
    ck_u8_avgpool_u8, ck_avgpool_u8, CK_BYTES, ck_avgpool_u8_block, ck_average_count(g, window, p->count_include_pad))

CK_INLINE void ck_avgpool_f32_block(
    const ck_avgpool_f32 *p, const ck_pool_window *w, float divisor, size_t pixel, size_t c, size_t count) {
    ck_vf32 sum = {0};
    for (size_t row = 0; row < w->rows; ++row) {
        const float *x = p->input + w->origin + row * w->row_step + c;
        for (size_t column = 0; column < w->columns; ++column, x += w->column_step) {
            sum += ck_load_f32(x, count);
        }
    }
    ck_store_f32(p->output + pixel * p->out_stride + c, sum / divisor, count);
}
CK_DEFINE_POOL(
    ck_f32_avgpool_f32, ck_avgpool_f32, CK_LANES, ck_avgpool_f32_block, ck_average_count(g, window, p->count_include_pad))
