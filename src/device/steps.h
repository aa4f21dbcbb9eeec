/* SPDX-License-Identifier: Apache-2.0
 *
 * The pointwise steps of an epilogue, as PyTorch defines them, for CUDA code and CPU code alike. What includes this
 * header supplies
 *
 *     CS_STEP                         how a function is declared
 *     cs_value                        a float, or a vector of them
 *     exp2_approx, reciprocal_approx  2^v, from 0 to infinity, and 1/v
 *     log1p_approx                    ln(1 + v), for v from 0 to 1
 *     min_or_nan, max_or_nan          the lesser and the greater of a value and a float, NaN when the value is
 *     absolute                        |v|
 *     choose                          (condition, yes, no)
 *
 * A result is off by a few units of 2^-24 of max(1, |v|). NaN stays NaN, and infinities become what PyTorch's formula
 * gives: silu(-inf), say, is -inf * 0, which is NaN.
 */
#ifndef CONVSMITH_DEVICE_STEPS_H
#define CONVSMITH_DEVICE_STEPS_H

#define CS_LOG2_E 1.44269504088896341f

CS_STEP cs_value step_min_const(cs_value v, float c) { return min_or_nan(v, c); }
CS_STEP cs_value step_max_const(cs_value v, float c) { return max_or_nan(v, c); }
CS_STEP cs_value step_clamp(cs_value v, float lo, float hi) { return min_or_nan(max_or_nan(v, lo), hi); }
CS_STEP cs_value step_abs(cs_value v) { return absolute(v); }
CS_STEP cs_value step_square(cs_value v) { return v * v; }

CS_STEP cs_value step_relu(cs_value v) { return max_or_nan(v, 0.0f); }
CS_STEP cs_value step_leaky_relu(cs_value v, float slope) { return choose(v > 0.0f, v, v * slope); }
CS_STEP cs_value step_elu(cs_value v, float alpha) {
    return choose(v > 0.0f, v, (exp2_approx(v * CS_LOG2_E) - 1.0f) * alpha);
}

/* 1 - 2 e / (1 + e) for |v|, with e = exp(-2 |v|). */
CS_STEP cs_value step_tanh(cs_value v) {
    const cs_value e = exp2_approx(absolute(v) * (-2.0f * CS_LOG2_E));
    const cs_value magnitude = 1.0f - 2.0f * (e * reciprocal_approx(1.0f + e));
    return choose(v < 0.0f, -magnitude, magnitude);
}

/* v times the sigmoid of v, and of what the tanh form of gelu has there: (1 + tanh(u)) / 2 is the sigmoid of 2 u. */
CS_STEP cs_value step_silu(cs_value v) { return v * reciprocal_approx(1.0f + exp2_approx(v * -CS_LOG2_E)); }
CS_STEP cs_value step_gelu_tanh(cs_value v) {
    const float factor = -2.0f * CS_LOG2_E * 0.797884560802865356f; /* sqrt(2 / pi) */
    const cs_value t = v * (v * v * (0.044715f * factor) + factor);
    return v * reciprocal_approx(1.0f + exp2_approx(t));
}

/* tanh(ln(1 + e)) = n / (n + 2) with n = e (e + 2) and e = exp(v); beyond 2^30 that is 1. */
CS_STEP cs_value step_mish(cs_value v) {
    const cs_value e = exp2_approx(min_or_nan(v * CS_LOG2_E, 30.0f));
    const cs_value n = e * (e + 2.0f);
    return v * (n * reciprocal_approx(n + 2.0f));
}

CS_STEP cs_value step_hardsigmoid(cs_value v) { return step_clamp(v + 3.0f, 0.0f, 6.0f) * (1.0f / 6.0f); }
CS_STEP cs_value step_hardswish(cs_value v) { return v * step_hardsigmoid(v); }

/* PyTorch's threshold, v itself beyond 20, changes nothing: ln(1 + exp(-20)) is 2^-29. */
CS_STEP cs_value step_softplus(cs_value v) {
    return max_or_nan(v, 0.0f) + log1p_approx(exp2_approx(absolute(v) * -CS_LOG2_E));
}

/* v (1 + erf(v / sqrt(2))) / 2. For x = |v| / sqrt(2) and t = 1 / (1 + 0.3275911 x), 1 - erf(x) is a polynomial of t
 * times exp(-x^2), off by at most 1.5e-7: Abramowitz and Stegun, "Handbook of Mathematical Functions", 7.1.26 (after
 * Hastings, 1955). Here the polynomial's coefficients are halved. */
CS_STEP cs_value step_gelu(cs_value v) {
    const float sqrt_half = 0.707106781186547524f;
    const cs_value t = reciprocal_approx(absolute(v) * (0.3275911f * sqrt_half) + 1.0f);
    cs_value tail = t * 0.5307027145f - 0.7265760135f;
    tail = tail * t + 0.7107068705f;
    tail = tail * t - 0.142248368f;
    tail = tail * t + 0.127414796f;
    tail = tail * t * exp2_approx(v * v * (-0.5f * CS_LOG2_E));
    return v * choose(v > 0.0f, 1.0f - tail, tail);
}

#undef CS_LOG2_E

#endif
