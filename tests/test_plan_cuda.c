/* SPDX-License-Identifier: Apache-2.0
 *
 * What a plan chooses on Hopper, where several kernels can serve a problem. No plan here runs, so that problems may be
 * larger than any memory. Linked with the emulation in tests/simt, it needs no GPU.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "convsmith/convsmith.h"
#include "src/identity.h"
#include "src/kernel.h"

#include <string.h>

static const convsmith_device gpu = {CONVSMITH_DEVICE_CUDA, 0};

/* Both schedules take it: 1x1, one column of `h` rows. */
static convsmith_problem column(int64_t n, int64_t h) {
    return (convsmith_problem){
        .n = n,
        .c_in = 32,
        .h = h,
        .w = 1,
        .c_out = 64,
        .kh = 1,
        .kw = 1,
        .groups = 1,
        .eps = 1e-5f,
        .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM,
    };
}

/* Fails the test unless the plan's kernel has this schedule; the plan's workspace. */
static size_t expect_choice(const convsmith_problem *problem, convsmith_schedule wanted) {
    convsmith_plan *plan;
    if (convsmith_target_supported(CONVSMITH_TARGET_SM90A, gpu) != CONVSMITH_OK)
        skip();
    if (convsmith_plan_create(&plan, problem, gpu) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    const convsmith_kernel_info *info = convsmith_kernel_get_info(convsmith_plan_kernel(plan));
    const size_t size = convsmith_plan_workspace_size(plan);
    convsmith_plan_destroy(plan);
    if (info->schedule != wanted)
        fail_msg("%s was chosen", info->name);
    return size;
}

/* Two sums a group are all that samples of several bands need. */
static void expect_resident(const convsmith_problem *p) {
    assert_int_equal(expect_choice(p, CONVSMITH_SCHEDULE_RESIDENT), p->n * p->groups * 2 * (int64_t)sizeof(uint64_t));
}

/* ---- The limits of the other schedule ---------------------------------------------------------------------------- */

static void resident_kernels_take_more_rows_than_a_launch_has_blocks(void **state) {
    (void)state;
    const convsmith_problem problem = column(1100000, 2048);
    expect_resident(&problem);
}

static void resident_kernels_take_more_groups_than_a_launch_has_blocks(void **state) {
    (void)state;
    convsmith_problem problem = column(INT32_MAX / 64 + 1, 2048);
    problem.groups = 64;
    expect_resident(&problem);
}

/* ---- The next kernel --------------------------------------------------------------------------------------------- */

static void what_does_not_stay_on_the_chip_is_recomputed(void **state) {
    (void)state;
    convsmith_problem problem = column(1, 1);
    problem.w = 1 << 17;
    expect_choice(&problem, CONVSMITH_SCHEDULE_RECOMPUTE);
}

static void an_eps_below_fixed_point_is_recomputed(void **state) {
    (void)state;
    convsmith_problem problem = column(1, 1);
    problem.eps = 1e-7f;
    expect_choice(&problem, CONVSMITH_SCHEDULE_RECOMPUTE);
}

/* Blocks that walk, over samples or over tiles, count one step beyond the last. */
static void samples_up_to_the_last_number_are_stored(void **state) {
    (void)state;
    convsmith_problem problem = column(INT32_MAX, 1);
    problem.math = CONVSMITH_MATH_TF32;
    expect_choice(&problem, CONVSMITH_SCHEDULE_STORED);
}

static void what_no_other_schedule_takes_is_stored(void **state) {
    (void)state;
    convsmith_problem problem = column(INT32_MAX / 2, 1);
    problem.w = 1 << 17;
    expect_choice(&problem, CONVSMITH_SCHEDULE_STORED);
}

/* Values, moments of parts of 4096 values of each sample and group, and the normalisation. */
static void the_stored_schedule_keeps_the_values_in_the_workspace(void **state) {
    (void)state;
    convsmith_problem problem = column(3, 1000);
    problem.c_in = 1021;
    const size_t values = (size_t)3 * 64 * 1000 * sizeof(float), parts = (64 * 1000 + 4095) / 4096;
    assert_int_equal(expect_choice(&problem, CONVSMITH_SCHEDULE_STORED), values + 3 * parts * 8 + 3 * 64 * 8);
    problem.epilogue = "bias";
    assert_int_equal(expect_choice(&problem, CONVSMITH_SCHEDULE_STORED), 0);
}

static void each_dtype_has_a_generic_kernel(void **state) {
    (void)state;
    convsmith_problem problem = column(3, 1000);
    problem.stride_h = 2;
    problem.conv_groups = 32;
    for (int dtype = CONVSMITH_F32; dtype <= CONVSMITH_BF16; ++dtype) {
        problem.dtype = (convsmith_dtype)dtype;
        expect_choice(&problem, CONVSMITH_SCHEDULE_STORED);
    }
}

/* A resident kernel of a shape that the built-in table lacks. */
static void a_resident_kernel_that_does_not_fit_gives_way_to_the_generic_one(void **state) {
    (void)state;
    const convsmith_kernel row = {
        .info = {.name = "mine",
                 .key = {.c_in = 1021,
                         .kh = 1,
                         .kw = 1,
                         .c_out = 64,
                         .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM,
                         .target = CONVSMITH_TARGET_SM90A},
                 .schedule = CONVSMITH_SCHEDULE_RESIDENT,
                 .tile_w = 256},
    };
    const convsmith_table mine = {.layout = CS_TABLE_LAYOUT, .rows = &row, .count = 1};
    convsmith_problem problem = column(1, 1);
    problem.c_in = 1021;
    problem.w = 1 << 17;
    problem.table = &mine;
    expect_choice(&problem, CONVSMITH_SCHEDULE_STORED);
}

/* ---- What cannot be launched ------------------------------------------------------------------------------------- */

/* The row for sm_80 that the built-in table has for `column`, under another name. */
static convsmith_kernel portable_row(void) {
    const convsmith_key key = {.c_in = 32,
                               .kh = 1,
                               .kw = 1,
                               .c_out = 64,
                               .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM,
                               .target = CONVSMITH_TARGET_SM80};
    const convsmith_kernel *row = convsmith_find(&key);
    if (row == NULL || convsmith_target_supported(CONVSMITH_TARGET_SM80, gpu) != CONVSMITH_OK)
        skip();
    convsmith_kernel mine = *row;
    mine.info.name = "mine";
    return mine;
}

/* Of two rows of one key, which a plan for a column takes. */
static void expect_of_two(const convsmith_kernel *first, const convsmith_kernel *second, const char *name) {
    const convsmith_kernel rows[] = {*first, *second};
    const convsmith_table mine = {
        .layout = CS_TABLE_LAYOUT, .rows = rows, .count = 2, .cuda = convsmith_builtin_table()->cuda};
    convsmith_problem problem = column(2, 100);
    convsmith_plan *plan;
    problem.table = &mine;
    assert_int_equal(convsmith_plan_create(&plan, &problem, gpu), CONVSMITH_OK);
    assert_string_equal(convsmith_kernel_get_info(convsmith_plan_kernel(plan))->name, name);
    convsmith_plan_destroy(plan);
}

static void a_kernel_of_too_much_shared_memory_gives_way_to_the_next(void **state) {
    (void)state;
    convsmith_kernel large = portable_row(), small = portable_row();
    large.info.shared_bytes = 1 << 20;
    small.info.name = "small";
    expect_of_two(&small, &large, "small");
    expect_of_two(&large, &small, "small");
}

static void a_kernel_that_the_runtime_refuses_gives_way_to_the_next(void **state) {
    (void)state;
    convsmith_kernel refused = portable_row(), good = portable_row();
    refused.cuda.convolve = NULL;
    good.info.name = "good";
    expect_of_two(&good, &refused, "good");
    expect_of_two(&refused, &good, "good");
}

/* ---- The order --------------------------------------------------------------------------------------------------- */

enum { COLUMN_ROWS = 100 };

/* Of a slow and a fast row of one key, by what is predicted of them, which a plan for `n` columns takes. The table has
 * times of this device by which the slow one is the faster, at `tuned` columns; 0: it has none. */
static const char *taken_of_slow_and_fast(int64_t n, int64_t tuned, const cs_device_model *model) {
    static convsmith_kernel rows[2];
    static const cs_timing times[] = {{"slow", 1, 0}, {"fast", 2, 0}};
    rows[0] = rows[1] = portable_row();
    rows[0].info.name = "slow";
    rows[1].info.name = "fast";
    rows[0].cost.apply.wait = rows[0].cost.statistics.wait = 1e6f;
    const cs_tuned_problem measured = {
        .n = tuned, .h = COLUMN_ROWS, .w = 1, .groups = 1, .kernels = {times, sizeof times / sizeof *times}};
    const cs_tuned_device known = {*model, &measured, 1};
    const convsmith_table mine = {.layout = CS_TABLE_LAYOUT,
                                  .rows = rows,
                                  .count = 2,
                                  .cuda = convsmith_builtin_table()->cuda,
                                  .tunings = &known,
                                  .tuning_count = tuned > 0};
    convsmith_problem problem = column(n, COLUMN_ROWS);
    problem.table = &mine;
    convsmith_plan *plan;
    assert_int_equal(convsmith_plan_create(&plan, &problem, gpu), CONVSMITH_OK);
    const char *name = convsmith_kernel_get_info(convsmith_plan_kernel(plan))->name;
    convsmith_plan_destroy(plan);
    return name;
}

static cs_device_model this_gpu(void) {
    cs_device_traits traits;
    cs_device_model model;
    if (cs_device_probe(gpu, &traits) != CONVSMITH_OK)
        skip();
    assert_int_equal(cs_identify_model(&traits, &model), CONVSMITH_OK);
    return model;
}

static void the_kernel_that_is_predicted_to_be_faster_is_taken(void **state) {
    (void)state;
    const cs_device_model here = this_gpu();
    assert_string_equal(taken_of_slow_and_fast(8, 0, &here), "fast");
}

static void a_table_s_times_of_this_device_come_before_predictions(void **state) {
    (void)state;
    const cs_device_model here = this_gpu();
    assert_string_equal(taken_of_slow_and_fast(8, 8, &here), "slow");
    assert_string_equal(taken_of_slow_and_fast(8, 32, &here), "slow");
}

static void far_from_a_table_s_times_predictions_hold(void **state) {
    (void)state;
    const cs_device_model here = this_gpu();
    assert_string_equal(taken_of_slow_and_fast(8, 33, &here), "fast");
    assert_string_equal(taken_of_slow_and_fast(8, 1, &here), "fast");
}

static void on_another_device_than_a_table_s_times_predictions_hold(void **state) {
    (void)state;
    cs_device_model other = this_gpu();
    strcpy(other.name, "another GPU");
    assert_string_equal(taken_of_slow_and_fast(8, 8, &other), "fast");
    other = this_gpu();
    other.multiprocessors++;
    assert_string_equal(taken_of_slow_and_fast(8, 8, &other), "fast");
}

/* ---- Strategies -------------------------------------------------------------------------------------------------- */

/* Tensor cores and plain fp32 can both serve this key; the manifest's row asks for neither. */
static void the_first_strategy_is_found_by_the_key(void **state) {
    (void)state;
    const convsmith_key key = {.c_in = 8,
                               .kh = 3,
                               .kw = 3,
                               .c_out = 32,
                               .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM,
                               .target = CONVSMITH_TARGET_SM80};
    const convsmith_kernel_info *info = convsmith_kernel_get_info(convsmith_find(&key));
    if (info == NULL) /* a build without CUDA */
        skip();
    assert_string_equal(info->strategy, "mma3");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resident_kernels_take_more_rows_than_a_launch_has_blocks),
        cmocka_unit_test(resident_kernels_take_more_groups_than_a_launch_has_blocks),
        cmocka_unit_test(what_does_not_stay_on_the_chip_is_recomputed),
        cmocka_unit_test(an_eps_below_fixed_point_is_recomputed),
        cmocka_unit_test(samples_up_to_the_last_number_are_stored),
        cmocka_unit_test(what_no_other_schedule_takes_is_stored),
        cmocka_unit_test(the_stored_schedule_keeps_the_values_in_the_workspace),
        cmocka_unit_test(each_dtype_has_a_generic_kernel),
        cmocka_unit_test(a_resident_kernel_that_does_not_fit_gives_way_to_the_generic_one),
        cmocka_unit_test(a_kernel_of_too_much_shared_memory_gives_way_to_the_next),
        cmocka_unit_test(a_kernel_that_the_runtime_refuses_gives_way_to_the_next),
        cmocka_unit_test(the_kernel_that_is_predicted_to_be_faster_is_taken),
        cmocka_unit_test(a_table_s_times_of_this_device_come_before_predictions),
        cmocka_unit_test(far_from_a_table_s_times_predictions_hold),
        cmocka_unit_test(on_another_device_than_a_table_s_times_predictions_hold),
        cmocka_unit_test(the_first_strategy_is_found_by_the_key),
    };
    return cmocka_run_group_tests_name("plan_cuda", tests, NULL, NULL);
}
