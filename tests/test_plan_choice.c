/* SPDX-License-Identifier: Apache-2.0
 *
 * What a plan chooses on the CPU, among tables, ways to form products, targets and the generic kernel. No plan here
 * runs, so that problems may be larger than any memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "convsmith/convsmith.h"
#include "src/kernel.h"

static const convsmith_device cpu = {CONVSMITH_DEVICE_CPU, 0};

/* A problem of the default table. */
static convsmith_problem good_problem(void) {
    return (convsmith_problem){
        .n = 2,
        .c_in = 3,
        .h = 9,
        .w = 11,
        .c_out = 16,
        .kh = 3,
        .kw = 3,
        .groups = 4,
        .eps = 1e-5f,
        .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM,
    };
}

static const convsmith_kernel_info *chosen(const convsmith_problem *problem) {
    convsmith_plan *plan;
    assert_int_equal(convsmith_plan_create(&plan, problem, cpu), CONVSMITH_OK);
    const convsmith_kernel_info *info = convsmith_kernel_get_info(convsmith_plan_kernel(plan));
    convsmith_plan_destroy(plan);
    return info;
}

static void the_best_target_that_the_cpu_supports_is_chosen(void **state) {
    (void)state;
    const convsmith_problem problem = good_problem();
    const convsmith_target target = chosen(&problem)->key.target;
    for (int better = (int)target + 1; better <= CONVSMITH_TARGET_HOST_AVX512; ++better)
        assert_int_equal(convsmith_target_supported((convsmith_target)better, cpu), CONVSMITH_UNSUPPORTED_DEVICE);
}

static void tf32_is_served_by_fp32_where_there_is_no_other(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    problem.math = CONVSMITH_MATH_TF32;
    assert_int_equal(chosen(&problem)->key.math, CONVSMITH_MATH_FP32);
}

static void sixteen_bit_problems_have_kernels_of_their_own(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    for (int dtype = CONVSMITH_F16; dtype <= CONVSMITH_BF16; ++dtype)
        for (int math = CONVSMITH_MATH_FP32; math <= CONVSMITH_MATH_TF32; ++math) {
            problem.dtype = (convsmith_dtype)dtype;
            problem.math = (convsmith_math)math;
            assert_int_equal(chosen(&problem)->key.dtype, dtype);
            assert_int_equal(chosen(&problem)->key.math, CONVSMITH_MATH_FP32);
        }
}

static void the_problem_s_own_table_comes_before_the_builtin_one(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    const convsmith_kernel_info *builtin = chosen(&problem);
    convsmith_kernel row = *convsmith_find(&builtin->key);
    row.info.name = "mine";
    const convsmith_table mine = {.layout = CS_TABLE_LAYOUT, .rows = &row, .count = 1};
    problem.table = &mine;
    assert_string_equal(chosen(&problem)->name, "mine");
    problem.c_out = 64;
    assert_string_not_equal(chosen(&problem)->name, "mine");
}

/* A kernel for the CPU whose tiles are of one pixel, and a problem with more pixels than a launch has blocks. */
static convsmith_kernel small_tiled(const convsmith_problem *problem, convsmith_math math) {
    const convsmith_key *builtin = &chosen(problem)->key;
    convsmith_kernel row = *convsmith_find(builtin);
    row.info.name = "mine";
    row.info.tile_h = row.info.tile_w = 1;
    row.info.key.math = math;
    row.info.key.target = CONVSMITH_TARGET_HOST_BASE;
    return row;
}

static convsmith_problem many_pixels(void) {
    convsmith_problem problem = good_problem();
    problem.n = 4;
    problem.h = problem.w = 1 << 15;
    return problem;
}

static void a_kernel_that_takes_no_such_problem_gives_way_to_the_next_table(void **state) {
    (void)state;
    convsmith_problem problem = many_pixels();
    const convsmith_kernel row = small_tiled(&problem, CONVSMITH_MATH_FP32);
    const convsmith_table mine = {.layout = CS_TABLE_LAYOUT, .rows = &row, .count = 1};
    problem.table = &mine;
    assert_string_not_equal(chosen(&problem)->name, "mine");
    problem.n = 1;
    assert_string_equal(chosen(&problem)->name, "mine");
}

static void a_kernel_that_takes_no_such_problem_gives_way_to_the_exact_one(void **state) {
    (void)state;
    convsmith_problem problem = many_pixels();
    const convsmith_kernel fast = small_tiled(&problem, CONVSMITH_MATH_TF32);
    convsmith_kernel exact = small_tiled(&problem, CONVSMITH_MATH_FP32);
    exact.info.tile_w = 16;
    const convsmith_kernel rows[] = {exact, fast};
    const convsmith_table mine = {.layout = CS_TABLE_LAYOUT, .rows = rows, .count = 2};
    problem.table = &mine;
    problem.math = CONVSMITH_MATH_TF32;
    assert_int_equal(chosen(&problem)->tile_w, 16);
    problem.n = 1;
    assert_int_equal(chosen(&problem)->tile_w, 1);
}

/* ---- Candidates side by side --------------------------------------------------------------------------------------
 */

