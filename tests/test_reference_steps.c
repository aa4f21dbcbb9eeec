/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference's steps against values known of PyTorch's functions, and the errors that are carried along with them
 * against fp32 arithmetic.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/random.h"
#include "support/steps.h"

#include <math.h>

static double apply(const cs_operands *o, double v) {
    cs_traced t = cs_trace_begin(v);
    cs_trace_step(&t, o);
    return t.value;
}

/* NAN: it is not a number. */
static void assert_value(const cs_operands *o, double v, double expected) {
    const double got = apply(o, v);
    if (isnan(expected) ? !isnan(got) : !(got == expected || fabs(got - expected) <= 1e-14))
        fail_msg("%s of %.17g is %.17g, it should be %.17g", cs_step_get_info(o->step)->name, v, got, expected);
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

typedef struct known {
    cs_step step;
    double constants[2];
    double v, result;
} known;

static const known pointwise[] = {
    {CS_STEP_MIN_CONST, {1.5}, 1, 1},
    {CS_STEP_MIN_CONST, {1.5}, 2, 1.5},
    {CS_STEP_MIN_CONST, {1.5}, -INFINITY, -INFINITY},
    {CS_STEP_MAX_CONST, {1.5}, 1, 1.5},
    {CS_STEP_MAX_CONST, {1.5}, 2, 2},
    {CS_STEP_CLAMP, {-1, 6}, -2, -1},
    {CS_STEP_CLAMP, {-1, 6}, 3, 3},
    {CS_STEP_CLAMP, {-1, 6}, INFINITY, 6},
    {CS_STEP_RELU, {0}, -2, 0},
    {CS_STEP_RELU, {0}, 2, 2},
    {CS_STEP_RELU, {0}, INFINITY, INFINITY},
    {CS_STEP_LEAKY_RELU, {0.25}, -2, -0.5},
    {CS_STEP_LEAKY_RELU, {0.25}, 2, 2},
    {CS_STEP_LEAKY_RELU, {0.25}, -INFINITY, -INFINITY},
    {CS_STEP_SIGMOID, {0}, 1, 0.7310585786300049},
    {CS_STEP_SIGMOID, {0}, -INFINITY, 0},
    {CS_STEP_TANH, {0}, 0.5, 0.46211715726000974},
    {CS_STEP_TANH, {0}, -INFINITY, -1},
    {CS_STEP_SILU, {0}, 1, 0.7310585786300049},
    {CS_STEP_SILU, {0}, -2, -0.2384058440442351},
    {CS_STEP_SILU, {0}, INFINITY, INFINITY},
    {CS_STEP_SILU, {0}, -INFINITY, NAN},
    {CS_STEP_MISH, {0}, 1, 0.8650983882673103},
    {CS_STEP_MISH, {0}, -1, -0.30340146137410895},
    {CS_STEP_MISH, {0}, 1000, 1000},
    {CS_STEP_MISH, {0}, INFINITY, INFINITY},
    {CS_STEP_MISH, {0}, -INFINITY, NAN},
    {CS_STEP_HARDSWISH, {0}, -4, 0},
    {CS_STEP_HARDSWISH, {0}, -1.5, -0.375},
    {CS_STEP_HARDSWISH, {0}, 4, 4},
    {CS_STEP_HARDSWISH, {0}, -INFINITY, NAN},
    {CS_STEP_HARDSIGMOID, {0}, -4, 0},
    {CS_STEP_HARDSIGMOID, {0}, -1.5, 0.25},
    {CS_STEP_HARDSIGMOID, {0}, INFINITY, 1},
    {CS_STEP_SOFTPLUS, {0}, 1, 1.3132616875182228},
    {CS_STEP_SOFTPLUS, {0}, -3, 0.04858735157374206},
    {CS_STEP_SOFTPLUS, {0}, 1000, 1000},
    {CS_STEP_SOFTPLUS, {0}, -INFINITY, 0},
    {CS_STEP_GELU, {0}, 1, 0.841344746068543},
    {CS_STEP_GELU, {0}, -1, -0.15865525393145702},
    {CS_STEP_GELU, {0}, INFINITY, INFINITY},
    {CS_STEP_GELU, {0}, -INFINITY, NAN},
    {CS_STEP_GELU_TANH, {0}, 1, 0.8411919906082768},
    {CS_STEP_GELU_TANH, {0}, -1, -0.15880800939172324},
    {CS_STEP_GELU_TANH, {0}, -INFINITY, NAN},
    {CS_STEP_ELU, {1.5}, -1, -0.9481808382428365},
    {CS_STEP_ELU, {1.5}, 2, 2},
    {CS_STEP_ELU, {1.5}, -INFINITY, -1.5},
    {CS_STEP_SQUARE, {0}, -3, 9},
    {CS_STEP_SQUARE, {0}, -INFINITY, INFINITY},
    {CS_STEP_ABS, {0}, -3, 3},
};

static const known affine[] = {
    {CS_STEP_ADD_CONST, {2.5}, 1, 3.5},
    {CS_STEP_SUB_CONST, {2.5}, 1, -1.5},
    {CS_STEP_MUL_CONST, {2.5}, 2, 5},
    {CS_STEP_DIV_CONST, {2.5}, 5, 2},
};

static cs_operands operands(const known *k) {
    return (cs_operands){.step = k->step, .constants = {k->constants[0], k->constants[1]}};
}

static void pointwise_steps_have_known_values(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof pointwise / sizeof *pointwise; i++) {
        const cs_operands o = operands(&pointwise[i]);
        assert_value(&o, pointwise[i].v, pointwise[i].result);
    }
}

