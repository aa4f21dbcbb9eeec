/* SPDX-License-Identifier: Apache-2.0
 *
 * What a plan chooses by a tuning record, loaded or of its table, on the CPU, among the kernels of a made-up table. No
 * plan here runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/candidates.h"
#include "src/kernel.h"
#include "src/tuning.h"

#include <string.h>

static const convsmith_device cpu = {CONVSMITH_DEVICE_CPU, 0};

enum { ROWS = 3 };

/* A table with three kernels of one key, in the planner's order, and a record of this CPU. */
typedef struct fixture {
    convsmith_kernel rows[ROWS];
    convsmith_table table;
    convsmith_problem problem;
    convsmith_tuning *tuning;
    cs_tuned_device known;
} fixture;

static cs_identity this_cpu(void) {
    cs_identity identity;
    const cs_device_traits traits = {.device = cpu};
    assert_int_equal(cs_identify(&traits, &identity), CONVSMITH_OK);
    return identity;
}

static int set_up(void **state) {
    static fixture f;
    static const char *const names[ROWS] = {"first", "second", "third"};
    const convsmith_key key = {
        .c_in = 3, .kh = 3, .kw = 3, .c_out = 16, .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM};
    for (int i = 0; i < ROWS; ++i) {
        f.rows[i] = *convsmith_find(&key);
        f.rows[i].info.name = names[i];
    }
    f.table = (convsmith_table){.layout = CS_TABLE_LAYOUT, .rows = f.rows, .count = ROWS};
    const cs_identity identity = this_cpu();
    assert_int_equal(cs_tuning_create(&f.tuning, &identity), CONVSMITH_OK);
    f.problem = (convsmith_problem){.n = 2,
                                    .c_in = 3,
                                    .h = 12,
                                    .w = 12,
                                    .c_out = 16,
                                    .kh = 3,
                                    .kw = 3,
                                    .groups = 4,
                                    .eps = 1e-5f,
                                    .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM,
                                    .table = &f.table,
                                    .tuning = f.tuning};
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    convsmith_tuning_destroy(((fixture *)*state)->tuning);
    return 0;
}

/* Lets one kernel be the faster of two at a size, x being square. */
static void record(fixture *f, int64_t n, int64_t size, const char *fast, const char *slow) {
    cs_timing rows[] = {{slow, 20, 0}, {fast, 10, 0}};
    const cs_tuned_problem problem = {.n = n, .h = size, .w = size, .groups = 4, .kernels = {rows, 2}};
    assert_int_equal(cs_tuning_put(f->tuning, &problem), CONVSMITH_OK);
}

/* Lets the table have the record as it is now, in place of a program that loads it. */
static void give_to_table(fixture *f) {
    f->known = (cs_tuned_device){f->tuning->identity.model, f->tuning->problems, f->tuning->count};
    f->table.tunings = &f->known;
    f->table.tuning_count = 1;
    f->problem.tuning = NULL;
}

