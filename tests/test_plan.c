/* SPDX-License-Identifier: Apache-2.0
 *
 * The public calls around a plan: what they refuse and with which words, and that one plan serves many threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "convsmith/convsmith.h"
#include "src/kernel.h"
#include "src/plan.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const convsmith_device cpu = {CONVSMITH_DEVICE_CPU, 0};

/* A problem of the default table. */
static convsmith_problem good_problem(void) {
    return (convsmith_problem){
        .n = 2,
        .c_in = 3,
        .h = 9,
        .w = 11,
        .c_out = 16,
        .kh = 3,
        .kw = 3,
        .groups = 4,
        .eps = 1e-5f,
        .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM,
    };
}

static void expect(convsmith_status got, convsmith_status wanted, const char *words) {
    if (got != wanted || strstr(convsmith_detail(), words) == NULL)
        fail_msg("got \"%s\" (%s), wanted \"%s\" with \"%s\"", convsmith_status_string(got), convsmith_detail(),
                 convsmith_status_string(wanted), words);
}

/* ---- convsmith_plan_create --------------------------------------------------------------------------------------- */

static void expect_refusal(const convsmith_problem *problem, convsmith_device device, convsmith_status wanted,
                           const char *words) {
    convsmith_plan *plan = (convsmith_plan *)&plan; /* anything but NULL: a failure must reset it */
    expect(convsmith_plan_create(&plan, problem, device), wanted, words);
    assert_null(plan);
}

/* Code for wide vectors reads it by instructions that want that. */
static void a_plan_lies_as_its_members_are_aligned(void **state) {
    (void)state;
    const convsmith_problem problem = good_problem();
    convsmith_plan *plans[8];
    for (int i = 0; i < 8; i++) {
        assert_int_equal(convsmith_plan_create(&plans[i], &problem, cpu), CONVSMITH_OK);
        assert_int_equal((uintptr_t)plans[i] % _Alignof(convsmith_plan), 0);
    }
    for (int i = 0; i < 8; i++)
        convsmith_plan_destroy(plans[i]);
}

static void null_pointers_are_refused(void **state) {
    (void)state;
    const convsmith_problem problem = good_problem();
    expect(convsmith_plan_create(NULL, &problem, cpu), CONVSMITH_INVALID_ARGUMENT, "plan is NULL");
    expect_refusal(NULL, cpu, CONVSMITH_INVALID_ARGUMENT, "problem is NULL");
    convsmith_problem no_epilogue = problem;
    no_epilogue.epilogue = NULL;
    expect_refusal(&no_epilogue, cpu, CONVSMITH_INVALID_ARGUMENT, "epilogue is NULL");
}

static void each_size_must_be_a_positive_int32(void **state) {
    (void)state;
    const struct {
        size_t offset;
        const char *name;
    } sizes[] = {
        {offsetof(convsmith_problem, n), "problem->n is"},
        {offsetof(convsmith_problem, c_in), "problem->c_in is"},
        {offsetof(convsmith_problem, h), "problem->h is"},
        {offsetof(convsmith_problem, w), "problem->w is"},
        {offsetof(convsmith_problem, c_out), "problem->c_out is"},
        {offsetof(convsmith_problem, kh), "problem->kh is"},
        {offsetof(convsmith_problem, kw), "problem->kw is"},
    };
    const int64_t wrong[] = {0, -1, INT64_MIN, (int64_t)INT32_MAX + 1, INT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i)
        for (size_t j = 0; j < sizeof wrong / sizeof wrong[0]; ++j) {
            convsmith_problem problem = good_problem();
            memcpy((char *)&problem + sizes[i].offset, &wrong[j], sizeof wrong[j]);
            expect_refusal(&problem, cpu, CONVSMITH_INVALID_ARGUMENT, sizes[i].name);
        }
}

static void a_kernel_larger_than_the_input_is_refused(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    problem.h = 2;
    expect_refusal(&problem, cpu, CONVSMITH_INVALID_ARGUMENT, "3x3, is larger than the input, 2x11");
    problem = good_problem();
    problem.w = 2;
    expect_refusal(&problem, cpu, CONVSMITH_INVALID_ARGUMENT, "larger than the input, 9x2");
}

