#include "CMachinePeaks.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include <sys/auxv.h>
#endif

#define UNROLL _Pragma("clang loop unroll(full)")

/// Independent accumulators. Two instructions a cycle of five cycles' latency need ten; the narrow sets have 16
/// registers for these and two operands.
#define ACCUMULATORS 12

const char *mp_instruction_name(mp_instruction instruction) {
    switch (instruction) {
    case MP_SCALAR_INTEGER: return "imul+add";
    case MP_SCALAR_FLOAT: return "scalar mul+add";
    case MP_AVX2_VPMADDWD: return "vpmaddwd+vpaddd ymm";
    case MP_AVXVNNI_VPDPBUSD: return "vpdpbusd ymm (AVX-VNNI)";
    case MP_AVX512VNNI_VPDPBUSD_YMM: return "vpdpbusd ymm";
    case MP_AVX512VNNI_VPDPBUSD_ZMM: return "vpdpbusd zmm";
    case MP_AVX2_FMA: return "vfmadd ymm";
    case MP_AVX512_FMA: return "vfmadd zmm";
    case MP_AVX512BF16_VDPBF16PS: return "vdpbf16ps zmm";
    case MP_NEON_SMLAL: return "smlal";
    case MP_NEON_SDOT: return "sdot";
    case MP_NEON_FMLA: return "fmla";
    case MP_INSTRUCTION_COUNT: break;
    }
    return "";
}

// The instruction is written out, volatile, as no compiler may then replace, merge or hoist it.
#define REPEAT(name, attributes, vector, constraint, text)                                                  \
    attributes static void name(size_t rounds) {                                                            \
        vector sums[ACCUMULATORS] = {0}, a = {0}, b = {0};                                                  \
        for (size_t round = 0; round < rounds; ++round) {                                                   \
            UNROLL for (int i = 0; i < ACCUMULATORS; ++i) {                                                 \
                __asm__ volatile(text : "+" constraint(sums[i]) : constraint(a), constraint(b));            \
            }                                                                                               \
        }                                                                                                   \
    }

#if defined(__x86_64__)

typedef int32_t vector128 __attribute__((vector_size(16)));
typedef int32_t vector256 __attribute__((vector_size(32)));
typedef int32_t vector512 __attribute__((vector_size(64)));

#define TARGET(features) __attribute__((target(features)))

static void repeat_integer(size_t rounds) {
    int64_t sums[6] = {0}, a = (int64_t)rounds;
    for (size_t round = 0; round < rounds; ++round) {
        UNROLL for (int i = 0; i < 6; ++i) {
            int64_t product;
            __asm__ volatile("movq %2, %1\n\timulq %2, %1\n\taddq %1, %0" : "+r"(sums[i]), "=&r"(product) : "r"(a));
        }
    }
}

static void repeat_float(size_t rounds) {
    vector128 sums[ACCUMULATORS] = {0}, a = {0};
    for (size_t round = 0; round < rounds; ++round) {
        UNROLL for (int i = 0; i < ACCUMULATORS; ++i) {
            vector128 product;
            __asm__ volatile("movaps %2, %1\n\tmulss %2, %1\n\taddss %1, %0" : "+x"(sums[i]), "=&x"(product) : "x"(a));
        }
    }
}