static void expect(const fixture *f, const char *name) {
    convsmith_plan *plan;
    if (convsmith_plan_create(&plan, &f->problem, cpu) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    assert_string_equal(convsmith_kernel_get_info(convsmith_plan_kernel(plan))->name, name);
    convsmith_plan_destroy(plan);
}

static void without_a_record_the_planner_s_first_is_chosen(void **state) {
    fixture *f = *state;
    f->problem.tuning = NULL;
    record(f, 2, 12, "second", "first");
    expect(f, "first");
}

static void the_fastest_of_the_record_is_chosen(void **state) {
    fixture *f = *state;
    record(f, 2, 12, "third", "first");
    expect(f, "third");
}

/* The fastest of the record takes no such problem: as many blocks as it has pixels. */
static void the_next_of_the_record_comes_before_kernels_without_a_time(void **state) {
    fixture *f = *state;
    record(f, 4, 1 << 15, "second", "third");
    f->rows[1].info.tile_h = f->rows[1].info.tile_w = 1;
    f->problem.n = 4;
    f->problem.h = f->problem.w = 1 << 15;
    expect(f, "third");
}

static void where_no_kernel_of_the_record_serves_the_planner_s_order_holds(void **state) {
    fixture *f = *state;
    record(f, 4, 1 << 15, "third", "conv_of_another_table");
    f->rows[2].info.tile_h = f->rows[2].info.tile_w = 1;
    f->problem.n = 4;
    f->problem.h = f->problem.w = 1 << 15;
    expect(f, "first");
}

static void a_record_of_other_kernels_leaves_the_planner_s_order(void **state) {
    fixture *f = *state;
    record(f, 2, 12, "conv_of_another_table", "conv_of_another_shape");
    expect(f, "first");
}

/* Outputs of a channel: 8 * 100, against 200, 100, 3200 and 3300. */
static void a_size_more_than_four_times_as_large_or_small_says_nothing(void **state) {
    fixture *f = *state;
    record(f, 8, 12, "second", "first");
    expect(f, "second");
    f->problem.n = 1;
    expect(f, "first");
    f->problem.n = 32;
    expect(f, "second");
    f->problem.n = 33;
    expect(f, "first");
}

/* Outputs of a channel: 2 * 100, against 1 * 100 and 2 * 576. */
static void the_nearest_recorded_size_decides(void **state) {
    fixture *f = *state;
    record(f, 1, 12, "second", "first");
    record(f, 2, 26, "third", "first");
    expect(f, "second");
    f->problem.n = 8;
    expect(f, "third");
}

/* 4 * 100 outputs each: that with samples of this size decides, wherever it stands. */
static void of_sizes_equally_near_that_of_such_samples_decides(void **state) {
    fixture *f = *state;
    record(f, 1, 22, "second", "first");
    record(f, 4, 12, "third", "first");
    f->problem.n = 4;
    expect(f, "third");
    f->problem.n = 1;
    f->problem.h = f->problem.w = 22;
    expect(f, "second");
}

static void a_generic_kernel_s_time_says_nothing_of_another_shape(void **state) {
    fixture *f = *state;
    convsmith_plan *plan;
    convsmith_problem other = f->problem;
    other.c_in = 1021;
    assert_int_equal(convsmith_plan_create(&plan, &other, cpu), CONVSMITH_OK);
    const char *generic = convsmith_kernel_get_info(convsmith_plan_kernel(plan))->name;
    convsmith_plan_destroy(plan);
    record(f, 2, 12, generic, "conv_of_another_shape");
    expect(f, "first");
    record(f, 2, 12, generic, "second");
    expect(f, generic);
}

static void expect_other_device(fixture *f, const char *words) {
    convsmith_plan *plan;
    assert_int_equal(convsmith_plan_create(&plan, &f->problem, cpu), CONVSMITH_INVALID_ARGUMENT);
    assert_null(plan);
    if (strstr(convsmith_detail(), words) == NULL)
        fail_msg("it should say '%s', it said: %s", words, convsmith_detail());
}

static void a_record_of_another_device_is_refused(void **state) {
    fixture *f = *state;
    const cs_identity here = f->tuning->identity;
    strcpy(f->tuning->identity.model.name, "NVIDIA H200");
    f->tuning->identity.model.compute_capability = 90;
    f->tuning->identity.model.multiprocessors = 132;
    expect_other_device(f, "problem->tuning is a record of NVIDIA H200 (compute capability 9.0, 132 multiprocessors), "
                           "but the device is ");
    f->tuning->identity = here;
    f->tuning->identity.model.compute_capability = 90;
    expect_other_device(f, "problem->tuning is a record of");
    f->tuning->identity = here;
    f->tuning->identity.model.multiprocessors = 132;
    expect_other_device(f, "problem->tuning is a record of");
}

static void another_driver_and_version_do_not_matter(void **state) {
    fixture *f = *state;
    strcpy(f->tuning->identity.driver, "1.0");
    strcpy(f->tuning->identity.version, "0.0.1");
    f->tuning->identity.runtime = 1;
    record(f, 2, 12, "third", "first");
    expect(f, "third");
}

/* ---- Of the table ------------------------------------------------------------------------------------------------ */

static void the_fastest_of_the_table_s_times_is_chosen(void **state) {
    fixture *f = *state;
    record(f, 2, 12, "third", "first");
    give_to_table(f);
    expect(f, "third");
}

static void the_nearest_size_of_the_table_s_times_decides(void **state) {
    fixture *f = *state;
    record(f, 1, 12, "second", "first");
    record(f, 2, 26, "third", "first");
    give_to_table(f);
    expect(f, "second");
    f->problem.n = 8;
    expect(f, "third");
    f->problem.n = 800;
    expect(f, "first");
}

static void the_table_s_times_of_another_device_are_passed_over(void **state) {
    fixture *f = *state;
    record(f, 2, 12, "third", "first");
    give_to_table(f);
    const cs_device_model here = f->known.model;
    strcpy(f->known.model.name, "another CPU");
    expect(f, "first");
    f->known.model = here;
    f->known.model.compute_capability = 90;
    expect(f, "first");
    f->known.model = here;
    f->known.model.multiprocessors = 132;
    expect(f, "first");
}

static void of_several_devices_a_table_s_times_of_this_one_count(void **state) {
    fixture *f = *state;
    record(f, 2, 12, "third", "first");
    give_to_table(f);
    cs_tuned_device devices[] = {f->known, f->known, f->known};
    const cs_timing rows[] = {{"second", 1, 0}, {"first", 2, 0}};
    const cs_tuned_problem other = {.n = 2, .h = 12, .w = 12, .groups = 4, .kernels = {rows, 2}};
    strcpy(devices[0].model.name, "another CPU");
    strcpy(devices[2].model.name, "yet another CPU");
    devices[0].problems = devices[2].problems = &other;
    f->table.tunings = devices;
    f->table.tuning_count = 3;
    expect(f, "third");
}

/* The generic kernel is one of the built-in table's. */
static void a_caller_s_table_stays_before_the_built_in_one(void **state) {
    fixture *f = *state;
    const cs_device_traits traits = {.device = cpu};
    cs_settled settled;
    cs_candidates candidates;
    assert_int_equal(cs_problem_settle(&f->problem, &settled), CONVSMITH_OK);
    assert_int_equal(cs_candidates_find(&candidates, &settled, &traits), CONVSMITH_OK);
    const char *generic = candidates.rows[candidates.count - 1].kernel->info.name;
    cs_candidates_free(&candidates);
    record(f, 2, 12, generic, "second");
    expect(f, generic);
    give_to_table(f);
    expect(f, "second");
}

static void a_loaded_record_comes_before_the_table_s_times(void **state) {
    fixture *f = *state;
    convsmith_tuning *loaded = f->tuning;
    record(f, 2, 12, "second", "first");
    const cs_identity identity = this_cpu();
    assert_int_equal(cs_tuning_create(&f->tuning, &identity), CONVSMITH_OK);
    record(f, 2, 12, "third", "first");
    record(f, 2, 100, "third", "first");
    give_to_table(f);
    f->problem.tuning = loaded;
    expect(f, "second");
    /* Where it says nothing the table's hold. */
    f->problem.h = f->problem.w = 100;
    expect(f, "third");
    convsmith_tuning_destroy(loaded);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_record_the_planner_s_first_is_chosen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_fastest_of_the_record_is_chosen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_next_of_the_record_comes_before_kernels_without_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(where_no_kernel_of_the_record_serves_the_planner_s_order_holds, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_record_of_other_kernels_leaves_the_planner_s_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_size_more_than_four_times_as_large_or_small_says_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_nearest_recorded_size_decides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_sizes_equally_near_that_of_such_samples_decides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_generic_kernel_s_time_says_nothing_of_another_shape, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_record_of_another_device_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_driver_and_version_do_not_matter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_fastest_of_the_table_s_times_is_chosen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_nearest_size_of_the_table_s_times_decides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_table_s_times_of_another_device_are_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_several_devices_a_table_s_times_of_this_one_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_caller_s_table_stays_before_the_built_in_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_loaded_record_comes_before_the_table_s_times, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("tuning_choice", tests, NULL, NULL);
}
