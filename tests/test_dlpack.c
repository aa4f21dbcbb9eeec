/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors by DLPack: the same results as by pointers, and a message of its own for each field that is wrong.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "convsmith/dlpack.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { N = 2, C_IN = 4, H = 9, W = 11, C_OUT = 8, K = 3, H_OUT = H - K + 1, W_OUT = W - K + 1, OFFSET = 5 };

/* A DLTensor with its own shape and strides, which its pointers are to. */
typedef struct tensor {
    DLTensor dl;
    int64_t shape[5], strides[5];
} tensor;

enum { TENSOR_X, TENSOR_WEIGHT, TENSOR_Y, TENSOR_VALUE, TENSOR_ADDED, TENSORS };

/* x lies OFFSET elements behind where its data pointer is to, and channels_last; y is contiguous, by NULL strides. */
typedef struct layer {
    float x[OFFSET + N * C_IN * H * W], weight[C_OUT * C_IN * K * K], value[C_OUT];
    float added[N * C_OUT * H_OUT * W_OUT], y[N * C_OUT * H_OUT * W_OUT];
    tensor tensors[TENSORS];
    convsmith_problem problem;
    convsmith_device device;
    convsmith_plan *plan;
    void *packed, *workspace;
} layer;

static tensor describe(void *data, int ndim, const int64_t *shape, const int64_t *strides) {
    tensor t = {.dl = {.data = data, .device = {kDLCPU, 0}, .ndim = ndim, .dtype = {kDLFloat, 32, 1}}};
    memcpy(t.shape, shape, (size_t)ndim * sizeof *shape);
    if (strides)
        memcpy(t.strides, strides, (size_t)ndim * sizeof *strides);
    return t;
}

static void fill(float *values, size_t count, unsigned seed) {
    for (size_t i = 0; i < count; i++)
        values[i] = (float)((i * 37 + seed * 11) % 101) * 0.02f - 1.0f;
}

static void make_tensors(layer *l) {
    const int64_t x[] = {N, C_IN, H, W}, nhwc[] = {H * W * C_IN, 1, W * C_IN, C_IN};
    const int64_t weight[] = {C_OUT, C_IN, K, K}, y[] = {N, C_OUT, H_OUT, W_OUT}, value[] = {C_OUT, 1, 1};
    const int64_t of_value[] = {1, 0, 0};
    l->tensors[TENSOR_X] = describe(l->x, 4, x, nhwc);
    l->tensors[TENSOR_X].dl.byte_offset = OFFSET * sizeof(float);
    l->tensors[TENSOR_WEIGHT] = describe(l->weight, 4, weight, NULL);
    l->tensors[TENSOR_Y] = describe(l->y, 4, y, NULL);
    l->tensors[TENSOR_VALUE] = describe(l->value, 3, value, of_value);
    l->tensors[TENSOR_ADDED] = describe(l->added, 4, y, NULL);
    for (int i = 0; i < TENSORS; i++) {
        const bool has_strides = i == TENSOR_X || i == TENSOR_VALUE;
        l->tensors[i].dl.shape = l->tensors[i].shape;
        l->tensors[i].dl.strides = has_strides ? l->tensors[i].strides : NULL;
    }
}

static const DLTensor *at(const layer *l, int which) { return &l->tensors[which].dl; }

static convsmith_status take_problem(layer *l) {
    l->problem = (convsmith_problem){.epilogue = "bias+add_tensor+relu"};
    return convsmith_problem_from_dlpack(&l->problem, &l->device, at(l, TENSOR_X), at(l, TENSOR_WEIGHT),
                                         at(l, TENSOR_Y));
}

static convsmith_status prepack(const layer *l) {
    const convsmith_dlpack_step steps[] = {{.values = {at(l, TENSOR_VALUE)}}, {.values = {NULL}}, {.values = {NULL}}};
    const convsmith_dlpack_params params = {.weight = at(l, TENSOR_WEIGHT), .steps = steps, .step_count = 3};
    return convsmith_plan_prepack_dlpack(l->plan, &params, l->packed, NULL);
}

static convsmith_status run(const layer *l) {
    const convsmith_dlpack_args args = {
        .x = at(l, TENSOR_X), .packed = l->packed, .y = at(l, TENSOR_Y), .tensors = {at(l, TENSOR_ADDED)}};
    return convsmith_plan_run_dlpack(l->plan, &args, l->workspace, NULL);
}

