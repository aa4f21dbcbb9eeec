/* SPDX-License-Identifier: Apache-2.0
 *
 * Predicted times: of a made-up GPU, where each can be reckoned by hand, and of the table's kernels, where they are
 * what the generator says in `--explain`.
 */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/fit.h"
#include "src/predict.h"
#include "src/problem.h"
#include "src/rates.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- A made-up GPU ------------------------------------------------------------------------------------------------
 */

/* Four multiprocessors at 1 GHz, each of which takes a cycle for a multiply-add, a special function, ... */
static const cs_rates small_gpu = {
    .name = "small",
    .compute_capability = 90,
    .sms = 4,
    .registers_per_sm = 65536,
    .shared_per_sm = 100 * 1024,
    .warps_per_sm = 48,
    .blocks_per_sm = 16,
    .shared_per_block = 99 * 1024,
    .l2_bytes = 1 << 20,
    .clock = 1e9,
    .dram = 1e9,
    .l2 = 1e12,
    .products = {4e9, 4e9, 4e9, 4e9, 4e9},
    .special = 1,
    .shared = 1,
};

static const cs_device_traits small_device = {
    .device = {CONVSMITH_DEVICE_CUDA, 0}, .compute_capability = 90, .multiprocessors = 4, .shared_bytes = 99 * 1024};

/* A kernel of 8 x 8 pixels a block, `wait` cycles each, of which a multiprocessor holds two. */
static convsmith_kernel waiting_kernel(float wait) {
    return (convsmith_kernel){
        .info = {.name = "made_up", .tile_c = 16, .tile_h = 8, .tile_w = 8, .threads = 128, .shared_bytes = 40 * 1024},
        .cost = {.unit = CS_UNIT_FFMA, .registers = 64, .apply = {.wait = wait}},
    };
}

/* n samples of one tile each. */
static convsmith_problem samples(int64_t n) {
    return (convsmith_problem){.n = n, .c_in = 1, .h = 8, .w = 8, .c_out = 16, .kh = 1, .kw = 1, .epilogue = "bias"};
}

static cs_prediction predict(const convsmith_kernel *kernel, const convsmith_problem *problem, const cs_rates *rates,
                             const cs_device_traits *traits) {
    cs_settled settled;
    cs_prediction prediction;
    assert_int_equal(cs_problem_settle(problem, &settled), CONVSMITH_OK);
    convsmith_plan plan = {.kernel = kernel, .traits = *traits, .problem = settled.problem, .chain = settled.chain};
    if (cs_fit(&plan, &settled) != CONVSMITH_OK)
        fail_msg("%s: %s", kernel->info.name, convsmith_detail());
    assert_true(cs_predict(&plan, rates, &prediction));
    return prediction;
}

static double seconds_of(const convsmith_kernel *kernel, int64_t n) {
    const convsmith_problem problem = samples(n);
    return predict(kernel, &problem, &small_gpu, &small_device).seconds;
}

#define assert_near(A, B) assert_true(fabs((A) - (B)) <= 1e-9 * fabs(B))

/* ---- Occupancy ----------------------------------------------------------------------------------------------------
 */

static void blocks_are_limited_by_what_runs_out_first(void **state) {
    (void)state;
    assert_int_equal(cs_blocks_held(&small_gpu, 128, 32, 0), 12);        /* warps */
    assert_int_equal(cs_blocks_held(&small_gpu, 32, 32, 0), 16);         /* blocks */
    assert_int_equal(cs_blocks_held(&small_gpu, 128, 128, 0), 4);        /* registers */
    assert_int_equal(cs_blocks_held(&small_gpu, 128, 129, 0), 3);        /* which come in granules */
    assert_int_equal(cs_blocks_held(&small_gpu, 128, 32, 24 * 1024), 4); /* shared memory, and 1 KiB each */
    assert_int_equal(cs_blocks_held(&small_gpu, 128, 32, 99 * 1024), 1);
    assert_int_equal(cs_blocks_held(&small_gpu, 128, 32, 99 * 1024 + 1), 0); /* more than a block can have */
    assert_int_equal(cs_blocks_held(&small_gpu, 1024, 65, 0), 0);            /* registers of no GPU */
}

/* ---- Waves --------------------------------------------------------------------------------------------------------
 */

