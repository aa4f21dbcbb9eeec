/* SPDX-License-Identifier: Apache-2.0
 *
 * Plans for chains whose constants are known: the row that is made for the most of them, or the library's own for any.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/kernel.h"
#include "support/known_constants.h"

#include <string.h>

/* ---- A table of rows that are never run, in the order of their keys ---------------------------------------------- */

static void convolve(const cs_conv_args *args, int64_t block) {
    (void)args;
    (void)block;
}

static void prepack(const cs_pack_args *args) { (void)args; }

#define ROW(NAME, C_OUT, STRIDE, EPILOGUE)                                                                             \
    {                                                                                                                  \
        .info = {.name = NAME,                                                                                         \
                 .key = {.c_in = 1,                                                                                    \
                         .kh = 1,                                                                                      \
                         .kw = 1,                                                                                      \
                         .c_out = C_OUT,                                                                               \
                         .stride_h = STRIDE,                                                                           \
                         .stride_w = STRIDE,                                                                           \
                         .epilogue = EPILOGUE,                                                                         \
                         .target = CONVSMITH_TARGET_HOST_BASE},                                                        \
                 .strategy = "hand",                                                                                   \
                 .tile_c = 1,                                                                                          \
                 .tile_h = 1,                                                                                          \
                 .tile_w = 1,                                                                                          \
                 .threads = 1,                                                                                         \
                 .packed_bytes = 16},                                                                                  \
        .host = {.convolve = convolve, .merge = convolve, .prepack = prepack},                                         \
    }

static const convsmith_kernel rows[] = {
    ROW("other_shape", 2, 0, "elu(0.5)+clamp(0,6)"),
    ROW("elu", 3, 0, "elu(0.5)+clamp"),
    ROW("both", 3, 0, "elu(1)+clamp(0,6)"),
    ROW("free", 3, 0, "elu+clamp"),
    ROW("clamp", 3, 0, "elu+clamp(0,6)"),
    ROW("other_stride", 3, 2, "elu(0.5)+clamp(0,6)"),
};

static const convsmith_table table = {.layout = CS_TABLE_LAYOUT, .rows = rows, .count = sizeof rows / sizeof *rows};

/* ---- The tests --------------------------------------------------------------------------------------------------- */

/* The kernel that a chain gets, the epilogue of the plan, and the constants that prepack is given. */
static void expect(int64_t c_out, const char *wanted, const char *kernel, const char *epilogue,
                   const float constants[3]) {
    convsmith_problem problem = {.n = 1, .c_in = 1, .h = 2, .w = 2, .c_out = c_out, .kh = 1, .kw = 1, .table = &table};
    convsmith_step steps[CS_MAX_STEPS] = {0};
    convsmith_plan *plan;
    cs_chain chain;
    cs_chain_text name;
    assert_true(cs_chain_read(wanted, &chain, NULL));
    assert_int_equal(
        cs_plan_of_constants(&plan, &problem, &chain, (convsmith_device){CONVSMITH_DEVICE_CPU, 0}, &name, steps),
        CONVSMITH_OK);
    const char *found = convsmith_kernel_get_info(convsmith_plan_kernel(plan))->name;
    if (strncmp(found, kernel, strlen(kernel)) != 0)
        fail_msg("'%s' gets %s, it should get %s", wanted, found, kernel);
    assert_string_equal(problem.epilogue, epilogue);
    assert_true(steps[0].constants[0] == constants[0] && steps[1].constants[0] == constants[1] &&
                steps[1].constants[1] == constants[2]);
    convsmith_plan_destroy(plan);
}

static void a_row_made_for_all_constants_is_taken_first(void **state) {
    (void)state;
    expect(3, "elu(1)+clamp(0,6)", "both", "elu(1)+clamp(0,6)", (const float[]){0, 0, 0});
}

static void a_row_made_for_some_gets_the_others(void **state) {
    (void)state;
    expect(3, "elu(0.25)+clamp(0,6)", "clamp", "elu+clamp(0,6)", (const float[]){0.25f, 0, 0});
    expect(3, "elu(0.5)+clamp(-1,1)", "elu", "elu(0.5)+clamp", (const float[]){0, -1, 1});
}

static void a_row_made_for_none_gets_them_all(void **state) {
    (void)state;
    expect(3, "elu(0.25)+clamp(-1,1)", "free", "elu+clamp", (const float[]){0.25f, -1, 1});
}

static void rows_of_other_shapes_and_constants_are_not_for_it(void **state) {
    (void)state;
    expect(2, "elu(0.25)+clamp(0,6)", "generic_f32_", "elu(0.25)+clamp(0,6)", (const float[]){0, 0, 0});
    expect(3, "elu(0.25)+relu", "generic_f32_", "elu(0.25)+relu", (const float[]){0, 0, 0});
}

static void a_problem_that_cannot_be_is_told_of(void **state) {
    (void)state;
    convsmith_problem problem = {.n = 1, .c_in = 1, .h = 2, .w = 2, .c_out = 3, .kh = 5, .kw = 1, .table = &table};
    convsmith_step steps[CS_MAX_STEPS] = {0};
    convsmith_plan *plan;
    cs_chain chain;
    cs_chain_text name;
    assert_true(cs_chain_read("elu(1)+clamp(0,6)", &chain, NULL));
    assert_int_equal(
        cs_plan_of_constants(&plan, &problem, &chain, (convsmith_device){CONVSMITH_DEVICE_CPU, 0}, &name, steps),
        CONVSMITH_INVALID_ARGUMENT);
    assert_null(plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_made_for_all_constants_is_taken_first),
        cmocka_unit_test(a_row_made_for_some_gets_the_others),
        cmocka_unit_test(a_row_made_for_none_gets_them_all),
        cmocka_unit_test(rows_of_other_shapes_and_constants_are_not_for_it),
        cmocka_unit_test(a_problem_that_cannot_be_is_told_of),
    };
    return cmocka_run_group_tests_name("known_constants", tests, NULL, NULL);
}
