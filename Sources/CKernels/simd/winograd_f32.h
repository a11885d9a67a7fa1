// Winograd convolution of one instruction set; see winograd.h.

#if CK_LANES == 16
#define CK_WINOGRAD_ROWS 12
#define CK_WINOGRAD_VECTORS 2
#elif CK_LANES == 8
#define CK_WINOGRAD_ROWS 6
#define CK_WINOGRAD_VECTORS 2
#else
#define CK_WINOGRAD_ROWS 6
#define CK_WINOGRAD_VECTORS 4
#endif

static const ck_winograd_shape ck_winograd_tiles = {CK_LANES, CK_WINOGRAD_VECTORS, CK_WINOGRAD_ROWS};

// MARK: Transforms of one axis

/// B^T d: at a point p, the coefficients of the product of (x - other points); at infinity, of all of them.
CK_INLINE void ck_winograd_input_axis(const size_t tile, const ck_vf32 *d, ck_vf32 *to) {
    if (tile == 2) {
        to[0] = d[2] - d[0];
        to[1] = d[2] + d[1];
        to[2] = d[2] - d[1];
        to[3] = d[3] - d[1];
        return;
    }
    const float p = CK_WINOGRAD_P, q = CK_WINOGRAD_Q, pp = p * p, qq = q * q;
    const ck_vf32 even_p = ck_fma(ck_splat(-qq), d[2], d[4]), odd_p = ck_fma(ck_splat(-qq), d[1], d[3]);
    const ck_vf32 even_q = ck_fma(ck_splat(-pp), d[2], d[4]), odd_q = ck_fma(ck_splat(-pp), d[1], d[3]);
    to[0] = ck_fma(ck_splat(pp * qq), d[0], ck_fma(ck_splat(-(pp + qq)), d[2], d[4]));
    to[1] = ck_fma(ck_splat(p), odd_p, even_p);
    to[2] = ck_fma(ck_splat(-p), odd_p, even_p);
    to[3] = ck_fma(ck_splat(q), odd_q, even_q);
    to[4] = ck_fma(ck_splat(-q), odd_q, even_q);
    to[5] = ck_fma(ck_splat(pp * qq), d[1], ck_fma(ck_splat(-(pp + qq)), d[3], d[5]));
}

/// A^T m: powers of the points; infinity adds to the last.
CK_INLINE void ck_winograd_output_axis(const size_t tile, const ck_vf32 *m, ck_vf32 *to) {
    if (tile == 2) {
        to[0] = m[0] + (m[1] + m[2]);
        to[1] = (m[1] - m[2]) + m[3];
        return;
    }
    const float p = CK_WINOGRAD_P, q = CK_WINOGRAD_Q, pp = p * p, qq = q * q;
    const ck_vf32 even_p = m[1] + m[2], odd_p = m[1] - m[2], even_q = m[3] + m[4], odd_q = m[3] - m[4];
    to[0] = m[0] + (even_p + even_q);
    to[1] = ck_fma(ck_splat(p), odd_p, ck_splat(q) * odd_q);
    to[2] = ck_fma(ck_splat(pp), even_p, ck_splat(qq) * even_q);
    to[3] = ck_fma(ck_splat(pp * p), odd_p, ck_fma(ck_splat(qq * q), odd_q, m[5]));
}

// MARK: Input

/// Transforms one vector of channels of a tile: taps[i] + channel to to[i * pitch].
CK_INLINE void ck_winograd_input(
    const size_t tile, const float *const *taps, size_t channel, float *to, size_t pitch) {
    const size_t side = tile + 2;
    ck_vf32 columns[CK_WINOGRAD_MAX_SIDE][CK_WINOGRAD_MAX_SIDE];  // [row][column]
    CK_UNROLL for (size_t x = 0; x < side; ++x) {
        ck_vf32 d[CK_WINOGRAD_MAX_SIDE], t[CK_WINOGRAD_MAX_SIDE];
        CK_UNROLL for (size_t y = 0; y < side; ++y) d[y] = ck_load_f32(taps[y * side + x] + channel, CK_LANES);
        ck_winograd_input_axis(tile, d, t);
        CK_UNROLL for (size_t y = 0; y < side; ++y) columns[y][x] = t[y];
    }
    CK_UNROLL for (size_t y = 0; y < side; ++y) {
        ck_vf32 t[CK_WINOGRAD_MAX_SIDE];
        ck_winograd_input_axis(tile, columns[y], t);
        CK_UNROLL for (size_t x = 0; x < side; ++x, to += pitch) ck_store_f32(to, t[x], CK_LANES);
    }
}

