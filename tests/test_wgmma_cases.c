/* SPDX-License-Identifier: Apache-2.0
 *
 * The cases by which kernels on the copy engine are checked, each of its own problem, together have tiles of every
 * kind. The runtime cuts each problem into tiles of its own, so that only plans can tell; and only they can tell
 * whether x is copied. Of the table CS_TEST_TABLE.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "src/plan.h"
#include "support/case_check.h"
#include "support/kernel_check.h"
#include "support/view.h"

extern const convsmith_table CS_TEST_TABLE;

/* What tiles may be like. */
enum {
    ONE_TILE = 1 << 0,
    SEVERAL_ROWS = 1 << 1, /* of tiles, and so on */
    SEVERAL_COLUMNS = 1 << 2,
    SHORTER_LAST_ROW = 1 << 3,
    SHORTER_LAST_COLUMN = 1 << 4,
    SEVERAL_A_BLOCK = 1 << 5, /* so that a computing group has more than one */
    LINES_OF_X_APART = 1 << 6,
    LINES_OF_Y_APART = 1 << 7,
    ODD_LINES_OF_Y = 1 << 8,
    WHOLE_PLANES_OF_Y = 1 << 9, /* written as one run */
    READ = 1 << 10,             /* x, as it is, by the copy engine */
    BEGINS_BETWEEN = 1 << 11,   /* the same, where it does not begin where the copy engine does */
    STORED = 1 << 12,           /* y, by the copy engine, in parts of its rows if in planes */
    AT_ONCE = 1 << 13,          /* normalised in the launch that convolves */
    KEPT = 1 << 14              /* normalised in another, of more tiles than blocks have under way at once */
};

/* Those that a kernel's cases must have. (Pixels of contiguous channels are written one by one. In planes few tiles
 * have several rows.) */
static unsigned kinds_for(const convsmith_kernel *kernel) {
    const convsmith_key *key = &kernel->info.key;
    const bool normalises = strstr(key->epilogue, "_norm") != NULL;
    const unsigned every = (WHOLE_PLANES_OF_Y - 1) | (kernel->gemm.at_once ? AT_ONCE | KEPT : 0);
    if (kernel->gemm.planes)
        return (every & ~(unsigned)SHORTER_LAST_ROW) | WHOLE_PLANES_OF_Y | READ | (normalises ? 0 : STORED);
    if (key->layout == CONVSMITH_NCHW)
        return every | WHOLE_PLANES_OF_Y | (normalises ? 0 : STORED);
    if (key->dtype == CONVSMITH_F32)
        return every;
    return every | (key->c_in % 8 == 0 ? READ | BEGINS_BETWEEN : 0) | (key->c_out % 8 || normalises ? 0 : STORED);
}

/* Of case `index`; the elements of odd ones lie between multiples of 16 bytes (support/kernel_check.c). */
static unsigned kinds_of(const convsmith_plan *plan, int index) {
    const cs_conv_args *a = &plan->args;
    const bool apart = a->y_strides[2] != a->w_out * a->y_strides[3];
    const bool pixels = plan->kernel->info.key.layout == CONVSMITH_NHWC;
    const int columns = a->tiles_w;
    unsigned kinds = 0;
    kinds |= a->tiles_h == 1 && columns == 1 ? ONE_TILE : 0;
    kinds |= a->tiles_h > 1 ? SEVERAL_ROWS : 0;
    kinds |= columns > 1 ? SEVERAL_COLUMNS : 0;
    kinds |= a->tiles_h > 1 && a->h_out % a->gemm.rows ? SHORTER_LAST_ROW : 0;
    kinds |= columns > 1 && a->w_out % a->gemm.cols ? SHORTER_LAST_COLUMN : 0;
    kinds |= plan->gemm.tiles > 2 * plan->blocks ? SEVERAL_A_BLOCK : 0;
    kinds |= a->x_strides[2] != a->w * a->x_strides[3] ? LINES_OF_X_APART : 0;
    kinds |= apart ? LINES_OF_Y_APART : 0;
    kinds |= a->w_out % 2 ? ODD_LINES_OF_Y : 0;
    kinds |= !apart && columns == 1 ? WHOLE_PLANES_OF_Y : 0;
    kinds |= plan->gemm.copies ? 0 : index % 2 ? BEGINS_BETWEEN : READ;
    if (plan->normalises)
        kinds |= a->gemm.at_once ? AT_ONCE : KEPT;
    kinds |= a->gemm.width > 0 && index % 2 == 0 && (columns > 1 || pixels) ? STORED : 0;
    return kinds;
}

