// Functions of single floats; see CKernels.h for the errors. Polynomials for expm1 and tanh are those of Moshier's Cephes
// library (expf, tanhf); that for 2^f was fitted, by least squares with weights that even out the relative error, 9e-8.

/// Adding it rounds a small float to an integer, which then is in the lower bits.
#define CK_ROUNDER 12582912.0f

/// exp(r) - 1 for |r| <= ln 2 / 2.
CK_INLINE ck_vf32 ck_expm1_reduced(ck_vf32 r) {
    ck_vf32 p = ck_fma(r, ck_splat(1.9875691500e-4f), ck_splat(1.3981999507e-3f));
    p = ck_fma(p, r, ck_splat(8.3334519073e-3f));
    p = ck_fma(p, r, ck_splat(4.1665795894e-2f));
    p = ck_fma(p, r, ck_splat(1.6666665459e-1f));
    p = ck_fma(p, r, ck_splat(5.0000001201e-1f));
    return ck_fma(p, r * r, r);
}

/// x = n ln 2 + r with |r| <= ln 2 / 2, for x limited to `max` and to where 2^n is a normal number; NaN counts as the lower
/// limit.
typedef struct ck_exponent {
    ck_vf32 n, r;
} ck_exponent;

CK_INLINE ck_exponent ck_reduce(ck_vf32 x, float max) {
    x = ck_clamp_lanes(x, -87.0f, max);
    ck_vf32 n = (x * 1.44269504f + CK_ROUNDER) - CK_ROUNDER;
    // ln 2 in two parts, the first of few enough digits that its multiples are exact.
    ck_vf32 r = ck_fma(n, ck_splat(-0.693359375f), x);
    return (ck_exponent){n, ck_fma(n, ck_splat(2.12194440e-4f), r)};
}

CK_INLINE ck_vf32 ck_power_of_two(ck_vf32 n) {
    return (ck_vf32)((__builtin_convertvector(n, ck_vi32) + 127) << 23);
}

/// e^x for -87 <= x <= 88, and the value at these limits beyond.
CK_INLINE ck_vf32 ck_exp_limited(ck_vf32 x) {
    x = ck_clamp_lanes(x, -87.0f, 88.0f);
    // x / ln 2 = n + f with |f| <= 1/2; the product is needed to more digits than it has.
    const ck_vf32 rounded = ck_fma(x, ck_splat(1.44269502f), ck_splat(CK_ROUNDER)), n = rounded - CK_ROUNDER;
    const ck_vf32 f = ck_fma(x, ck_splat(1.92596303e-8f), ck_fma(x, ck_splat(1.44269502f), -n));
    ck_vf32 p = ck_fma(f, ck_splat(1.32647273e-3f), ck_splat(9.67151299e-3f));
    p = ck_fma(p, f, ck_splat(5.55073358e-2f));
    p = ck_fma(p, f, ck_splat(2.40222424e-1f));
    p = ck_fma(p, f, ck_splat(6.93147004e-1f));
    p = ck_fma(p, f, ck_splat(1.0f));
    return (ck_vf32)((ck_vi32)p + ((ck_vi32)rounded << 23));
}

CK_INLINE ck_vf32 ck_exp(ck_vf32 x) {
    const float largest = 88.7228394f;
    ck_exponent e = ck_reduce(x, largest);
    // 2^128 has no exponent of its own.
    ck_vi32 halve = e.n > 0;
    ck_vf32 power = ck_power_of_two(ck_select(halve, e.n - 1.0f, e.n)), rest = ck_select(halve, ck_splat(2), ck_splat(1));
    ck_vf32 y = (ck_expm1_reduced(e.r) + 1.0f) * power * rest;
    y = ck_select(x < -87.0f, (ck_vf32){0}, y);
    return ck_select(x > largest, ck_splat(__builtin_inff()), y);
}

CK_INLINE ck_vf32 ck_sigmoid(ck_vf32 x) {
    return ck_select(x < -87.0f, (ck_vf32){0}, 1.0f / (1.0f + ck_exp_limited(-x)));
}

CK_INLINE ck_vf32 ck_tanh(ck_vf32 x) {
    ck_vf32 z = x * x;
    ck_vf32 p = ck_fma(z, ck_splat(-5.70498872745e-3f), ck_splat(2.06390887954e-2f));
    p = ck_fma(p, z, ck_splat(-5.37397155531e-2f));
    p = ck_fma(p, z, ck_splat(1.33314422036e-1f));
    p = ck_fma(p, z, ck_splat(-3.33332819422e-1f));
    ck_vf32 near = ck_fma(p * z, x, x);
    ck_vf32 far = 1.0f - 2.0f / (ck_exp_limited(x + x) + 1.0f);
    return ck_select((x > -0.625f) & (x < 0.625f), near, far);
}

CK_INLINE ck_vf32 ck_expm1(ck_vf32 x) {
    ck_exponent e = ck_reduce(x, 88.0f);
    ck_vf32 q = ck_expm1_reduced(e.r), scale = ck_power_of_two(e.n);
    return ck_fma(q, scale, scale - 1.0f);
}

CK_INLINE ck_vf32 ck_hard_sigmoid(ck_vf32 x, float alpha, float beta) {
    return ck_clamp_lanes(x * alpha + beta, 0, 1);
}

#define CK_EACH(expression)                                                                \
    do {                                                                                   \
        for (size_t i = elements.first; i < elements.last; i += CK_LANES) {                \
            size_t left = elements.last - i, count = left < CK_LANES ? left : CK_LANES;    \
            ck_vf32 x = ck_load_f32(k.input + i, count);                                   \
            ck_vf32 y = expression;                                                        \
            ck_store_f32(k.output + i, ck_select(x == x, y, x), count);                    \
        }                                                                                  \
        return;                                                                            \
    } while (0)

static void CK_NAME(ck_f32_function_f32, CK_LANES)(const ck_function_f32 *arguments, ck_range elements) {
    const ck_function_f32 k = *arguments;
    switch (k.function) {
    case CK_SIGMOID: CK_EACH(ck_sigmoid(x));
    case CK_SWISH: CK_EACH(x * ck_sigmoid(x * k.alpha));
    case CK_HARD_SIGMOID: CK_EACH(ck_hard_sigmoid(x, k.alpha, k.beta));
    case CK_HARD_SWISH: CK_EACH(x * ck_hard_sigmoid(x, 1.0f / 6, 0.5f));
    case CK_LEAKY_RELU: CK_EACH(ck_select(x < 0, x * k.alpha, x));
    case CK_ELU: CK_EACH(ck_select(x < 0, ck_expm1(x) * k.alpha, x));
    case CK_TANH: CK_EACH(ck_tanh(x));
    case CK_EXP: CK_EACH(ck_exp(x));
    }
}

#undef CK_EACH