static void tiles_that_wait_are_beside_each_other(void **state) {
    (void)state;
    const convsmith_kernel kernel = waiting_kernel(1e6f);
    const double launch = seconds_of(&kernel, 8) - 1e-3; /* 4 multiprocessors of 2 blocks: one round */
    assert_true(launch > 0 && launch < 1e-5);
    assert_near(seconds_of(&kernel, 1), launch + 1e-3);
    assert_near(seconds_of(&kernel, 9), launch + 2e-3);
    assert_near(seconds_of(&kernel, 16), launch + 2e-3);
    assert_near(seconds_of(&kernel, 17), launch + 3e-3);
}

static void tiles_that_issue_are_one_after_the_other(void **state) {
    (void)state;
    convsmith_kernel kernel = waiting_kernel(0);
    kernel.cost.apply.issue = 1e6f;
    const double launch = seconds_of(&kernel, 4) - 1e-3;
    assert_near(seconds_of(&kernel, 5), launch + 2e-3); /* two on one multiprocessor */
    assert_near(seconds_of(&kernel, 8), launch + 2e-3);
    assert_near(seconds_of(&kernel, 9), launch + 3e-3);
}

static void waiting_comes_on_top_of_issuing(void **state) {
    (void)state;
    convsmith_kernel kernel = waiting_kernel(1e6f);
    const double waiting = seconds_of(&kernel, 8);
    kernel.cost.apply.issue = 1e6f;
    assert_near(seconds_of(&kernel, 8), waiting + 2e-3);
}

static void a_launch_bound_limits_the_blocks(void **state) {
    (void)state;
    convsmith_kernel kernel = waiting_kernel(1e6f);
    const double two = seconds_of(&kernel, 8);
    kernel.info.blocks_per_sm = 1;
    assert_near(seconds_of(&kernel, 8), two + 1e-3);
}

/* ---- What binds ---------------------------------------------------------------------------------------------------
 */

static void expect_bound(const cs_tile_cost *tile, cs_bound bound) {
    convsmith_kernel kernel = waiting_kernel(0);
    kernel.cost.apply = *tile;
    const convsmith_problem problem = samples(4);
    const cs_prediction p = predict(&kernel, &problem, &small_gpu, &small_device);
    assert_int_equal(p.count, 1);
    assert_string_equal(cs_bound_name(p.launches[0].bound), cs_bound_name(bound));
    assert_near(p.launches[0].seconds, p.seconds);
}

static void the_unit_that_is_asked_for_most_binds(void **state) {
    (void)state;
    expect_bound(&(cs_tile_cost){.products = 1e6f, .wait = 1e5f}, CS_BOUND_PRODUCTS);
    expect_bound(&(cs_tile_cost){.special = 1e6f, .wait = 1e5f}, CS_BOUND_SPECIAL);
    expect_bound(&(cs_tile_cost){.shared = 1e6f, .wait = 1e5f}, CS_BOUND_SHARED);
    expect_bound(&(cs_tile_cost){.issue = 1e6f, .wait = 1e5f}, CS_BOUND_ISSUE);
    expect_bound(&(cs_tile_cost){.wait = 1e6f, .issue = 1e5f}, CS_BOUND_LATENCY);
    expect_bound(&(cs_tile_cost){.l2 = 1e9f}, CS_BOUND_L2);
    expect_bound(&(cs_tile_cost){.wait = 1}, CS_BOUND_DRAM);
}

static void a_normalisation_takes_three_launches(void **state) {
    (void)state;
    convsmith_kernel kernel = waiting_kernel(1e6f);
    kernel.cost.statistics.wait = 2e6f;
    convsmith_problem problem = samples(8);
    problem.epilogue = "bias+group_norm";
    problem.groups = 4;
    problem.eps = 1e-5f;
    const cs_prediction p = predict(&kernel, &problem, &small_gpu, &small_device);
    assert_int_equal(p.count, 3);
    assert_string_equal(p.launches[0].what, "statistics");
    assert_string_equal(p.launches[1].what, "merge");
    assert_string_equal(p.launches[2].what, "convolution");
    assert_near(p.launches[0].seconds, p.launches[2].seconds + 1e-3);
}

/* Seconds that an image of w columns takes more than one of 8, a tile as well. */
static double more_for_lines_of(int64_t w, const convsmith_kernel *kernel) {
    convsmith_problem problem = samples(1);
    const double whole = predict(kernel, &problem, &small_gpu, &small_device).seconds;
    problem.w = w;
    return predict(kernel, &problem, &small_gpu, &small_device).seconds - whole;
}

