// Symbols of the activation codec, a register of lanes at a time. There is no look-up: few levels are found by comparing.

#define CK_NEVER_DENSE false

CK_INLINE void ck_rank_u8_block(const ck_rank_u8 *k, size_t p, size_t i, size_t count) {
    const ck_bytes x = ck_load_bytes(k->input + p * k->in_stride + i, count);
    ck_bytes rank = {0};
    for (size_t t = 0; t < k->thresholds; ++t) {
        // A true comparison is -1 in its lane.
        rank -= (ck_bytes)(x >= ck_load_bytes(k->table + t * k->table_stride + i, count));
    }
    ck_store_bytes(k->output + p * k->out_stride + i, rank, count);
}
CK_DEFINE_POINTWISE(ck_u8_rank_u8, ck_rank_u8, ck_rank_u8_block, CK_BYTES, CK_NEVER_DENSE)

CK_INLINE void ck_select_u8_block(const ck_select_u8 *k, size_t p, size_t i, size_t count) {
    const ck_bytes level = ck_load_bytes(k->input + p * k->in_stride + i, count);
    ck_bytes code = ck_load_bytes(k->table + i, count);
    for (size_t l = 1; l < k->levels; ++l) {
        const ck_bytes other = ck_load_bytes(k->table + l * k->table_stride + i, count);
        const ck_bytes mask = (ck_bytes)(level == (uint8_t)l);
        code = (mask & other) | (~mask & code);
    }
    ck_store_bytes(k->output + p * k->out_stride + i, code, count);
}
CK_DEFINE_POINTWISE(ck_u8_select_u8, ck_select_u8, ck_select_u8_block, CK_BYTES, CK_NEVER_DENSE)

/// Lanes of sixteen bits in a register.
#define CK_HALF (CK_BYTES / 2)

typedef uint8_t ck_half_bytes __attribute__((vector_size(CK_HALF)));

CK_INLINE ck_vu16 ck_load_16(const uint8_t *from, size_t count) {
    ck_half_bytes bytes;
    if (count == CK_HALF) {
        __builtin_memcpy(&bytes, from, CK_HALF);
    } else {
        ck_load_part(&bytes, CK_HALF, from, count);
    }
    return __builtin_convertvector(bytes, ck_vu16);
}

CK_INLINE void ck_context_u8_half(const ck_context_u8 *k, size_t i, size_t count) {
    const uint8_t *here = k->input + i, *above = here - k->row_stride;
    const ck_vu16 north = ck_load_16(above, count);
    const ck_vu16 diagonal = ck_load_16(above - k->lanes, count) + ck_load_16(above + k->lanes, count);
    const ck_vu16 sum = ck_load_16(here - k->lanes, count) * k->west + north + north + diagonal;
    if (count == CK_HALF) {
        __builtin_memcpy(k->output + i, &sum, CK_BYTES);
    } else {
        ck_store_part(k->output + i, &sum, CK_BYTES, 2 * count);
    }
}

static void CK_NAME(ck_u8_context_u16, CK_BYTES)(const ck_context_u8 *arguments, ck_range symbols) {
    const ck_context_u8 copy = *arguments, *k = &copy;
    size_t i = symbols.first;
    for (; i + CK_HALF <= symbols.last; i += CK_HALF) ck_context_u8_half(k, i, CK_HALF);
    if (i < symbols.last) ck_context_u8_half(k, i, symbols.last - i);
}
