/* SPDX-License-Identifier: Apache-2.0
 *
 * What prepack wants of the parameters, step by step of the epilogue, what a run wants of tensors, and what they hand
 * to a kernel. The kernel here serves whatever epilogue a test is about, and remembers what it is handed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { C_OUT = 6 };

static cs_pack_args handed;

static void remember(const cs_pack_args *args) { handed = *args; }

static cs_conv_args run_with;

static void remember_run(const cs_conv_args *args, int64_t block) {
    (void)block;
    run_with = *args;
}

static const float channels[4][C_OUT], weight[C_OUT];

static convsmith_kernel kernel_of(const char *epilogue) {
    return (convsmith_kernel){
        .info = {.name = "mine",
                 .key = {.c_in = 1, .kh = 1, .kw = 1, .c_out = C_OUT, .epilogue = epilogue},
                 .tile_c = C_OUT,
                 .tile_h = 8,
                 .tile_w = 8},
        .host = {.prepack = remember, .convolve = remember_run},
    };
}

static convsmith_status create(convsmith_plan **plan, const char *epilogue, const convsmith_table *table) {
    const convsmith_problem problem = {.n = 1,
                                       .c_in = 1,
                                       .h = 4,
                                       .w = 4,
                                       .c_out = C_OUT,
                                       .kh = 1,
                                       .kw = 1,
                                       .groups = 2,
                                       .eps = 1e-5f,
                                       .epilogue = epilogue,
                                       .table = table};
    return convsmith_plan_create(plan, &problem, (convsmith_device){CONVSMITH_DEVICE_CPU, 0});
}

/* Prepacks by a plan for `written`, which finds the kernel of the chain `epilogue`. */
static convsmith_status prepack_as(const char *written, const char *epilogue, const convsmith_params *params) {
    const convsmith_kernel row = kernel_of(epilogue);
    const convsmith_table mine = {.layout = CS_TABLE_LAYOUT, .rows = &row, .count = 1};
    _Alignas(16) static char packed[16];
    convsmith_plan *plan;
    if (create(&plan, written, &mine) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    const convsmith_status status = convsmith_plan_prepack(plan, params, packed, NULL);
    convsmith_plan_destroy(plan);
    return status;
}

static convsmith_status prepack(const char *epilogue, const convsmith_step *steps, size_t count) {
    return prepack_as(epilogue, epilogue, &(convsmith_params){.weight = weight, .steps = steps, .step_count = count});
}

static void expect_refused(convsmith_status status, const char *words) {
    if (status != CONVSMITH_INVALID_ARGUMENT || strstr(convsmith_detail(), words) == NULL)
        fail_msg("got \"%s\" (%s), wanted \"%s\"", convsmith_status_string(status), convsmith_detail(), words);
}

#define CHAIN CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM

static const convsmith_step chain_steps[5] = {{.values = {channels[0]}},
                                              {.values = {channels[1]}},
                                              {.values = {channels[2]}},
                                              {.values = {NULL}},
                                              {.values = {channels[3], channels[0]}}};

static void each_step_is_handed_what_it_reads(void **state) {
    (void)state;
    const convsmith_step steps[] = {{.values = {channels[0]}}, {.constants = {-1, 2}}, {.values = {channels[1]}}};
    handed = (cs_pack_args){0};
    assert_int_equal(prepack("bias+clamp+bias", steps, 3), CONVSMITH_OK);
    assert_ptr_equal(handed.weight, weight);
    for (int i = 0; i < 3; ++i) {
        assert_memory_equal(handed.steps[i].values, steps[i].values, sizeof steps[i].values);
        assert_memory_equal(handed.steps[i].constants, steps[i].constants, sizeof steps[i].constants);
    }
    for (int i = 3; i < CS_MAX_STEPS; ++i)
        assert_memory_equal(&handed.steps[i], &(cs_step_args){0}, sizeof handed.steps[i]);
}

static void the_bare_convolution_has_no_steps(void **state) {
    (void)state;
    assert_int_equal(prepack("", NULL, 0), CONVSMITH_OK);
}

static void a_kernel_is_found_however_its_chain_is_written(void **state) {
    (void)state;
    const convsmith_step step = {.values = {NULL}};
    const convsmith_params params = {.weight = weight, .steps = &step, .step_count = 1};
    assert_int_equal(prepack_as(" clamp( -0.0, 6e0 ) ", "clamp(0,6)", &params), CONVSMITH_OK);
}

static void a_missing_value_is_named(void **state) {
    (void)state;
    static const struct {
        int step, value;
        const char *words;
    } rows[] = {
        {0, 0, "params->steps[0] (bias): values[0] is NULL; the step reads conv.bias [C_out] from it"},
        {1, 0, "params->steps[1] (add_channel): values[0] is NULL; the step reads bias [C_out] from it"},
        {2, 0, "params->steps[2] (mul_channel): values[0] is NULL; the step reads scale [C_out] from it"},
        {4, 0, "params->steps[4] (group_norm): values[0] is NULL; the step reads group_norm.weight [C_out]"},
        {4, 1, "params->steps[4] (group_norm): values[1] is NULL; the step reads group_norm.bias [C_out]"},
    };
    assert_int_equal(prepack(CHAIN, chain_steps, 5), CONVSMITH_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        convsmith_step steps[5];
        memcpy(steps, chain_steps, sizeof steps);
        steps[rows[i].step].values[rows[i].value] = NULL;
        expect_refused(prepack(CHAIN, steps, 5), rows[i].words);
    }
}

static void the_weight_is_wanted_too(void **state) {
    (void)state;
    const convsmith_params params = {.steps = chain_steps, .step_count = 5};
    expect_refused(prepack_as(CHAIN, CHAIN, &params),
                   "params->weight is NULL; it is conv.weight [C_out, C_in / conv_groups, KH, KW]");
}

static void there_must_be_an_entry_for_each_step(void **state) {
    (void)state;
    expect_refused(prepack(CHAIN, chain_steps, 4), "params->step_count is 4; it is the number of the epilogue's steps, "
                                                   "5, in " CHAIN);
    expect_refused(prepack(CHAIN, NULL, 5), "params->steps is NULL; it has an entry for each of the 5 steps");
    expect_refused(prepack("", chain_steps, 1), "params->step_count is 1; it is the number of the epilogue's steps, 0: "
                                                "the bare convolution has none");
}

/* Steps in another order than the epilogue's show so. */
static void what_a_step_does_not_read_is_refused(void **state) {
    (void)state;
    convsmith_step step = {.values = {channels[0]}};
    expect_refused(prepack("sigmoid", &step, 1),
                   "params->steps[0] (sigmoid): values[0] is given, but the step reads 0 values");
    const convsmith_step two = {.values = {channels[0], channels[1]}};
    expect_refused(prepack("bias", &two, 1), "params->steps[0] (bias): values[1] is given, but the step reads 1 value");
    assert_null(strstr(convsmith_detail(), "1 values"));
    step.constants[1] = 2;
    expect_refused(prepack("bias", &step, 1),
                   "params->steps[0] (bias): constants[1] is 2; it should be 0, since the step reads no such");
}

static void constants_must_make_sense(void **state) {
    (void)state;
    static const struct {
        const char *epilogue;
        float constants[2];
        const char *words; /* NULL: they are right */
    } rows[] = {
        {"clamp", {0, 6}, NULL},
        {"clamp", {6, 6}, NULL},
        {"clamp", {6, 0}, "params->steps[0] (clamp): constants[0] is 6; lo must be at most hi"},
        {"clamp", {0, INFINITY}, "params->steps[0] (clamp): constants[1] is inf; hi must be finite"},
        {"clamp", {NAN, 0}, "constants[0] is nan; lo must be finite"},
        {"div_const", {2, 0}, NULL},
        {"div_const", {0, 0}, "params->steps[0] (div_const): constants[0] is 0; c must not be 0"},
        {"div_const", {2, 1}, "constants[1] is 1; it should be 0"},
        {"add_const", {0, 0}, NULL},
        {"clamp(0,6)", {0, 0}, NULL},
        {"clamp(0,6)",
         {0, 6},
         "params->steps[0] (clamp): constants[1] is 6; it should be 0, since the epilogue's text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        const convsmith_step step = {.constants = {rows[i].constants[0], rows[i].constants[1]}};
        const convsmith_status status = prepack(rows[i].epilogue, &step, 1);
        if (rows[i].words)
            expect_refused(status, rows[i].words);
        else
            assert_int_equal(status, CONVSMITH_OK);
    }
}

static void the_eps_of_a_batch_norm_must_be_positive(void **state) {
    (void)state;
    convsmith_step step = {.values = {channels[0], channels[1], channels[2], channels[3]}};
    expect_refused(prepack("batch_norm", &step, 1),
                   "params->steps[0] (batch_norm): constants[0] is 0; eps must be positive, e.g. 1e-5");
    step.constants[0] = 1e-5f;
    assert_int_equal(prepack("batch_norm", &step, 1), CONVSMITH_OK);
}

static void an_instance_norm_may_go_without_values(void **state) {
    (void)state;
    const convsmith_step step = {.values = {NULL, channels[0]}};
    assert_int_equal(prepack("instance_norm", &step, 1), CONVSMITH_OK);
    assert_null(handed.steps[0].values[0]);
    assert_ptr_equal(handed.steps[0].values[1], channels[0]);
}

static void an_instance_norm_has_a_group_a_channel(void **state) {
    (void)state;
    const convsmith_kernel row = kernel_of("instance_norm");
    const convsmith_table mine = {.layout = CS_TABLE_LAYOUT, .rows = &row, .count = 1};
    convsmith_plan *plan;
    assert_int_equal(create(&plan, "instance_norm", &mine), CONVSMITH_OK);
    assert_int_equal(plan->args.groups, C_OUT);
    convsmith_plan_destroy(plan);
}

static convsmith_status run_tensors(const char *epilogue, const void *const *tensors, int count) {
    const convsmith_kernel row = kernel_of(epilogue);
    const convsmith_table mine = {.layout = CS_TABLE_LAYOUT, .rows = &row, .count = 1};
    _Alignas(16) static char packed[16];
    static float x[16], y[16 * C_OUT];
    convsmith_plan *plan;
    if (create(&plan, epilogue, &mine) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    convsmith_args args = {.x = x, .packed = packed, .y = y};
    for (int i = 0; i < count; ++i)
        args.tensors[i] = tensors[i];
    const convsmith_status status = convsmith_plan_run(plan, &args, NULL, NULL);
    convsmith_plan_destroy(plan);
    return status;
}

static void tensors_are_handed_over(void **state) {
    (void)state;
    const void *const tensors[] = {channels[0], channels[1]};
    assert_int_equal(run_tensors("add_tensor+relu+add_tensor", tensors, 2), CONVSMITH_OK);
    assert_ptr_equal(run_with.tensors[0], channels[0]);
    assert_ptr_equal(run_with.tensors[1], channels[1]);
    assert_null(run_with.tensors[2]);
    assert_int_equal(run_with.y_strides[0], 16 * C_OUT);
    assert_int_equal(run_with.y_strides[1], 16);
    assert_int_equal(run_with.y_strides[2], 4);
    assert_int_equal(run_with.y_strides[3], 1);
}

static void tensors_that_are_wrong_are_named(void **state) {
    (void)state;
    const void *const tensors[] = {channels[0], channels[1]}, *const odd[] = {(const char *)channels[0] + 2};
    expect_refused(run_tensors("add_tensor+relu+add_tensor", tensors, 1),
                   "args->tensors[1] is NULL; step 3 of the epilogue, add_tensor, adds it: a tensor with y's sizes");
    expect_refused(run_tensors("bias+add_tensor", tensors, 0), "args->tensors[0] is NULL; step 2 of the epilogue");
    expect_refused(run_tensors("add_tensor", tensors, 2),
                   "args->tensors[1] is given, but the epilogue has 1 add_tensor step; it should be NULL");
    expect_refused(run_tensors("relu", tensors, 1),
                   "args->tensors[0] is given, but the epilogue has 0 add_tensor steps");
    expect_refused(run_tensors("add_tensor", odd, 1), "args->tensors[0] is not aligned to 4 bytes");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_is_handed_what_it_reads),
        cmocka_unit_test(the_bare_convolution_has_no_steps),
        cmocka_unit_test(a_kernel_is_found_however_its_chain_is_written),
        cmocka_unit_test(a_missing_value_is_named),
        cmocka_unit_test(the_weight_is_wanted_too),
        cmocka_unit_test(there_must_be_an_entry_for_each_step),
        cmocka_unit_test(what_a_step_does_not_read_is_refused),
        cmocka_unit_test(constants_must_make_sense),
        cmocka_unit_test(the_eps_of_a_batch_norm_must_be_positive),
        cmocka_unit_test(tensors_are_handed_over),
        cmocka_unit_test(tensors_that_are_wrong_are_named),
        cmocka_unit_test(an_instance_norm_may_go_without_values),
        cmocka_unit_test(an_instance_norm_has_a_group_a_channel),
    };
    return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
