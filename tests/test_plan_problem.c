/* SPDX-License-Identifier: Apache-2.0
 *
 * What is checked of a problem's convolution parameters and strides, and with which words it is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "convsmith/convsmith.h"
#include "src/problem.h"

#include <string.h>

static convsmith_problem good_problem(void) {
    return (convsmith_problem){
        .n = 2, .c_in = 8, .h = 9, .w = 11, .c_out = 16, .kh = 3, .kw = 3, .groups = 4, .eps = 1e-5f, .epilogue = ""};
}

static void expect(convsmith_status got, convsmith_status wanted, const char *words) {
    if (got != wanted || strstr(convsmith_detail(), words) == NULL)
        fail_msg("got \"%s\" (%s), wanted \"%s\" with \"%s\"", convsmith_status_string(got), convsmith_detail(),
                 convsmith_status_string(wanted), words);
}

static void expect_refusal(const convsmith_problem *problem, const char *words) {
    cs_settled settled;
    expect(cs_problem_settle(problem, &settled), CONVSMITH_INVALID_ARGUMENT, words);
    convsmith_plan *plan;
    const convsmith_device cpu = {CONVSMITH_DEVICE_CPU, 0};
    expect(convsmith_plan_create(&plan, problem, cpu), CONVSMITH_INVALID_ARGUMENT, words);
    assert_null(plan);
}

static void expect_output(const convsmith_problem *problem, int64_t h, int64_t w) {
    int64_t h_out, w_out;
    if (convsmith_output_size(problem, &h_out, &w_out) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    assert_int_equal(h_out, h);
    assert_int_equal(w_out, w);
}

/* ---- Sizes ------------------------------------------------------------------------------------------------------- */

