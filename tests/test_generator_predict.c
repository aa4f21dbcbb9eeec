/* SPDX-License-Identifier: Apache-2.0
 *
 * Predicted times in the generator's explanation, with the real profiles and strategies.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "generator_place.h"

#include <stdlib.h>
#include <string.h>

#define ROW                                                                                                            \
    "conv { c_in = 8, kernel = \"3x3\", c_out = 32, epilogue = { \"bias\" }, math = { \"tf32\" }, candidates = 1 }"
#define NORMALISED                                                                                                     \
    "conv { c_in = 8, kernel = \"3x3\", c_out = 32, epilogue = { \"sigmoid\", \"group_norm\" }, math = { \"tf32\" } }"

static void explain(place *p, const char *manifest, const char *arch, const char *problem, const char *json) {
    const char *arguments[12] = {"--home", TEST_SOURCE_DIR, "--manifest", "shapes.lua", "--explain", "--arch", arch};
    size_t count = 7;
    if (problem) {
        arguments[count++] = "--problem";
        arguments[count++] = problem;
    }
    arguments[count++] = json;
    place_write(p, "shapes.lua", manifest);
    place_run(p, arguments);
}

/* The milliseconds of the only prediction. */
static double predicted(place *p, const char *problem) {
    explain(p, ROW, "rtx4090", problem, NULL);
    place_expect(p, 0);
    const char *at = strstr(p->output, " predicted ");
    assert_non_null(at);
    assert_null(strstr(at + 1, " predicted "));
    return strtod(at + strlen(" predicted "), NULL);
}

static void expect_part(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("\"%s\" is missing in\n%s", part, text);
}

static void a_gpu_that_is_not_there_is_predicted(void **state) {
    place *p = *state;
    assert_true(predicted(p, NULL) > 0);
    expect_part(p->output, "    reference     N=16, 8x128x128 -> 32");
}

static void a_problem_has_groups_where_a_normalisation_has_them(void **state) {
    place *p = *state;
    explain(p, ROW, "rtx4090", "1,32,32", NULL);
    expect_part(p->output, "    problem       N=1, 8x32x32 -> 32: ");
    explain(p, NORMALISED, "rtx4090", "1,32,32,4", NULL);
    expect_part(p->output, "    problem       N=1, 8x32x32 -> 32, 4 groups: ");
}

static void another_problem_is_predicted_for_the_same_plan(void **state) {
    place *p = *state;
    const double small = predicted(p, "1,32,32"), large = predicted(p, "64,256,256");
    assert_true(large > 10 * small);
    expect_part(p->output, "    problem       N=64, 8x256x256 -> 32");
}

static void every_launch_of_a_normalisation_is_told(void **state) {
    place *p = *state;
    explain(p, NORMALISED, "a100", NULL, NULL);
    place_expect(p, 0);
    expect_part(p->output, "(statistics ");
    expect_part(p->output, ", merge ");
    expect_part(p->output, ", convolution ");
}

static void groups_of_an_instance_norm_are_its_channels(void **state) {
    place *p = *state;
    explain(p, "conv { c_in = 8, kernel = \"3x3\", c_out = 32, epilogue = { \"instance_norm\" }, math = { \"tf32\" } }",
            "a100", NULL, NULL);
    place_expect(p, 0);
    expect_part(p->output, ", merge ");
}

static void a_problem_that_a_kernel_does_not_take_is_told(void **state) {
    place *p = *state;
    explain(p,
            "conv { c_in = 8, kernel = \"3x3\", c_out = 32, epilogue = { \"sigmoid\", \"group_norm\" }, "
            "math = { \"tf32\" }, schedule = { \"resident\" } }",
            "h200", "1,4000,4000", NULL);
    place_expect(p, 0);
    expect_part(p->output, "predicted no launch: problem: the kernel cannot keep a sample's values on this device");
}

static void json_has_a_number_for_each_launch(void **state) {
    place *p = *state;
    explain(p, ROW, "h200", "2,64,64", "--json");
    place_expect(p, 0);
    static const char *const parts[] = {
        "\"arch\": \"h200\"", "\"n\": 2", "\"h\": 64", "\"seconds\": ", "\"what\": \"convolution\"", "\"bound\": \""};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        expect_part(p->output, parts[i]);
    assert_int_equal(p->output[0], '[');
}

