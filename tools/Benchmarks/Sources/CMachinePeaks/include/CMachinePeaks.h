// What one core of this machine can do at most: multiply-adds from registers, bytes read from each level of memory.
// The caller takes the time.
#ifndef CMACHINEPEAKS_H
#define CMACHINEPEAKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Instructions that multiply and add; what they act on is in their names.
typedef enum mp_instruction {
    MP_SCALAR_INTEGER = 0,
    MP_SCALAR_FLOAT,
    MP_AVX2_VPMADDWD,     ///< With the vpaddd that accumulates: 16 multiply-adds a pair.
    MP_AVXVNNI_VPDPBUSD,  ///< 256 bits, VEX encoding.
    MP_AVX512VNNI_VPDPBUSD_YMM,
    MP_AVX512VNNI_VPDPBUSD_ZMM,
    MP_AVX2_FMA,
    MP_AVX512_FMA,
    MP_AVX512BF16_VDPBF16PS,
    MP_NEON_SMLAL,
    MP_NEON_SDOT,
    MP_NEON_FMLA,
    MP_INSTRUCTION_COUNT,
} mp_instruction;

const char *mp_instruction_name(mp_instruction);

/// Whether this processor has the instruction and this build knows it.
bool mp_instruction_available(mp_instruction);

/// Executes the instruction on independent accumulators, enough of them to hide its latency.
/// - Returns: the multiply-adds done.
uint64_t mp_multiply_add(mp_instruction, size_t rounds);

/// Reads `size` bytes, a multiple of 512, `passes` times with the widest loads of this machine.
/// - Returns: a value that depends on all of them, so that no compiler leaves reads out.
uint64_t mp_read(const void *bytes, size_t size, size_t passes);

/// Bytes of the data cache of level 1, 2 or 3 that one core sees; 0 where the system does not tell.
size_t mp_cache_size(int level);

/// Nanoseconds that the calling thread has computed: what others took of its core does not count.
uint64_t mp_thread_nanoseconds(void);

/// Calls `body` once. It is never inlined: a profiler that collects only inside it leaves the rest out.
void mp_counted_region(void (*body)(void *context), void *context);

#endif
