/* SPDX-License-Identifier: Apache-2.0
 *
 * How CPU kernels copy rows of x at the end of what an int can number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CS_LANES 4
#include <device/host_vector.h>

enum { SIZE = 8 };

/* The last elements of a row of so many, which begins so far in front of them. */
static float row_end[SIZE] = {1, 2, 3, 4, 5, 6, 7, 8};

/* Copies from `back` elements in front of the end of a row of INT32_MAX on, as many as `expected` has. */
static void expect(int back, int step, const float *expected, int count) {
    const cs_conv_args args = {.x = row_end, .w = INT32_MAX};
    float copied[SIZE];
    cs_copy_row(copied, &args, CS_F32, SIZE - (int64_t)INT32_MAX, (int64_t)INT32_MAX - back, step, count);
    for (int i = 0; i < count; ++i)
        assert_float_equal(copied[i], expected[i], 0);
}

static void the_end_of_the_longest_row_is_copied(void **state) {
    (void)state;
    expect(3, 1, (const float[]){6, 7, 8, 0, 0}, 5);
}

static void so_is_every_second_element_of_it(void **state) {
    (void)state;
    expect(7, 2, (const float[]){2, 4, 6, 8, 0, 0}, 6);
}

static void what_begins_behind_it_is_zero(void **state) {
    (void)state;
    expect(-70, 64, (const float[]){0, 0}, 2);
}

static void outputs_begin_where_no_int_reaches(void **state) {
    (void)state;
    assert_true(cs_begin(33554431, 64, 1) == (int64_t)33554431 * 64 - 1);
    assert_true(cs_begin(33554432, 64, 1) == ((int64_t)1 << 31) - 1);
    assert_true(cs_begin(33554433, 64, 1) == ((int64_t)1 << 31) + 63);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_the_longest_row_is_copied),
        cmocka_unit_test(so_is_every_second_element_of_it),
        cmocka_unit_test(what_begins_behind_it_is_zero),
        cmocka_unit_test(outputs_begin_where_no_int_reaches),
    };
    return cmocka_run_group_tests_name("host_patch", tests, NULL, NULL);
}
