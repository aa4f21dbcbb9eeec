/* SPDX-License-Identifier: Apache-2.0
 *
 * The generic kernels, each on a sample of problems made from seeds, against loops in double precision.
 *
 *     CONVSMITH_TEST_DEVICE    "cpu" or "cuda": only the kernels of such devices; the default is "cpu"
 *     CONVSMITH_TEST_SEED      the first case's seed; the following cases have the following ones
 *     CONVSMITH_TEST_CASES     how many
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "generic_case.h"
#include "src/element.h"
#include "src/generic/generic.h"
#include "src/plan.h"
#include "support/buffer.h"
#include "support/chain.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int64_t number_from(const char *name, int64_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoll(text, NULL, 10) : otherwise;
}

static bool on_cuda(void) {
    const char *device = getenv("CONVSMITH_TEST_DEVICE");
    return device && strcmp(device, "cuda") == 0;
}

/* ---- Running a case ---------------------------------------------------------------------------------------------- */

/* All that a run takes, on the device, between guard zones. */
typedef struct run_buffers {
    cs_buffer x, weight, channels[CS_MAX_VALUES], packed, workspace, y;
} run_buffers;

static void upload(cs_buffer *buffer, convsmith_device device, const void *data, int64_t count, convsmith_dtype dtype) {
    cs_message message = {""};
    const size_t bytes = cs_element_bytes(dtype), size = (size_t)count * bytes;
    if (!cs_buffer_create_guarded(buffer, device, size, bytes, &message) ||
        !cs_buffer_upload(buffer, 0, data, size, &message))
        fail_msg("%s", message.text);
}

static void reserve(cs_buffer *buffer, convsmith_device device, size_t size) {
    cs_message message = {""};
    if (!cs_buffer_create_guarded(buffer, device, size, 16, &message))
        fail_msg("%s", message.text);
}

static void check(const generic_case *c, convsmith_status status, const char *call) {
    if (status != CONVSMITH_OK)
        fail_msg("%s: %s: %s", c->text, call, convsmith_detail());
}

static void prepack(const generic_case *c, const convsmith_plan *plan, run_buffers *b, convsmith_device device) {
    const void *values[CS_MAX_VALUES] = {NULL};
    convsmith_step steps[CS_MAX_STEPS];
    upload(&b->weight, device, c->weight, c->weight_count, c->params_dtype);
    for (int i = 0; i < c->chain.value_count; i++)
        if (c->channels[i]) {
            upload(&b->channels[i], device, c->channels[i], c->problem.c_out, c->params_dtype);
            values[i] = b->channels[i].data;
        }
    float constants[CS_MAX_STEPS][CS_STEP_CONSTANTS];
    memcpy(constants, c->constants, sizeof constants);
    cs_chain_fill_steps(&c->chain, values, constants, steps);
    convsmith_params params = {.weight = b->weight.data,
                               .steps = c->chain.count > 0 ? steps : NULL,
                               .step_count = (size_t)c->chain.count,
                               .dtype = c->params_dtype};
    memcpy(params.weight_strides, c->weight_strides, sizeof params.weight_strides);
    check(c, convsmith_plan_prepack(plan, &params, b->packed.data, NULL), "prepack");
}

static void destroy(run_buffers *b) {
    cs_message message = {""};
    cs_buffer *const all[] = {&b->x, &b->weight, &b->packed, &b->workspace, &b->y};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!cs_buffer_check_guards(all[i], "a buffer", &message))
            fail_msg("%s", message.text);
        cs_buffer_destroy(all[i]);
    }
    for (int i = 0; i < CS_MAX_VALUES; i++)
        cs_buffer_destroy(&b->channels[i]);
}