#define TUNED_ROW ROW "\ntuning \"tuning.lua\"\n"
#define TIME_AT(n, us)                                                                                                 \
    "{ n = " #n ", h = 128, w = 128, groups = 0, kernels = { "                                                         \
    "{ name = \"conv_f32_c8_k3x3_o32_b_mma_sm80\", us = " #us ", spread = 0.01 } } },"

static const char record[] =
    "return { format = 1, device = \"NVIDIA H200\", compute_capability = 90, multiprocessors = 132, driver = \"1\",\n"
    "runtime = 13000, version = \"0.1.0\", date = \"2026-11-23\", problems = {\n" TIME_AT(2, 12.34) TIME_AT(12, 66.81)
        TIME_AT(64, 300) "} }\n";

static void a_measured_time_is_told_at_the_nearest_size(void **state) {
    place *p = *state;
    place_write(p, "tuning.lua", record);
    explain(p, TUNED_ROW, "h200", NULL, NULL);
    place_expect(p, 0);
    expect_part(p->output, "\n    measured      0.0668 ms on NVIDIA H200 at 12,128,128\n");
    explain(p, TUNED_ROW, "h200", "1,64,64", NULL);
    place_expect(p, 0);
    expect_part(p->output, "\n    measured      0.0123 ms on NVIDIA H200 at 2,128,128\n");
}

static void a_kernel_that_no_record_has_shows_no_measured_time(void **state) {
    place *p = *state;
    place_write(p, "tuning.lua", record);
    explain(p, "conv { c_in = 9, kernel = \"3x3\", c_out = 32, epilogue = {} }\ntuning \"tuning.lua\"\n", "h200", NULL,
            NULL);
    place_expect(p, 0);
    assert_null(strstr(p->output, "measured"));
}

typedef struct bad_problem {
    const char *name, *manifest, *problem, *message;
} bad_problem;

#define FORM "--problem is N,H,W or N,H,W,GROUPS, whole numbers from 1 on, not '"

static const bad_problem bad_problems[] = {
    {"two_numbers", ROW, "1,2", FORM "1,2'"},
    {"five_numbers", ROW, "1,2,3,4,5", FORM "1,2,3,4,5'"},
    {"words", ROW, "1,two,3", FORM "1,two,3'"},
    {"zero", ROW, "0,64,64", FORM "0,64,64'"},
    {"a_huge_number", ROW, "1,64,4294967296", FORM "1,64,4294967296'"},
    {"an_image_smaller_than_the_kernel", ROW, "1,2,64",
     "--problem is 2 high and 64 wide, which with its padding is smaller than the kernel"},
    {"groups_that_do_not_divide", NORMALISED, "1,64,64,5", "--problem has 5 groups, which do not divide c_out = 32"},
};

static void refuse_problem(void **state) {
    place *p = *state;
    const bad_problem *bad = p->about;
    explain(p, bad->manifest, "h200", bad->problem, NULL);
    place_expect(p, 2);
    expect_part(p->messages, bad->message);
    assert_string_equal(p->output, "");
}

#define IN_A_PLACE(TEST) cmocka_unit_test_setup_teardown(TEST, place_create, place_destroy)

int main(void) {
    enum { PLAIN = 9, BAD = sizeof bad_problems / sizeof *bad_problems };
    struct CMUnitTest tests[PLAIN + BAD] = {
        IN_A_PLACE(a_gpu_that_is_not_there_is_predicted),
        IN_A_PLACE(a_problem_has_groups_where_a_normalisation_has_them),
        IN_A_PLACE(another_problem_is_predicted_for_the_same_plan),
        IN_A_PLACE(every_launch_of_a_normalisation_is_told),
        IN_A_PLACE(groups_of_an_instance_norm_are_its_channels),
        IN_A_PLACE(a_problem_that_a_kernel_does_not_take_is_told),
        IN_A_PLACE(json_has_a_number_for_each_launch),
        IN_A_PLACE(a_measured_time_is_told_at_the_nearest_size),
        IN_A_PLACE(a_kernel_that_no_record_has_shows_no_measured_time),
    };
    for (size_t i = 0; i < BAD; i++)
        tests[PLAIN + i] = (struct CMUnitTest){bad_problems[i].name, refuse_problem, place_create, place_destroy,
                                               (void *)(uintptr_t)&bad_problems[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