static void affine_steps_of_constants_have_known_values(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof affine / sizeof *affine; i++) {
        const cs_operands o = operands(&affine[i]);
        assert_value(&o, affine[i].v, affine[i].result);
    }
}

static void affine_steps_of_values_have_known_values(void **state) {
    (void)state;
    static const struct {
        cs_step step;
        double result;
    } rows[] = {{CS_STEP_BIAS, 7},
                {CS_STEP_ADD_CHANNEL, 7},
                {CS_STEP_SUB_CHANNEL, 3},
                {CS_STEP_MUL_CHANNEL, 10},
                {CS_STEP_DIV_CHANNEL, 2.5}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_value(&(cs_operands){.step = rows[i].step, .values = {2}}, 5, rows[i].result);
}

/* (5 - 1) / sqrt(3 + 1) * 10 + 100 */
static void a_batch_norm_has_the_value_worked_out_by_hand(void **state) {
    (void)state;
    assert_value(&(cs_operands){.step = CS_STEP_BATCH_NORM, .values = {10, 100, 1, 3}, .constants = {1}}, 5, 120);
}

static void not_a_number_stays_so_in_every_step(void **state) {
    (void)state;
    for (int step = 0; step < CS_STEP_GROUP_NORM; step++)
        assert_value(&(cs_operands){.step = (cs_step)step, .values = {1, 1, 1, 1}, .constants = {1, 2}}, NAN, NAN);
}

/* ---- Errors ------------------------------------------------------------------------------------------------------ */

static const double unit = 0x1p-24;

static cs_traced trace(double z, const cs_operands *steps, int count) {
    cs_traced t = cs_trace_begin(z);
    for (int i = 0; i < count; i++)
        cs_trace_step(&t, &steps[i]);
    cs_trace_end(&t);
    return t;
}

/* ((z + p) * q - r) / s and a sigmoid, as fp32 computes them: step by step, and folded to z a + b. */
static void errors_hold_for_fp32_folded_or_not(void **state) {
    (void)state;
    cs_random random = {11};
    for (int i = 0; i < 100000; i++) {
        const float z = (float)cs_random_even(&random), p = (float)(4 * cs_random_even(&random)),
                    q = (float)(1.5 + 0.5 * cs_random_even(&random)), r = (float)(4 * cs_random_even(&random)),
                    s = (float)(1.5 + 0.5 * cs_random_even(&random));
        const cs_operands steps[] = {{CS_STEP_BIAS, {(double)p}, {0}},
                                     {CS_STEP_MUL_CHANNEL, {(double)q}, {0}},
                                     {CS_STEP_SUB_CHANNEL, {(double)r}, {0}},
                                     {CS_STEP_DIV_CHANNEL, {(double)s}, {0}},
                                     {CS_STEP_SIGMOID, {0}, {0}}};
        const cs_traced line = trace((double)z, steps, 4), curve = trace((double)z, steps, 5);
        const float inverse = 1 / s, a = q * inverse, b = (p * q - r) * inverse;
        const float one_by_one = ((z + p) * q - r) / s, folded = z * a + b;
        assert_true(fabs((double)one_by_one - line.value) <= line.error);
        assert_true(fabs((double)folded - line.value) <= line.error);
        assert_true(fabs((double)(1 / (1 + expf(-folded))) - curve.value) <= curve.error);
    }
}

/* A bound that is far too wide would hold as well. */
static void errors_are_no_wider_than_they_must_be(void **state) {
    (void)state;
    const cs_operands steps[] = {{CS_STEP_BIAS, {0.25}, {0}}, {CS_STEP_SIGMOID, {0}, {0}}};
    assert_true(trace(1, steps, 1).error <= 8 * unit);
    assert_true(trace(1, steps, 2).error <= 10 * unit);
}

/* Sums that cancel leave the error of what they were. */
static void cancellation_does_not_shrink_an_error(void **state) {
    (void)state;
    const cs_operands steps[] = {{CS_STEP_ADD_CONST, {0}, {1000}}, {CS_STEP_SUB_CONST, {0}, {1000}}};
    assert_true(trace(1, steps, 2).error >= 1000 * unit);
}

static void a_saturated_sigmoid_forgets_what_was_rounded_before(void **state) {
    (void)state;
    const cs_operands steps[] = {{CS_STEP_BIAS, {0x1p100}, {0}}, {CS_STEP_SIGMOID, {0}, {0}}};
    const cs_traced t = trace(0x1p100, steps, 2);
    assert_true(t.error < 10 * unit && t.gain == 0);
}

static void a_gain_is_the_product_of_the_slopes(void **state) {
    (void)state;
    const cs_operands steps[] = {{CS_STEP_SQUARE, {0}, {0}}, {CS_STEP_MUL_CONST, {0}, {-2}}, {CS_STEP_ABS, {0}, {0}}};
    assert_true(fabs(trace(3, steps, 3).gain - 12) < 1e-5);
}

/* z * tanh(softplus(z)), step by step in fp32. */
static void errors_of_products_hold_for_fp32(void **state) {
    (void)state;
    cs_random random = {12};
    const cs_operands softplus = {CS_STEP_SOFTPLUS, {0}, {0}}, tanh_of = {CS_STEP_TANH, {0}, {0}};
    for (int i = 0; i < 100000; i++) {
        const float z = (float)(3 * cs_random_even(&random));
        const cs_traced kept = cs_trace_begin((double)z);
        cs_traced t = kept;
        cs_trace_step(&t, &softplus);
        cs_trace_step(&t, &tanh_of);
        cs_trace_product(&t, &kept);
        const float computed = z * tanhf(log1pf(expf(z)));
        const double exact = (double)z * tanh(log1p(exp((double)z)));
        assert_true(fabs(t.value - exact) < 1e-14);
        assert_true(fabs((double)computed - t.value) <= t.error);
        assert_true(t.error <= 64 * unit * fmax(1, fabs((double)z)));
    }
}

/* z p + t: a product, then a sum. */
static void errors_of_sums_hold_for_fp32(void **state) {
    (void)state;
    cs_random random = {13};
    for (int i = 0; i < 100000; i++) {
        const float z = (float)cs_random_even(&random), p = (float)cs_random_even(&random),
                    addend = -z * p * (float)(1 + 1e-3 * cs_random_even(&random));
        const cs_operands mul = {CS_STEP_MUL_CHANNEL, {(double)p}, {0}};
        cs_traced t = cs_trace_begin((double)z);
        cs_trace_step(&t, &mul);
        cs_trace_sum(&t, (double)addend);
        const volatile float product = z * p;
        assert_true(t.value == (double)z * (double)p + (double)addend);
        assert_true(fabs((double)(product + addend) - t.value) <= t.error);
        assert_true(t.error <= 8 * unit * fabs((double)product));
    }
}

/* The derivative of z * z. */
static void the_gain_of_a_product_is_that_of_both(void **state) {
    (void)state;
    const cs_traced kept = cs_trace_begin(3);
    cs_traced t = kept;
    cs_trace_product(&t, &kept);
    assert_true(t.value == 9 && t.gain == 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointwise_steps_have_known_values),
        cmocka_unit_test(affine_steps_of_constants_have_known_values),
        cmocka_unit_test(affine_steps_of_values_have_known_values),
        cmocka_unit_test(a_batch_norm_has_the_value_worked_out_by_hand),
        cmocka_unit_test(not_a_number_stays_so_in_every_step),
        cmocka_unit_test(errors_hold_for_fp32_folded_or_not),
        cmocka_unit_test(errors_are_no_wider_than_they_must_be),
        cmocka_unit_test(cancellation_does_not_shrink_an_error),
        cmocka_unit_test(a_saturated_sigmoid_forgets_what_was_rounded_before),
        cmocka_unit_test(errors_of_products_hold_for_fp32),
        cmocka_unit_test(errors_of_sums_hold_for_fp32),
        cmocka_unit_test(the_gain_of_a_product_is_that_of_both),
        cmocka_unit_test(a_gain_is_the_product_of_the_slopes),
    };
    return cmocka_run_group_tests_name("reference_steps", tests, NULL, NULL);
}
