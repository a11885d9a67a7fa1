// Random tensors that end at a page without access, so that a read or write past an end is a fault, and their comparison.
#ifndef CK_CHECK_MATERIAL_H
#define CK_CHECK_MATERIAL_H

#include "CKernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

// MARK: Material

static uint64_t state;

static uint32_t random_bits(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

/// In lo ... hi.
static size_t pick(size_t lo, size_t hi) {
    return lo + random_bits() % (hi - lo + 1);
}

static float uniform(void) {
    return (float)(int32_t)random_bits() * 0x1p-31f;
}

enum role { INPUT, SECOND, PADDING, WEIGHTS, BIAS, MULTIPLIERS, PACKED, SCRATCH, EXPECTED, ACTUAL, ROLES };

#define AREA ((size_t)64 << 20)

/// `size` bytes that end at a page without access, apart from what alignment costs. One block per role at a time.
static void *fenced(enum role role, size_t size, size_t alignment) {
    static char *areas[ROLES];
    if (!areas[role]) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        char *area = mmap(NULL, AREA + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (area == MAP_FAILED || mprotect(area + AREA, page, PROT_NONE) != 0) {
            perror("mmap");
            exit(2);
        }
        areas[role] = area;
    }
    size = (size + alignment - 1) / alignment * alignment;
    if (size > AREA) {
        fprintf(stderr, "check: a block of %zu bytes is too large\n", size);
        exit(2);
    }
    return areas[role] + AREA - size;
}

static uint8_t *random_u8(enum role role, size_t count) {
    uint8_t *p = fenced(role, count, 1);
    for (size_t i = 0; i < count; ++i) p[i] = (uint8_t)random_bits();
    return p;
}

static float *random_f32(enum role role, size_t count) {
    float *p = fenced(role, count * sizeof(float), sizeof(float));
    for (size_t i = 0; i < count; ++i) p[i] = uniform();
    return p;
}

/// Elements of a tensor of pixels: nothing follows the last channel of the last pixel.
static size_t extent(size_t pixels, size_t channels, size_t stride) {
    return pixels ? (pixels - 1) * stride + channels : 0;
}

// MARK: Comparison

static size_t passed, failed;

#define GUARD 64

/// A block for an output of `size` bytes preceded by guard bytes, all set to a pattern.
static void *output(enum role role, size_t size) {
    char *p = fenced(role, size + GUARD, 4);
    memset(p, 0xA5, size + GUARD);
    return p + GUARD;
}

static void report(bool ok, const ck_table *t, const char *kernel, const char *description) {
    if (ok) {
        ++passed;
        return;
    }
    ++failed;
    printf("FAILED %s of %s: %s\n", kernel, t->name, description);
}

/// Whole blocks, guards and gaps between pixels included.
static bool same_bytes(const void *expected, const void *actual, size_t size) {
    return memcmp((const char *)expected - GUARD, (const char *)actual - GUARD, size + GUARD) == 0;
}

static bool close_floats(const float *expected, const float *actual, size_t count, float bound) {
    if (memcmp((const char *)expected - GUARD, (const char *)actual - GUARD, GUARD) != 0) return false;
    for (size_t i = 0; i < count; ++i) {
        if (memcmp(&expected[i], &actual[i], sizeof(float)) == 0) continue;
        if (!(fabsf(expected[i] - actual[i]) <= bound)) return false;
    }
    return true;
}

#endif
