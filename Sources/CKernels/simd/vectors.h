// Vectors of CK_LANES values, written once for all instruction sets with clang's vector extensions.
// Including files define CK_ISA and CK_LANES; simd/kernels.h lists all they define. No include guard: one instruction set
// is one translation unit.

#include "../reference/reference.h"
#include "convolution.h"
#include "layout.h"
#include "packing.h"
#include "winograd.h"

// Every f32 multiply-add that should fuse says so (ck_fma); all else is rounded step by step, so that u8 results are
// the same everywhere.
#pragma STDC FP_CONTRACT OFF

#define CK_INLINE static inline __attribute__((always_inline))
#define CK_UNROLL _Pragma("clang loop unroll(full)")

#define CK_JOIN_(a, b, c) a##__##b##_##c
#define CK_JOIN(a, b, c) CK_JOIN_(a, b, c)
#define CK_PASTE_(a, b) a##b
#define CK_PASTE(a, b) CK_PASTE_(a, b)
#define CK_STRING_(a) #a
#define CK_STRING(a) CK_STRING_(a)
/// Name of a kernel: what it does, for which instruction set, in which tile.
#define CK_NAME(kernel, tile) CK_JOIN(kernel, CK_ISA, tile)

// CK_CASES(n, K): K(1) K(2) ... K(n)
#define CK_CASES_2(K) K(1) K(2)
#define CK_CASES_4(K) CK_CASES_2(K) K(3) K(4)
#define CK_CASES_6(K) CK_CASES_4(K) K(5) K(6)
#define CK_CASES_8(K) CK_CASES_6(K) K(7) K(8)
#define CK_CASES_12(K) CK_CASES_8(K) K(9) K(10) K(11) K(12)
#define CK_CASES(n, K) CK_PASTE(CK_CASES_, n)(K)

typedef float ck_vf32 __attribute__((vector_size(CK_LANES * 4)));
typedef int32_t ck_vi32 __attribute__((vector_size(CK_LANES * 4)));
typedef int16_t ck_vi16 __attribute__((vector_size(CK_LANES * 2)));
typedef uint8_t ck_vu8 __attribute__((vector_size(CK_LANES)));
/// A whole register of bytes.
typedef uint8_t ck_bytes __attribute__((vector_size(CK_LANES * 4)));

/// memcpy of `size` < 64 bytes without the call.
CK_INLINE void ck_copy_bytes(void *to, const void *from, size_t size) {
    char *t = to;
    const char *f = from;
#define CK_COPY(unit)                 \
    if (size & unit) {                \
        __builtin_memcpy(t, f, unit); \
        t += unit;                    \
        f += unit;                    \
    }
    CK_COPY(32) CK_COPY(16) CK_COPY(8) CK_COPY(4) CK_COPY(2) CK_COPY(1)
#undef CK_COPY
}

#ifndef CK_HAS_MASKS
/// Reads `size` bytes as a vector of `width` bytes, zeros beyond.
CK_INLINE void ck_load_part(void *vector, const size_t width, const void *from, size_t size) {
    __builtin_memset(vector, 0, width);
    ck_copy_bytes(vector, from, size);
}

/// Writes the first `size` bytes of a vector of `width` bytes.
CK_INLINE void ck_store_part(void *to, const void *vector, const size_t width, size_t size) {
    (void)width;
    ck_copy_bytes(to, vector, size);
}
#endif

// Loads and stores of the first `count` lanes, CK_LANES or fewer; the lanes beyond read as zero and are not written.

#define CK_DEFINE_ACCESS(name, vector, element)                                         \
    CK_INLINE vector ck_load_##name(const element *from, size_t count) {                \
        if (count == sizeof(vector) / sizeof(element)) {                                \
            vector whole;                                                               \
            __builtin_memcpy(&whole, from, sizeof whole);                               \
            return whole;                                                               \
        }                                                                               \
        vector part;                                                                    \
        ck_load_part(&part, sizeof part, from, count * sizeof *from);                   \
        return part;                                                                    \
    }                                                                                   \
    CK_INLINE void ck_store_##name(element *to, vector v, size_t count) {               \
        if (count == sizeof(vector) / sizeof(element)) {                                \
            __builtin_memcpy(to, &v, sizeof v);                                         \
        } else {                                                                        \
            vector part = v; /* so that only a partial store takes v through memory */  \
            ck_store_part(to, &part, sizeof part, count * sizeof *to);                  \
        }                                                                               \
    }

CK_DEFINE_ACCESS(f32, ck_vf32, float)
CK_DEFINE_ACCESS(i32, ck_vi32, int32_t)
CK_DEFINE_ACCESS(i16, ck_vi16, int16_t)
CK_DEFINE_ACCESS(u8, ck_vu8, uint8_t)
CK_DEFINE_ACCESS(bytes, ck_bytes, uint8_t)
#undef CK_DEFINE_ACCESS

/// `x` in every lane. Subtracting +0 changes no float, so no instruction comes of it; adding +0 would change -0.
CK_INLINE ck_vf32 ck_splat(float x) {
    return x - (ck_vf32){0};
}

CK_INLINE ck_vf32 ck_fma(ck_vf32 a, ck_vf32 b, ck_vf32 sum) {
    return __builtin_elementwise_fma(a, b, sum);
}

CK_INLINE ck_vf32 ck_to_f32(ck_vi32 v) {
    return __builtin_convertvector(v, ck_vf32);
}

CK_INLINE ck_vi32 ck_widen(ck_vu8 v) {
    return __builtin_convertvector(v, ck_vi32);
}

CK_INLINE ck_vf32 ck_select(ck_vi32 mask, ck_vf32 yes, ck_vf32 no) {
    return (ck_vf32)((mask & (ck_vi32)yes) | (~mask & (ck_vi32)no));
}

/// The larger lane; `b` where `a` is NaN.
CK_INLINE ck_vf32 ck_max(ck_vf32 a, ck_vf32 b) {
    return ck_select(a > b, a, b);
}

CK_INLINE ck_vf32 ck_min(ck_vf32 a, ck_vf32 b) {
    return ck_select(a < b, a, b);
}

/// NaN gives min.
CK_INLINE ck_vf32 ck_clamp_lanes(ck_vf32 v, float min, float max) {
    return ck_min(ck_max(v, ck_splat(min)), ck_splat(max));
}

/// The constants of requantisation.
typedef struct ck_rounding {
    float min, max;
    int32_t zero_point;
} ck_rounding;

CK_INLINE ck_rounding ck_rounding_of(ck_output_u8 out) {
    return (ck_rounding){(float)(out.min - out.zero_point), (float)(out.max - out.zero_point), out.zero_point};
}

/// Clamps and rounds half to even; the zero point is not added. See ck_requantize of the reference.
CK_INLINE ck_vf32 ck_round_f32(ck_vf32 f, ck_rounding r) {
    f = ck_clamp_lanes(f, r.min, r.max);
    return (f + 12582912.0f) - 12582912.0f;
}

/// Clamps, rounds half to even, adds the zero point.
CK_INLINE ck_vu8 ck_round(ck_vf32 f, ck_rounding r) {
    return __builtin_convertvector(__builtin_convertvector(ck_round_f32(f, r), ck_vi32) + r.zero_point, ck_vu8);
}
