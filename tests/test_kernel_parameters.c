/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels with the parameters of a convolution, and views of tensors: stride, padding, dilation, groups and layout as
 * their rows have them, x, weight and y of several strides each. The kernels are launched as the runtime does it, on
 * whole numbers, of which sums are exact, and compared with a plain sum in double.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/device/element.h"
#include "src/element.h"
#include "src/plan.h"
#include "support/buffer.h"
#include "support/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const convsmith_table CS_TEST_TABLE;

/* ---- Views ------------------------------------------------------------------------------------------------------- */

/* Four indices, their strides and the elements from the first to behind the last; `lead` elements lie in front. */
typedef struct view {
    int64_t sizes[4], strides[4], lead, span;
} view;

/* Gives the indices strides in this order, the last one the smallest; `gaps[i]` elements lie unused behind index i. */
static view lay_out(const int64_t sizes[4], const int order[4], const int64_t gaps[4], int64_t lead) {
    view v = {.lead = lead, .span = 1};
    int64_t stride = 1;
    for (int i = 4; i-- > 0;) {
        const int index = order[i];
        v.sizes[index] = sizes[index];
        v.strides[index] = stride;
        v.span += (sizes[index] - 1) * stride;
        stride = stride * sizes[index] + gaps[i];
    }
    return v;
}

static int64_t place(const view *v, int64_t a, int64_t b, int64_t c, int64_t d) {
    return v->lead + a * v->strides[0] + b * v->strides[1] + c * v->strides[2] + d * v->strides[3];
}

enum { VIEWS = 4 };
static const struct {
    const char *name;
    int order[2][4]; /* of NCHW and of NHWC */
    int64_t gaps[4], lead;
} views[VIEWS] = {
    {"contiguous", {{0, 1, 2, 3}, {0, 2, 3, 1}}, {0, 0, 0, 0}, 0},
    {"contiguous, one element further", {{0, 1, 2, 3}, {0, 2, 3, 1}}, {0, 0, 0, 0}, 1},
    {"a part of a larger tensor", {{0, 1, 2, 3}, {0, 2, 3, 1}}, {0, 24, 48, 8}, 8},
    {"a part of a permuted tensor", {{1, 0, 2, 3}, {2, 0, 3, 1}}, {0, 1, 5, 3}, 3},
};

/* ---- Cases ------------------------------------------------------------------------------------------------------- */

typedef struct tensor {
    view view;
    float *values; /* view.lead + view.span of them; NaN where no index leads */
} tensor;

typedef struct experiment {
    const convsmith_kernel_info *info;
    const convsmith_kernel *kernel;
    int64_t n, h, w, h_out, w_out;
    tensor x, weight, y;
    int groups; /* of a group_norm step */
} experiment;

static int64_t least_one(int32_t value) { return value > 0 ? value : 1; }

static int64_t output(int64_t size, int64_t pad, int64_t dilation, int64_t k, int64_t stride) {
    return (size + 2 * pad - dilation * (k - 1) - 1) / stride + 1;
}

/* The size of x for at least `out` outputs, and some columns that no output needs. */
static int64_t input(int64_t out, int64_t pad, int64_t dilation, int64_t k, int64_t stride) {
    const int64_t size = (out - 1) * stride + dilation * (k - 1) + 1 - 2 * pad + stride - 1;
    return size > 1 ? size : 1;
}

static tensor make_tensor(view v, cs_random *random, int most) {
    tensor t = {.view = v, .values = malloc((size_t)(v.lead + v.span) * sizeof(float))};
    assert_non_null(t.values);
    for (int64_t i = 0; i < v.lead + v.span; i++)
        t.values[i] = NAN;
    for (int64_t a = 0; a < v.sizes[0]; a++)
        for (int64_t b = 0; b < v.sizes[1]; b++)
            for (int64_t c = 0; c < v.sizes[2]; c++)
                for (int64_t d = 0; d < v.sizes[3]; d++)
                    t.values[place(&v, a, b, c, d)] = (float)cs_random_whole(random, -most, most);
    return t;
}

