/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the operator for a shape that convsmith's own table does not have, with the kernel that this project's build
 * generated, on the CPU; then computes the same with plain loops and compares.
 */
#include "my_kernels.h"

#include <convsmith/convsmith.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    N = 2,
    C_IN = 6,
    H = 20,
    W = 23,
    C_OUT = 10,
    KH = 3,
    KW = 3,
    GROUPS = 5,
    H_OUT = H - KH + 1,
    W_OUT = W - KW + 1,
    PIXELS = H_OUT * W_OUT,
    PER_GROUP = C_OUT / GROUPS,
};

static const float eps = 1e-5f;

typedef struct data {
    float x[N][C_IN][H][W];
    float weight[C_OUT][C_IN][KH][KW];
    float conv_bias[C_OUT], bias[C_OUT], scale[C_OUT], norm_weight[C_OUT], norm_bias[C_OUT];
    float y[N][C_OUT][PIXELS];
    double expected[N][C_OUT][PIXELS];
} data;

static void fill(float *values, size_t count, uint32_t seed) {
    for (size_t i = 0; i < count; ++i) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = (float)(seed >> 8) / (float)(1 << 23) - 1.0f;
    }
}

static void fill_all(data *d) {
    fill(&d->x[0][0][0][0], N * C_IN * H * W, 1);
    fill(&d->weight[0][0][0][0], C_OUT * C_IN * KH * KW, 2);
    fill(d->conv_bias, C_OUT, 3);
    fill(d->bias, C_OUT, 4);
    fill(d->scale, C_OUT, 5);
    fill(d->norm_weight, C_OUT, 6);
    fill(d->norm_bias, C_OUT, 7);
}

/* ---- The same with plain loops --------------------------------------------------------------------------------- */

static double convolve(const data *d, int n, int o, int row, int column) {
    double sum = 0.0;
    for (int c = 0; c < C_IN; ++c)
        for (int i = 0; i < KH; ++i)
            for (int j = 0; j < KW; ++j)
                sum += (double)d->x[n][c][row + i][column + j] * d->weight[o][c][i][j];
    return sum;
}

static double activate(const data *d, int o, double z) {
    return 1.0 / (1.0 + exp(-(z + d->conv_bias[o] + d->bias[o]) * d->scale[o]));
}

static void normalise(data *d, int n, int group) {
    const int first = group * PER_GROUP, end = first + PER_GROUP;
    const double count = (double)PER_GROUP * PIXELS;
    double mean = 0.0, variance = 0.0;
    for (int o = first; o < end; ++o)
        for (int p = 0; p < PIXELS; ++p)
            mean += d->expected[n][o][p] / count;
    for (int o = first; o < end; ++o)
        for (int p = 0; p < PIXELS; ++p)
            variance += pow(d->expected[n][o][p] - mean, 2.0) / count;
    for (int o = first; o < end; ++o)
        for (int p = 0; p < PIXELS; ++p)
            d->expected[n][o][p] =
                (d->expected[n][o][p] - mean) / sqrt(variance + eps) * d->norm_weight[o] + d->norm_bias[o];
}

static void compute_expected(data *d) {
    for (int n = 0; n < N; ++n) {
        for (int o = 0; o < C_OUT; ++o)
            for (int p = 0; p < PIXELS; ++p)
                d->expected[n][o][p] = activate(d, o, convolve(d, n, o, p / W_OUT, p % W_OUT));
        for (int group = 0; group < GROUPS; ++group)
            normalise(d, n, group);
    }
}

static double largest_error(const data *d) {
    double largest = 0.0;
    for (int n = 0; n < N; ++n)
        for (int o = 0; o < C_OUT; ++o)
            for (int p = 0; p < PIXELS; ++p)
                largest = fmax(largest, fabs(d->y[n][o][p] - d->expected[n][o][p]));
    return largest;
}

/* ---- With convsmith -------------------------------------------------------------------------------------------- */

/* Sizes of workspaces are rounded up as aligned_alloc wants them. */
static void *allocate(size_t size) { return aligned_alloc(64, (size + 64) / 64 * 64); }

static convsmith_status run(const convsmith_plan *plan, data *d) {
    const convsmith_step steps[] = {
        {.values = {d->conv_bias}},
        {.values = {d->bias}},
        {.values = {d->scale}},
        {.values = {NULL}}, /* the sigmoid reads nothing */
        {.values = {d->norm_weight, d->norm_bias}},
    };
    const convsmith_params params = {.weight = d->weight, .steps = steps, .step_count = sizeof steps / sizeof *steps};
    void *packed = allocate(convsmith_plan_packed_size(plan));
    void *workspace = allocate(convsmith_plan_workspace_size(plan));
    convsmith_status status = CONVSMITH_OUT_OF_MEMORY;
    if (packed && workspace) {
        status = convsmith_plan_prepack(plan, &params, packed, NULL);
        if (status == CONVSMITH_OK)
            status =
                convsmith_plan_run(plan, &(convsmith_args){.x = d->x, .packed = packed, .y = d->y}, workspace, NULL);
    }
    free(workspace);
    free(packed);
    return status;
}

static convsmith_status plan_and_run(data *d) {
    const convsmith_problem problem = {
        .n = N,
        .c_in = C_IN,
        .h = H,
        .w = W,
        .c_out = C_OUT,
        .kh = KH,
        .kw = KW,
        .groups = GROUPS,
        .eps = eps,
        .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM,
        .table = &my_kernels_table,
    };
    convsmith_plan *plan = NULL;
    convsmith_status status = convsmith_plan_create(&plan, &problem, (convsmith_device){CONVSMITH_DEVICE_CPU, 0});
    if (status == CONVSMITH_OK) {
        printf("kernel: %s\n", convsmith_kernel_get_info(convsmith_plan_kernel(plan))->name);
        status = run(plan, d);
    }
    convsmith_plan_destroy(plan);
    return status;
}

int main(void) {
    data *d = calloc(1, sizeof *d);
    if (!d)
        return EXIT_FAILURE;
    fill_all(d);
    const convsmith_status status = plan_and_run(d);
    double error = INFINITY;
    if (status == CONVSMITH_OK) {
        compute_expected(d);
        error = largest_error(d);
        printf("largest difference from plain loops: %g\n", error);
    } else {
        fprintf(stderr, "%s: %s\n", convsmith_status_string(status), convsmith_detail());
    }
    free(d);
    return error < 1e-4 ? EXIT_SUCCESS : EXIT_FAILURE;
}