static void parameters_must_be_in_range(void **state) {
    (void)state;
    const struct {
        size_t offset;
        int64_t wrong;
        const char *words;
    } cases[] = {
        {offsetof(convsmith_problem, stride_h), -1, "problem->stride_h is -1; it is from 1 (or 0, which is 1) to"},
        {offsetof(convsmith_problem, stride_w), INT64_MAX, "problem->stride_w is 9223372036854775807; it is from 1"},
        {offsetof(convsmith_problem, dilation_h), -3, "problem->dilation_h is -3; it is from 1"},
        {offsetof(convsmith_problem, dilation_w), INT64_MIN, "problem->dilation_w is -9223372036854775808; it is"},
        {offsetof(convsmith_problem, conv_groups), -2, "problem->conv_groups is -2; it is from 1"},
        {offsetof(convsmith_problem, pad_h), -1, "problem->pad_h is -1; padding is from 0 to 2147483647"},
        {offsetof(convsmith_problem, pad_w), (int64_t)INT32_MAX + 1, "problem->pad_w is 2147483648; padding is"},
        {offsetof(convsmith_problem, pad_h), INT32_MAX,
         "problem->pad_h is 2147483647; the padded input, 4294967303, may be 2147483647 at most"},
        {offsetof(convsmith_problem, pad_w), INT32_MAX / 2, "problem->pad_w is 1073741823; the padded input"},
        {offsetof(convsmith_problem, conv_groups), 3, "problem->conv_groups is 3; it must divide c_in, 8"},
        {offsetof(convsmith_problem, c_out), 12, "problem->groups is 5; it must divide c_out, 12"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        convsmith_problem problem = good_problem();
        problem.epilogue = "group_norm";
        problem.groups = strstr(cases[i].words, "problem->groups") ? 5 : 4;
        memcpy((char *)&problem + cases[i].offset, &cases[i].wrong, sizeof cases[i].wrong);
        expect_refusal(&problem, cases[i].words);
    }
}

static void conv_groups_must_divide_c_out_too(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    problem.conv_groups = 8;
    problem.c_out = 12;
    expect_refusal(&problem, "problem->conv_groups is 8; it must divide c_out, 12");
}

static void a_dilated_kernel_must_fit_the_padded_input(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    problem.dilation_h = 5;
    expect_refusal(&problem, "the kernel, 3x3 (11x3 with its dilation), is larger than the input, 9x11");
    problem.pad_w = 2;
    expect_refusal(&problem, "larger than the input, 9x11 (9x15 with its padding)");
    problem.pad_h = 1;
    expect_output(&problem, 1, 13);
    problem.dilation_h = problem.dilation_w = INT32_MAX;
    expect_refusal(&problem, "3x3 (4294967295x4294967295 with its dilation)");
}

static void output_sizes_are_rounded_down(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    expect_output(&problem, 7, 9);
    problem.stride_h = 2;
    problem.stride_w = 3;
    expect_output(&problem, 4, 3);
    problem.pad_h = 1;
    problem.dilation_w = 4;
    expect_output(&problem, 5, 1);
    problem.stride_h = INT32_MAX;
    expect_output(&problem, 1, 1);
}

static void an_output_size_needs_no_epilogue(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    int64_t h_out, w_out;
    problem.epilogue = NULL;
    expect_output(&problem, 7, 9);
    expect(convsmith_output_size(NULL, &h_out, &w_out), CONVSMITH_INVALID_ARGUMENT, "problem is NULL");
    expect(convsmith_output_size(&problem, NULL, &w_out), CONVSMITH_INVALID_ARGUMENT, "h_out is NULL");
    expect(convsmith_output_size(&problem, &h_out, NULL), CONVSMITH_INVALID_ARGUMENT, "w_out is NULL");
    problem.h = 0;
    expect(convsmith_output_size(&problem, &h_out, &w_out), CONVSMITH_INVALID_ARGUMENT, "problem->h is 0");
}

/* ---- Strides ----------------------------------------------------------------------------------------------------- */

static void settle(const convsmith_problem *problem, cs_settled *settled) {
    if (cs_problem_settle(problem, settled) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
}

static void strides_of_0_are_contiguous(void **state) {
    (void)state;
    const convsmith_problem problem = good_problem();
    const int64_t x[] = {8 * 9 * 11, 9 * 11, 11, 1}, y[] = {16 * 7 * 9, 7 * 9, 9, 1};
    cs_settled settled;
    settle(&problem, &settled);
    assert_memory_equal(settled.problem.x_strides, x, sizeof x);
    assert_memory_equal(settled.problem.y_strides, y, sizeof y);
    assert_true(cs_problem_is_contiguous(&settled));
    assert_true(cs_problem_has_layout(&settled, CONVSMITH_NCHW));
    assert_false(cs_problem_has_layout(&settled, CONVSMITH_NHWC));
}

static void defaults_are_made_explicit(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    problem.epilogue = "clamp(0, 6.0)+instance_norm";
    problem.groups = 0;
    cs_settled settled;
    settle(&problem, &settled);
    const convsmith_problem *p = &settled.problem;
    assert_int_equal(p->stride_h * p->stride_w * p->dilation_h * p->dilation_w * p->conv_groups, 1);
    assert_int_equal(p->groups, 16);
    assert_string_equal(p->epilogue, "clamp(0,6)+instance_norm");
}

static void set_strides(int64_t strides[4], int64_t n, int64_t c, int64_t h, int64_t w) {
    const int64_t values[] = {n, c, h, w};
    memcpy(strides, values, sizeof values);
}

static void channels_last_is_a_layout(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    cs_settled settled;
    set_strides(problem.x_strides, 8 * 99, 1, 88, 8);
    settle(&problem, &settled);
    assert_false(cs_problem_has_layout(&settled, CONVSMITH_NHWC)); /* y is not */
    set_strides(problem.y_strides, 16 * 63, 1, 16 * 9, 16);
    settle(&problem, &settled);
    assert_true(cs_problem_has_layout(&settled, CONVSMITH_NHWC));
    assert_false(cs_problem_has_layout(&settled, CONVSMITH_NCHW));
    assert_false(cs_problem_is_contiguous(&settled));
}

static void an_index_of_one_place_is_contiguous(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    problem.c_in = problem.c_out = problem.groups = 1;
    set_strides(problem.x_strides, 99, 12345, 11, 1);
    set_strides(problem.y_strides, 63, 1, 9, 1);
    cs_settled settled;
    settle(&problem, &settled);
    assert_true(cs_problem_has_layout(&settled, CONVSMITH_NCHW));
    assert_true(cs_problem_has_layout(&settled, CONVSMITH_NHWC));
    assert_true(cs_problem_is_contiguous(&settled));
}

static void negative_strides_are_refused(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    set_strides(problem.x_strides, 8 * 99, 99, -11, 1);
    expect_refusal(&problem, "problem->x_strides[2] (h) is -11; a stride is 0 or more");
    problem = good_problem();
    set_strides(problem.y_strides, -1, 63, 9, 1);
    expect_refusal(&problem, "problem->y_strides[0] (n) is -1; a stride is 0 or more");
}

static void x_may_be_expanded_and_y_may_not(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    cs_settled settled;
    set_strides(problem.x_strides, 99, 0, 11, 1);
    settle(&problem, &settled);
    problem = good_problem();
    set_strides(problem.y_strides, 63, 0, 9, 1);
    expect_refusal(&problem, "problem->y_strides[1] (c) is 0; it must be more than 0");
}

static void elements_of_y_must_not_share_a_place(void **state) {
    (void)state;
    convsmith_problem problem = good_problem(); /* y is 2x16x7x9 */
    cs_settled settled;
    set_strides(problem.y_strides, 16 * 63, 63, 8, 1);
    expect_refusal(&problem,
                   "problem->y_strides[2] (h) is 8; it must be more than 8, as far as the indices of smaller");
    set_strides(problem.y_strides, 16 * 63 - 1, 63, 9, 1);
    expect_refusal(&problem, "problem->y_strides[0] (n) is 1007; it must be more than 1007");
    set_strides(problem.y_strides, 1008, 63, 9, 1);
    settle(&problem, &settled);
    set_strides(problem.y_strides, 1, 2, 9 * 2 * 16, 2 * 16); /* n is fastest */
    settle(&problem, &settled);
    problem.n = 1;
    set_strides(problem.y_strides, 0, 63, 9, 1); /* of one place */
    settle(&problem, &settled);
}

static void strides_must_stay_within_the_address_space(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    cs_settled settled;
    set_strides(problem.x_strides, INT64_MAX, 99, 11, 1);
    expect(cs_problem_settle(&problem, &settled), CONVSMITH_TOO_LARGE,
           "problem: x, 2x8x9x11, exceeds the address space");
    set_strides(problem.x_strides, INT64_MAX / 4, 99, 11, 1);
    expect(cs_problem_settle(&problem, &settled), CONVSMITH_TOO_LARGE, "exceeds the address space");
    set_strides(problem.x_strides, INT64_MAX / 4 - 8 * 99, 99, 11, 1);
    settle(&problem, &settled);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_must_be_in_range),
        cmocka_unit_test(conv_groups_must_divide_c_out_too),
        cmocka_unit_test(a_dilated_kernel_must_fit_the_padded_input),
        cmocka_unit_test(output_sizes_are_rounded_down),
        cmocka_unit_test(an_output_size_needs_no_epilogue),
        cmocka_unit_test(strides_of_0_are_contiguous),
        cmocka_unit_test(defaults_are_made_explicit),
        cmocka_unit_test(channels_last_is_a_layout),
        cmocka_unit_test(an_index_of_one_place_is_contiguous),
        cmocka_unit_test(negative_strides_are_refused),
        cmocka_unit_test(x_may_be_expanded_and_y_may_not),
        cmocka_unit_test(elements_of_y_must_not_share_a_place),
        cmocka_unit_test(strides_must_stay_within_the_address_space),
    };
    return cmocka_run_group_tests_name("plan_problem", tests, NULL, NULL);
}