CK_INLINE void ck_winograd_inputs(
    const size_t tile, const ck_conv_f32 *layer, const ck_winograd *w, ck_range tiles, float *inputs) {
    const size_t channels = layer->in_channels, whole = channels / CK_LANES * CK_LANES;
    const size_t positions = (tile + 2) * (tile + 2), step = (tiles.last - tiles.first) * CK_LANES;
    for (size_t i = tiles.first; i < tiles.last; ++i, inputs += CK_LANES) {
        const void *pointers[CK_WINOGRAD_MAX_SIDE * CK_WINOGRAD_MAX_SIDE];
        ck_point_at_taps(
            &w->windows, (const char *)layer->input, layer->in_stride * sizeof(float), (const char *)layer->padding, i,
            1, 1, pointers);
        const float *const *taps = (const float *const *)pointers;
        float *to = inputs;
        for (size_t channel = 0; channel < whole; channel += CK_LANES, to += step) {
            ck_winograd_input(tile, taps, channel, to, w->input_pitch);
        }
        if (whole == channels) continue;
        ck_vf32 last[CK_WINOGRAD_MAX_SIDE * CK_WINOGRAD_MAX_SIDE];
        for (size_t tap = 0; tap < positions; ++tap) {
            last[tap] = ck_load_f32(taps[tap] + whole, channels - whole);
            pointers[tap] = &last[tap];
        }
        ck_winograd_input(tile, taps, 0, to, w->input_pitch);
    }
}

// MARK: Products

/// One position of `rows` tiles times a panel of weights. Inputs: [channel / lanes][tiles][lanes].
CK_INLINE void ck_winograd_product(
    const size_t rows, const size_t vectors, const float *inputs, size_t tiles, size_t channels, const float *weights,
    float *products) {
    ck_vf32 sums[CK_WINOGRAD_ROWS][CK_WINOGRAD_VECTORS];
    CK_UNROLL for (size_t i = 0; i < rows; ++i) {
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) sums[i][v] = ck_splat(0);
    }
    for (size_t channel = 0; channel < channels; channel += CK_LANES, inputs += tiles * CK_LANES) {
        const size_t left = channels - channel, count = left < CK_LANES ? left : CK_LANES;
        for (size_t k = 0; k < count; ++k, weights += vectors * CK_LANES) {
            ck_vf32 w[CK_WINOGRAD_VECTORS];
            CK_UNROLL for (size_t v = 0; v < vectors; ++v) w[v] = ck_load_f32(weights + v * CK_LANES, CK_LANES);
            CK_UNROLL for (size_t i = 0; i < rows; ++i) {
                const ck_vf32 a = ck_splat(inputs[i * CK_LANES + k]);
                CK_UNROLL for (size_t v = 0; v < vectors; ++v) sums[i][v] = ck_fma(a, w[v], sums[i][v]);
            }
        }
    }
    CK_UNROLL for (size_t i = 0; i < rows; ++i) {
        CK_UNROLL for (size_t v = 0; v < vectors; ++v) {
            ck_store_f32(products + (i * vectors + v) * CK_LANES, sums[i][v], CK_LANES);
        }
    }
}