static void groups_must_divide_the_channels(void **state) {
    (void)state;
    const int64_t wrong[] = {0, -4, 3, 32};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
        convsmith_problem problem = good_problem();
        problem.groups = wrong[i];
        expect_refusal(&problem, cpu, CONVSMITH_INVALID_ARGUMENT, "it must divide c_out, 16");
    }
}

static void eps_must_be_positive_and_finite(void **state) {
    (void)state;
    const float wrong[] = {0.0f, -1e-5f, NAN, INFINITY};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
        convsmith_problem problem = good_problem();
        problem.eps = wrong[i];
        expect_refusal(&problem, cpu, CONVSMITH_INVALID_ARGUMENT, "problem->eps is");
    }
}

static void values_outside_an_enumeration_are_refused(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    problem.dtype = (convsmith_dtype)7;
    expect_refusal(&problem, cpu, CONVSMITH_INVALID_ARGUMENT,
                   "problem->dtype is 7; it is CONVSMITH_F32 (0), _F16 (1) or _BF16 (2)");
    problem = good_problem();
    problem.math = (convsmith_math)7;
    expect_refusal(&problem, cpu, CONVSMITH_INVALID_ARGUMENT, "problem->math is 7");
    problem = good_problem();
    expect_refusal(&problem, (convsmith_device){(convsmith_device_kind)7, 0}, CONVSMITH_INVALID_ARGUMENT,
                   "device: kind 7");
}

static void devices_that_are_not_there_are_refused(void **state) {
    (void)state;
    const convsmith_problem problem = good_problem();
    expect_refusal(&problem, (convsmith_device){CONVSMITH_DEVICE_CPU, 1}, CONVSMITH_UNSUPPORTED_DEVICE,
                   "there is no CPU 1");
    expect_refusal(&problem, (convsmith_device){CONVSMITH_DEVICE_CUDA, 4096}, CONVSMITH_UNSUPPORTED_DEVICE, "device:");
    expect_refusal(&problem, (convsmith_device){CONVSMITH_DEVICE_CUDA, -1}, CONVSMITH_UNSUPPORTED_DEVICE, "device:");
}

static void an_epilogue_that_is_no_chain_is_refused(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"bias+rely",
         "problem->epilogue: epilogue step 2, 'rely' is unknown; the steps, joined by '+', are bias, add_"},
        {"group_norm+relu+group_norm", "epilogue step 3, group_norm, is a second normalisation"},
        {"clamp(6,0)", "epilogue step 1, clamp, has a bad constant: lo must be at most hi"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
        convsmith_problem problem = good_problem();
        problem.epilogue = wrong[i][0];
        expect_refusal(&problem, cpu, CONVSMITH_INVALID_ARGUMENT, wrong[i][1]);
    }
}

static void sizes_beyond_any_launch_are_refused(void **state) {
    (void)state;
    convsmith_problem problem = good_problem();
    problem.n = problem.h = problem.w = INT32_MAX;
    expect_refusal(&problem, cpu, CONVSMITH_TOO_LARGE,
                   "problem: x, 2147483647x3x2147483647x2147483647, exceeds the address space");
}

static void a_table_of_another_layout_is_refused(void **state) {
    (void)state;
    const convsmith_table old = {.layout = CS_TABLE_LAYOUT + 1};
    convsmith_problem problem = good_problem();
    problem.table = &old;
    expect_refusal(&problem, cpu, CONVSMITH_INVALID_ARGUMENT, "rebuild it with this version");
}

/* ---- prepack and run ----------------------------------------------------------------------------------------------
 */

/* A plan with everything it needs, for good_problem(). */
typedef struct fixture {
    convsmith_problem problem;
    convsmith_plan *plan;
    convsmith_params params;
    convsmith_args args;
    convsmith_step steps[5];
    float *parameters, *x, *y;
    void *packed, *workspace;
    size_t y_size;
} fixture;

static void *allocate(size_t size) {
    void *memory = malloc(size);
    assert_non_null(memory);
    return memory;
}

static float *filled(size_t count) {
    float *values = allocate(count * sizeof *values);
    for (size_t i = 0; i < count; ++i)
        values[i] = (float)(i % 17) / 16.0f - 0.5f;
    return values;
}