static void lines_between_multiples_of_16_bytes_cost_what_comes_on_top(void **state) {
    (void)state;
    convsmith_kernel kernel = waiting_kernel(1e6f);
    kernel.cost.unaligned_x.wait = 2e6f;
    kernel.cost.unaligned_y.wait = 3e6f;
    assert_near(more_for_lines_of(7, &kernel), 5e-3);
    assert_true(fabs(more_for_lines_of(4, &kernel)) < 1e-9);
}

/* Seconds for x of w columns in lines so many apart, of a kernel to which unaligned ones of x cost 2 ms. */
static double seconds_of_lines(int64_t w, int64_t apart) {
    convsmith_kernel kernel = waiting_kernel(1e6f);
    kernel.cost.unaligned_x.wait = 2e6f;
    convsmith_problem problem = samples(1);
    problem.w = w;
    memcpy(problem.x_strides, (const int64_t[]){8 * apart, 8 * apart, apart, 1}, sizeof problem.x_strides);
    return predict(&kernel, &problem, &small_gpu, &small_device).seconds;
}

static void lines_that_end_between_multiples_of_16_bytes_are_unaligned(void **state) {
    (void)state;
    assert_near(seconds_of_lines(7, 8), seconds_of_lines(8, 8) + 2e-3);
}

static void lines_that_lie_apart_by_no_multiple_of_16_bytes_are_unaligned(void **state) {
    (void)state;
    assert_near(seconds_of_lines(8, 9), seconds_of_lines(8, 8) + 2e-3);
}

static void statistics_write_no_lines_of_y(void **state) {
    (void)state;
    convsmith_kernel kernel = waiting_kernel(1e6f);
    kernel.cost.statistics = kernel.cost.apply;
    kernel.cost.unaligned_y.wait = 3e6f;
    convsmith_problem problem = samples(8);
    problem.w = 7;
    problem.epilogue = "bias+group_norm";
    problem.groups = 4;
    problem.eps = 1e-5f;
    const cs_prediction p = predict(&kernel, &problem, &small_gpu, &small_device);
    assert_string_equal(p.launches[0].what, "statistics");
    assert_near(p.launches[0].seconds, p.launches[2].seconds - 3e-3);
}

static void a_kernel_of_unknown_cost_is_not_predicted(void **state) {
    (void)state;
    const convsmith_kernel kernel = {.info = {.name = "made_up", .threads = 128}};
    const convsmith_plan plan = {.kernel = &kernel, .traits = small_device};
    cs_prediction prediction;
    assert_false(cs_predict(&plan, &small_gpu, &prediction));
}

static void a_bound_beyond_the_last_has_no_name(void **state) {
    (void)state;
    assert_string_equal(cs_bound_name(CS_BOUND_COUNT), "?");
}

/* ---- The table's kernels ------------------------------------------------------------------------------------------
 */

/* Its rows for CUDA, without their functions, which a build for the CPU alone has not. */
#define BRACED(...)                                                                                                    \
    { __VA_ARGS__ }