/* Adds the kinds of one case. */
static void add_case(const cs_check *check, int index, unsigned *kinds) {
    cs_message message;
    cs_case c;
    assert_true(cs_case_create(&c, check->family, convsmith_kernel_get_info(check->kernel), index, 1, &message));
    c.problem.table = check->table;
    convsmith_plan *plan;
    if (cs_plan_create_for(&plan, &c.problem, check->device, check->kernel) == CONVSMITH_OK) {
        *kinds |= kinds_of(plan, index);
        convsmith_plan_destroy(plan);
    }
    cs_case_destroy(&c);
}

static void whole_numbers_come_in_tiles_of_every_kind(void **state) {
    (void)state;
    for (size_t i = 0; i < convsmith_table_size(&CS_TEST_TABLE); ++i) {
        const cs_check check = {.table = &CS_TEST_TABLE,
                                .kernel = convsmith_table_at(&CS_TEST_TABLE, i),
                                .device = {CONVSMITH_DEVICE_CUDA, 0},
                                .family = CS_FAMILY_EXACT,
                                .only_case = CS_ALL_CASES,
                                .seed = CS_DEFAULT_SEED};
        const uint32_t selected = cs_check_selection(&check);
        unsigned kinds = 0;
        for (int index = 0; index < cs_case_count(check.family); ++index)
            if (selected >> index & 1)
                add_case(&check, index, &kinds);
        const convsmith_kernel_info *info = convsmith_kernel_get_info(check.kernel);
        const unsigned missing = kinds_for(check.kernel) & ~kinds;
        if (missing != 0)
            fail_msg("%s: the kinds %#x of tiles are missing", info->name, missing);
    }
}

/* ---- Who copies x ------------------------------------------------------------------------------------------------ */

/* Several samples of the kernel's, contiguous, whose planes end at multiples of 16 bytes, but not of a unit. */
static cs_subject even_samples(const convsmith_key *key) {
    convsmith_problem p = cs_problem_of(key);
    p.n = 6;
    p.h = 11;
    p.w = 16;
    p.groups = 1;
    p.eps = 1e-5f;
    p.table = &CS_TEST_TABLE;
    return (cs_subject){.problem = cs_problem_in_full(&p), .params_dtype = CONVSMITH_F32};
}

/* Runs the kernel on such samples if its blocks copy some of them; whether they do, and normalise in the same launch.
 */
