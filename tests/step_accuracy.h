/* SPDX-License-Identifier: Apache-2.0
 *
 * The pointwise steps of an epilogue (src/device/steps.h) against the C library's functions in double precision: the
 * same for CPU code and for CUDA code. What includes this header has included their functions and cmocka.h, and calls
 * test_steps().
 */
#ifndef CS_TESTS_STEP_ACCURACY_H
#define CS_TESTS_STEP_ACCURACY_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>

/* How far off a result may be: units of 2^-24 of max(1, |v|). */
#define STEP_UNITS 4.0

#define SQRT_HALF 0.70710678118654752440
#define SQRT_2_BY_PI 0.79788456080286535588

/* X(name, PyTorch's formula of a double v, what is computed from a cs_value v) */
#define STEPS(X)                                                                                                       \
    X(sigmoid, 1 / (1 + exp(-v)), sigmoid_exp2(v * -1.44269504f))                                                      \
    X(min_const, fmin(v, 1.5), step_min_const(v, 1.5f))                                                                \
    X(max_const, fmax(v, -0.75), step_max_const(v, -0.75f))                                                            \
    X(clamp, fmin(fmax(v, -1), 2.5), step_clamp(v, -1.0f, 2.5f))                                                       \
    X(relu, v > 0 ? v : 0, step_relu(v))                                                                               \
    X(leaky_relu, v > 0 ? v : v * 0.25, step_leaky_relu(v, 0.25f))                                                     \
    X(elu, v > 0 ? v : 0.75 * expm1(v), step_elu(v, 0.75f))                                                            \
    X(tanh, tanh(v), step_tanh(v))                                                                                     \
    X(silu, v / (1 + exp(-v)), step_silu(v))                                                                           \
    X(mish, v *tanh(v > 20 ? v : log1p(exp(v))), step_mish(v))                                                         \
    X(hardswish, v *fmin(fmax(v + 3, 0), 6) / 6, step_hardswish(v))                                                    \
    X(hardsigmoid, fmin(fmax(v + 3, 0), 6) / 6, step_hardsigmoid(v))                                                   \
    X(softplus, v > 20 ? v : log1p(exp(v)), step_softplus(v))                                                          \
    X(gelu, v * 0.5 * (1 + erf(v * SQRT_HALF)), step_gelu(v))                                                          \
    X(gelu_tanh, 0.5 * v * (1 + tanh(SQRT_2_BY_PI * (v + 0.044715 * v * v * v))), step_gelu_tanh(v))                   \
    X(abs, fabs(v), step_abs(v))

#define DEFINE_STEP(name, formula, computation)                                                                        \
    static double exact_##name(double v) { return formula; }                                                           \
    static float computed_##name(float value) {                                                                        \
        const cs_value v = step_argument(value);                                                                       \
        return step_result(computation);                                                                               \
    }
STEPS(DEFINE_STEP)
#undef DEFINE_STEP

typedef struct step_case {
    const char *name;
    double (*exact)(double v);
    float (*computed)(float v);
} step_case;

#define LIST_STEP(name, formula, computation) {#name, exact_##name, computed_##name},
static const step_case step_cases[] = {STEPS(LIST_STEP)};
#undef LIST_STEP

#define STEP_CASES (sizeof step_cases / sizeof *step_cases)

static void expect_near(const step_case *step, float v) {
    const double exact = step->exact((double)v), computed = (double)step->computed(v);
    const double units = fabs(computed - exact) / fmax(1.0, fabs((double)v)) * 0x1p24;
    if (!(units <= STEP_UNITS))
        fail_msg("%s(%a) is %.9g, %.1f units off: it should be %.9g", step->name, (double)v, computed, units, exact);
}

static void result_is_near_the_exact_one(void **state) {
    const step_case *const step = (const step_case *)*state;
    for (int i = -120000; i <= 120000; i++)
        expect_near(step, (float)i * 0.000137f);
    for (float v = 1e-36f; v < 1e36f; v *= 1.0173f) {
        expect_near(step, v);
        expect_near(step, -v);
    }
}

static void what_is_no_number_stays_none(void **state) {
    const step_case *const step = (const step_case *)*state;
    assert_true(isnan(step->computed(NAN)) != 0);
}

static void infinities_become_what_the_formula_gives(void **state) {
    const step_case *const step = (const step_case *)*state;
    for (int sign = -1; sign <= 1; sign += 2) {
        const float v = sign < 0 ? -INFINITY : INFINITY;
        const double exact = step->exact((double)v), computed = (double)step->computed(v);
        const int good = isnan(exact) ? isnan(computed) != 0 : exact == computed || fabs(exact - computed) < 0x1p-22;
        if (!good)
            fail_msg("%s(%g) is %.9g: it should be %.9g", step->name, (double)v, computed, exact);
    }
}

static int test_steps(void) {
    static const struct {
        const char *name;
        void (*run)(void **state);
    } families[] = {{"accuracy", result_is_near_the_exact_one},
                    {"nan", what_is_no_number_stays_none},
                    {"infinities", infinities_become_what_the_formula_gives}};
    enum { FAMILIES = sizeof families / sizeof *families };
    static char names[STEP_CASES * FAMILIES][40];
    struct CMUnitTest tests[STEP_CASES * FAMILIES];
    for (size_t i = 0; i < STEP_CASES * FAMILIES; i++) {
        const step_case *const step = &step_cases[i / FAMILIES];
        snprintf(names[i], sizeof names[i], "%s/%s", step->name, families[i % FAMILIES].name);
        const struct CMUnitTest test = {names[i], families[i % FAMILIES].run, NULL, NULL, (void *)(uintptr_t)step};
        tests[i] = test;
    }
    return cmocka_run_group_tests_name("steps", tests, NULL, NULL);
}

#endif