#define CS_HOST_KERNEL(NAME, ...)
#define CS_CUDA_KERNEL(NAME, COST, ...) {.info = {.name = #NAME, __VA_ARGS__}, .cost = BRACED COST},
#define CS_RESIDENT_KERNEL(NAME, COST, NEEDS, ...)                                                                     \
    {.info = {.name = #NAME, __VA_ARGS__}, .resident = BRACED NEEDS, .cost = BRACED COST},
#define CS_GEMM_KERNEL(NAME, COST, NEEDS, ...)                                                                         \
    {.info = {.name = #NAME, __VA_ARGS__}, .gemm = BRACED NEEDS, .cost = BRACED COST},
static const convsmith_kernel kernels[] = {
#include "generated/kernels.inc"
};

enum { KERNELS = sizeof kernels / sizeof kernels[0] };

static int64_t one_if_zero(int64_t value) { return value == 0 ? 1 : value; }

/* The kernel's reference problem, `times` as large in one direction. */
static convsmith_problem reference_of(const convsmith_kernel *kernel, int64_t times_n, int64_t times_h,
                                      int64_t times_w) {
    const convsmith_kernel_info *info = &kernel->info;
    const convsmith_key *key = &info->key;
    convsmith_problem p = {
        .n = info->ref_n * times_n,
        .c_in = key->c_in,
        .h = info->ref_h * times_h,
        .w = info->ref_w * times_w,
        .c_out = key->c_out,
        .kh = key->kh,
        .kw = key->kw,
        .stride_h = key->stride_h,
        .stride_w = key->stride_w,
        .pad_h = key->pad_h,
        .pad_w = key->pad_w,
        .dilation_h = key->dilation_h,
        .dilation_w = key->dilation_w,
        .conv_groups = key->conv_groups,
        .groups = info->ref_groups,
        .eps = 1e-5f,
        .dtype = key->dtype,
        .math = key->math,
        .epilogue = key->epilogue,
    };
    if (key->layout == CONVSMITH_NHWC) {
        const int64_t h_out =
            (p.h + 2 * p.pad_h - one_if_zero(p.dilation_h) * (p.kh - 1) - 1) / one_if_zero(p.stride_h) + 1;
        const int64_t w_out =
            (p.w + 2 * p.pad_w - one_if_zero(p.dilation_w) * (p.kw - 1) - 1) / one_if_zero(p.stride_w) + 1;
        const int64_t x[] = {p.h * p.w * p.c_in, 1, p.w * p.c_in, p.c_in};
        const int64_t y[] = {h_out * w_out * p.c_out, 1, w_out * p.c_out, p.c_out};
        memcpy(p.x_strides, x, sizeof x);
        memcpy(p.y_strides, y, sizeof y);
    }
    return p;
}

static cs_device_traits traits_of(const cs_rates *rates) {
    return (cs_device_traits){.device = {CONVSMITH_DEVICE_CUDA, 0},
                              .compute_capability = rates->compute_capability,
                              .multiprocessors = rates->sms,
                              .shared_bytes = rates->shared_per_block};
}

/* The JSON that a stream has; the caller's to delete. */
static cJSON *parse(FILE *stream) {
    const size_t room = 1 << 22;
    char *text = malloc(room);
    assert_non_null(text);
    const size_t size = fread(text, 1, room, stream);
    cJSON *json = size < room ? cJSON_ParseWithLength(text, size) : NULL;
    free(text);
    assert_non_null(json);
    return json;
}

/* What `convsmith-gen --explain --json` prints of the table's kernels. */
static cJSON *explained(void) {
    FILE *stream = popen(TEST_GENERATOR " --home " TEST_SOURCE_DIR " --manifest " TEST_SOURCE_DIR
                                        "/shapes.lua --out " TEST_SOURCE_DIR "/generated --explain --json",
                         "r");
    assert_non_null(stream);
    cJSON *json = parse(stream);
    assert_int_equal(pclose(stream), 0);
    return json;
}

static const convsmith_kernel *kernel_named(const char *name) {
    for (int i = 0; i < KERNELS; ++i)
        if (strcmp(kernels[i].info.name, name) == 0)
            return &kernels[i];
    return NULL;
}

static void the_library_predicts_what_the_generator_explains(void **state) {
    (void)state;
    cJSON *all = explained();
    const cJSON *entry;
    int compared = 0;
    cJSON_ArrayForEach(entry, all) {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(entry, "name"));
        const cs_rates *rates = cs_rates_named(cJSON_GetStringValue(cJSON_GetObjectItem(entry, "arch")));
        const cJSON *seconds = cJSON_GetObjectItem(entry, "seconds");
        const convsmith_kernel *kernel = kernel_named(name);
        assert_true(kernel && rates);
        if (!seconds)
            continue;
        const int held = cs_blocks_held(rates, kernel->info.threads, kernel->cost.registers, kernel->info.shared_bytes);
        assert_int_equal(held, cJSON_GetNumberValue(cJSON_GetObjectItem(entry, "blocks_per_sm")));
        const convsmith_problem problem = reference_of(kernel, 1, 1, 1);
        const cs_device_traits traits = traits_of(rates);
        const double own = predict(kernel, &problem, rates, &traits).seconds;
        if (fabs(own - seconds->valuedouble) > 1e-8 * own)
            fail_msg("%s on %s: %.10g s, explained as %.10g s", name, rates->name, own, seconds->valuedouble);
        ++compared;
    }
    cJSON_Delete(all);
    assert_true(compared > KERNELS);
}

static int ascending(const void *a, const void *b) {
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Around a call (bench/predict.py). */
#define EVENTS 4e-6

/* How far the prediction for a kernel's reference, but for n, is off what an H200 took. */
static double error_of(const convsmith_kernel *kernel, int64_t n, double measured) {
    const cs_rates *rates = cs_rates_named("h200");
    const cs_device_traits traits = traits_of(rates);
    convsmith_problem problem = reference_of(kernel, 1, 1, 1);
    problem.n = n;
    return fabs((predict(kernel, &problem, rates, &traits).seconds + EVENTS) / measured - 1);
}

/* A layer of the sweep, whose size is a reference's; negative where the table has no such kernel. */
static double error_of_layer(const cJSON *workload, const cJSON *row) {
    const char *what = cJSON_GetStringValue(cJSON_GetObjectItem(workload, "what"));
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(row, "name")) + strlen("convsmith ");
    const convsmith_kernel *kernel = kernel_named(name);
    return kernel ? error_of(kernel, strtol(what + strlen("N="), NULL, 10),
                             cJSON_GetNumberValue(cJSON_GetObjectItem(row, "ms")) / 1000)
                  : -1;
}

/* The JSON of bench/results; the caller's to delete. */
static cJSON *measured(const char *path) {
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    cJSON *results = parse(stream);
    fclose(stream);
    return results;
}

enum { MOST_ERRORS = 512 };

static void half_of_the_sweep_is_predicted_within_a_twentieth(void **state) {
    (void)state;
    cJSON *results = measured(TEST_SOURCE_DIR "/bench/results/h200-sweep.json");
    double errors[MOST_ERRORS];
    size_t count = 0;
    const cJSON *workload, *row;
    cJSON_ArrayForEach(workload, cJSON_GetObjectItem(results, "workloads")) {
        cJSON_ArrayForEach(row, cJSON_GetObjectItem(workload, "rows")) {
            if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(row, "kind")), "library") != 0)
                continue;
            assert_true(count < MOST_ERRORS);
            errors[count] = error_of_layer(workload, row);
            count += errors[count] >= 0;
        }
    }
    cJSON_Delete(results);
    assert_true(count > 20);
    qsort(errors, count, sizeof *errors, ascending);
    assert_true(errors[count / 2] < 0.05);
}