static int set_up(void **state) {
    fixture *f = allocate(sizeof *f);
    *f = (fixture){.problem = good_problem()};
    const convsmith_problem *p = &f->problem;
    assert_int_equal(convsmith_plan_create(&f->plan, p, cpu), CONVSMITH_OK);
    const size_t weights = (size_t)(p->c_out * p->c_in * p->kh * p->kw), channels = (size_t)p->c_out;
    f->parameters = filled(weights + 5 * channels);
    for (int i = 0; i < 3; ++i)
        f->steps[i].values[0] = f->parameters + weights + (size_t)i * channels;
    for (int i = 0; i < 2; ++i)
        f->steps[4].values[i] = f->parameters + weights + (size_t)(3 + i) * channels;
    f->params = (convsmith_params){.weight = f->parameters, .steps = f->steps, .step_count = 5};
    f->x = filled((size_t)(p->n * p->c_in * p->h * p->w));
    f->y_size = (size_t)(p->n * p->c_out * (p->h - p->kh + 1) * (p->w - p->kw + 1));
    f->y = filled(f->y_size);
    f->packed = allocate(convsmith_plan_packed_size(f->plan));
    f->workspace = allocate(convsmith_plan_workspace_size(f->plan));
    f->args = (convsmith_args){.x = f->x, .packed = f->packed, .y = f->y};
    assert_int_equal(convsmith_plan_prepack(f->plan, &f->params, f->packed, NULL), CONVSMITH_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    convsmith_plan_destroy(f->plan);
    free(f->parameters);
    free(f->x);
    free(f->y);
    free(f->packed);
    free(f->workspace);
    free(f);
    return 0;
}

static void prepack_refuses_what_is_null_or_misaligned(void **state) {
    const fixture *f = *state;
    convsmith_step steps[5];
    memcpy(steps, f->steps, sizeof steps);
    steps[2].values[0] = (const char *)steps[2].values[0] + 1;
    convsmith_params params = f->params;
    params.steps = steps;
    expect(convsmith_plan_prepack(f->plan, &params, f->packed, NULL), CONVSMITH_INVALID_ARGUMENT,
           "params->steps[2] (mul_channel): values[0] is not aligned to 4 bytes");
    expect(convsmith_plan_prepack(NULL, &f->params, f->packed, NULL), CONVSMITH_INVALID_ARGUMENT, "plan is NULL");
    expect(convsmith_plan_prepack(f->plan, NULL, f->packed, NULL), CONVSMITH_INVALID_ARGUMENT, "params is NULL");
    expect(convsmith_plan_prepack(f->plan, &f->params, NULL, NULL), CONVSMITH_INVALID_ARGUMENT, "packed is NULL");
    expect(convsmith_plan_prepack(f->plan, &f->params, (char *)f->packed + 4, NULL), CONVSMITH_INVALID_ARGUMENT,
           "packed is not aligned to 16 bytes");
}

static void prepack_refuses_params_of_another_dtype(void **state) {
    const fixture *f = *state;
    convsmith_params params = f->params;
    params.dtype = CONVSMITH_F16;
    expect(convsmith_plan_prepack(f->plan, &params, f->packed, NULL), CONVSMITH_INVALID_ARGUMENT,
           "params->dtype is 1 (f16); for a problem of f32 it is CONVSMITH_F32");
    params.dtype = (convsmith_dtype)7;
    expect(convsmith_plan_prepack(f->plan, &params, f->packed, NULL), CONVSMITH_INVALID_ARGUMENT,
           "params->dtype is 7 (?)");
}

/* A plan for f16; x, y, the workspace and the packed parameters of the fixture are large enough for it too. */
static convsmith_plan *create_f16(void) {
    convsmith_problem problem = good_problem();
    convsmith_plan *plan;
    problem.dtype = CONVSMITH_F16;
    assert_int_equal(convsmith_plan_create(&plan, &problem, cpu), CONVSMITH_OK);
    return plan;
}

static void a_plan_of_f16_takes_params_of_f32_and_f16(void **state) {
    const fixture *f = *state;
    convsmith_plan *plan = create_f16();
    void *packed = allocate(convsmith_plan_packed_size(plan));
    convsmith_params params = f->params;
    assert_int_equal(convsmith_plan_prepack(plan, &params, packed, NULL), CONVSMITH_OK);
    params.dtype = CONVSMITH_F16;
    assert_int_equal(convsmith_plan_prepack(plan, &params, packed, NULL), CONVSMITH_OK);
    params.dtype = CONVSMITH_BF16;
    expect(convsmith_plan_prepack(plan, &params, packed, NULL), CONVSMITH_INVALID_ARGUMENT,
           "params->dtype is 2 (bf16); for a problem of f16 it is CONVSMITH_F32 or the problem's (1)");
    free(packed);
    convsmith_plan_destroy(plan);
}

static void alignment_is_that_of_the_elements(void **state) {
    const fixture *f = *state;
    convsmith_plan *plan = create_f16();
    void *packed = allocate(convsmith_plan_packed_size(plan)),
         *workspace = allocate(convsmith_plan_workspace_size(plan));
    convsmith_step steps[5];
    memcpy(steps, f->steps, sizeof steps);
    steps[2].values[0] = (const char *)steps[2].values[0] + 2;
    convsmith_params params = f->params;
    params.steps = steps;
    expect(convsmith_plan_prepack(plan, &params, packed, NULL), CONVSMITH_INVALID_ARGUMENT,
           "params->steps[2] (mul_channel): values[0] is not aligned to 4 bytes");
    params.dtype = CONVSMITH_F16;
    assert_int_equal(convsmith_plan_prepack(plan, &params, packed, NULL), CONVSMITH_OK);
    convsmith_args args = {.x = (const char *)f->x + 2, .packed = packed, .y = (char *)f->y + 2};
    assert_int_equal(convsmith_plan_run(plan, &args, workspace, NULL), CONVSMITH_OK);
    args.x = (const char *)f->x + 1;
    expect(convsmith_plan_run(plan, &args, workspace, NULL), CONVSMITH_INVALID_ARGUMENT,
           "args->x is not aligned to 2 bytes");
    free(workspace);
    free(packed);
    convsmith_plan_destroy(plan);
}

static void run_refuses_what_is_null_or_misaligned(void **state) {
    const fixture *f = *state;
    convsmith_args args = f->args;
    expect(convsmith_plan_run(NULL, &args, f->workspace, NULL), CONVSMITH_INVALID_ARGUMENT, "plan is NULL");
    expect(convsmith_plan_run(f->plan, NULL, f->workspace, NULL), CONVSMITH_INVALID_ARGUMENT, "args is NULL");
    expect(convsmith_plan_run(f->plan, &args, NULL, NULL), CONVSMITH_INVALID_ARGUMENT, "workspace is NULL");
    expect(convsmith_plan_run(f->plan, &args, (char *)f->workspace + 8, NULL), CONVSMITH_INVALID_ARGUMENT,
           "workspace is not aligned");
    args.x = NULL;
    expect(convsmith_plan_run(f->plan, &args, f->workspace, NULL), CONVSMITH_INVALID_ARGUMENT, "args->x is NULL");
    args.x = (const char *)f->x + 1;
    expect(convsmith_plan_run(f->plan, &args, f->workspace, NULL), CONVSMITH_INVALID_ARGUMENT,
           "args->x is not aligned to 4 bytes");
    args = f->args;
    args.y = NULL;
    expect(convsmith_plan_run(f->plan, &args, f->workspace, NULL), CONVSMITH_INVALID_ARGUMENT, "args->y is NULL");
    args = f->args;
    args.packed = NULL;
    expect(convsmith_plan_run(f->plan, &args, f->workspace, NULL), CONVSMITH_INVALID_ARGUMENT, "args->packed is NULL");
}

static void a_stream_is_refused_on_the_cpu(void **state) {
    const fixture *f = *state;
    int stream;
    expect(convsmith_plan_prepack(f->plan, &f->params, f->packed, &stream), CONVSMITH_INVALID_ARGUMENT,
           "stream is not NULL");
    expect(convsmith_plan_run(f->plan, &f->args, f->workspace, &stream), CONVSMITH_INVALID_ARGUMENT,
           "stream is not NULL");
}

static void a_refused_run_leaves_y_alone(void **state) {
    const fixture *f = *state;
    float *before = allocate(f->y_size * sizeof *before);
    memcpy(before, f->y, f->y_size * sizeof *before);
    convsmith_args args = f->args;
    args.packed = NULL;
    convsmith_plan_run(f->plan, &args, f->workspace, NULL);
    assert_memory_equal(before, f->y, f->y_size * sizeof *before);
    free(before);
}

static void null_plans_have_no_size_and_no_kernel(void **state) {
    (void)state;
    assert_int_equal(convsmith_plan_packed_size(NULL), 0);
    assert_int_equal(convsmith_plan_workspace_size(NULL), 0);
    assert_null(convsmith_plan_kernel(NULL));
    convsmith_plan_destroy(NULL);
}

/* ---- Threads ------------------------------------------------------------------------------------------------------
 */

enum { THREADS = 8, RUNS = 20 };

typedef struct worker {
    const fixture *f;
    float *y;
    convsmith_status status;
} worker;

static void *run_often(void *argument) {
    worker *w = argument;
    void *workspace = malloc(convsmith_plan_workspace_size(w->f->plan));
    convsmith_args args = w->f->args;
    args.y = w->y;
    for (int i = 0; i < RUNS && workspace != NULL && w->status == CONVSMITH_OK; ++i)
        w->status = convsmith_plan_run(w->f->plan, &args, workspace, NULL);
    if (workspace == NULL)
        w->status = CONVSMITH_OUT_OF_MEMORY;
    free(workspace);
    return NULL;
}

static void many_threads_may_run_one_plan(void **state) {
    const fixture *f = *state;
    assert_int_equal(convsmith_plan_run(f->plan, &f->args, f->workspace, NULL), CONVSMITH_OK);
    pthread_t threads[THREADS];
    worker workers[THREADS];
    for (int i = 0; i < THREADS; ++i) {
        workers[i] = (worker){.f = f, .y = filled(f->y_size), .status = CONVSMITH_OK};
        assert_int_equal(pthread_create(&threads[i], NULL, run_often, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; ++i) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].status, CONVSMITH_OK);
        assert_memory_equal(workers[i].y, f->y, f->y_size * sizeof *f->y);
        free(workers[i].y);
    }
}

