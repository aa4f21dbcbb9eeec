/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference against cases that were worked out by hand, and the bounds that kernels are held to: they let correct
 * fp32 arithmetic pass and stop the mistakes that they are there for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/compare.h"
#include "support/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

/* Parameters with these steps, an array. */
#define WITH_STEPS(...)                                                                                                \
    .steps = (const convsmith_step[]){__VA_ARGS__},                                                                    \
    .step_count = sizeof((const convsmith_step[]){__VA_ARGS__}) / sizeof(convsmith_step)
#define VALUES(...)                                                                                                    \
    {                                                                                                                  \
        .values = { __VA_ARGS__ }                                                                                      \
    }

/* x [N, CI, H, W], weight [CO, CI, KH, KW]. */
#define SIZES(N, CI, H, W, CO, KH, KW) .n = N, .c_in = CI, .h = H, .w = W, .c_out = CO, .kh = KH, .kw = KW

/* y of a problem that init must accept. */
static void run(const convsmith_problem *problem, const convsmith_params *params, const void *x, double y[MOST]) {
    cs_reference reference;
    cs_message message = {""};
    if (!cs_reference_init(&reference, problem, params, x, &message))
        fail_msg("%s", message.text);
    assert_true(problem->n * problem->c_out * reference.h_out * reference.w_out <= MOST);
    cs_reference_run(&reference, y, NULL);
}

static void assert_close(const double *y, const double *expected, int count) {
    for (int i = 0; i < count; i++)
        if (!(fabs(y[i] - expected[i]) <= 1e-12))
            fail_msg("element %d is %.17g, it should be %.17g", i, y[i], expected[i]);
}

/* ---- The convolution --------------------------------------------------------------------------------------------- */

static void a_window_is_multiplied_and_summed(void **state) {
    (void)state;
    const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, weight[] = {1, 10, 100, 1000};
    const convsmith_problem problem = {SIZES(1, 1, 3, 3, 1, 2, 2), .epilogue = ""};
    double y[MOST];
    run(&problem, &(convsmith_params){.weight = weight}, x, y);
    assert_close(y, (const double[]){5421, 6532, 8754, 9865}, 4);
}

static void rows_and_columns_are_told_apart(void **state) {
    (void)state;
    const float x[] = {1, 2, 3, 4, 5, 6}, weight[] = {1, 10, 100};
    const convsmith_problem problem = {SIZES(1, 1, 2, 3, 1, 1, 3), .epilogue = ""};
    double y[MOST];
    run(&problem, &(convsmith_params){.weight = weight}, x, y);
    assert_close(y, (const double[]){321, 654}, 2);
}

static void channels_and_samples_are_told_apart(void **state) {
    (void)state;
    const float x[] = {1, 2, 3, 4, 5, 6, 7, 8}; /* [2 samples][2 channels][1][2] */
    const float weight[] = {1, 10, 100, 1000};  /* [2 out][2 in] */
    const convsmith_problem problem = {SIZES(2, 2, 1, 2, 2, 1, 1), .epilogue = ""};
    double y[MOST];
    run(&problem, &(convsmith_params){.weight = weight}, x, y);
    assert_close(y, (const double[]){31, 42, 3100, 4200, 75, 86, 7500, 8600}, 8);
}

/* ---- The epilogue ------------------------------------------------------------------------------------------------ */

/* One pixel, z = 2, and the chain's pointwise steps. */
static double pointwise(const char *text) {
    static const float x[] = {2}, weight[] = {1}, conv_bias[] = {3}, bias[] = {5}, scale[] = {7};
    const void *const given[] = {[CS_STEP_BIAS] = conv_bias,
                                 [CS_STEP_ADD_CHANNEL] = bias,
                                 [CS_STEP_MUL_CHANNEL] = scale,
                                 [CS_STEP_MUL_INPUT_OF] = NULL};
    convsmith_step steps[CS_MAX_STEPS] = {0};
    cs_chain chain;
    double y[MOST];
    assert_true(cs_chain_read(text, &chain, NULL));
    for (int i = 0; i < chain.count; i++)
        steps[i].values[0] = given[chain.steps[i].step];
    const convsmith_params params = {.weight = weight, .steps = steps, .step_count = (size_t)chain.count};
    const convsmith_problem problem = {SIZES(1, 1, 1, 1, 1, 1, 1), .epilogue = text};
    run(&problem, &params, x, y);
    return y[0];
}