static bool runs_copying_aside(const convsmith_kernel *kernel, bool *normalises) {
    const convsmith_device gpu = {CONVSMITH_DEVICE_CUDA, 0};
    const convsmith_kernel_info *info = convsmith_kernel_get_info(kernel);
    const cs_subject subject = even_samples(&info->key);
    convsmith_plan *plan;
    if (cs_plan_create_for(&plan, &subject.problem, gpu, kernel) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    const bool aside = plan->gemm.copied < plan->args.n;
    *normalises = plan->args.gemm.at_once;
    const cs_case_check how = {.device = gpu, .family = CS_FAMILY_EXACT, .alignment = CS_TENSOR_ALIGNMENT};
    cs_message message = {""};
    cs_case c = {0};
    if (!aside)
        convsmith_plan_destroy(plan);
    else if (!cs_case_create_of(&c, CS_FAMILY_EXACT, &subject, 0, 1, &message) ||
             !cs_check_case(&c, &how, plan, &message))
        fail_msg("%s: %s", info->name, message.text);
    cs_case_destroy(&c);
    return aside;
}

static void blocks_with_much_to_multiply_copy_x_meanwhile(void **state) {
    (void)state;
    unsigned copying = 0,
             normalising = 0; /* bits: the dtypes of the kernels that do, and that normalise at once, too */
    for (size_t i = 0; i < convsmith_table_size(&CS_TEST_TABLE); ++i) {
        const convsmith_kernel *kernel = convsmith_table_at(&CS_TEST_TABLE, i);
        const convsmith_key *key = &convsmith_kernel_get_info(kernel)->key;
        bool normalises;
        if (key->layout != CONVSMITH_NCHW || !runs_copying_aside(kernel, &normalises))
            continue;
        copying |= 1u << key->dtype;
        normalising |= normalises ? 1u << key->dtype : 0;
    }
    assert_int_not_equal(normalising, 0);
    assert_int_equal(copying & (1u << CONVSMITH_F32 | 1u << CONVSMITH_F16), 1u << CONVSMITH_F32 | 1u << CONVSMITH_F16);
}

/* The first kernel of elements of 16 bits, 16 input channels and this layout; if that is of planes, of one tap. */
static const convsmith_kernel *kernel_reading(convsmith_layout layout) {
    for (size_t i = 0; i < convsmith_table_size(&CS_TEST_TABLE); ++i) {
        const convsmith_kernel *kernel = convsmith_table_at(&CS_TEST_TABLE, i);
        const convsmith_key *key = &convsmith_kernel_get_info(kernel)->key;
        if (key->layout == layout && key->dtype != CONVSMITH_F32 && key->c_in == 16 &&
            kernel->gemm.planes == (layout == CONVSMITH_NCHW))
            return kernel;
    }
    fail_msg("the table has no such kernel");
    return NULL;
}

static void pixels_are_copied_only_where_the_copy_engine_cannot_read_them(void **state) {
    (void)state;
    const struct {
        const char *what;
        int64_t n, w, x_strides[4];
        bool copies;
    } rows[] = {
        {"contiguous", 2, 12, {2304, 1, 192, 16}, false},
        {"a view of more channels", 2, 12, {9600, 1, 480, 24}, false},
        {"images in turn", 2, 12, {16, 1, 384, 32}, true},
        {"a distance of 18 bytes", 2, 12, {9600, 1, 480, 17}, true},
        {"lines at odd distances", 2, 12, {9600, 1, 484, 24}, true},
        {"one image for all", 2, 12, {0, 1, 192, 16}, true},
        {"one pixel for a line", 2, 12, {9600, 1, 16, 0}, true},
        {"images just below 2^40 bytes apart", 2, 12, {((int64_t)1 << 39) - 128, 1, 192, 16}, false},
        {"images 2^40 bytes apart", 2, 12, {(int64_t)1 << 39, 1, 192, 16}, true},
        {"one image, of any stride", 1, 12, {3, 1, 192, 16}, false},
    };
    const convsmith_kernel *kernel = kernel_reading(CONVSMITH_NHWC);
    const convsmith_key *key = &convsmith_kernel_get_info(kernel)->key;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        convsmith_problem p = cs_problem_of(key);
        p.n = rows[i].n;
        p.h = 12;
        p.w = rows[i].w;
        p.table = &CS_TEST_TABLE;
        const int64_t y_strides[] = {(int64_t)144 * key->c_out, 1, (int64_t)12 * key->c_out, key->c_out};
        memcpy(p.y_strides, y_strides, sizeof p.y_strides);
        memcpy(p.x_strides, rows[i].x_strides, sizeof p.x_strides);
        convsmith_plan *plan;
        if (cs_plan_create_for(&plan, &p, (convsmith_device){CONVSMITH_DEVICE_CUDA, 0}, kernel) != CONVSMITH_OK)
            fail_msg("%s: %s", rows[i].what, convsmith_detail());
        const int64_t room = p.n * p.h * p.w * p.c_in * 2; /* for an x that begins between multiples of 16 bytes */
        if (plan->gemm.copies != rows[i].copies || convsmith_plan_workspace_size(plan) != (size_t)room)
            fail_msg("%s: %s, with a workspace of %zu bytes", rows[i].what, plan->gemm.copies ? "copied" : "read",
                     convsmith_plan_workspace_size(plan));
        convsmith_plan_destroy(plan);
    }
}

