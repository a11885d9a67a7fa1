#include "reference.h"

void ck_u8_rank_u8__scalar(const ck_rank_u8 *k, ck_range pixels) {
    for (size_t p = pixels.first; p < pixels.last; ++p) {
        for (size_t c = 0; c < k->channels; ++c) {
            const uint8_t x = k->input[p * k->in_stride + c];
            uint8_t rank = 0;
            for (size_t t = 0; t < k->thresholds; ++t) rank += x >= k->table[t * k->table_stride + c];
            k->output[p * k->out_stride + c] = rank;
        }
    }
}

void ck_u8_select_u8__scalar(const ck_select_u8 *k, ck_range pixels) {
    for (size_t p = pixels.first; p < pixels.last; ++p) {
        for (size_t c = 0; c < k->channels; ++c) {
            k->output[p * k->out_stride + c] = k->table[k->input[p * k->in_stride + c] * k->table_stride + c];
        }
    }
}

void ck_u8_context_u16__scalar(const ck_context_u8 *k, ck_range symbols) {
    for (size_t i = symbols.first; i < symbols.last; ++i) {
        const uint8_t *here = k->input + i, *above = here - k->row_stride;
        k->output[i] = (uint16_t)(
            k->west * *(here - k->lanes) + 2 * *above + *(above - k->lanes) + above[k->lanes]);
    }
}