static void steps_are_applied_in_their_order(void **state) {
    (void)state;
    assert_true(pointwise("") == 2);
    assert_true(pointwise("bias") == 5);
    assert_true(pointwise("add_channel") == 7);
    assert_true(pointwise("mul_channel") == 14);
    assert_true(pointwise("bias+mul_channel") == 35);
    assert_true(pointwise("mul_channel+bias") == 17);
    assert_true(pointwise("bias+mul_channel+add_channel") == 40);
    assert_true(fabs(pointwise("sigmoid+mul_channel") - 7 / (1 + exp(-2))) < 1e-15);
}

static void a_sigmoid_has_its_known_values(void **state) {
    (void)state;
    const float x[] = {0, 1, -1, 1000, -1000, INFINITY, -INFINITY}, weight[] = {1};
    const convsmith_problem problem = {SIZES(1, 1, 1, 7, 1, 1, 1), .epilogue = "sigmoid"};
    double y[MOST];
    run(&problem, &(convsmith_params){.weight = weight, WITH_STEPS(VALUES(NULL))}, x, y);
    assert_close(y, (const double[]){0.5, 0.7310585786300049, 0.2689414213699951, 1, 0, 1, 0}, 7);
}

static const float ones[4] = {1, 1, 1, 1}, zeros[4] = {0, 0, 0, 0};

/* With eps = 3 and a variance of 1 a deviation is halved: had the variance been divided by n - 1, it were not. */
static void the_variance_is_the_biased_one(void **state) {
    (void)state;
    const float x[] = {1, 3}, norm_weight[] = {10}, norm_bias[] = {100};
    const convsmith_params params = {.weight = ones, WITH_STEPS(VALUES(norm_weight, norm_bias))};
    const convsmith_problem problem = {SIZES(1, 1, 1, 2, 1, 1, 1), .groups = 1, .eps = 3, .epilogue = "group_norm"};
    double y[MOST];
    run(&problem, &params, x, y);
    assert_close(y, (const double[]){95, 105}, 2);
}

/* y of 2 samples, 2 channels, 1x2 pixels: each element of either tensor has its place. */
static void tensors_are_added_element_by_element(void **state) {
    (void)state;
    const float x[] = {1, 2, 3, 4}, first[] = {0, 1, 2, 3, 4, 5, 6, 7}, second[] = {10, 20, 30, 40, 50, 60, 70, 80};
    const float weight[] = {1, 100};
    const convsmith_params params = {.weight = weight, WITH_STEPS(VALUES(NULL), VALUES(NULL), VALUES(NULL))};
    const convsmith_problem problem = {SIZES(2, 1, 1, 2, 2, 1, 1), .epilogue = "add_tensor+square+add_tensor"};
    const void *const tensors[] = {first, second};
    cs_reference r;
    double y[MOST];
    assert_true(cs_reference_init(&r, &problem, &params, x, NULL));
    r.tensors = tensors;
    cs_reference_run(&r, y, NULL);
    assert_close(y,
                 (const double[]){1 + 10, 9 + 20, 102 * 102 + 30, 203 * 203 + 40, 49 + 50, 81 + 60, 306 * 306 + 70,
                                  407 * 407 + 80},
                 8);
}

/* ((2 + 3) * 7 + 5) * (2 + 3) * ((2 + 3) * 7) */
static void an_input_is_what_its_step_received(void **state) {
    (void)state;
    assert_true(pointwise("bias+mul_channel+add_channel+mul_input_of(2)+mul_input_of(3)") == 40 * 5 * 35);
}

/* Normalised, 1 and 3 are -1/2 and 1/2; times 10 and squared: 25 each, times the normalised value. */
static void an_input_may_be_what_the_normalisation_made(void **state) {
    (void)state;
    const float x[] = {1, 3}, scale[] = {10};
    const convsmith_params params = {.weight = ones,
                                     WITH_STEPS(VALUES(ones, zeros), VALUES(scale), VALUES(NULL), VALUES(NULL))};
    const convsmith_problem problem = {SIZES(1, 1, 1, 2, 1, 1, 1), .groups = 1, .eps = 3,
                                       .epilogue = "group_norm+mul_channel+square+mul_input_of(2)"};
    double y[MOST];
    run(&problem, &params, x, y);
    assert_close(y, (const double[]){-12.5, 12.5}, 2);
}

