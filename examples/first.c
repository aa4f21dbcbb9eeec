/* SPDX-License-Identifier: Apache-2.0
 *
 * A first program: one layer, 3 -> 16 channels, 3x3, on made-up data, on the CPU.
 *
 *     cc first.c $(pkg-config --cflags --libs convsmith) -o first
 */
#include <convsmith/convsmith.h>

#include <stdio.h>
#include <stdlib.h>

enum { N = 1, C_IN = 3, H = 64, W = 64, C_OUT = 16, K = 3, H_OUT = H - K + 1, W_OUT = W - K + 1 };

static void check(convsmith_status status) {
    if (status != CONVSMITH_OK) {
        fprintf(stderr, "error: %s: %s\n", convsmith_status_string(status), convsmith_detail());
        exit(1);
    }
}

/* 16-byte aligned; even a plan that needs no workspace may be given one. */
static void *allocate(size_t size) {
    void *memory = aligned_alloc(16, (size + 16) / 16 * 16);
    if (!memory) {
        fprintf(stderr, "error: no memory\n");
        exit(1);
    }
    return memory;
}

static float *made_up(size_t count, float step) {
    float *values = allocate(count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(i * 37 % 101) * step - 50 * step;
    return values;
}

int main(void) {
    const convsmith_problem problem = {
        .n = N,
        .c_in = C_IN,
        .h = H,
        .w = W,
        .c_out = C_OUT,
        .kh = K,
        .kw = K,
        .groups = 4,
        .eps = 1e-5f,
        .dtype = CONVSMITH_F32,
        .math = CONVSMITH_MATH_FP32,
        .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM,
    };
    float *x = made_up(N * C_IN * H * W, 0.02f), *weight = made_up(C_OUT * C_IN * K * K, 0.01f);
    float *channel = made_up(C_OUT, 0.01f); /* one made-up vector serves for all per-channel parameters */
    float *y = allocate(sizeof(float) * N * C_OUT * H_OUT * W_OUT);

    /* Once for a problem: find the kernel, pack the parameters as it reads them. */
    convsmith_plan *plan;
    const convsmith_device cpu = {CONVSMITH_DEVICE_CPU, 0};
    check(convsmith_plan_create(&plan, &problem, cpu));
    void *packed = allocate(convsmith_plan_packed_size(plan));
    void *workspace = allocate(convsmith_plan_workspace_size(plan));
    const convsmith_step steps[] = {
        {.values = {channel}},          /* bias: conv.bias */
        {.values = {channel}},          /* add_channel: bias */
        {.values = {channel}},          /* mul_channel: scale */
        {.values = {NULL}},             /* sigmoid */
        {.values = {channel, channel}}, /* group_norm: weight, bias */
    };
    const convsmith_params params = {.weight = weight, .steps = steps, .step_count = 5};
    check(convsmith_plan_prepack(plan, &params, packed, NULL));

    /* As often as wanted: y = GroupNorm(sigmoid((conv2d(x, weight) + conv_bias + bias) * scale)) */
    const convsmith_args args = {.x = x, .packed = packed, .y = y};
    check(convsmith_plan_run(plan, &args, workspace, NULL));
    printf("%s: y[0][0][0][0] = %g\n", convsmith_kernel_get_info(convsmith_plan_kernel(plan))->name, (double)y[0]);

    convsmith_plan_destroy(plan);
    free(workspace);
    free(packed);
    free(y);
    free(channel);
    free(weight);
    free(x);
    return 0;
}