static void the_first_of_rows_of_one_key_is_chosen(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    convsmith_kernel rows[] = {small_tiled(&problem, CONVSMITH_MATH_FP32), small_tiled(&problem, CONVSMITH_MATH_FP32)};
    rows[1].info.name = "the next";
    const convsmith_table mine = {.layout = CS_TABLE_LAYOUT, .rows = rows, .count = 2};
    problem.table = &mine;
    assert_string_equal(chosen(&problem)->name, "mine");
}

static void a_row_that_takes_no_such_problem_gives_way_to_the_next_of_its_key(void **state) {
    (void)state;
    convsmith_problem problem = many_pixels();
    convsmith_kernel rows[] = {small_tiled(&problem, CONVSMITH_MATH_FP32), small_tiled(&problem, CONVSMITH_MATH_FP32)};
    rows[1].info.name = "the next";
    rows[1].info.tile_w = 16;
    const convsmith_table mine = {.layout = CS_TABLE_LAYOUT, .rows = rows, .count = 2};
    problem.table = &mine;
    assert_string_equal(chosen(&problem)->name, "the next");
}

/* ---- The generic kernel ------------------------------------------------------------------------------------------ */

static void expect_generic(const convsmith_problem *problem) {
    const convsmith_kernel_info *info = chosen(problem);
    assert_string_equal(info->strategy, "generic");
    assert_int_equal(info->key.dtype, problem->dtype);
    assert_int_equal(info->schedule, CONVSMITH_SCHEDULE_STORED);
    assert_int_equal(info->key.c_in, 0);
}

static void a_shape_without_a_row_has_the_generic_kernel(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    problem.c_in = 1021;
    for (int dtype = CONVSMITH_F32; dtype <= CONVSMITH_BF16; ++dtype) {
        problem.dtype = (convsmith_dtype)dtype;
        expect_generic(&problem);
    }
}

static void an_epilogue_without_a_row_has_the_generic_kernel(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    problem.epilogue = "bias + clamp(0, 6.0)+leaky_relu";
    expect_generic(&problem);
}

static void parameters_without_a_row_have_the_generic_kernel(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    problem.pad_h = problem.pad_w = 1;
    expect_generic(&problem);
    problem = good_problem();
    problem.stride_w = 2;
    expect_generic(&problem);
    problem.stride_w = problem.stride_h = problem.dilation_h = problem.dilation_w = problem.conv_groups = 1;
    assert_string_not_equal(chosen(&problem)->strategy, "generic");
}

/* Both tables have kernels, and neither takes the problem. */
static void a_problem_that_no_row_takes_has_the_generic_kernel(void **state) {
    (void)state;
    convsmith_problem problem = many_pixels();
    const convsmith_kernel row = small_tiled(&problem, CONVSMITH_MATH_FP32);
    const convsmith_table mine = {.layout = CS_TABLE_LAYOUT, .rows = &row, .count = 1};
    problem.table = &mine;
    problem.n = 1 << 20;
    expect_generic(&problem);
    problem = good_problem();
    problem.h = problem.w = 3;
    problem.groups = 16;
    problem.n = INT32_MAX / 16 + 1;
    expect_generic(&problem);
}

/* Values, moments of parts of 4096 values, and the normalisation: each begins at a multiple of 16 bytes. */
static void the_workspace_of_the_generic_kernel_is_as_documented(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    problem.c_in = 1021;
    problem.h = problem.w = 67; /* 65 x 65 x 4 channels of a group: 5 parts */
    convsmith_plan *plan;
    assert_int_equal(convsmith_plan_create(&plan, &problem, cpu), CONVSMITH_OK);
    const size_t values = 2 * 16 * 65 * 65 * 4, moments = 2 * 4 * 5 * 8, affine = 2 * 16 * 8;
    assert_int_equal(convsmith_plan_workspace_size(plan), values + moments + affine);
    assert_int_equal(convsmith_plan_packed_size(plan), (1021 * 9 * 16 + 4 * 2 * 16) * 4);
    convsmith_plan_destroy(plan);
    problem.epilogue = "bias";
    assert_int_equal(convsmith_plan_create(&plan, &problem, cpu), CONVSMITH_OK);
    assert_int_equal(convsmith_plan_workspace_size(plan), 0);
    convsmith_plan_destroy(plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_target_that_the_cpu_supports_is_chosen),
        cmocka_unit_test(tf32_is_served_by_fp32_where_there_is_no_other),
        cmocka_unit_test(sixteen_bit_problems_have_kernels_of_their_own),
        cmocka_unit_test(the_problem_s_own_table_comes_before_the_builtin_one),
        cmocka_unit_test(a_kernel_that_takes_no_such_problem_gives_way_to_the_next_table),
        cmocka_unit_test(a_kernel_that_takes_no_such_problem_gives_way_to_the_exact_one),
        cmocka_unit_test(the_first_of_rows_of_one_key_is_chosen),
        cmocka_unit_test(a_row_that_takes_no_such_problem_gives_way_to_the_next_of_its_key),
        cmocka_unit_test(a_shape_without_a_row_has_the_generic_kernel),
        cmocka_unit_test(an_epilogue_without_a_row_has_the_generic_kernel),
        cmocka_unit_test(parameters_without_a_row_have_the_generic_kernel),
        cmocka_unit_test(a_problem_that_no_row_takes_has_the_generic_kernel),
        cmocka_unit_test(the_workspace_of_the_generic_kernel_is_as_documented),
    };
    return cmocka_run_group_tests_name("plan_choice", tests, NULL, NULL);
}