/* Runs it into a new y, which is the caller's. */
static void *run(const generic_case *c, const convsmith_plan *plan, run_buffers *b) {
    cs_message message = {""};
    const convsmith_args args = {.x = b->x.data, .packed = b->packed.data, .y = b->y.data};
    void *y = malloc(b->y.size);
    assert_non_null(y);
    if (!cs_buffer_fill(&b->y, CS_POISON, &message) || !cs_buffer_fill(&b->workspace, CS_POISON, &message))
        fail_msg("%s", message.text);
    check(c, convsmith_plan_run(plan, &args, b->workspace.data, NULL), "run");
    if (!cs_buffer_download(&b->y, 0, y, b->y.size, &message))
        fail_msg("%s: %s", c->text, message.text);
    return y;
}

static void run_case(const generic_case *c, const convsmith_kernel *kernel) {
    const convsmith_device device = {convsmith_target_device(kernel->info.key.target), 0};
    run_buffers b = {0};
    convsmith_plan *plan;
    cs_message message = {""};
    check(c, cs_plan_create_for(&plan, &c->problem, device, kernel), "plan");
    assert_ptr_equal(convsmith_plan_kernel(plan), kernel);
    upload(&b.x, device, c->x, c->x_count, c->problem.dtype);
    reserve(&b.packed, device, convsmith_plan_packed_size(plan));
    reserve(&b.workspace, device, convsmith_plan_workspace_size(plan));
    reserve(&b.y, device, (size_t)c->y_count * cs_element_bytes(c->problem.dtype));
    prepack(c, plan, &b, device);
    void *y = run(c, plan, &b), *again = run(c, plan, &b);
    if (memcmp(y, again, b.y.size) != 0)
        fail_msg("%s: the second run's bits differ", c->text);
    if (!generic_case_check(c, y, &message))
        fail_msg("%s: %s", kernel->info.name, message.text);
    free(y);
    free(again);
    destroy(&b);
    convsmith_plan_destroy(plan);
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

static void kernel_agrees_with_double_precision(void **state) {
    const convsmith_kernel *kernel = *state;
    const convsmith_device device = {convsmith_target_device(kernel->info.key.target), 0};
    if (convsmith_target_supported(kernel->info.key.target, device) != CONVSMITH_OK)
        skip();
    const int64_t first = number_from("CONVSMITH_TEST_SEED", 1), count = number_from("CONVSMITH_TEST_CASES", 60);
    for (int64_t i = 0; i < count; i++) {
        generic_case c;
        cs_message message = {""};
        if (!generic_case_create(&c, kernel->info.key.dtype, (uint64_t)(first + i), on_cuda(), &message))
            fail_msg("%s", message.text);
        run_case(&c, kernel);
        generic_case_destroy(&c);
    }
}

/* Pointwise steps keep a NaN of x, in the pixels that it reaches and in no others. */
static void nan_stays_nan(void **state) {
    (void)state;
    enum { SIZE = 9, OUT = SIZE - 2 };
    const convsmith_device device = {on_cuda() ? CONVSMITH_DEVICE_CUDA : CONVSMITH_DEVICE_CPU, 0};
    const convsmith_problem problem = {.n = 1,
                                       .c_in = 1,
                                       .h = SIZE,
                                       .w = SIZE,
                                       .c_out = 1,
                                       .kh = 3,
                                       .kw = 3,
                                       .epilogue = "relu+leaky_relu(0.1)+clamp(-1,3)+sigmoid+max_const(0)+min_const(1)+"
                                                   "elu(1)+gelu+hardswish+mish+softplus+abs"};
    float x[SIZE][SIZE] = {0}, weight[9], y[OUT][OUT];
    for (int i = 0; i < 9; i++)
        weight[i] = 0.1f * (float)i;
    x[4][5] = NAN;
    run_buffers b = {0};
    convsmith_plan *plan;
    cs_message message = {""};
    if (on_cuda() && convsmith_target_supported(CONVSMITH_TARGET_SM80, device) != CONVSMITH_OK)
        skip();
    if (convsmith_plan_create(&plan, &problem, device) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    assert_string_equal(convsmith_plan_kernel(plan)->info.strategy, "generic");
    upload(&b.x, device, x, SIZE * SIZE, CONVSMITH_F32);
    upload(&b.weight, device, weight, 9, CONVSMITH_F32);
    reserve(&b.packed, device, convsmith_plan_packed_size(plan));
    reserve(&b.y, device, sizeof y);
    const convsmith_step steps[12] = {{{NULL}, {0}}};
    const convsmith_params params = {.weight = b.weight.data, .steps = steps, .step_count = 12};
    const convsmith_args args = {.x = b.x.data, .packed = b.packed.data, .y = b.y.data};
    if (convsmith_plan_prepack(plan, &params, b.packed.data, NULL) != CONVSMITH_OK ||
        convsmith_plan_run(plan, &args, NULL, NULL) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    if (!cs_buffer_download(&b.y, 0, y, sizeof y, &message))
        fail_msg("%s", message.text);
    for (int row = 0; row < OUT; row++)
        for (int col = 0; col < OUT; col++) {
            const bool reached = row >= 2 && row <= 4 && col >= 3 && col <= 5;
            assert_int_equal(reached, isnan(y[row][col]) != 0);
        }
    cs_buffer_destroy(&b.x);
    cs_buffer_destroy(&b.weight);
    cs_buffer_destroy(&b.packed);
    cs_buffer_destroy(&b.y);
    convsmith_plan_destroy(plan);
}

/* Memory that is there in address space alone until it is touched; skips where there is none. */
static float *reserve_address_space(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        skip();
    return memory;
}

/* Samples, channels and rows further apart than 2^31 elements. */
static void places_are_counted_in_64_bits(void **state) {
    (void)state;
    const int64_t row = ((int64_t)1 << 31) + 7, channel = 2 * row, sample = 2 * channel;
    const convsmith_device cpu = {CONVSMITH_DEVICE_CPU, 0};
    const convsmith_problem problem = {.n = 2,
                                       .c_in = 2,
                                       .h = 2,
                                       .w = 3,
                                       .c_out = 2,
                                       .kh = 1,
                                       .kw = 1,
                                       .conv_groups = 2,
                                       .epilogue = "",
                                       .x_strides = {sample, channel, row, 1},
                                       .y_strides = {sample, channel, row, 1}};
    const float weight[2] = {2.0f, 3.0f};
    if (on_cuda())
        skip();
    convsmith_plan *plan;
    if (convsmith_plan_create(&plan, &problem, cpu) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    const size_t bytes = (size_t)(2 * sample) * sizeof(float);
    float *x = reserve_address_space(bytes), *y = reserve_address_space(bytes);
    void *packed = malloc(convsmith_plan_packed_size(plan));
    assert_non_null(packed);
    for (int i = 0; i < 24; i++)
        x[i / 12 * sample + i / 6 % 2 * channel + i / 3 % 2 * row + i % 3] = (float)(i + 1);
    const convsmith_params params = {.weight = weight};
    const convsmith_args args = {.x = x, .packed = packed, .y = y};
    assert_int_equal(convsmith_plan_prepack(plan, &params, packed, NULL), CONVSMITH_OK);
    assert_int_equal(convsmith_plan_run(plan, &args, NULL, NULL), CONVSMITH_OK);
    for (int i = 0; i < 24; i++)
        assert_true(y[i / 12 * sample + i / 6 % 2 * channel + i / 3 % 2 * row + i % 3] ==
                    (float)(i + 1) * weight[i / 6 % 2]);
    munmap(x, bytes);
    munmap(y, bytes);
    free(packed);
    convsmith_plan_destroy(plan);
}

enum { THREADS = 4, RUNS = 10 };

/* One thread's work: a plan, as others have it, and a workspace and y of its own. */
typedef struct worker {
    const convsmith_plan *plan;
    convsmith_args args;
    void *workspace;
    convsmith_status status;
} worker;

static void *run_often(void *argument) {
    worker *w = argument;
    for (int i = 0; i < RUNS && w->status == CONVSMITH_OK; i++)
        w->status = convsmith_plan_run(w->plan, &w->args, w->workspace, NULL);
    return NULL;
}

static void many_threads_may_run_one_plan(void **state) {
    (void)state;
    const convsmith_device cpu = {CONVSMITH_DEVICE_CPU, 0};
    const convsmith_problem problem = {.n = 2,
                                       .c_in = 5,
                                       .h = 19,
                                       .w = 23,
                                       .c_out = 11,
                                       .kh = 3,
                                       .kw = 3,
                                       .pad_h = 1,
                                       .pad_w = 1,
                                       .eps = 1e-5f,
                                       .epilogue = "relu+instance_norm"};
    enum { X = 2 * 5 * 19 * 23, Y = 2 * 11 * 19 * 23, WEIGHT = 11 * 5 * 9 };
    if (on_cuda())
        skip();
    convsmith_plan *plan;
    if (convsmith_plan_create(&plan, &problem, cpu) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    float *x = malloc(X * sizeof(float)), *weight = malloc(WEIGHT * sizeof(float));
    void *packed = malloc(convsmith_plan_packed_size(plan));
    assert_true(x && weight && packed);
    for (int i = 0; i < X; i++)
        x[i] = (float)(i % 17) / 16.0f - 0.5f;
    for (int i = 0; i < WEIGHT; i++)
        weight[i] = (float)(i % 13) / 12.0f - 0.5f;
    const convsmith_step steps[2] = {{{NULL}, {0}}};
    const convsmith_params params = {.weight = weight, .steps = steps, .step_count = 2};
    assert_int_equal(convsmith_plan_prepack(plan, &params, packed, NULL), CONVSMITH_OK);
    pthread_t threads[THREADS];
    worker workers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.plan = plan,
                              .args = {.x = x, .packed = packed, .y = malloc(Y * sizeof(float))},
                              .workspace = malloc(convsmith_plan_workspace_size(plan))};
        assert_true(workers[i].args.y && workers[i].workspace);
        assert_int_equal(pthread_create(&threads[i], NULL, run_often, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].status, CONVSMITH_OK);
    }
    for (int i = 0; i < THREADS; i++)
        assert_memory_equal(workers[i].args.y, workers[0].args.y, Y * sizeof(float));
    for (int i = 0; i < THREADS; i++) {
        free(workers[i].args.y);
        free(workers[i].workspace);
    }
    free(x);
    free(weight);
    free(packed);
    convsmith_plan_destroy(plan);
}

int main(void) {
    enum { OTHERS = 3 };
    struct CMUnitTest tests[3 * CS_TARGET_COUNT + OTHERS] = {
        cmocka_unit_test(many_threads_may_run_one_plan),
        cmocka_unit_test(nan_stays_nan),
        cmocka_unit_test(places_are_counted_in_64_bits),
    };
    size_t count = OTHERS;
    for (int dtype = CONVSMITH_F32; dtype <= CONVSMITH_BF16; dtype++)
        for (size_t target = 0; target < CS_TARGET_COUNT; target++) {
            const cs_generic_kernel *generic = cs_generic_find((convsmith_dtype)dtype, (convsmith_target)target);
            const bool cuda = convsmith_target_device((convsmith_target)target) == CONVSMITH_DEVICE_CUDA;
            if (generic != NULL && cuda == on_cuda())
                tests[count++] = (struct CMUnitTest){.name = generic->kernel.info.name,
                                                     .test_func = kernel_agrees_with_double_precision,
                                                     .initial_state = (void *)(uintptr_t)&generic->kernel};
        }
    if (count == OTHERS) {
        print_message("this build has no generic kernels for such a device\n");
        return 0;
    }
    return _cmocka_run_group_tests("generic", tests, count, NULL, NULL);
}
