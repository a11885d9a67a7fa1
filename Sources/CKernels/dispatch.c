#include "CKernels.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

extern const ck_table ck_table_scalar;

#if defined(__x86_64__)

extern const ck_table ck_table_avx2, ck_table_avxvnni, ck_table_avx512vnni;
extern const ck_bf16_table ck_bf16_table_avx512;

static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512vnni(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vnni");
}

static bool has_avxvnni(void) {
#if defined(CK_AVXVNNI_AS_EVEX)  // see x86/avxvnni.c
    return has_avx512vnni();
#else
    return has_avx2() && __builtin_cpu_supports("avxvnni");
#endif
}

#elif defined(__aarch64__)

extern const ck_table ck_table_neon, ck_table_neon_dotprod, ck_table_neon_i8mm;

static bool has_dotprod(void) {
    const unsigned long asimddp = 1ul << 20;  // HWCAP_ASIMDDP of asm/hwcap.h
    return (getauxval(AT_HWCAP) & asimddp) != 0;
}

static bool has_i8mm(void) {
    const unsigned long i8mm = 1ul << 13;  // HWCAP2_I8MM of asm/hwcap.h
    return (getauxval(AT_HWCAP2) & i8mm) != 0;
}

#endif

const ck_table *ck_table_for(ck_isa isa) {
    switch (isa) {
    case CK_ISA_SCALAR: return &ck_table_scalar;
#if defined(__x86_64__)
    case CK_ISA_AVX2: return has_avx2() ? &ck_table_avx2 : NULL;
    case CK_ISA_AVXVNNI: return has_avxvnni() ? &ck_table_avxvnni : NULL;
    case CK_ISA_AVX512VNNI: return has_avx512vnni() ? &ck_table_avx512vnni : NULL;
#elif defined(__aarch64__)
    case CK_ISA_NEON: return &ck_table_neon;
    case CK_ISA_NEON_DOTPROD: return has_dotprod() ? &ck_table_neon_dotprod : NULL;
    case CK_ISA_NEON_I8MM: return has_i8mm() ? &ck_table_neon_i8mm : NULL;
#endif
    default: return NULL;
    }
}

const ck_bf16_table *ck_bf16_table_for(ck_isa isa) {
#if defined(__x86_64__)
    if (isa == CK_ISA_AVX512VNNI && has_avx512vnni() && __builtin_cpu_supports("avx512bf16")) return &ck_bf16_table_avx512;
#endif
    (void)isa;
    return NULL;
}

const ck_table *ck_best_table(void) {
    // Within one architecture the enumeration runs from slow to fast.
    for (int isa = CK_ISA_COUNT - 1; isa > CK_ISA_SCALAR; --isa) {
        const ck_table *table = ck_table_for((ck_isa)isa);
        if (table) return table;
    }
    return &ck_table_scalar;
}
