/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference's convolution with strides, padding, dilation, groups and tensors that lie anyhow: against cases that
 * were worked out by hand, and against the formula, an element at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/random.h"
#include "support/reference.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 };

/* y of a problem that init must accept; the number of its elements. */
static int64_t run(const convsmith_problem *problem, const convsmith_params *params, const float *x, double *y) {
    cs_reference reference;
    cs_message message = {""};
    if (!cs_reference_init(&reference, problem, params, x, &message))
        fail_msg("%s", message.text);
    const int64_t count = problem->n * problem->c_out * reference.h_out * reference.w_out;
    assert_true(count <= MOST);
    cs_reference_run(&reference, y, NULL);
    return count;
}

/* ---- By hand ----------------------------------------------------------------------------------------------------- */

static void expect(convsmith_problem problem, const float *weight, const float *x, const double *expected,
                   int64_t count) {
    double y[MOST];
    problem.epilogue = "";
    assert_int_equal(run(&problem, &(convsmith_params){.weight = weight}, x, y), count);
    for (int64_t i = 0; i < count; i++)
        if (y[i] != expected[i])
            fail_msg("element %" PRId64 " is %g, it should be %g", i, y[i], expected[i]);
}

#define EXPECT(PROBLEM, ...)                                                                                           \
    expect(PROBLEM, weight, x, (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

/* x [1, CI, H, W], weight [CO, CI / groups, KH, KW]. */
#define SIZES(CI, H, W, CO, KH, KW) .n = 1, .c_in = CI, .h = H, .w = W, .c_out = CO, .kh = KH, .kw = KW

static const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, weight[] = {1, 10, 100, 1000};

static void a_stride_leaves_places_out(void **state) {
    (void)state;
    EXPECT(((convsmith_problem){SIZES(1, 3, 4, 1, 1, 1), .stride_h = 2, .stride_w = 3}), 1, 4, 9, 12);
}

static void a_stride_rounds_down(void **state) {
    (void)state;
    EXPECT(((convsmith_problem){SIZES(1, 1, 12, 1, 1, 2), .stride_w = 4}), 21, 65, 109);
}

static void padding_is_zeros_around(void **state) {
    (void)state;
    EXPECT(((convsmith_problem){SIZES(1, 1, 3, 1, 1, 2), .pad_w = 1}), 10, 21, 32, 3);
    EXPECT(((convsmith_problem){SIZES(1, 2, 1, 1, 2, 1), .pad_h = 1}), 10, 21, 2);
    EXPECT(((convsmith_problem){SIZES(1, 1, 1, 1, 1, 1), .pad_h = 1, .pad_w = 1}), 0, 0, 0, 0, 1, 0, 0, 0, 0);
}

static void a_dilation_spreads_the_taps(void **state) {
    (void)state;
    EXPECT(((convsmith_problem){SIZES(1, 1, 5, 1, 1, 2), .dilation_w = 3}), 41, 52);
    EXPECT(((convsmith_problem){SIZES(1, 5, 1, 1, 2, 1), .dilation_h = 4}), 51);
}

static void groups_see_their_own_channels(void **state) {
    (void)state;
    EXPECT(((convsmith_problem){SIZES(4, 1, 1, 2, 1, 1), .conv_groups = 2}), 21, 4300);
    EXPECT(((convsmith_problem){SIZES(2, 1, 2, 4, 1, 1), .conv_groups = 2}), 1, 2, 10, 20, 300, 400, 3000, 4000);
}

static void an_expanded_x_is_read_again(void **state) {
    (void)state;
    EXPECT(((convsmith_problem){SIZES(1, 2, 3, 1, 1, 1), .x_strides = {0, 0, 0, 1}}), 1, 2, 3, 1, 2, 3);
}

static void a_weight_in_the_padding_is_not_looked_at(void **state) {
    (void)state;
    const float none[] = {NAN, 1};
    const convsmith_problem problem = {SIZES(1, 1, 2, 1, 1, 2), .pad_w = 1, .epilogue = ""};
    double y[MOST];
    run(&problem, &(convsmith_params){.weight = none}, x, y);
    assert_true(y[0] == 1 && isnan(y[1]) && isnan(y[2]));
}

/* ---- By the formula ---------------------------------------------------------------------------------------------- */

/* How the elements of a tensor lie: from the slowest index to the fastest, each with room for some more. */
static void lay(int64_t strides[4], const int64_t sizes[4], cs_random *random) {
    int order[] = {0, 1, 2, 3};
    int64_t stride = 1;
    for (int i = 3; i >= 0; i--) {
        const int other = (int)cs_random_whole(random, 0, i), index = order[other];
        order[other] = order[i];
        strides[index] = stride;
        stride *= sizes[index] + cs_random_whole(random, 0, 1);
    }
}

static convsmith_problem random_problem(cs_random *random) {
    convsmith_problem p = {.n = cs_random_whole(random, 1, 2),
                           .h = cs_random_whole(random, 1, 8),
                           .w = cs_random_whole(random, 1, 8),
                           .kh = cs_random_whole(random, 1, 3),
                           .kw = cs_random_whole(random, 1, 3),
                           .stride_h = cs_random_whole(random, 0, 3),
                           .stride_w = cs_random_whole(random, 0, 3),
                           .pad_h = cs_random_whole(random, 0, 4),
                           .pad_w = cs_random_whole(random, 0, 4),
                           .dilation_h = cs_random_whole(random, 0, 3),
                           .dilation_w = cs_random_whole(random, 0, 3),
                           .conv_groups = cs_random_whole(random, 0, 3),
                           .epilogue = ""};
    const int64_t groups = p.conv_groups ? p.conv_groups : 1;
    p.c_in = groups * cs_random_whole(random, 1, 3);
    p.c_out = groups * cs_random_whole(random, 1, 3);
    return p;
}

/* x at row i and column j of a channel, 0 around it. */
static double padded(const convsmith_problem *p, const float *values, int64_t n, int64_t c, int64_t i, int64_t j) {
    const int64_t *s = p->x_strides;
    if (i < 0 || i >= p->h || j < 0 || j >= p->w)
        return 0;
    return (double)values[n * s[0] + c * s[1] + i * s[2] + j * s[3]];
}

/* One element of y, of a problem in full. */
static double formula(const convsmith_problem *p, const convsmith_params *params, const float *values, int64_t n,
                      int64_t k, int64_t row, int64_t column) {
    const int64_t *s = params->weight_strides, channels = p->c_in / p->conv_groups;
    double z = 0;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t i = 0; i < p->kh; i++)
            for (int64_t j = 0; j < p->kw; j++)
                z += (double)((const float *)params->weight)[k * s[0] + c * s[1] + i * s[2] + j * s[3]] *
                     padded(p, values, n, k / (p->c_out / p->conv_groups) * channels + c,
                            row * p->stride_h - p->pad_h + i * p->dilation_h,
                            column * p->stride_w - p->pad_w + j * p->dilation_w);
    return z;
}

static void compare(const convsmith_problem *problem, const convsmith_params *params, const float *values) {
    const convsmith_problem p = cs_problem_in_full(problem);
    const int64_t h_out = cs_problem_h_out(&p), w_out = cs_problem_w_out(&p);
    double y[MOST];
    const int64_t count = run(problem, params, values, y);
    assert_int_equal(count, p.n * p.c_out * h_out * w_out);
    for (int64_t i = 0; i < count; i++) {
        const int64_t plane = i / (h_out * w_out);
        const double expected =
            formula(&p, params, values, plane / p.c_out, plane % p.c_out, i / w_out % h_out, i % w_out);
        if (y[i] != expected)
            fail_msg("element %" PRId64 " is %g, it should be %g", i, y[i], expected);
    }
}

static void every_problem_agrees_with_the_formula(void **state) {
    (void)state;
    static float values[MOST], weights[MOST];
    cs_random random = {11};
    int tried = 0;
    for (int i = 0; i < MOST; i++) {
        values[i] = (float)cs_random_whole(&random, -9, 9);
        weights[i] = (float)cs_random_whole(&random, -9, 9);
    }
    while (tried < 300) {
        convsmith_problem p = random_problem(&random);
        const convsmith_problem full = cs_problem_in_full(&p);
        if (cs_problem_h_out(&full) < 1 || cs_problem_w_out(&full) < 1)
            continue;
        convsmith_params params = {.weight = weights};
        const int64_t sizes[] = {full.c_out, full.c_in / full.conv_groups, full.kh, full.kw};
        lay(p.x_strides, (const int64_t[]){p.n, p.c_in, p.h, p.w}, &random);
        lay(params.weight_strides, sizes, &random);
        compare(&p, &params, values);
        tried++;
    }
}

/* ---- What it refuses --------------------------------------------------------------------------------------------- */

static void assert_refused(const convsmith_problem *problem, const char *expected) {
    cs_reference reference;
    cs_message message = {""};
    assert_false(cs_reference_init(&reference, problem, &(convsmith_params){.weight = weight}, x, &message));
    if (!strstr(message.text, expected))
        fail_msg("the message should say '%s', it is: %s", expected, message.text);
}

static void problems_that_cannot_be_are_refused(void **state) {
    (void)state;
    assert_refused(&(convsmith_problem){SIZES(1, 3, 3, 1, 2, 1), .dilation_h = 3, .epilogue = ""},
                   "smaller than the kernel");
    assert_refused(&(convsmith_problem){SIZES(3, 1, 1, 2, 1, 1), .conv_groups = 2, .epilogue = ""},
                   "conv_groups must divide");
    assert_refused(&(convsmith_problem){SIZES(1, 1, 1, 1, 1, 1), .pad_w = -1, .epilogue = ""}, "padding 0 or more");
    assert_refused(&(convsmith_problem){SIZES(1, 1, 1, 1, 1, 1), .stride_w = -1, .epilogue = ""}, "must be positive");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stride_leaves_places_out),
        cmocka_unit_test(a_stride_rounds_down),
        cmocka_unit_test(padding_is_zeros_around),
        cmocka_unit_test(a_dilation_spreads_the_taps),
        cmocka_unit_test(groups_see_their_own_channels),
        cmocka_unit_test(an_expanded_x_is_read_again),
        cmocka_unit_test(a_weight_in_the_padding_is_not_looked_at),
        cmocka_unit_test(every_problem_agrees_with_the_formula),
        cmocka_unit_test(problems_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests_name("reference_conv", tests, NULL, NULL);
}