TARGET("avx2") static void repeat_vpmaddwd(size_t rounds) {
    vector256 sums[ACCUMULATORS] = {0}, a = {0}, b = {0};
    for (size_t round = 0; round < rounds; ++round) {
        UNROLL for (int i = 0; i < ACCUMULATORS; ++i) {
            vector256 product;
            __asm__ volatile(
                "vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(sums[i]), "=&x"(product) : "x"(a), "x"(b));
        }
    }
}

REPEAT(repeat_fma_ymm, TARGET("fma"), vector256, "x", "vfmadd231ps %1, %2, %0")
REPEAT(repeat_fma_zmm, TARGET("avx512f"), vector512, "v", "vfmadd231ps %1, %2, %0")
REPEAT(repeat_bf16, TARGET("avx512bf16"), vector512, "v", "vdpbf16ps %1, %2, %0")
REPEAT(repeat_avxvnni, TARGET("avxvnni"), vector256, "x", "%{vex%} vpdpbusd %1, %2, %0")
REPEAT(repeat_vnni_ymm, TARGET("avx512vnni,avx512vl"), vector256, "v", "vpdpbusd %1, %2, %0")
REPEAT(repeat_vnni_zmm, TARGET("avx512vnni"), vector512, "v", "vpdpbusd %1, %2, %0")

/// AVX-VNNI: leaf 7, subleaf 1, EAX bit 4, on a processor whose system saves AVX state.
static bool has_avxvnni(void) {
    uint32_t eax = 7, ebx, ecx = 1, edx;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return __builtin_cpu_supports("avx2") && (eax & 1u << 4) != 0;
}

bool mp_instruction_available(mp_instruction instruction) {
    switch (instruction) {
    case MP_SCALAR_INTEGER:
    case MP_SCALAR_FLOAT: return true;
    case MP_AVX2_VPMADDWD: return __builtin_cpu_supports("avx2");
    case MP_AVX2_FMA: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case MP_AVX512_FMA: return __builtin_cpu_supports("avx512f");
    case MP_AVX512BF16_VDPBF16PS: return __builtin_cpu_supports("avx512bf16");
    case MP_AVXVNNI_VPDPBUSD: return has_avxvnni();
    case MP_AVX512VNNI_VPDPBUSD_YMM: return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl");
    case MP_AVX512VNNI_VPDPBUSD_ZMM: return __builtin_cpu_supports("avx512vnni");
    default: return false;
    }
}

uint64_t mp_multiply_add(mp_instruction instruction, size_t rounds) {
    switch (instruction) {
    case MP_SCALAR_INTEGER: return repeat_integer(rounds), rounds * 6;
    case MP_SCALAR_FLOAT: return repeat_float(rounds), rounds * ACCUMULATORS;
    case MP_AVX2_VPMADDWD: return repeat_vpmaddwd(rounds), rounds * ACCUMULATORS * 16;
    case MP_AVX2_FMA: return repeat_fma_ymm(rounds), rounds * ACCUMULATORS * 8;
    case MP_AVX512_FMA: return repeat_fma_zmm(rounds), rounds * ACCUMULATORS * 16;
    case MP_AVX512BF16_VDPBF16PS: return repeat_bf16(rounds), rounds * ACCUMULATORS * 32;
    case MP_AVXVNNI_VPDPBUSD: return repeat_avxvnni(rounds), rounds * ACCUMULATORS * 32;
    case MP_AVX512VNNI_VPDPBUSD_YMM: return repeat_vnni_ymm(rounds), rounds * ACCUMULATORS * 32;
    case MP_AVX512VNNI_VPDPBUSD_ZMM: return repeat_vnni_zmm(rounds), rounds * ACCUMULATORS * 64;
    default: return 0;
    }
}

#elif defined(__aarch64__)

REPEAT(repeat_smlal, , int32x4_t, "w", "smlal %0.4s, %1.4h, %2.4h")
REPEAT(repeat_fmla, , float32x4_t, "w", "fmla %0.4s, %1.4s, %2.4s")
REPEAT(repeat_sdot, __attribute__((target("dotprod"))), int32x4_t, "w", "sdot %0.4s, %1.16b, %2.16b")

static void repeat_integer(size_t rounds) {
    int64_t sums[ACCUMULATORS] = {0}, a = (int64_t)rounds;
    for (size_t round = 0; round < rounds; ++round) {
        UNROLL for (int i = 0; i < ACCUMULATORS; ++i) __asm__ volatile("madd %0, %1, %1, %0" : "+r"(sums[i]) : "r"(a));
    }
}

REPEAT(repeat_float, , float, "w", "fmadd %s0, %s1, %s2, %s0")

bool mp_instruction_available(mp_instruction instruction) {
    const unsigned long asimddp = 1ul << 20;  // HWCAP_ASIMDDP of asm/hwcap.h
    switch (instruction) {
    case MP_SCALAR_INTEGER:
    case MP_SCALAR_FLOAT:
    case MP_NEON_SMLAL:
    case MP_NEON_FMLA: return true;
    case MP_NEON_SDOT: return (getauxval(AT_HWCAP) & asimddp) != 0;
    default: return false;
    }
}

uint64_t mp_multiply_add(mp_instruction instruction, size_t rounds) {
    switch (instruction) {
    case MP_SCALAR_INTEGER: return repeat_integer(rounds), rounds * ACCUMULATORS;
    case MP_SCALAR_FLOAT: return repeat_float(rounds), rounds * ACCUMULATORS;
    case MP_NEON_SMLAL: return repeat_smlal(rounds), rounds * ACCUMULATORS * 4;
    case MP_NEON_FMLA: return repeat_fmla(rounds), rounds * ACCUMULATORS * 4;
    case MP_NEON_SDOT: return repeat_sdot(rounds), rounds * ACCUMULATORS * 16;
    default: return 0;
    }
}

#else

bool mp_instruction_available(mp_instruction instruction) {
    (void)instruction;
    return false;
}

uint64_t mp_multiply_add(mp_instruction instruction, size_t rounds) {
    (void)instruction, (void)rounds;
    return 0;
}

#endif