/* Normalised, 1 and 3 are -1/2 and 1/2; made ten times as great and shifted, -2 and 8. */
static void steps_behind_a_normalisation_come_last(void **state) {
    (void)state;
    const float x[] = {1, 3}, scale[] = {10}, shift[] = {3};
    const convsmith_params params = {
        .weight = ones, WITH_STEPS(VALUES(ones, zeros), VALUES(scale), VALUES(shift), VALUES(NULL), VALUES(scale))};
    const convsmith_problem problem = {SIZES(1, 1, 1, 2, 1, 1, 1), .groups = 1, .eps = 3,
                                       .epilogue = "group_norm+mul_channel+bias+relu+mul_channel"};
    double y[MOST];
    run(&problem, &params, x, y);
    assert_close(y, (const double[]){0, 80}, 2);
}

/* Four channels of one pixel: 1, 3 and 10, 14 in two groups; a single group would mix them. */
static void groups_are_neighbouring_channels(void **state) {
    (void)state;
    const float x[] = {1}, weight[] = {1, 3, 10, 14};
    const convsmith_params params = {.weight = weight, WITH_STEPS(VALUES(ones, zeros))};
    const convsmith_problem problem = {SIZES(1, 1, 1, 1, 4, 1, 1), .groups = 2, .eps = 3, .epilogue = "group_norm"};
    double y[MOST];
    run(&problem, &params, x, y);
    assert_close(y, (const double[]){-0.5, 0.5, -2 / sqrt(7), 2 / sqrt(7)}, 4);
}

/* Each sample of its own: the second is the first times 2, far from eps, so both normalise to the same. */
static void samples_are_normalised_apart(void **state) {
    (void)state;
    const float x[] = {1, 3, 2, 6};
    const convsmith_params params = {.weight = ones, WITH_STEPS(VALUES(ones, zeros))};
    const convsmith_problem problem = {SIZES(2, 1, 1, 2, 1, 1, 1), .groups = 1, .eps = 1e-30f,
                                       .epilogue = "group_norm"};
    double y[MOST];
    run(&problem, &params, x, y);
    assert_close(y, (const double[]){-1, 1, -1, 1}, 4);
}

/* The whole chain, two channels in one group: logits 0 and ln 3, sigmoids 1/2 and 3/4, mean 5/8, variance 1/64. */
static void the_whole_chain_by_hand(void **state) {
    (void)state;
    const float x[] = {1}, weight[] = {1, 1}, conv_bias[] = {2, 2}, bias[] = {-3, -2},
                scale[] = {5, 1.0986122886681098f};
    const float norm_weight[] = {1, 2}, norm_bias[] = {0, 10};
    const convsmith_params params = {
        .weight = weight,
        WITH_STEPS(VALUES(conv_bias), VALUES(bias), VALUES(scale), VALUES(NULL), VALUES(norm_weight, norm_bias))};
    const convsmith_problem problem = {SIZES(1, 1, 1, 1, 2, 1, 1), .groups = 1, .eps = 1e-30f,
                                       .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM};
    double y[MOST];
    run(&problem, &params, x, y);
    assert_true(fabs(y[0] - -1) < 1e-7 && fabs(y[1] - 12) < 1e-6);
}

static void not_a_number_stays_in_its_group(void **state) {
    (void)state;
    const float x[] = {1}, weight[] = {1, NAN, 10, 14};
    const convsmith_params params = {.weight = weight, WITH_STEPS(VALUES(ones, zeros))};
    const convsmith_problem problem = {SIZES(1, 1, 1, 1, 4, 1, 1), .groups = 2, .eps = 3, .epilogue = "group_norm"};
    double y[MOST];
    run(&problem, &params, x, y);
    assert_true(isnan(y[0]) && isnan(y[1]) && isfinite(y[2]) && isfinite(y[3]));
}

static void an_infinity_times_zero_is_not_a_number(void **state) {
    (void)state;
    const float x[] = {INFINITY, 1}, weight[] = {0};
    const convsmith_problem problem = {SIZES(1, 1, 1, 2, 1, 1, 1), .epilogue = "sigmoid"};
    double y[MOST];
    run(&problem, &(convsmith_params){.weight = weight, WITH_STEPS(VALUES(NULL))}, x, y);
    assert_true(isnan(y[0]) && y[1] == 0.5);
}