static void *fail_elsewhere(void *argument) {
    (void)argument;
    convsmith_plan_run(NULL, NULL, NULL, NULL);
    return NULL;
}

static void details_are_each_thread_s_own(void **state) {
    (void)state;
    expect(convsmith_plan_create(NULL, NULL, cpu), CONVSMITH_INVALID_ARGUMENT, "pass the address");
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
    pthread_join(thread, NULL);
    assert_non_null(strstr(convsmith_detail(), "pass the address"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_lies_as_its_members_are_aligned),
        cmocka_unit_test(null_pointers_are_refused),
        cmocka_unit_test(each_size_must_be_a_positive_int32),
        cmocka_unit_test(a_kernel_larger_than_the_input_is_refused),
        cmocka_unit_test(groups_must_divide_the_channels),
        cmocka_unit_test(eps_must_be_positive_and_finite),
        cmocka_unit_test(values_outside_an_enumeration_are_refused),
        cmocka_unit_test(devices_that_are_not_there_are_refused),
        cmocka_unit_test(an_epilogue_that_is_no_chain_is_refused),
        cmocka_unit_test(sizes_beyond_any_launch_are_refused),
        cmocka_unit_test(a_table_of_another_layout_is_refused),
        cmocka_unit_test_setup_teardown(prepack_refuses_what_is_null_or_misaligned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(prepack_refuses_params_of_another_dtype, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_plan_of_f16_takes_params_of_f32_and_f16, set_up, tear_down),
        cmocka_unit_test_setup_teardown(alignment_is_that_of_the_elements, set_up, tear_down),
        cmocka_unit_test_setup_teardown(run_refuses_what_is_null_or_misaligned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stream_is_refused_on_the_cpu, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_run_leaves_y_alone, set_up, tear_down),
        cmocka_unit_test(null_plans_have_no_size_and_no_kernel),
        cmocka_unit_test_setup_teardown(many_threads_may_run_one_plan, set_up, tear_down),
        cmocka_unit_test(details_are_each_thread_s_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