/* Two tiles in each direction, as many rows and columns as fill the second one only in part. */
static void make_experiment(experiment *e, const convsmith_kernel *kernel, int which, uint64_t seed) {
    const convsmith_kernel_info *info = convsmith_kernel_get_info(kernel);
    const convsmith_key *key = &info->key;
    const int64_t stride_h = least_one(key->stride_h), stride_w = least_one(key->stride_w);
    const int64_t dilation_h = least_one(key->dilation_h), dilation_w = least_one(key->dilation_w);
    cs_random random = {seed};
    *e = (experiment){.info = info, .kernel = kernel, .n = 2, .groups = info->ref_groups};
    e->h = input(info->tile_h + 2, key->pad_h, dilation_h, key->kh, stride_h);
    e->w = input(info->tile_w + 3, key->pad_w, dilation_w, key->kw, stride_w);
    if (which % 2 == 0)
        e->w = (e->w + 7) / 8 * 8; /* lines that begin at multiples of 16 bytes */
    e->h_out = output(e->h, key->pad_h, dilation_h, key->kh, stride_h);
    e->w_out = output(e->w, key->pad_w, dilation_w, key->kw, stride_w);
    static const int64_t none[4] = {0};
    static const int weight_orders[2][4] = {{0, 1, 2, 3}, {2, 3, 0, 1}};
    const int64_t x[4] = {e->n, key->c_in, e->h, e->w}, y[4] = {e->n, key->c_out, e->h_out, e->w_out};
    const int64_t weight[4] = {key->c_out, key->c_in / least_one(key->conv_groups), key->kh, key->kw};
    const int *order = views[which].order[key->layout];
    e->x = make_tensor(lay_out(x, order, views[which].gaps, views[which].lead), &random, 3);
    e->y = make_tensor(lay_out(y, order, views[which].gaps, views[which].lead), &random, 0);
    e->weight = make_tensor(lay_out(weight, weight_orders[which % 2], none, 0), &random, 2);
}

static void destroy_experiment(experiment *e) {
    free(e->x.values);
    free(e->weight.values);
    free(e->y.values);
}

/* ---- What is right ----------------------------------------------------------------------------------------------- */

static double sum_at(const experiment *e, int64_t n, int64_t o, int64_t row, int64_t col) {
    const convsmith_key *key = &e->info->key;
    const int64_t of_group = e->weight.view.sizes[1], group = o / (key->c_out / least_one(key->conv_groups));
    double sum = 0.0;
    for (int64_t c = 0; c < of_group; c++)
        for (int64_t ky = 0; ky < key->kh; ky++)
            for (int64_t kx = 0; kx < key->kw; kx++) {
                const int64_t h = row * least_one(key->stride_h) - key->pad_h + ky * least_one(key->dilation_h);
                const int64_t w = col * least_one(key->stride_w) - key->pad_w + kx * least_one(key->dilation_w);
                if (h >= 0 && h < e->h && w >= 0 && w < e->w)
                    sum += (double)e->x.values[place(&e->x.view, n, group * of_group + c, h, w)] *
                           (double)e->weight.values[place(&e->weight.view, o, c, ky, kx)];
            }
    return sum;
}

/* Normalises a group of channels of one sample; weight 1, bias 0. */
static void normalise(double *values, int64_t count, double eps) {
    double mean = 0.0, square = 0.0;
    for (int64_t i = 0; i < count; i++)
        mean += values[i] / (double)count;
    for (int64_t i = 0; i < count; i++)
        square += (values[i] - mean) * (values[i] - mean) / (double)count;
    for (int64_t i = 0; i < count; i++)
        values[i] = (values[i] - mean) / sqrt(square + eps);
}

#define EPS 1e-3f

static double *make_expected(const experiment *e) {
    const int64_t c_out = e->info->key.c_out, plane = e->h_out * e->w_out;
    double *expected = malloc((size_t)(e->n * c_out * plane) * sizeof *expected);
    assert_non_null(expected);
    double *to = expected;
    for (int64_t n = 0; n < e->n; n++)
        for (int64_t o = 0; o < c_out; o++)
            for (int64_t i = 0; i < plane; i++)
                *to++ = sum_at(e, n, o, i / e->w_out, i % e->w_out);
    if (e->groups > 0)
        for (int64_t i = 0; i < e->n * e->groups; i++)
            normalise(expected + i * (c_out / e->groups) * plane, c_out / e->groups * plane, EPS);
    return expected;
}

/* ---- Running ----------------------------------------------------------------------------------------------------- */

enum { X, WEIGHT, Y, PACKED, WORKSPACE, ONES, ZEROS, BUFFERS };