/* ---- Elements of 16 bits ----------------------------------------------------------------------------------------- */

/* x = 1.5, 2 and conv_bias = -1 in bf16. */
static const uint16_t bf16_x[] = {0x3fc0, 0x4000}, bf16_minus_one[] = {0xbf80};

static void tensors_and_parameters_are_of_their_own_dtypes(void **state) {
    (void)state;
    const float weight[] = {3}, conv_bias[] = {0.125f + 0x1p-20f};
    const uint16_t bf16_weight[] = {0x4040};
    convsmith_problem problem = {SIZES(1, 1, 1, 2, 1, 1, 1), .dtype = CONVSMITH_BF16, .epilogue = "bias"};
    double y[MOST];
    run(&problem, &(convsmith_params){.weight = weight, WITH_STEPS(VALUES(conv_bias))}, bf16_x, y);
    assert_close(y, (const double[]){4.625 + 0x1p-20, 6.125 + 0x1p-20}, 2); /* the bias is not rounded */
    run(&problem,
        &(convsmith_params){.weight = bf16_weight, WITH_STEPS(VALUES(bf16_minus_one)), .dtype = CONVSMITH_BF16}, bf16_x,
        y);
    assert_close(y, (const double[]){3.5, 5}, 2);
    problem.dtype = CONVSMITH_F16; /* the same bits: 1.9375 and 2 */
    run(&problem, &(convsmith_params){.weight = weight, WITH_STEPS(VALUES(zeros))}, bf16_x, y);
    assert_close(y, (const double[]){5.8125, 6}, 2);
}

static void weights_of_f32_are_rounded_to_the_tensors_dtype(void **state) {
    (void)state;
    const float weight[] = {1 + 0x1p-8f + 0x1p-20f}; /* just above the middle of two bf16 */
    const convsmith_problem problem = {SIZES(1, 1, 1, 2, 1, 1, 1), .dtype = CONVSMITH_BF16, .epilogue = ""};
    double y[MOST];
    run(&problem, &(convsmith_params){.weight = weight}, bf16_x, y);
    assert_close(y, (const double[]){1.5 * (1 + 0x1p-7), 2 * (1 + 0x1p-7)}, 2);
}

/* One pixel y of a problem that would be `value` exactly; whether it is accepted. */
static bool is_accepted_as(convsmith_dtype dtype, uint16_t y, float value) {
    const uint16_t one[] = {dtype == CONVSMITH_F16 ? 0x3c00 : 0x3f80};
    const convsmith_problem problem = {SIZES(1, 1, 1, 1, 1, 1, 1), .dtype = dtype, .epilogue = "mul_channel"};
    const convsmith_params params = {.weight = ones, WITH_STEPS(VALUES(&value))};
    const double expected[] = {(double)value};
    const cs_slice_statistics statistics = {.rstd = 1, .error = 0x1p-21 * fabs((double)value)};
    cs_reference r;
    assert_true(cs_reference_init(&r, &problem, &params, one, NULL));
    return cs_compare_slice(&r, CS_BOUND_ROUNDING, 0, 0, &y, expected, &statistics, NULL, NULL);
}

/* 1.75 of the way from 1 to the second element after it. */
static void the_bound_lets_rounding_to_16_bits_pass_and_nothing_more(void **state) {
    (void)state;
    assert_true(is_accepted_as(CONVSMITH_F16, 0x3c02, 1 + 1.75f * 0x1p-10f));
    assert_false(is_accepted_as(CONVSMITH_F16, 0x3c01, 1 + 1.75f * 0x1p-10f));
    assert_true(is_accepted_as(CONVSMITH_BF16, 0x3f82, 1 + 1.75f * 0x1p-7f));
    assert_false(is_accepted_as(CONVSMITH_BF16, 0x3f81, 1 + 1.75f * 0x1p-7f));
    assert_true(is_accepted_as(CONVSMITH_F16, 0x0001, 0x1.8p-25f)); /* the least f16 */
}

/* ---- What it refuses --------------------------------------------------------------------------------------------- */

static void assert_refused(const convsmith_problem *problem, const char *expected) {
    cs_reference reference;
    cs_message message = {""};
    assert_false(cs_reference_init(&reference, problem, &(convsmith_params){0}, zeros, &message));
    if (!strstr(message.text, expected))
        fail_msg("the message should say '%s', it is: %s", expected, message.text);
}