CK_INLINE void ck_winograd_product_rows(
    size_t rows, const size_t vectors, const float *inputs, size_t tiles, size_t channels, const float *weights,
    float *products) {
    switch (rows) {
#define CK_CASE(rows) \
    case rows:        \
        return ck_winograd_product(rows, vectors, inputs, tiles, channels, weights, products);
        CK_CASES(CK_WINOGRAD_ROWS, CK_CASE)
#undef CK_CASE
    }
}

static void ck_winograd_product_of(
    size_t rows, size_t vectors, const float *inputs, size_t tiles, size_t channels, const float *weights,
    float *products) {
    switch (vectors) {
#define CK_CASE(vectors) \
    case vectors:        \
        return ck_winograd_product_rows(rows, vectors, inputs, tiles, channels, weights, products);
        CK_CASES(CK_WINOGRAD_VECTORS, CK_CASE)
#undef CK_CASE
    }
}

/// All positions of a block of `tiles` tiles times panels of weights.
static void ck_winograd_products(
    const ck_conv_f32 *layer, const ck_winograd *w, size_t tiles, ck_range panels, const float *inputs, float *products) {
    const size_t channels = layer->in_channels, panel_width = CK_WINOGRAD_VECTORS * CK_LANES;
    const size_t blocks = (tiles + CK_WINOGRAD_ROWS - 1) / CK_WINOGRAD_ROWS;
    const float *weights = (const float *)layer->weights + w->out_width;
    for (size_t position = 0; position < w->positions; ++position) {
        for (size_t panel = panels.first; panel < panels.last; ++panel) {
            const size_t first = panel * panel_width, left = w->out_width - first;
            const size_t width = left < panel_width ? left : panel_width;
            for (size_t block = 0; block < blocks; ++block) {
                const size_t row = tiles * block / blocks, end = tiles * (block + 1) / blocks;
                ck_winograd_product_of(
                    end - row, width / CK_LANES, inputs + row * CK_LANES, tiles, channels, weights + first * channels,
                    products + first * tiles + row * width);
            }
        }
        inputs += w->input_pitch;
        products += w->product_pitch;
        weights += w->out_width * channels;
    }
}

// MARK: Output

/// Where a tile of results goes.
typedef struct ck_winograd_target {
    size_t pixel, height, width;  ///< First output pixel; the part of the tile inside the output.
} ck_winograd_target;

/// Transforms one vector of channels of a tile and finishes it. products: pitch floats apart.
CK_INLINE void ck_winograd_output(
    const size_t tile, const ck_conv_f32 *layer, const ck_winograd_target *t, size_t channel, size_t count,
    const float *products, size_t pitch) {
    const size_t side = tile + 2;
    ck_vf32 rows[CK_WINOGRAD_MAX_TILE][CK_WINOGRAD_MAX_SIDE];
    CK_UNROLL for (size_t x = 0; x < side; ++x) {
        ck_vf32 m[CK_WINOGRAD_MAX_SIDE], column[CK_WINOGRAD_MAX_TILE];
        CK_UNROLL for (size_t y = 0; y < side; ++y) m[y] = ck_load_f32(products + (y * side + x) * pitch, CK_LANES);
        ck_winograd_output_axis(tile, m, column);
        CK_UNROLL for (size_t y = 0; y < tile; ++y) rows[y][x] = column[y];
    }
    const ck_vf32 bias = ck_load_f32((const float *)layer->weights + channel, CK_LANES);
    for (size_t y = 0; y < t->height; ++y) {
        ck_vf32 row[CK_WINOGRAD_MAX_TILE];
        ck_winograd_output_axis(tile, rows[y], row);
        size_t pixel = t->pixel + y * layer->geometry.out_width;
        CK_UNROLL for (size_t x = 0; x < tile; ++x, ++pixel) {
            if (x >= t->width) continue;
            ck_vf32 f = row[x] + bias;
            if (layer->residual) f += ck_load_f32(layer->residual + pixel * layer->residual_stride + channel, count);
            f = ck_clamp_lanes(f, layer->min, layer->max);
            ck_store_f32(layer->output + pixel * layer->out_stride + channel, f, count);
        }
    }
}