static convsmith_plan make_plan(const experiment *e) {
    const convsmith_kernel_info *info = e->info;
    convsmith_plan plan = {.kernel = e->kernel, .table = &CS_TEST_TABLE, .normalises = e->groups > 0};
    plan.traits.device = (convsmith_device){convsmith_target_device(info->key.target), 0};
    plan.traits.shared_bytes = info->shared_bytes;
    plan.args = (cs_conv_args){.n = (int32_t)e->n,
                               .h = (int32_t)e->h,
                               .w = (int32_t)e->w,
                               .h_out = (int32_t)e->h_out,
                               .w_out = (int32_t)e->w_out,
                               .tiles_h = (int32_t)((e->h_out + info->tile_h - 1) / info->tile_h),
                               .tiles_w = (int32_t)((e->w_out + info->tile_w - 1) / info->tile_w),
                               .channel_blocks = (info->key.c_out + info->tile_c - 1) / info->tile_c,
                               .groups = e->groups,
                               .eps = EPS,
                               .pass = CS_PASS_APPLY};
    memcpy(plan.args.x_strides, e->x.view.strides, sizeof plan.args.x_strides);
    memcpy(plan.args.y_strides, e->y.view.strides, sizeof plan.args.y_strides);
    plan.blocks = e->n * plan.args.tiles_h * plan.args.tiles_w * plan.args.channel_blocks;
    const int64_t held = (int64_t)info->blocks_per_sm * plan.args.channel_blocks;
    if (held > 0 && plan.blocks > held)
        plan.blocks = held; /* a few blocks walk over all tiles */
    plan.shared_bytes = info->shared_bytes;
    plan.moments_bytes = e->n * info->key.c_out * plan.args.tiles_h * plan.args.tiles_w * (int64_t)sizeof(cs_moments);
    plan.workspace_bytes = plan.moments_bytes + e->n * info->key.c_out * (int64_t)sizeof(cs_affine);
    return plan;
}

static size_t elements(const tensor *t) { return (size_t)(t->view.lead + t->view.span); }

static void create(cs_buffer *buffer, convsmith_device device, size_t size) {
    cs_message message = {""};
    if (!cs_buffer_create_guarded(buffer, device, size, 16, &message))
        fail_msg("%s", message.text);
}

static void upload(const cs_buffer *buffer, const float *values, size_t count, convsmith_dtype dtype) {
    cs_message message = {""};
    const size_t bytes = cs_element_bytes(dtype);
    char *stored = malloc(count * bytes);
    assert_non_null(stored);
    for (size_t i = 0; i < count; i++)
        store_element((int32_t)dtype, stored, (int64_t)i, values[i]);
    assert_true(cs_buffer_upload(buffer, 0, stored, count * bytes, &message));
    free(stored);
}

static void create_all(cs_buffer buffers[BUFFERS], const experiment *e, const convsmith_plan *plan) {
    const convsmith_device device = plan->traits.device;
    const convsmith_dtype dtype = e->info->key.dtype;
    const size_t bytes = cs_element_bytes(dtype), channels = (size_t)e->info->key.c_out;
    create(&buffers[X], device, elements(&e->x) * bytes);
    create(&buffers[WEIGHT], device, elements(&e->weight) * bytes);
    create(&buffers[Y], device, elements(&e->y) * bytes);
    create(&buffers[PACKED], device, (size_t)e->info->packed_bytes);
    create(&buffers[WORKSPACE], device, (size_t)plan->workspace_bytes);
    create(&buffers[ONES], device, channels * bytes);
    create(&buffers[ZEROS], device, channels * bytes);
    upload(&buffers[X], e->x.values, elements(&e->x), dtype);
    upload(&buffers[WEIGHT], e->weight.values, elements(&e->weight), dtype);
    float *constants = calloc(channels, sizeof *constants);
    assert_non_null(constants);
    upload(&buffers[ZEROS], constants, channels, dtype);
    for (size_t i = 0; i < channels; i++)
        constants[i] = 1.0f;
    upload(&buffers[ONES], constants, channels, dtype);
    free(constants);
}

static void run(const experiment *e, convsmith_plan *plan, const cs_buffer buffers[BUFFERS]) {
    const size_t bytes = cs_element_bytes(e->info->key.dtype);
    const bool cuda = plan->traits.device.kind == CONVSMITH_DEVICE_CUDA;
    cs_pack_args pack = {.weight = buffers[WEIGHT].data,
                         .packed = buffers[PACKED].data,
                         .parameter_dtype = (int32_t)e->info->key.dtype,
                         .steps = {{.values = {buffers[ONES].data, buffers[ZEROS].data}}}};
    memcpy(pack.weight_strides, e->weight.view.strides, sizeof pack.weight_strides);
    cs_conv_args args = plan->args;
    args.x = (char *)buffers[X].data + (size_t)e->x.view.lead * bytes;
    args.y = (char *)buffers[Y].data + (size_t)e->y.view.lead * bytes;
    args.packed = buffers[PACKED].data;
    args.moments = buffers[WORKSPACE].data;
    args.affine = (cs_affine *)((char *)buffers[WORKSPACE].data + plan->moments_bytes);
    if (cuda) {
        assert_int_equal(cs_prepare_cuda(plan), CONVSMITH_OK);
        assert_int_equal(cs_prepack_cuda(plan, &pack, NULL), CONVSMITH_OK);
        assert_int_equal(cs_run_cuda(plan, &args, NULL), CONVSMITH_OK);
    } else {
        cs_prepack_host(plan, &pack);
        cs_run_host(plan, &args);
    }
}

/* ---- Comparing --------------------------------------------------------------------------------------------------- */