static void chains_that_cannot_be_are_refused(void **state) {
    (void)state;
    static const char *const chains[][2] = {
        {"rely", "'rely' is unknown"}, {"bias+", "'' is unknown"},
        {"+bias", "'' is unknown"},    {"bias,sigmoid", "'bias,sigmoid' is unknown"},
        {"bia", "'bia' is unknown"},   {"group_norm+group_norm", "is a second normalisation"},
    };
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++)
        assert_refused(
            &(convsmith_problem){SIZES(1, 1, 1, 1, 1, 1, 1), .groups = 1, .eps = 1, .epilogue = chains[i][0]},
            chains[i][1]);
}

static void sizes_that_cannot_be_are_refused(void **state) {
    (void)state;
    convsmith_problem problem = {SIZES(1, 1, 2, 2, 3, 3, 1), .epilogue = ""};
    assert_refused(&problem, "smaller than the kernel");
    problem.kh = 1;
    problem.epilogue = "group_norm";
    problem.groups = 2;
    assert_refused(&problem, "must divide");
    problem.groups = 0;
    assert_refused(&problem, "must divide");
}

static void parameters_of_another_number_of_steps_are_refused(void **state) {
    (void)state;
    assert_refused(&(convsmith_problem){SIZES(1, 1, 1, 1, 1, 1, 1), .epilogue = "relu+relu"},
                   "parameters of 0 steps for an epilogue of 2");
}

/* ---- The bounds -------------------------------------------------------------------------------------------------- */

enum { PIXELS = 4096 };

/* A group of one channel whose sigmoids all lie within 1e-5 of each other, as the family "constant" has them. */
typedef struct steady {
    float x[PIXELS], y[PIXELS];
    double expected[PIXELS];
    cs_reference reference;
    cs_slice_statistics statistics;
} steady;

static const convsmith_problem steady_problem = {SIZES(1, 1, 1, PIXELS, 1, 1, 1), .groups = 1, .eps = 1e-9f,
                                                 .epilogue = "sigmoid+group_norm"};

static int make_steady(void **state) {
    steady *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    cs_random random = {7};
    static const convsmith_step steps[] = {VALUES(NULL), VALUES(ones, zeros)};
    const convsmith_params params = {.weight = ones, .steps = steps, .step_count = 2};
    for (int i = 0; i < PIXELS; i++)
        s->x[i] = (float)(0.5 + 4e-5 * cs_random_even(&random));
    *state = s;
    if (!cs_reference_init(&s->reference, &steady_problem, &params, s->x, NULL))
        return -1;
    cs_reference_run(&s->reference, s->expected, &s->statistics);
    return 0;
}

static int free_steady(void **state) {
    free(*state);
    return 0;
}

/* Sigmoids and the normalisation in fp32, with a given mean and variance. */
static void normalise(steady *s, float mean, float variance) {
    const float rstd = 1 / sqrtf(variance + steady_problem.eps);
    for (int i = 0; i < PIXELS; i++)
        s->y[i] = (1 / (1 + expf(-s->x[i])) - mean) * rstd;
}

static float mean_of(const steady *s, float (*function)(float)) {
    float sum = 0;
    for (int i = 0; i < PIXELS; i++)
        sum += function(1 / (1 + expf(-s->x[i]))) / PIXELS;
    return sum;
}

static float same(float v) { return v; }

static float square(float v) { return v * v; }

static bool is_accepted(const steady *s, cs_bound bound) {
    return cs_compare_slice(&s->reference, bound, 0, 0, s->y, s->expected, &s->statistics, NULL, NULL);
}

static void the_bound_lets_fp32_deviations_pass(void **state) {
    steady *s = *state;
    float first = 1 / (1 + expf(-s->x[0])), shift = 0, squares = 0;
    for (int i = 0; i < PIXELS; i++)
        shift += (1 / (1 + expf(-s->x[i])) - first) / PIXELS;
    for (int i = 0; i < PIXELS; i++)
        squares += square(1 / (1 + expf(-s->x[i])) - (first + shift)) / PIXELS;
    normalise(s, first + shift, squares);
    assert_true(is_accepted(s, CS_BOUND_ROUNDING));
}

static void the_bound_stops_a_variance_of_squares_minus_square(void **state) {
    steady *s = *state;
    const float mean = mean_of(s, same);
    normalise(s, mean, fmaxf(0, mean_of(s, square) - mean * mean));
    assert_false(is_accepted(s, CS_BOUND_ROUNDING));
}