CK_INLINE void ck_winograd_outputs(
    const size_t tile, const ck_conv_f32 *layer, const ck_winograd *w, ck_range tiles, ck_range panels,
    const float *products) {
    const ck_geometry *g = &layer->geometry;
    const size_t columns = w->windows.out_width, rows = w->windows.out_height;
    const size_t panel_width = CK_WINOGRAD_VECTORS * CK_LANES, count = tiles.last - tiles.first;
    size_t end = panels.last * panel_width;
    if (end > layer->out_channels) end = layer->out_channels;
    for (size_t i = tiles.first; i < tiles.last; ++i) {
        const size_t x = i % columns * tile, y = i / columns % rows * tile, image = i / columns / rows;
        const ck_winograd_target target = {
            .pixel = (image * g->out_height + y) * g->out_width + x,
            .height = g->out_height - y < tile ? g->out_height - y : tile,
            .width = g->out_width - x < tile ? g->out_width - x : tile,
        };
        for (size_t channel = panels.first * panel_width; channel < end; channel += CK_LANES) {
            const size_t panel = channel / panel_width * panel_width;
            const size_t left = w->out_width - panel, width = left < panel_width ? left : panel_width;
            const float *from = products + panel * count + (i - tiles.first) * width + (channel - panel);
            if (end - channel >= CK_LANES) {
                ck_winograd_output(tile, layer, &target, channel, CK_LANES, from, w->product_pitch);
            } else {
                ck_winograd_output(tile, layer, &target, channel, end - channel, from, w->product_pitch);
            }
        }
    }
}

// MARK: Layer

CK_INLINE void ck_winograd_run(
    const size_t tile, const ck_conv_f32 *arguments, ck_range tiles, ck_range panels, void *scratch) {
    const ck_conv_f32 copy = *arguments, *layer = &copy;
    const ck_winograd w = ck_winograd_of(layer, tile, ck_winograd_tiles);
    float *inputs = scratch, *products = inputs + w.positions * w.input_pitch;
    while (tiles.first < tiles.last) {
        const size_t left = tiles.last - tiles.first, last = tiles.first + (left < w.block ? left : w.block);
        const ck_range block = {tiles.first, last};
        ck_winograd_inputs(tile, layer, &w, block, inputs);
        ck_winograd_products(layer, &w, last - tiles.first, panels, inputs, products);
        ck_winograd_outputs(tile, layer, &w, block, panels, products);
        tiles.first = last;
    }
}

static void CK_NAME(ck_f32_winograd_f32, CK_LANES)(
    const ck_conv_f32 *layer, size_t tile, ck_range tiles, ck_range panels, void *scratch) {
    if (tile == 2) ck_winograd_run(2, layer, tiles, panels, scratch);
    else ck_winograd_run(4, layer, tiles, panels, scratch);
}

static size_t CK_NAME(ck_f32_winograd_f32_tile, CK_LANES)(const ck_conv_f32 *layer) {
    return ck_winograd_tile(layer, ck_winograd_tiles);
}

static size_t CK_NAME(ck_f32_winograd_f32_panel_count, CK_LANES)(const ck_weight_shape *s) {
    return ck_winograd_panel_count(s, ck_winograd_tiles);
}

static size_t CK_NAME(ck_f32_winograd_f32_packed_size, CK_LANES)(const ck_weight_shape *s, size_t tile) {
    return ck_winograd_packed_size(s, tile, ck_winograd_tiles);
}

static void CK_NAME(ck_f32_winograd_f32_pack, CK_LANES)(const ck_weights_f32 *w, size_t tile, void *packed) {
    ck_winograd_pack(w, tile, ck_winograd_tiles, packed);
}

static size_t CK_NAME(ck_f32_winograd_f32_scratch_size, CK_LANES)(const ck_conv_f32 *layer, size_t tile) {
    return ck_winograd_scratch_size(layer, tile, ck_winograd_tiles);
}
