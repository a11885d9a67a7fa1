#include "reference.h"

#include <math.h>

static float sigmoid(float x) {
    return 1 / (1 + expf(-x));
}

static float hard_sigmoid(float x, float alpha, float beta) {
    float y = x * alpha + beta;
    return y != y ? y : ck_clamp(y, 0, 1);
}

static float value(const ck_function_f32 *k, float x) {
    switch (k->function) {
    case CK_SIGMOID: return sigmoid(x);
    case CK_SWISH: return x * sigmoid(k->alpha * x);
    case CK_HARD_SIGMOID: return hard_sigmoid(x, k->alpha, k->beta);
    case CK_HARD_SWISH: return x * hard_sigmoid(x, 1.0f / 6, 0.5f);
    case CK_LEAKY_RELU: return x < 0 ? k->alpha * x : x;
    case CK_ELU: return x < 0 ? k->alpha * expm1f(x) : x;
    case CK_TANH: return tanhf(x);
    case CK_EXP: return expf(x);
    }
    return x;
}

void ck_f32_function_f32__scalar(const ck_function_f32 *k, ck_range elements) {
    for (size_t i = elements.first; i < elements.last; ++i) k->output[i] = value(k, k->input[i]);
}