static void the_bound_stops_another_eps(void **state) {
    steady *s = *state;
    for (int i = 0; i < PIXELS; i++)
        s->y[i] = (float)(s->expected[i] / s->statistics.rstd / sqrt(1e-5));
    assert_false(is_accepted(s, CS_BOUND_ROUNDING));
}

static void a_result_within_its_bound_passes_and_beyond_it_fails(void **state) {
    steady *s = *state;
    s->statistics.rstd = 5;
    s->statistics.gain = 0.2;
    for (int i = 0; i < PIXELS; i++)
        s->y[i] = (float)s->expected[i];
    s->y[17] = (float)(s->expected[17] + 0.9e-4);
    assert_true(is_accepted(s, CS_BOUND_FP32));
    s->y[17] = (float)(s->expected[17] + 1e-3);
    assert_false(is_accepted(s, CS_BOUND_FP32));
    assert_true(is_accepted(s, CS_BOUND_TF32));
    s->y[17] = (float)(s->expected[17] + 1e-2);
    assert_false(is_accepted(s, CS_BOUND_TF32));
}

static void not_a_number_is_right_only_where_it_is_expected(void **state) {
    steady *s = *state;
    for (int i = 0; i < PIXELS; i++)
        s->y[i] = (float)s->expected[i];
    s->y[17] = NAN;
    assert_false(is_accepted(s, CS_BOUND_TF32));
    const double finite = s->expected[17];
    s->expected[17] = NAN;
    assert_true(is_accepted(s, CS_BOUND_TF32));
    s->y[17] = (float)finite;
    assert_false(is_accepted(s, CS_BOUND_TF32));
}

static void an_infinity_is_right_only_with_its_sign(void **state) {
    steady *s = *state;
    for (int i = 0; i < PIXELS; i++)
        s->y[i] = (float)s->expected[i];
    s->expected[17] = INFINITY;
    assert_false(is_accepted(s, CS_BOUND_TF32));
    s->y[17] = -INFINITY;
    assert_false(is_accepted(s, CS_BOUND_TF32));
    s->y[17] = INFINITY;
    assert_true(is_accepted(s, CS_BOUND_TF32));
}

#define WITH_STEADY(test) cmocka_unit_test_setup_teardown(test, make_steady, free_steady)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_is_multiplied_and_summed),
        cmocka_unit_test(rows_and_columns_are_told_apart),
        cmocka_unit_test(channels_and_samples_are_told_apart),
        cmocka_unit_test(steps_are_applied_in_their_order),
        cmocka_unit_test(a_sigmoid_has_its_known_values),
        cmocka_unit_test(the_variance_is_the_biased_one),
        cmocka_unit_test(tensors_are_added_element_by_element),
        cmocka_unit_test(an_input_is_what_its_step_received),
        cmocka_unit_test(an_input_may_be_what_the_normalisation_made),
        cmocka_unit_test(steps_behind_a_normalisation_come_last),
        cmocka_unit_test(groups_are_neighbouring_channels),
        cmocka_unit_test(samples_are_normalised_apart),
        cmocka_unit_test(the_whole_chain_by_hand),
        cmocka_unit_test(not_a_number_stays_in_its_group),
        cmocka_unit_test(an_infinity_times_zero_is_not_a_number),
        cmocka_unit_test(tensors_and_parameters_are_of_their_own_dtypes),
        cmocka_unit_test(weights_of_f32_are_rounded_to_the_tensors_dtype),
        cmocka_unit_test(the_bound_lets_rounding_to_16_bits_pass_and_nothing_more),
        cmocka_unit_test(chains_that_cannot_be_are_refused),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
        cmocka_unit_test(parameters_of_another_number_of_steps_are_refused),
        WITH_STEADY(the_bound_lets_fp32_deviations_pass),
        WITH_STEADY(the_bound_stops_a_variance_of_squares_minus_square),
        WITH_STEADY(the_bound_stops_another_eps),
        WITH_STEADY(a_result_within_its_bound_passes_and_beyond_it_fails),
        WITH_STEADY(not_a_number_is_right_only_where_it_is_expected),
        WITH_STEADY(an_infinity_is_right_only_with_its_sign),
    };
    return cmocka_run_group_tests_name("reference", tests, NULL, NULL);
}
