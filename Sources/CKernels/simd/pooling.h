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

CK_INLINE void ck_maxpool_u8_block(
    const ck_maxpool_u8 *p, const ck_pool_window *w, size_t pixel, size_t c, size_t count) {
    ck_bytes best = {0};
    for (size_t row = 0; row < w->rows; ++row) {
        const uint8_t *x = p->input + w->origin + row * w->row_step + c;
        for (size_t column = 0; column < w->columns; ++column, x += w->column_step) {
            best = __builtin_elementwise_max(best, ck_load_bytes(x, count));
        }
    }
    ck_store_bytes(p->output + pixel * p->out_stride + c, best, count);
}

static void CK_NAME(ck_u8_maxpool_u8, CK_BYTES)(const ck_maxpool_u8 *arguments, ck_range pixels) {
    const ck_maxpool_u8 copy = *arguments, *p = &copy;  // stores of bytes may alias anything else
    for (size_t pixel = pixels.first; pixel < pixels.last; ++pixel) {
        ck_pool_window w = ck_pool_window_of(&p->geometry, ck_window_at(&p->geometry, pixel), p->in_stride);
        size_t c = 0;
        for (; c + sizeof(ck_bytes) <= p->channels; c += sizeof(ck_bytes)) {
            ck_maxpool_u8_block(p, &w, pixel, c, sizeof(ck_bytes));
        }
        if (c < p->channels) ck_maxpool_u8_block(p, &w, pixel, c, p->channels - c);
    }
}

CK_INLINE void ck_maxpool_f32_block(
    const ck_maxpool_f32 *p, const ck_pool_window *w, size_t pixel, size_t c, size_t count) {
    ck_vf32 best = ck_splat(-__builtin_inff());
    for (size_t row = 0; row < w->rows; ++row) {
        const float *x = p->input + w->origin + row * w->row_step + c;
        for (size_t column = 0; column < w->columns; ++column, x += w->column_step) {
            best = ck_max(ck_load_f32(x, count), best);
        }
    }
    ck_store_f32(p->output + pixel * p->out_stride + c, best, count);
}

static void CK_NAME(ck_f32_maxpool_f32, CK_LANES)(const ck_maxpool_f32 *p, ck_range pixels) {
    for (size_t pixel = pixels.first; pixel < pixels.last; ++pixel) {
        ck_pool_window w = ck_pool_window_of(&p->geometry, ck_window_at(&p->geometry, pixel), p->in_stride);
        size_t c = 0;
        for (; c + CK_LANES <= p->channels; c += CK_LANES) ck_maxpool_f32_block(p, &w, pixel, c, CK_LANES);
        if (c < p->channels) ck_maxpool_f32_block(p, &w, pixel, c, p->channels - c);
    }
}

CK_INLINE void ck_avgpool_u8_block(
    const ck_avgpool_u8 *p, const ck_pool_window *w, float multiplier, size_t pixel, size_t c, size_t count) {
    ck_vi32 sum = {0};
    for (size_t row = 0; row < w->rows; ++row) {
        const uint8_t *x = p->input + w->origin + row * w->row_step + c;
        for (size_t column = 0; column < w->columns; ++column, x += w->column_step) {
            sum += ck_widen(ck_load_u8(x, count));
        }
    }
    sum -= (int32_t)(w->rows * w->columns * p->in_zero_point);
    ck_vu8 y = ck_round(ck_to_f32(sum) * multiplier, ck_rounding_of(p->out));
    ck_store_u8(p->output + pixel * p->out_stride + c, y, count);
}

static void CK_NAME(ck_u8_avgpool_u8, CK_LANES)(const ck_avgpool_u8 *arguments, ck_range pixels) {
    const ck_avgpool_u8 copy = *arguments, *p = &copy;  // stores of bytes may alias anything else
    for (size_t pixel = pixels.first; pixel < pixels.last; ++pixel) {
        ck_window window = ck_window_at(&p->geometry, pixel);
        ck_pool_window w = ck_pool_window_of(&p->geometry, window, p->in_stride);
        float multiplier =
            p->multiplier / (float)ck_average_count(&p->geometry, window, p->count_include_pad);
        size_t c = 0;
        for (; c + CK_LANES <= p->channels; c += CK_LANES) {
            ck_avgpool_u8_block(p, &w, multiplier, pixel, c, CK_LANES);
        }
        if (c < p->channels) ck_avgpool_u8_block(p, &w, multiplier, pixel, c, p->channels - c);
    }
}

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

static void CK_NAME(ck_f32_avgpool_f32, CK_LANES)(const ck_avgpool_f32 *p, ck_range pixels) {
    for (size_t pixel = pixels.first; pixel < pixels.last; ++pixel) {
        ck_window window = ck_window_at(&p->geometry, pixel);
        ck_pool_window w = ck_pool_window_of(&p->geometry, window, p->in_stride);
        float divisor = (float)ck_average_count(&p->geometry, window, p->count_include_pad);
        size_t c = 0;
        for (; c + CK_LANES <= p->channels; c += CK_LANES) {
            ck_avgpool_f32_block(p, &w, divisor, pixel, c, CK_LANES);
        }
        if (c < p->channels) ck_avgpool_f32_block(p, &w, divisor, pixel, c, p->channels - c);
    }
}
