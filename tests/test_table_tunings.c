/* SPDX-License-Identifier: Apache-2.0
 *
 * What the generator's own table for the tests has of a tuning record, manifest/odd_tuning.lua, once it is compiled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/kernel.h"

extern const convsmith_table CS_TEST_TABLE;

static void a_table_has_the_device_of_its_record(void **state) {
    (void)state;
    assert_int_equal(CS_TEST_TABLE.tuning_count, 1);
    const cs_device_model *model = &CS_TEST_TABLE.tunings[0].model;
    assert_string_equal(model->name, "A made-up GPU");
    assert_int_equal(model->compute_capability, 90);
    assert_int_equal(model->multiprocessors, 132);
}

static void a_table_has_the_problems_of_its_record(void **state) {
    (void)state;
    const cs_tuned_device *device = &CS_TEST_TABLE.tunings[0];
    assert_int_equal(device->count, 2);
    const cs_tuned_problem *p = &device->problems[0], *q = &device->problems[1];
    assert_true(p->n == 2 && p->h == 30 && p->w == 40 && p->groups == 5);
    assert_true(q->n == 3 && q->h == 41 && q->w == 50 && q->groups == 0);
}

static void a_table_has_the_times_of_its_record(void **state) {
    (void)state;
    const cs_timings *kernels = &CS_TEST_TABLE.tunings[0].problems[1].kernels;
    assert_int_equal(kernels->count, 2);
    assert_string_equal(kernels->rows[0].name, "generic_f32_sm80");
    assert_true(kernels->rows[0].us == 1 && kernels->rows[0].spread == 0.5);
    assert_string_equal(kernels->rows[1].name, "odd_conv_f32_c3_k7x7_o16_s_ffma_sm80");
    assert_true(kernels->rows[1].us == 3 && kernels->rows[1].spread == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_has_the_device_of_its_record),
        cmocka_unit_test(a_table_has_the_problems_of_its_record),
        cmocka_unit_test(a_table_has_the_times_of_its_record),
    };
    return cmocka_run_group_tests_name("table_tunings", tests, NULL, NULL);
}
