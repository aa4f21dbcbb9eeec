/* SPDX-License-Identifier: Apache-2.0
 *
 * The data that kernels of any epilogue are checked with: within what fp32 and y's dtype hold, and within what the
 * steps take.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/check_case.h"
#include "support/kernel_check.h"
#include "support/reference.h"

#include <math.h>
#include <stdlib.h>

enum { C_IN = 2, K = 2, C_OUT = 4 };

static const char *const epilogues[] = {
    "",
    "bias+square",
    "bias+silu+square+mul_channel",
    "square+mish+div_channel+square+group_norm",
    "bias+mul_channel+sub_channel+gelu+batch_norm+instance_norm+mul_channel+bias",
    "mul_const+add_const+softplus+sub_const+div_const+leaky_relu+elu+min_const+max_const+clamp",
    "bias+silu+group_norm+mul_channel+mish+div_channel+square",
    "bias+softplus+tanh+mul_input_of(2)+square+mul_input_of(1)",
    "add_tensor+silu+add_tensor+group_norm+add_tensor+relu+add_tensor",
    "bias+add_tensor+tanh+add_tensor",
    "bias+bias+bias+batch_norm(0.001)+hardswish+hardsigmoid+tanh+gelu_tanh+abs+relu+group_norm",
};

static convsmith_kernel_info info_of(const char *epilogue, convsmith_dtype dtype) {
    return (convsmith_kernel_info){
        .key = {.c_in = C_IN, .kh = K, .kw = K, .c_out = C_OUT, .dtype = dtype, .epilogue = epilogue},
        .tile_c = C_OUT,
        .tile_h = 3,
        .tile_w = 4};
}

/* Calls `check` on every case of a family, of each epilogue and dtype that it applies to. */
static void for_each_case(cs_family family, void (*check)(const cs_case *c)) {
    for (size_t e = 0; e < sizeof epilogues / sizeof *epilogues; e++)
        for (int dtype = CONVSMITH_F32; dtype <= CONVSMITH_BF16; dtype++) {
            const convsmith_kernel_info info = info_of(epilogues[e], (convsmith_dtype)dtype);
            for (int i = 0; i < cs_case_count(family) && cs_family_applies(family, epilogues[e]); i++) {
                cs_case c;
                assert_true(cs_case_create(&c, family, &info, i, CS_DEFAULT_SEED, NULL));
                check(&c);
                cs_case_destroy(&c);
            }
        }
}

static void for_each_finite_case(void (*check)(const cs_case *c)) {
    for (int family = 0; family < CS_FAMILY_COUNT; family++)
        if (family != CS_FAMILY_NONFINITE)
            for_each_case((cs_family)family, check);
}

static double greatest(convsmith_dtype dtype) { return dtype == CONVSMITH_F16 ? 65504 : (double)3.3e38f; }

static void assert_y_in_range(const cs_case *c) {
    const convsmith_params params = cs_case_params(c);
    cs_reference r;
    assert_true(cs_reference_init(&r, &c->problem, &params, c->elements.x, NULL));
    r.tensors = (const void *const *)c->elements.tensors;
    double *y = malloc((size_t)c->y_count * sizeof *y);
    assert_non_null(y);
    cs_reference_run(&r, y, NULL);
    for (int64_t i = 0; i < c->y_count; i++)
        if (!(fabs(y[i]) <= greatest(c->problem.dtype)))
            fail_msg("%s of %s: y has %g", c->problem.epilogue, convsmith_dtype_name(c->problem.dtype), y[i]);
    free(y);
}

static void y_is_finite_unless_it_is_meant_not_to_be(void **state) {
    (void)state;
    for_each_finite_case(assert_y_in_range);
}

static bool can_be(cs_role role, float value) {
    return isfinite(value) && (role != CS_DIVISOR || value != 0) && (role != CS_VARIANCE || value > 0);
}

static void assert_values_can_be(const cs_case *c) {
    for (int i = 0; i < c->chain.value_count; i++)
        for (int64_t channel = 0; channel < c->problem.c_out; channel++)
            assert_true(can_be(cs_chain_value_role(&c->chain, i), c->channels[i][channel]));
}

static void values_are_such_as_steps_take(void **state) {
    (void)state;
    for_each_finite_case(assert_values_can_be);
}

static void constants_are_such_as_steps_take(void **state) {
    (void)state;
    for (int step = 0; step < CS_STEP_COUNT; step++)
        for (int i = 0; i < 10; i++) {
            int which;
            assert_null(cs_step_refuses((cs_step)step, cs_usual_constants((cs_step)step, i), &which));
        }
}

static void kernels_are_given_no_constants_that_the_chain_fixes(void **state) {
    (void)state;
    const convsmith_kernel_info info = info_of("clamp(0,6)+clamp", CONVSMITH_F32);
    cs_case c;
    assert_true(cs_case_create(&c, CS_FAMILY_EXACT, &info, 0, CS_DEFAULT_SEED, NULL));
    const convsmith_params params = cs_case_params(&c);
    assert_true(params.steps[0].constants[1] == 0 && params.steps[1].constants[1] > 0);
    cs_case_destroy(&c);
}

/* An instance_norm has both, its weight alone, its bias alone. */
static void values_that_may_be_left_out_are(void **state) {
    (void)state;
    const convsmith_kernel_info info = info_of("relu+instance_norm", CONVSMITH_F32);
    unsigned met = 0;
    for (int i = 0; i < cs_case_count(CS_FAMILY_EXACT); i++) {
        cs_case c;
        assert_true(cs_case_create(&c, CS_FAMILY_EXACT, &info, i, CS_DEFAULT_SEED, NULL));
        const void *const *values = cs_case_params(&c).steps[1].values;
        met |= 1u << ((values[0] != NULL) + 2 * (values[1] != NULL));
        cs_case_destroy(&c);
    }
    assert_int_equal(met, 1u << 1 | 1u << 2 | 1u << 3);
}

/* Some units in the last place of the greatest value. */
static void assert_error_small(const cs_case *c) {
    if (c->chain.normalisation >= 0) /* y does not tell how great the values before it are */
        return;
    const convsmith_params params = cs_case_params(c);
    cs_reference r;
    assert_true(cs_reference_init(&r, &c->problem, &params, c->elements.x, NULL));
    r.tensors = (const void *const *)c->elements.tensors;
    double *y = malloc((size_t)r.slice_size * sizeof *y);
    assert_non_null(y);
    for (int64_t i = 0; i < c->problem.n * r.slices; i++) {
        cs_slice_statistics s;
        cs_reference_slice(&r, i / r.slices, i % r.slices, y, &s);
        double peak = 1;
        for (int64_t k = 0; k < r.slice_size; k++)
            peak = fmax(peak, fabs(y[k]));
        if (!(s.error <= 64 * 0x1p-24 * peak))
            fail_msg("%s: values of up to %g may be off by %g units", c->problem.epilogue, peak, s.error / 0x1p-24);
    }
    free(y);
}

static void unit_variance_has_narrow_bounds(void **state) {
    (void)state;
    for_each_case(CS_FAMILY_EXACT, assert_error_small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(y_is_finite_unless_it_is_meant_not_to_be),
        cmocka_unit_test(values_are_such_as_steps_take),
        cmocka_unit_test(constants_are_such_as_steps_take),
        cmocka_unit_test(kernels_are_given_no_constants_that_the_chain_fixes),
        cmocka_unit_test(values_that_may_be_left_out_are),
        cmocka_unit_test(unit_variance_has_narrow_bounds),
    };
    return cmocka_run_group_tests_name("check_data", tests, NULL, NULL);
}
