#include "CMachinePeaks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t lanes __attribute__((vector_size(64)));

/// Or-ed lanes depend on every byte read and cost less than the reads.
#define READ(name, attributes)                                                                \
    attributes static uint64_t name(const lanes *p, size_t count, size_t passes) {            \
        lanes sums[8] = {0};                                                                  \
        for (size_t pass = 0; pass < passes; ++pass) {                                        \
            __asm__ volatile("" ::: "memory"); /* or the passes would become one */           \
            for (size_t i = 0; i < count; i += 8) {                                           \
                _Pragma("clang loop unroll(full)") for (size_t j = 0; j < 8; ++j) {           \
                    sums[j] |= p[i + j];                                                      \
                }                                                                             \
            }                                                                                 \
        }                                                                                     \
        uint64_t all = 0;                                                                     \
        for (size_t j = 0; j < 8; ++j) {                                                      \
            for (size_t lane = 0; lane < 8; ++lane) all |= sums[j][lane];                     \
        }                                                                                     \
        return all;                                                                           \
    }

READ(read_baseline, )
#if defined(__x86_64__)
READ(read_avx2, __attribute__((target("avx2"))))
READ(read_avx512, __attribute__((target("avx512f"))))
#endif

uint64_t mp_read(const void *bytes, size_t size, size_t passes) {
    size_t count = size / sizeof(lanes);
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return read_avx512(bytes, count, passes);
    if (__builtin_cpu_supports("avx2")) return read_avx2(bytes, count, passes);
#endif
    return read_baseline(bytes, count, passes);
}

/// A number of the system's description of a cache ("32768K" is 32768), and as text if `text`, of 16 bytes, is not NULL.
static long read_attribute(int index, const char *name, char *text) {
    char path[96], value[16] = "";
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index, name);
    FILE *file = fopen(path, "r");
    if (!file) return -1;
    if (!fgets(value, sizeof value, file)) value[0] = 0;
    fclose(file);
    if (text) memcpy(text, value, sizeof value);
    return strtol(value, NULL, 10);
}

size_t mp_cache_size(int level) {
    // Not sysconf, which reports a whole package's third level, and nothing on arm64.
    for (int index = 0; index < 8; ++index) {
        char type[16] = "";
        long found = read_attribute(index, "level", NULL), kibibytes = read_attribute(index, "size", NULL);
        read_attribute(index, "type", type);
        if (found == level && kibibytes > 0 && type[0] != 'I') return (size_t)kibibytes << 10;
    }
    return 0;
}
