/* SPDX-License-Identifier: Apache-2.0
 *
 * Stride, padding and views: a 3x3 layer of stride 2 and padding 1 on a crop of a picture whose channels lie together
 * (NHWC), its result being half of the channels of a larger tensor. Nothing is copied: both are told by strides.
 *
 *     cc views.c $(pkg-config --cflags --libs convsmith) -lm -o views
 *
 * The layer is in no table, so that a generic kernel runs it.
 */
#include <convsmith/convsmith.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    PICTURE_H = 120,
    PICTURE_W = 160,
    C_IN = 3,
    TOP = 7, /* of the crop */
    LEFT = 5,
    H = 96,
    W = 127,
    C_OUT = 16,
    ALL_CHANNELS = 2 * C_OUT, /* of the tensor that y is the second half of */
    K = 3,
    STRIDE = 2,
    PAD = 1,
    H_OUT = (H + 2 * PAD - K) / STRIDE + 1,
    W_OUT = (W + 2 * PAD - K) / STRIDE + 1,
};

typedef struct data {
    float picture[PICTURE_H][PICTURE_W][C_IN];
    float weight[C_OUT][C_IN][K][K];
    float bias[C_OUT];
    float whole[H_OUT][W_OUT][ALL_CHANNELS];
} data;

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

static void make_up(float *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(i * 37 % 101) * 0.02f - 1.0f;
}

/* The same with plain loops. */
static double expected(const data *d, int o, int row, int col) {
    double sum = d->bias[o];
    for (int ky = 0; ky < K; ky++)
        for (int kx = 0; kx < K; kx++) {
            const int h = row * STRIDE - PAD + ky, w = col * STRIDE - PAD + kx;
            if (h >= 0 && h < H && w >= 0 && w < W)
                for (int c = 0; c < C_IN; c++)
                    sum += (double)d->picture[TOP + h][LEFT + w][c] * d->weight[o][c][ky][kx];
        }
    return fmax(sum, 0);
}

static double largest_difference(const data *d) {
    double largest = 0;
    for (int row = 0; row < H_OUT; row++)
        for (int col = 0; col < W_OUT; col++)
            for (int o = 0; o < C_OUT; o++)
                largest = fmax(largest, fabs(d->whole[row][col][C_OUT + o] - expected(d, o, row, col)));
    return largest;
}

static void run(data *d) {
    /* Strides are of n, c, h and w, in elements; that of n, of which there is one, says nothing. */
    const convsmith_problem problem = {
        .n = 1,
        .c_in = C_IN,
        .h = H,
        .w = W,
        .c_out = C_OUT,
        .kh = K,
        .kw = K,
        .stride_h = STRIDE,
        .stride_w = STRIDE,
        .pad_h = PAD,
        .pad_w = PAD,
        .x_strides = {0, 1, PICTURE_W * C_IN, C_IN},
        .y_strides = {0, 1, W_OUT * ALL_CHANNELS, ALL_CHANNELS},
        .epilogue = "bias+relu",
    };
    convsmith_plan *plan;
    check(convsmith_plan_create(&plan, &problem, (convsmith_device){CONVSMITH_DEVICE_CPU, 0}));
    void *packed = allocate(convsmith_plan_packed_size(plan));
    void *workspace = allocate(convsmith_plan_workspace_size(plan));
    const convsmith_step steps[] = {{.values = {d->bias}}, {.values = {NULL}}};
    const convsmith_params params = {.weight = d->weight, .steps = steps, .step_count = 2};
    check(convsmith_plan_prepack(plan, &params, packed, NULL));

    /* A view begins at its first element, which need be aligned no further than any element. */
    const convsmith_args args = {.x = d->picture[TOP][LEFT], .packed = packed, .y = &d->whole[0][0][C_OUT]};
    check(convsmith_plan_run(plan, &args, workspace, NULL));
    printf("%s: ", convsmith_kernel_get_info(convsmith_plan_kernel(plan))->name);
    convsmith_plan_destroy(plan);
    free(workspace);
    free(packed);
}

int main(void) {
    data *d = allocate(sizeof *d);
    make_up(&d->picture[0][0][0], sizeof d->picture / sizeof(float));
    make_up(&d->weight[0][0][0][0], sizeof d->weight / sizeof(float));
    make_up(d->bias, C_OUT);
    make_up(&d->whole[0][0][0], sizeof d->whole / sizeof(float));
    run(d);
    const double difference = largest_difference(d);
    printf("largest difference from plain loops %g\n", difference);
    free(d);
    return difference < 1e-4 ? 0 : 1;
}