static double tolerance_of(const experiment *e, double value) {
    static const double places[] = {[CONVSMITH_F32] = 1e-5, [CONVSMITH_F16] = 0x1p-11, [CONVSMITH_BF16] = 0x1p-8};
    return e->groups > 0 ? 2e-5 + places[e->info->key.dtype] * fabs(value) : 0.0;
}

static void compare(const experiment *e, const char *got, const double *expected) {
    const convsmith_dtype dtype = e->info->key.dtype;
    const view *v = &e->y.view;
    for (int64_t i = 0; i < e->n * e->info->key.c_out * e->h_out * e->w_out; i++) {
        const int64_t col = i % e->w_out, row = i / e->w_out % e->h_out, plane = i / e->w_out / e->h_out;
        const int64_t at = place(v, plane / e->info->key.c_out, plane % e->info->key.c_out, row, col);
        const float value = load_element((int32_t)dtype, got, at);
        const double exact = e->groups > 0 ? expected[i] : (double)round_to_element((int32_t)dtype, (float)expected[i]);
        if (!(fabs((double)value - exact) <= tolerance_of(e, exact)))
            fail_msg("%s, %dx%d: sample %d, channel %d, row %d, column %d is %.9g in place of %.9g", e->info->name,
                     (int)e->h, (int)e->w, (int)(plane / e->info->key.c_out), (int)(plane % e->info->key.c_out),
                     (int)row, (int)col, (double)value, exact);
        e->y.values[at] = INFINITY; /* seen */
    }
}

/* What lies between the elements of y is as it was. */
static void check_gaps(const experiment *e, const unsigned char *got) {
    const size_t bytes = cs_element_bytes(e->info->key.dtype);
    for (size_t i = 0; i < elements(&e->y); i++)
        for (size_t j = 0; j < bytes && !isinf(e->y.values[i]); j++)
            if (got[i * bytes + j] != CS_POISON)
                fail_msg("%s: element %zu behind y's begin, which is none of its own, was written", e->info->name, i);
}

static void test_view(const convsmith_kernel *kernel, int which) {
    experiment e;
    make_experiment(&e, kernel, which, 20 + (uint64_t)which);
    convsmith_plan plan = make_plan(&e);
    cs_buffer buffers[BUFFERS] = {{.data = NULL}};
    cs_message message = {""};
    create_all(buffers, &e, &plan);
    run(&e, &plan, buffers);
    unsigned char *got = malloc(buffers[Y].size);
    assert_non_null(got);
    if (!cs_buffer_download(&buffers[Y], 0, got, buffers[Y].size, &message) ||
        !cs_buffer_check_guards(&buffers[Y], "y", &message))
        fail_msg("%s: %s", e.info->name, message.text);
    double *expected = make_expected(&e);
    compare(&e, (const char *)got, expected);
    check_gaps(&e, got);
    free(expected);
    free(got);
    for (int i = 0; i < BUFFERS; i++)
        cs_buffer_destroy(&buffers[i]);
    destroy_experiment(&e);
}

static void kernel_is_right_in_every_view(void **state) {
    const convsmith_kernel *kernel = *state;
    const convsmith_target target = convsmith_kernel_get_info(kernel)->key.target;
    if (convsmith_target_supported(target, (convsmith_device){convsmith_target_device(target), 0}) != CONVSMITH_OK)
        skip();
    for (int which = 0; which < VIEWS; which++) {
        print_message("    %s\n", views[which].name);
        test_view(kernel, which);
    }
}

/* Whether the kernel does what is expected here, a convolution or one that is normalised; test_kernels.c has the
 * others. */
static bool is_plain(const convsmith_kernel_info *info) {
    return strcmp(info->key.epilogue, "") == 0 || strcmp(info->key.epilogue, "group_norm") == 0;
}

int main(void) {
    const char *device = getenv("CONVSMITH_TEST_DEVICE");
    const size_t count = convsmith_table_size(&CS_TEST_TABLE);
    struct CMUnitTest *tests = calloc(count, sizeof *tests);
    size_t chosen = 0;
    for (size_t i = 0; tests != NULL && i < count; i++) {
        const convsmith_kernel *kernel = convsmith_table_at(&CS_TEST_TABLE, i);
        const convsmith_kernel_info *info = convsmith_kernel_get_info(kernel);
        const bool cuda = convsmith_target_device(info->key.target) == CONVSMITH_DEVICE_CUDA;
        if (is_plain(info) && (device == NULL || (strcmp(device, "cuda") == 0) == cuda))
            tests[chosen++] = (struct CMUnitTest){.name = info->name,
                                                  .test_func = kernel_is_right_in_every_view,
                                                  .initial_state = (void *)(uintptr_t)kernel};
    }
    const int failed = chosen > 0 ? _cmocka_run_group_tests("parameters", tests, chosen, NULL, NULL) : 2;
    free(tests);
    return failed;
}