/* Those of the table's kernels that `convsmith bench` timed for their references, in ascending order; how many. */
static size_t errors_of_table(double errors[MOST_ERRORS]) {
    cJSON *results = measured(TEST_SOURCE_DIR "/bench/results/h200-table.json");
    size_t count = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, results) {
        const convsmith_kernel *kernel = kernel_named(cJSON_GetStringValue(cJSON_GetObjectItem(row, "name")));
        if (!kernel)
            continue;
        assert_true(count < MOST_ERRORS);
        errors[count++] = error_of(kernel, (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItem(row, "n")),
                                   cJSON_GetNumberValue(cJSON_GetObjectItem(row, "median_ms")) / 1000);
    }
    cJSON_Delete(results);
    assert_true(count > 100);
    qsort(errors, count, sizeof *errors, ascending);
    return count;
}

static void half_of_the_table_is_predicted_within_a_twentieth(void **state) {
    (void)state;
    double errors[MOST_ERRORS];
    const size_t count = errors_of_table(errors);
    assert_true(errors[count / 2] < 0.05);
}

static void no_kernel_of_the_table_is_predicted_a_third_off(void **state) {
    (void)state;
    double errors[MOST_ERRORS];
    const size_t count = errors_of_table(errors);
    assert_true(errors[count - 1] < 1.0 / 3);
}

static void larger_problems_take_longer(void **state) {
    (void)state;
    const cs_rates *rates = cs_rates_named("h200");
    const cs_device_traits traits = traits_of(rates);
    for (int i = 0; i < KERNELS; ++i) {
        const convsmith_problem one = reference_of(&kernels[i], 1, 1, 1), twice = reference_of(&kernels[i], 2, 1, 1);
        const double less = predict(&kernels[i], &one, rates, &traits).seconds;
        const double more = predict(&kernels[i], &twice, rates, &traits).seconds;
        if (more < less)
            fail_msg("%s: %g s, and %g s for twice the samples", kernels[i].info.name, less, more);
    }
}

