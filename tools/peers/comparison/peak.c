// The most multiply-adds a second that one core does with its registers full: what an engine cannot exceed.
//
// Prints {"float32": …, "float32Instruction": …, "int8": …, "int8Instruction": …}, rates in multiply-adds a second.
// Each loop feeds enough independent sums that only the units' throughput counts. The best of several trials is taken.
#define _POSIX_C_SOURCE 199309L
#include <stdint.h>
#include <stdio.h>
#include <time.h>

// Sums are single variables, as not every compiler keeps an array in registers.
#define EACH(one) one(0) one(1) one(2) one(3) one(4) one(5) one(6) one(7) one(8) one(9) one(10) one(11)
enum { sums = 12, steps = 400000, trials = 40 };

// KEEP: the compiler can neither compute the loop beforehand nor leave it out.
#define UPDATE(i)        \
    sum##i = STEP(sum##i); \
    KEEP(sum##i);
#define LOOP                                       \
    EACH(DECLARE)                                  \
    for (int step = 0; step < steps; step++) { EACH(UPDATE) }

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#if defined(__x86_64__)
#include <immintrin.h>
#define KEEP(sum) __asm__ volatile("" : "+x"(sum))

#define DECLARE(i) __m128 sum##i = _mm_setzero_ps();
#define STEP(sum) _mm_add_ps(_mm_mul_ps(a, b), sum)
static void float32_sse2(void) {
    __m128 a = _mm_set1_ps(1e-9f), b = _mm_set1_ps(0.5f);
    LOOP
}
#undef DECLARE
#undef STEP

#define DECLARE(i) __m256 sum##i = _mm256_setzero_ps();
#define STEP(sum) _mm256_fmadd_ps(a, b, sum)
__attribute__((target("avx2,fma"))) static void float32_avx2(void) {
    __m256 a = _mm256_set1_ps(1e-9f), b = _mm256_set1_ps(0.5f);
    LOOP
}
#undef DECLARE
#undef STEP

#define DECLARE(i) __m128i sum##i = _mm_setzero_si128();
#define STEP(sum) _mm_add_epi32(sum, _mm_madd_epi16(a, b))
static void int8_sse2(void) {
    __m128i a = _mm_set1_epi16(3), b = _mm_set1_epi16(5);
    LOOP
}
#undef DECLARE
#undef STEP

// What stays exact without dot products: 16-bit multiplication, pairs summed.
#define DECLARE(i) __m256i sum##i = _mm256_setzero_si256();
#define STEP(sum) _mm256_add_epi32(sum, _mm256_madd_epi16(a, b))
__attribute__((target("avx2"))) static void int8_avx2(void) {
    __m256i a = _mm256_set1_epi16(3), b = _mm256_set1_epi16(5);
    LOOP
}
#undef DECLARE
#undef STEP

#undef KEEP
#define KEEP(sum) __asm__ volatile("" : "+v"(sum))

#define DECLARE(i) __m512 sum##i = _mm512_setzero_ps();
#define STEP(sum) _mm512_fmadd_ps(a, b, sum)
__attribute__((target("avx512f"))) static void float32_avx512(void) {
    __m512 a = _mm512_set1_ps(1e-9f), b = _mm512_set1_ps(0.5f);
    LOOP
}
#undef DECLARE
#undef STEP

#define DECLARE(i) __m512i sum##i = _mm512_setzero_si512();
#define STEP(sum) _mm512_dpbusd_epi32(sum, a, b)
__attribute__((target("avx512f,avx512vnni"))) static void int8_avx512vnni(void) {
    __m512i a = _mm512_set1_epi32(0x03030303), b = _mm512_set1_epi32(0x05050505);
    LOOP
}
#elif defined(__aarch64__)
#include <arm_neon.h>
#include <sys/auxv.h>
#define HAS_DOT_PRODUCT (1 << 20)  // HWCAP_ASIMDDP
#define KEEP(sum) __asm__ volatile("" : "+w"(sum))

#define DECLARE(i) float32x4_t sum##i = vdupq_n_f32(0);
#define STEP(sum) vfmaq_f32(sum, a, b)
static void float32_neon(void) {
    float32x4_t a = vdupq_n_f32(1e-9f), b = vdupq_n_f32(0.5f);
    LOOP
}
#undef DECLARE
#undef STEP

#define DECLARE(i) int32x4_t sum##i = vdupq_n_s32(0);
#define STEP(sum) vmlal_s16(sum, a, b)
static void int8_neon(void) {
    int16x4_t a = vdup_n_s16(3), b = vdup_n_s16(5);
    LOOP
}
#undef STEP

#define STEP(sum) vdotq_s32(sum, a, b)
__attribute__((target("arch=armv8.2-a+dotprod"))) static void int8_dotprod(void) {
    int8x16_t a = vdupq_n_s8(3), b = vdupq_n_s8(5);
    LOOP
}
#endif

struct unit {
    const char *instruction;
    void (*run)(void);
    int multiplyAdds;  // of one instruction
};

static double rate(struct unit unit) {
    double best = 1e9;
    for (int trial = 0; trial < trials; trial++) {
        double start = seconds();
        unit.run();
        double took = seconds() - start;
        if (took < best) best = took;
    }
    return (double)sums * steps * unit.multiplyAdds / best;
}

int main(void) {
#if defined(__x86_64__)
    struct unit float32 = {"mulps, addps", float32_sse2, 4}, int8 = {"pmaddwd", int8_sse2, 8};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        float32 = (struct unit){"vfmadd231ps ymm", float32_avx2, 8};
        int8 = (struct unit){"vpmaddwd ymm", int8_avx2, 16};
    }
    if (__builtin_cpu_supports("avx512f")) float32 = (struct unit){"vfmadd231ps zmm", float32_avx512, 16};
    if (__builtin_cpu_supports("avx512vnni")) int8 = (struct unit){"vpdpbusd zmm", int8_avx512vnni, 64};
#elif defined(__aarch64__)
    struct unit float32 = {"fmla 4s", float32_neon, 4}, int8 = {"smlal 4s", int8_neon, 4};
    if (getauxval(AT_HWCAP) & HAS_DOT_PRODUCT) int8 = (struct unit){"sdot 4s", int8_dotprod, 16};
#endif
    printf("{\"float32\": %.4g, \"float32Instruction\": \"%s\", ", rate(float32), float32.instruction);
    printf("\"int8\": %.4g, \"int8Instruction\": \"%s\"}\n", rate(int8), int8.instruction);
    return 0;
}