static int create_layer(void **state) {
    layer *l = calloc(1, sizeof *l);
    assert_non_null(l);
    fill(l->x, sizeof l->x / sizeof(float), 1);
    fill(l->weight, sizeof l->weight / sizeof(float), 2);
    fill(l->value, sizeof l->value / sizeof(float), 3);
    fill(l->added, sizeof l->added / sizeof(float), 4);
    make_tensors(l);
    if (take_problem(l) != CONVSMITH_OK || convsmith_plan_create(&l->plan, &l->problem, l->device) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    l->packed = aligned_alloc(64, convsmith_plan_packed_size(l->plan) / 64 * 64 + 64);
    l->workspace = aligned_alloc(64, convsmith_plan_workspace_size(l->plan) / 64 * 64 + 64);
    assert_true(l->packed && l->workspace);
    *state = l;
    return 0;
}

static int destroy_layer(void **state) {
    layer *l = *state;
    convsmith_plan_destroy(l->plan);
    free(l->packed);
    free(l->workspace);
    free(l);
    return 0;
}

/* ---- What is right ----------------------------------------------------------------------------------------------- */

static void a_problem_is_what_its_tensors_say(void **state) {
    const layer *l = *state;
    const convsmith_problem *p = &l->problem;
    const int64_t nhwc[] = {H * W * C_IN, 1, W * C_IN, C_IN};
    assert_true(p->n == N && p->c_in == C_IN && p->h == H && p->w == W);
    assert_true(p->c_out == C_OUT && p->kh == K && p->kw == K && p->conv_groups == 1);
    assert_int_equal(p->dtype, CONVSMITH_F32);
    assert_memory_equal(p->x_strides, nhwc, sizeof nhwc);
    assert_int_equal(l->device.kind, CONVSMITH_DEVICE_CPU);
}

static void runs_give_the_bits_that_pointers_give(void **state) {
    layer *l = *state;
    if (prepack(l) != CONVSMITH_OK || run(l) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    float by_pointers[N * C_OUT * H_OUT * W_OUT];
    const convsmith_step steps[] = {{.values = {l->value}}, {.values = {NULL}}, {.values = {NULL}}};
    const convsmith_params params = {.weight = l->weight, .steps = steps, .step_count = 3};
    const convsmith_args args = {.x = l->x + OFFSET, .packed = l->packed, .y = by_pointers, .tensors = {l->added}};
    assert_int_equal(convsmith_plan_prepack(l->plan, &params, l->packed, NULL), CONVSMITH_OK);
    assert_int_equal(convsmith_plan_run(l->plan, &args, l->workspace, NULL), CONVSMITH_OK);
    assert_memory_equal(l->y, by_pointers, sizeof by_pointers);
}

static void weights_of_fewer_channels_make_groups(void **state) {
    layer *l = *state;
    l->tensors[TENSOR_WEIGHT].shape[1] = 2;
    assert_int_equal(take_problem(l), CONVSMITH_OK);
    assert_int_equal(l->problem.conv_groups, 2);
}

static void element_types_become_dtypes(void **state) {
    layer *l = *state;
    l->tensors[TENSOR_X].dl.dtype = l->tensors[TENSOR_Y].dl.dtype = (DLDataType){kDLBfloat, 16, 1};
    assert_int_equal(take_problem(l), CONVSMITH_OK);
    assert_int_equal(l->problem.dtype, CONVSMITH_BF16);
    l->tensors[TENSOR_X].dl.dtype = l->tensors[TENSOR_Y].dl.dtype = (DLDataType){kDLFloat, 16, 1};
    assert_int_equal(take_problem(l), CONVSMITH_OK);
    assert_int_equal(l->problem.dtype, CONVSMITH_F16);
}

static void devices_are_those_of_the_tensors(void **state) {
    layer *l = *state;
    for (int i = TENSOR_X; i <= TENSOR_Y; i++)
        l->tensors[i].dl.device = (DLDevice){i == TENSOR_WEIGHT ? kDLCUDAManaged : kDLCUDA, 3};
    assert_int_equal(take_problem(l), CONVSMITH_OK);
    assert_true(l->device.kind == CONVSMITH_DEVICE_CUDA && l->device.ordinal == 3);
    for (int i = TENSOR_X; i <= TENSOR_Y; i++)
        l->tensors[i].dl.device = (DLDevice){kDLCUDAHost, 0};
    assert_int_equal(take_problem(l), CONVSMITH_OK);
    assert_int_equal(l->device.kind, CONVSMITH_DEVICE_CPU);
}

/* NumPy and others give indices of one place any stride. */
static void strides_of_single_places_say_nothing(void **state) {
    layer *l = *state;
    const int64_t contiguous[] = {C_IN * W, W, W, 1}, odd[] = {-7, W, 99, 1};
    tensor *x = &l->tensors[TENSOR_X], *weight = &l->tensors[TENSOR_WEIGHT];
    x->shape[0] = x->shape[2] = weight->shape[2] = 1;
    memcpy(x->strides, odd, sizeof odd);
    l->problem = (convsmith_problem){.epilogue = ""};
    if (convsmith_problem_from_dlpack(&l->problem, &l->device, &x->dl, &weight->dl, NULL) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    assert_memory_equal(l->problem.x_strides, contiguous, sizeof contiguous);
}

static void an_expanded_element_is_told_from_contiguous_ones(void **state) {
    layer *l = *state;
    tensor *x = &l->tensors[TENSOR_X];
    memset(x->strides, 0, sizeof x->strides);
    x->shape[0] = 1;
    l->problem = (convsmith_problem){.epilogue = ""};
    if (convsmith_problem_from_dlpack(&l->problem, &l->device, &x->dl, at(l, TENSOR_WEIGHT), NULL) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    assert_true(l->problem.x_strides[0] != 0 && l->problem.x_strides[3] == 0);
}

/* ---- What is wrong ----------------------------------------------------------------------------------------------- */

typedef enum field { NDIM, SHAPE, STRIDE, CODE, BITS, LANES, DEVICE, DEVICE_ID, DATA, BYTE_OFFSET, NO_SHAPE } field;

/* One field of one tensor, and what is said of it. */
typedef struct fault {
    int tensor;
    field field;
    int index;
    int64_t value;
    const char *words;
} fault;

static void spoil(layer *l, const fault *f) {
    tensor *t = &l->tensors[f->tensor];
    switch (f->field) {
    case NDIM:
        t->dl.ndim = (int32_t)f->value;
        break;
    case SHAPE:
        t->shape[f->index] = f->value;
        break;
    case STRIDE:
        t->strides[f->index] = f->value;
        t->dl.strides = t->strides;
        break;
    case CODE:
        t->dl.dtype.code = (uint8_t)f->value;
        break;
    case BITS:
        t->dl.dtype.bits = (uint8_t)f->value;
        break;
    case LANES:
        t->dl.dtype.lanes = (uint16_t)f->value;
        break;
    case DEVICE:
        t->dl.device.device_type = (DLDeviceType)f->value;
        break;
    case DEVICE_ID:
        t->dl.device = (DLDevice){kDLCUDA, (int32_t)f->value};
        break;
    case DATA:
        t->dl.data = NULL;
        break;
    case BYTE_OFFSET:
        t->dl.byte_offset = (uint64_t)f->value;
        break;
    case NO_SHAPE:
        t->dl.shape = NULL;
        break;
    }
}

/* What `call` says of each fault, which is then put right. */
static void expect_faults(layer *l, const fault *faults, size_t count, convsmith_status (*call)(layer *l)) {
    tensor right[TENSORS];
    memcpy(right, l->tensors, sizeof right);
    for (size_t i = 0; i < count; i++) {
        spoil(l, &faults[i]);
        const convsmith_status status = call(l);
        if (status == CONVSMITH_OK || !strstr(convsmith_detail(), faults[i].words))
            fail_msg("fault %zu: status %d; it should say '%s', it said: %s", i, (int)status, faults[i].words,
                     convsmith_detail());
        memcpy(l->tensors, right, sizeof right);
    }
}

static void a_wrong_field_of_a_problem_is_told(void **state) {
    static const fault faults[] = {
        {TENSOR_X, NDIM, 0, 3, "x->ndim is 3; it is 4: [N, C_in, H, W]"},
        {TENSOR_X, NO_SHAPE, 0, 0, "x->shape is NULL"},
        {TENSOR_X, SHAPE, 2, 0, "x->shape[2] is 0; a size is 1 or more"},
        {TENSOR_X, SHAPE, 2, 2, "is larger than the input"},
        {TENSOR_X, STRIDE, 1, -1, "x->strides[1] (c) is -1; a stride is 0 or more"},
        {TENSOR_X, STRIDE, 3, INT64_MAX, "exceeds the address space"},
        {TENSOR_X, CODE, 0, kDLInt, "x->dtype has code 0, 32 bits, 1 lanes; it is kDLFloat (2) of 32 or 16 bits"},
        {TENSOR_X, BITS, 0, 64, "x->dtype has code 2, 64 bits"},
        {TENSOR_X, LANES, 0, 4, "32 bits, 4 lanes"},
        {TENSOR_X, DEVICE, 0, kDLMetal, "x->device.device_type is 8; it is kDLCPU (1)"},
        {TENSOR_X, BYTE_OFFSET, 0, -1, "x->byte_offset is 18446744073709551615, beyond the address space"},
        {TENSOR_WEIGHT, NDIM, 0, 5, "weight->ndim is 5; it is 4: [C_out, C_in / conv_groups, KH, KW]"},
        {TENSOR_WEIGHT, SHAPE, 1, 3, "weight->shape[1] is 3; it must divide the channels of x, 4"},
        {TENSOR_WEIGHT, BITS, 0, 16, "weight->dtype is f16; it is that of x, f32"},
        {TENSOR_WEIGHT, DEVICE_ID, 0, 2, "weight->device is CUDA device 2; it is that of x, the CPU"},
        {TENSOR_Y, SHAPE, 3, W, "y->shape[3] is 11; it is 9 in [N, C_out, H_out, W_out]"},
        {TENSOR_Y, BITS, 0, 16, "y->dtype is f16; it is that of x, f32"},
        {TENSOR_Y, DEVICE_ID, 0, 0, "y->device is CUDA device 0; it is that of x, the CPU"},
    };
    expect_faults(*state, faults, sizeof faults / sizeof *faults, take_problem);
}

static void a_problem_stays_as_it_was_where_a_tensor_is_wrong(void **state) {
    layer *l = *state;
    const convsmith_problem before = l->problem;
    l->tensors[TENSOR_X].shape[0] = 5;
    l->tensors[TENSOR_Y].shape[0] = 6;
    assert_int_equal(
        convsmith_problem_from_dlpack(&l->problem, &l->device, at(l, TENSOR_X), at(l, TENSOR_WEIGHT), at(l, TENSOR_Y)),
        CONVSMITH_INVALID_ARGUMENT);
    assert_memory_equal(&l->problem, &before, sizeof before);
}

static convsmith_status prepack_of(layer *l) { return prepack(l); }

static void a_wrong_field_of_the_parameters_is_told(void **state) {
    static const fault faults[] = {
        {TENSOR_WEIGHT, SHAPE, 0, 7, "params->weight->shape[0] is 7; it is 8 in [C_out, "},
        {TENSOR_WEIGHT, DATA, 0, 0, "params->weight->data is NULL"},
        {TENSOR_WEIGHT, BYTE_OFFSET, 0, 2, "params->weight is not aligned to 4 bytes"},
        {TENSOR_WEIGHT, DEVICE_ID, 0, 1, "params->weight->device is CUDA device 1; it is that of the plan, the CPU"},
        {TENSOR_VALUE, SHAPE, 0, 7, "params->steps[0].values[0]->shape is 7x1x1; it has C_out = 8 elements"},
        {TENSOR_VALUE, SHAPE, 1, 8, "shape is 8x8x1; it has C_out = 8 elements, along one index"},
        {TENSOR_VALUE, NDIM, 0, 0, "shape is that of a scalar; it has C_out = 8 elements"},
        {TENSOR_VALUE, STRIDE, 0, 2, "params->steps[0].values[0]->strides[0] is 2; it is 1"},
        {TENSOR_VALUE, DATA, 0, 0, "params->steps[0].values[0]->data is NULL"},
        {TENSOR_VALUE, BITS, 0, 16, "values[0]->dtype is f16; it is that of params->weight, f32"},
        {TENSOR_VALUE, DEVICE_ID, 0, 1, "values[0]->device is CUDA device 1; it is that of the plan, the CPU"},
    };
    expect_faults(*state, faults, sizeof faults / sizeof *faults, prepack_of);
}

static convsmith_status run_of(layer *l) { return run(l); }

static void a_wrong_field_of_a_run_is_told(void **state) {
    static const fault faults[] = {
        {TENSOR_X, SHAPE, 0, 3, "args->x->shape[0] is 3; it is 2 in [N, C_in, H, W]"},
        {TENSOR_X, STRIDE, 1, 2, "args->x->strides[1] is 2; the plan was made for 1"},
        {TENSOR_X, DATA, 0, 0, "args->x->data is NULL"},
        {TENSOR_X, BYTE_OFFSET, 0, 1, "args->x is not aligned to 4 bytes"},
        {TENSOR_X, CODE, 0, kDLComplex, "args->x->dtype has code 5"},
        {TENSOR_X, BITS, 0, 16, "args->x->dtype is f16; it is that of the plan, f32"},
        {TENSOR_X, DEVICE_ID, 0, 0, "args->x->device is CUDA device 0; it is that of the plan, the CPU"},
        {TENSOR_Y, SHAPE, 2, 1, "args->y->shape[2] is 1; it is 7 in [N, C_out, H_out, W_out]"},
        {TENSOR_Y, DATA, 0, 0, "args->y->data is NULL"},
        {TENSOR_ADDED, SHAPE, 1, 4, "args->tensors[0]->shape[1] is 4; it is 8"},
        {TENSOR_ADDED, STRIDE, 0, 3, "args->tensors[0]->strides["},
    };
    expect_faults(*state, faults, sizeof faults / sizeof *faults, run_of);
}

static void missing_arguments_are_told(void **state) {
    const layer *l = *state;
    const convsmith_dlpack_params none = {.weight = at(l, TENSOR_WEIGHT), .step_count = 3};
    const convsmith_dlpack_args no_y = {.x = at(l, TENSOR_X), .packed = l->packed};
    assert_int_equal(convsmith_plan_prepack_dlpack(l->plan, &none, l->packed, NULL), CONVSMITH_INVALID_ARGUMENT);
    assert_non_null(strstr(convsmith_detail(), "params->steps is NULL"));
    assert_int_equal(convsmith_plan_run_dlpack(l->plan, &no_y, l->workspace, NULL), CONVSMITH_INVALID_ARGUMENT);
    assert_string_equal(convsmith_detail(), "args->y is NULL");
    assert_int_equal(convsmith_plan_run_dlpack(l->plan, NULL, l->workspace, NULL), CONVSMITH_INVALID_ARGUMENT);
    assert_string_equal(convsmith_detail(), "args is NULL");
}

static void another_number_of_steps_is_told(void **state) {
    const layer *l = *state;
    const convsmith_dlpack_step one = {.values = {NULL}};
    const convsmith_dlpack_params params = {.weight = at(l, TENSOR_WEIGHT), .steps = &one, .step_count = 1000};
    assert_int_equal(convsmith_plan_prepack_dlpack(l->plan, &params, l->packed, NULL), CONVSMITH_INVALID_ARGUMENT);
    assert_non_null(strstr(convsmith_detail(), "params->step_count is 1000"));
}

#define OF_A_LAYER(TEST) cmocka_unit_test_setup_teardown(TEST, create_layer, destroy_layer)

int main(void) {
    setenv("OMP_WAIT_POLICY", "passive", 0);
    const struct CMUnitTest tests[] = {
        OF_A_LAYER(a_problem_is_what_its_tensors_say),
        OF_A_LAYER(runs_give_the_bits_that_pointers_give),
        OF_A_LAYER(weights_of_fewer_channels_make_groups),
        OF_A_LAYER(element_types_become_dtypes),
        OF_A_LAYER(devices_are_those_of_the_tensors),
        OF_A_LAYER(strides_of_single_places_say_nothing),
        OF_A_LAYER(an_expanded_element_is_told_from_contiguous_ones),
        OF_A_LAYER(a_wrong_field_of_a_problem_is_told),
        OF_A_LAYER(a_problem_stays_as_it_was_where_a_tensor_is_wrong),
        OF_A_LAYER(a_wrong_field_of_the_parameters_is_told),
        OF_A_LAYER(a_wrong_field_of_a_run_is_told),
        OF_A_LAYER(missing_arguments_are_told),
        OF_A_LAYER(another_number_of_steps_is_told),
    };
    return cmocka_run_group_tests_name("dlpack", tests, NULL, NULL);
}