static void recomputed_images_take_longer_the_larger_they_are(void **state) {
    (void)state;
    const cs_rates *rates = cs_rates_named("rtx4090");
    const cs_device_traits traits = traits_of(rates);
    for (int i = 0; i < KERNELS; ++i) {
        if (kernels[i].info.schedule != CONVSMITH_SCHEDULE_RECOMPUTE)
            continue;
        const convsmith_problem one = reference_of(&kernels[i], 1, 1, 1);
        const convsmith_problem tall = reference_of(&kernels[i], 1, 2, 1), wide = reference_of(&kernels[i], 1, 1, 2);
        const double less = predict(&kernels[i], &one, rates, &traits).seconds;
        assert_true(predict(&kernels[i], &tall, rates, &traits).seconds >= less);
        assert_true(predict(&kernels[i], &wide, rates, &traits).seconds >= less);
    }
}

/* ---- The rates of a device ----------------------------------------------------------------------------------------
 */

static cs_device_traits device(int capability, int multiprocessors) {
    cs_device_traits traits = small_device;
    traits.compute_capability = capability;
    traits.multiprocessors = multiprocessors;
    return traits;
}

static void a_device_has_the_rates_of_the_nearest_profile(void **state) {
    (void)state;
    static const struct {
        int capability, multiprocessors;
        const char *name;
    } cases[] = {
        {80, 108, "a100"},   {86, 82, "rtx3090"}, {89, 128, "rtx4090"}, {89, 142, "l40s"},     {89, 60, "rtx4090"},
        {87, 16, "rtx3090"}, {100, 148, "b200"},  {103, 160, "b200"},   {120, 170, "rtx5090"}, {130, 200, "rtx5090"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        const cs_device_traits traits = device(cases[i].capability, cases[i].multiprocessors);
        cs_rates rates;
        assert_true(cs_rates_for(&traits, &rates));
        assert_string_equal(rates.name, cases[i].name);
        assert_int_equal(rates.sms, cases[i].multiprocessors);
    }
}

static void fewer_multiprocessors_do_less_and_memory_does_not(void **state) {
    (void)state;
    const cs_rates *whole = cs_rates_named("a100");
    const cs_device_traits half = device(80, 54);
    cs_rates rates;
    assert_true(cs_rates_for(&half, &rates));
    for (int i = 0; i < CS_UNIT_COUNT; ++i)
        assert_near(rates.products[i], whole->products[i] / 2);
    assert_near(rates.dram, whole->dram);
    assert_int_equal(rates.shared_per_block, half.shared_bytes);
}

static void an_older_device_has_no_rates(void **state) {
    (void)state;
    const cs_device_traits old = device(75, 68), none = device(90, 0);
    cs_rates rates;
    assert_false(cs_rates_for(&old, &rates));
    assert_false(cs_rates_for(&none, &rates));
    assert_null(cs_rates_named("gtx280"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_limited_by_what_runs_out_first),
        cmocka_unit_test(tiles_that_wait_are_beside_each_other),
        cmocka_unit_test(tiles_that_issue_are_one_after_the_other),
        cmocka_unit_test(waiting_comes_on_top_of_issuing),
        cmocka_unit_test(a_launch_bound_limits_the_blocks),
        cmocka_unit_test(the_unit_that_is_asked_for_most_binds),
        cmocka_unit_test(a_normalisation_takes_three_launches),
        cmocka_unit_test(lines_between_multiples_of_16_bytes_cost_what_comes_on_top),
        cmocka_unit_test(lines_that_end_between_multiples_of_16_bytes_are_unaligned),
        cmocka_unit_test(lines_that_lie_apart_by_no_multiple_of_16_bytes_are_unaligned),
        cmocka_unit_test(statistics_write_no_lines_of_y),
        cmocka_unit_test(a_kernel_of_unknown_cost_is_not_predicted),
        cmocka_unit_test(a_bound_beyond_the_last_has_no_name),
        cmocka_unit_test(the_library_predicts_what_the_generator_explains),
        cmocka_unit_test(half_of_the_sweep_is_predicted_within_a_twentieth),
        cmocka_unit_test(half_of_the_table_is_predicted_within_a_twentieth),
        cmocka_unit_test(no_kernel_of_the_table_is_predicted_a_third_off),
        cmocka_unit_test(larger_problems_take_longer),
        cmocka_unit_test(recomputed_images_take_longer_the_larger_they_are),
        cmocka_unit_test(a_device_has_the_rates_of_the_nearest_profile),
        cmocka_unit_test(fewer_multiprocessors_do_less_and_memory_does_not),
        cmocka_unit_test(an_older_device_has_no_rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