static void planes_are_copied_only_where_the_copy_engine_cannot_read_them(void **state) {
    (void)state;
    const struct {
        const char *what;
        int64_t h, w, x_strides[4], y_line;
        bool copies;
        int64_t copied; /* pixels of a plane, if so */
    } rows[] = {
        {"contiguous", 12, 10, {1920, 120, 10, 1}, 10, false, 120},
        {"a view of more channels", 12, 10, {9600, 120, 10, 1}, 10, false, 120},
        {"planes apart", 7, 9, {1024, 64, 9, 1}, 9, false, 64},
        {"planes of 98 bytes", 7, 7, {784, 49, 7, 1}, 7, true, 56},
        {"lines apart", 12, 10, {3072, 192, 16, 1}, 10, true, 120},
        {"one plane for all", 12, 10, {1920, 0, 10, 1}, 10, true, 120},
        {"lines of y apart", 12, 10, {1920, 120, 10, 1}, 12, true, 192},
    };
    const convsmith_kernel *kernel = kernel_reading(CONVSMITH_NCHW);
    const convsmith_key *key = &convsmith_kernel_get_info(kernel)->key;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        const int64_t y_plane = rows[i].h * rows[i].y_line;
        convsmith_problem p = {.n = 2,
                               .c_in = key->c_in,
                               .h = rows[i].h,
                               .w = rows[i].w,
                               .c_out = key->c_out,
                               .kh = 1,
                               .kw = 1,
                               .y_strides = {key->c_out * y_plane, y_plane, rows[i].y_line, 1},
                               .dtype = key->dtype,
                               .math = key->math,
                               .epilogue = key->epilogue,
                               .table = &CS_TEST_TABLE};
        memcpy(p.x_strides, rows[i].x_strides, sizeof p.x_strides);
        convsmith_plan *plan;
        if (cs_plan_create_for(&plan, &p, (convsmith_device){CONVSMITH_DEVICE_CUDA, 0}, kernel) != CONVSMITH_OK)
            fail_msg("%s: %s", rows[i].what, convsmith_detail());
        const int64_t room = p.n * p.c_in * rows[i].copied * 2;
        if (plan->gemm.copies != rows[i].copies || convsmith_plan_workspace_size(plan) != (size_t)room)
            fail_msg("%s: %s, with a workspace of %zu bytes", rows[i].what, plan->gemm.copies ? "copied" : "read",
                     convsmith_plan_workspace_size(plan));
        convsmith_plan_destroy(plan);
    }
}

/* ---- Normalisation ------------------------------------------------------------------------------------------------
 */

/* The first kernel that can normalise in the launch that convolves, of a dtype with float's range, after a bias alone.
 */
static const convsmith_kernel *kernel_normalising_sums(void) {
    for (size_t i = 0; i < convsmith_table_size(&CS_TEST_TABLE); ++i) {
        const convsmith_kernel *kernel = convsmith_table_at(&CS_TEST_TABLE, i);
        const convsmith_key *key = &convsmith_kernel_get_info(kernel)->key;
        if (kernel->gemm.at_once && key->dtype == CONVSMITH_BF16 && strcmp(key->epilogue, "bias+group_norm") == 0)
            return kernel;
    }
    fail_msg("the table has no such kernel");
    return NULL;
}

/* Unit-variance sums times 2^56, and a bias of `mean` for all channels. */
static void shift_and_scale(cs_case *c, float mean) {
    float *weight = c->elements.weight, *bias = c->elements.channels[0];
    for (int64_t i = 0; i < c->weight_count; ++i)
        weight[i] = c->weight[i] *= 0x1p56f;
    for (int64_t i = 0; i < c->problem.c_out; ++i)
        bias[i] = c->channels[0][i] = mean;
    c->spread = 0x1p56;
}

static void means_whose_squares_overflow_are_normalised(void **state) {
    (void)state;
    const convsmith_device gpu = {CONVSMITH_DEVICE_CUDA, 0};
    const convsmith_kernel *kernel = kernel_normalising_sums();
    const cs_subject subject = even_samples(&convsmith_kernel_get_info(kernel)->key);
    convsmith_plan *plan;
    if (cs_plan_create_for(&plan, &subject.problem, gpu, kernel) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    assert_true(plan->args.gemm.at_once);
    const cs_case_check how = {.device = gpu, .family = CS_FAMILY_RANDOM, .alignment = CS_TENSOR_ALIGNMENT};
    cs_message message = {""};
    cs_case c;
    assert_true(cs_case_create_of(&c, CS_FAMILY_RANDOM, &subject, 0, 1, &message));
    shift_and_scale(&c, 0x1.4p64f);
    if (!cs_check_case(&c, &how, plan, &message))
        fail_msg("%s", message.text);
    cs_case_destroy(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_come_in_tiles_of_every_kind),
        cmocka_unit_test(blocks_with_much_to_multiply_copy_x_meanwhile),
        cmocka_unit_test(pixels_are_copied_only_where_the_copy_engine_cannot_read_them),
        cmocka_unit_test(planes_are_copied_only_where_the_copy_engine_cannot_read_them),
        cmocka_unit_test(means_whose_squares_overflow_are_normalised),
    };
    return cmocka_run_group_tests_name("wgmma_cases", tests, NULL, NULL);
}
