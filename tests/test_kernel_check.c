/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel tests themselves: a kernel written by hand passes all families of cases, and with any one flaw of a list
 * it fails the family that is there to find it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/device/element.h"
#include "src/kernel.h"
#include "support/kernel_check.h"
#include "support/reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- A kernel, 2 -> 4 channels, 3x2, of any dtype, with a flaw of choice ----------------------------------------- */

enum { C_IN = 2, KH = 3, KW = 2, C_OUT = 4, TAPS = C_IN * KH * KW, TILE_H = 3, TILE_W = 4 };

/* X(the flaw, the family that must find it, words of its finding) */
#define FLAWS(X)                                                                                                       \
    X(lost_tap, EXACT, "expected")                                                                                     \
    X(lost_bias, EXACT, "expected")                                                                                    \
    X(coarse_weights, RANDOM, "expected")                                                                              \
    X(squares_minus_square, CONSTANT, "expected")                                                                      \
    X(fixed_eps, CONSTANT, "expected")                                                                                 \
    X(overflowing_sigmoid, SATURATED, "is NaN")                                                                        \
    X(swallowed_nan, NONFINITE, "expected NaN")                                                                        \
    X(unwritten_element, EXACT, "is NaN")                                                                              \
    X(written_behind_y, EXACT, "byte(s) behind the end of y")                                                          \
    X(written_before_workspace, EXACT, "byte(s) before the start of the workspace")                                    \
    X(used_workspace, REPEAT, "in one run")                                                                            \
    X(changed_x, REPEAT, "changed x")                                                                                  \
    X(changed_packed, REPEAT, "changed the packed parameters")

/* Those that only 16-bit elements can have, found in bf16. */
#define FLAWS_OF_BF16(X)                                                                                               \
    X(unrounded_weights, RANDOM, "expected")                                                                           \
    X(cut_off_outputs, RANDOM, "expected")                                                                             \
    X(params_taken_for_x, EXACT, "expected")                                                                           \
    X(rounded_moments, CONSTANT, "expected")

#define NAME(FLAW, FAMILY, WORDS) FLAW,
typedef enum flaw { FLAWS(NAME) FLAWS_OF_BF16(NAME) no_flaw } flaw;

/* The kernel's packed form: the flaw travels with the parameters. */
typedef struct packed {
    float weight[C_OUT][TAPS], conv_bias[C_OUT], bias[C_OUT], scale[C_OUT], norm_weight[C_OUT], norm_bias[C_OUT];
    int32_t flaw, dtype;
} packed;

typedef struct tile {
    int64_t sample, index;
    int row, column, rows, columns;
} tile;

static int least(int a, int b) { return a < b ? a : b; }

static tile locate(const cs_conv_args *a, int64_t block) {
    const int64_t tiles = (int64_t)a->tiles_h * a->tiles_w;
    tile t = {.sample = block / tiles, .index = block % tiles};
    t.row = (int)(t.index / a->tiles_w) * TILE_H;
    t.column = (int)(t.index % a->tiles_w) * TILE_W;
    t.rows = least(TILE_H, a->h_out - t.row);
    t.columns = least(TILE_W, a->w_out - t.column);
    return t;
}

static float sigmoid(float v, int32_t flaw) {
    if (flaw == swallowed_nan)
        v = fmaxf(-80, fminf(80, v));
    if (flaw == overflowing_sigmoid)
        return expf(v) / (1 + expf(v));
    return 1 / (1 + expf(-v));
}

/* One element before the normalisation. */
static float value_at(const cs_conv_args *a, int64_t sample, int channel, int row, int column) {
    const packed *p = a->packed;
    float z = 0;
    for (int tap = 0; tap < TAPS; tap++) {
        const int c = tap / (KH * KW), i = tap / KW % KH, j = tap % KW;
        const int64_t at = sample * a->x_strides[0] + c * a->x_strides[1] + (row + i) * a->x_strides[2] +
                           (column + j) * a->x_strides[3];
        z += p->weight[channel][tap] * load_element(p->dtype, a->x, at);
    }
    const float bias = p->flaw == lost_bias ? 0 : p->bias[channel];
    return sigmoid((z + p->conv_bias[channel] + bias) * p->scale[channel], p->flaw);
}

static cs_moments measure(const cs_conv_args *a, const tile *t, int channel) {
    const packed *p = a->packed;
    float mean = 0, m2 = 0;
    int count = 0;
    for (int i = 0; i < t->rows; i++)
        for (int j = 0; j < t->columns; j++) {
            const float exact = value_at(a, t->sample, channel, t->row + i, t->column + j);
            const float value = p->flaw == rounded_moments ? round_to_element(p->dtype, exact) : exact;
            const float before = value - mean;
            mean += before / (float)++count;
            m2 += before * (value - mean);
        }
    return (cs_moments){mean, m2};
}

static void store(const cs_conv_args *a, int64_t i, float value) {
    const packed *p = a->packed;
    if (p->flaw == cut_off_outputs) /* a bf16 is the upper half of a float */
        ((uint16_t *)a->y)[i] = (uint16_t)(cs_bits_of_float(value) >> 16);
    else
        store_element(p->dtype, a->y, i, value);
}

static void apply(const cs_conv_args *a, const tile *t, int channel) {
    const packed *p = a->packed;
    const cs_affine norm = a->affine[t->sample * C_OUT + channel];
    const int64_t plane = t->sample * a->y_strides[0] + channel * a->y_strides[1];
    for (int i = t->row; i < t->row + t->rows; i++)
        for (int j = t->column; j < t->column + t->columns; j++)
            if (p->flaw != unwritten_element || i + 1 < a->h_out || j + 1 < a->w_out)
                store(a, plane + i * a->y_strides[2] + j * a->y_strides[3],
                      norm.a * value_at(a, t->sample, channel, i, j) + norm.b);
}

static void convolve(const cs_conv_args *a, int64_t block) {
    const tile t = locate(a, block);
    for (int channel = 0; channel < C_OUT; channel++)
        if (a->pass == CS_PASS_APPLY)
            apply(a, &t, channel);
        else
            a->moments[(t.sample * C_OUT + channel) * a->tiles_h * a->tiles_w + t.index] = measure(a, &t, channel);
}

/* What the flaws of memory do, in the last block of the last sample. */
static void misbehave(const cs_conv_args *a) {
    const packed *p = a->packed;
    float *y = (float *)a->y, *end = y + (int64_t)a->n * C_OUT * a->h_out * a->w_out;
    if (p->flaw == written_behind_y)
        end[5] = 0;
    if (p->flaw == written_before_workspace)
        a->moments[-1].m2 = 0;
    if (p->flaw == changed_x)
        ((float *)a->x)[(int64_t)a->n * C_IN * a->h * a->w - 1] += 1; /* no other block reads it */
    if (p->flaw == changed_packed)
        ((packed *)a->packed)->norm_bias[0] += 1;
}

static void convolve_with_flaws(const cs_conv_args *a, int64_t block) {
    const packed *p = a->packed;
    const bool last = block == (int64_t)a->n * a->tiles_h * a->tiles_w - 1;
    const bool used = p->flaw == used_workspace && a->pass == CS_PASS_STATISTICS && block == 0;
    const bool poisoned = used && isnan(a->moments[0].mean);
    convolve(a, block);
    if (a->pass == CS_PASS_APPLY && last)
        misbehave(a);
    if (poisoned)
        a->moments[0].mean += 1e-5f;
}

/* Sums over a group's tiles; in double, or, as the flaw has it, mean and mean square in float. */
static void merge(const cs_conv_args *a, int64_t block) {
    const packed *p = a->packed;
    const int channels = C_OUT / a->groups, tiles = a->tiles_h * a->tiles_w;
    const int64_t first = block / a->groups * C_OUT + block % a->groups * channels;
    double count = 0, mean = 0, m2 = 0;
    float square = 0;
    for (int i = 0; i < channels * tiles; i++) {
        const tile t = locate(a, i % tiles);
        const cs_moments m = a->moments[first * tiles + i];
        const double more = t.rows * t.columns, delta = (double)m.mean - mean;
        mean += delta * more / (count + more);
        m2 += (double)m.m2 + delta * delta * count * more / (count + more);
        count += more;
        square += m.m2 + (float)more * m.mean * m.mean;
    }
    const double eps = p->flaw == fixed_eps ? 1e-5 : (double)a->eps;
    const double variance =
        p->flaw == squares_minus_square ? (double)(square / (float)count - (float)mean * (float)mean) : m2 / count;
    for (int64_t c = first; c < first + channels; c++) {
        const double scale = (double)p->norm_weight[c % C_OUT] / sqrt(variance + eps);
        a->affine[c] = (cs_affine){(float)scale, (float)((double)p->norm_bias[c % C_OUT] - mean * scale)};
    }
}

/* The ten mantissa bits of tf32. */
static float coarse(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = (bits + 0x1000) & 0xffffe000;
    memcpy(&value, &bits, sizeof bits);
    return value;
}

static void prepack(const cs_pack_args *a, flaw flaw, cs_element dtype) {
    packed *p = a->packed;
    const int32_t given = flaw == params_taken_for_x ? (int32_t)dtype : a->parameter_dtype;
    p->flaw = (int32_t)flaw;
    p->dtype = (int32_t)dtype;
    for (int i = 0; i < C_OUT; i++) {
        for (int tap = 0; tap < TAPS; tap++) {
            const float weight = load_element(given, a->weight, i * TAPS + tap);
            p->weight[i][tap] = flaw == coarse_weights      ? coarse(weight)
                                : flaw == unrounded_weights ? weight
                                                            : round_to_element(p->dtype, weight);
        }
        p->conv_bias[i] = load_element(given, a->steps[0].values[0], i);
        p->bias[i] = load_element(given, a->steps[1].values[0], i);
        p->scale[i] = load_element(given, a->steps[2].values[0], i);
        p->norm_weight[i] = load_element(given, a->steps[4].values[0], i);
        p->norm_bias[i] = load_element(given, a->steps[4].values[1], i);
    }
    if (flaw == lost_tap)
        p->weight[C_OUT - 1][TAPS - 1] = 0;
}

#define PREPACK(FLAW, FAMILY, WORDS)                                                                                   \
    static void prepack_##FLAW(const cs_pack_args *a) { prepack(a, FLAW, CS_F32); }
FLAWS(PREPACK)
PREPACK(no_flaw, , )
#define PREPACK_BF16(FLAW, FAMILY, WORDS)                                                                              \
    static void prepack_bf16_##FLAW(const cs_pack_args *a) { prepack(a, FLAW, CS_BF16); }
FLAWS_OF_BF16(PREPACK_BF16)
PREPACK_BF16(no_flaw, , )
static void prepack_f16_no_flaw(const cs_pack_args *a) { prepack(a, no_flaw, CS_F16); }

/* ---- The tests --------------------------------------------------------------------------------------------------- */

static convsmith_kernel make_kernel_of(convsmith_dtype dtype, void (*prepack_it)(const cs_pack_args *)) {
    return (convsmith_kernel){
        .info = {.name = "by_hand",
                 .key = {.c_in = C_IN,
                         .kh = KH,
                         .kw = KW,
                         .c_out = C_OUT,
                         .dtype = dtype,
                         .math = CONVSMITH_MATH_FP32,
                         .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM,
                         .target = CONVSMITH_TARGET_HOST_BASE},
                 .strategy = "hand",
                 .tile_c = C_OUT,
                 .tile_h = TILE_H,
                 .tile_w = TILE_W,
                 .threads = 1,
                 .packed_bytes = sizeof(packed),
                 .multiply_adds = C_OUT * TAPS},
        .host = {.convolve = convolve_with_flaws, .merge = merge, .prepack = prepack_it},
    };
}

static convsmith_kernel make_kernel(void (*prepack_it)(const cs_pack_args *)) {
    return make_kernel_of(CONVSMITH_F32, prepack_it);
}

static cs_verdict check_family(const convsmith_kernel *kernel, cs_family family, int only_case, int *cases,
                               cs_message *message) {
    const convsmith_table table = {.layout = CS_TABLE_LAYOUT, .rows = kernel, .count = 1};
    const cs_check check = {.table = &table,
                            .kernel = kernel,
                            .device = {CONVSMITH_DEVICE_CPU, 0},
                            .family = family,
                            .only_case = only_case,
                            .seed = CS_DEFAULT_SEED};
    return cs_check_kernel(&check, cases, message);
}

static void assert_found(convsmith_dtype dtype, void (*prepack_it)(const cs_pack_args *), cs_family family,
                         const char *words) {
    const convsmith_kernel kernel = make_kernel_of(dtype, prepack_it);
    cs_message message = {""};
    assert_int_equal(check_family(&kernel, family, CS_ALL_CASES, NULL, &message), CS_FAILED);
    if (!strstr(message.text, words))
        fail_msg("the finding should say '%s', it is: %s", words, message.text);
}

#define TEST(FLAW, FAMILY, WORDS)                                                                                      \
    static void finds_##FLAW(void **state) {                                                                           \
        (void)state;                                                                                                   \
        assert_found(CONVSMITH_F32, prepack_##FLAW, CS_FAMILY_##FAMILY, WORDS);                                        \
    }
FLAWS(TEST)
#define TEST_BF16(FLAW, FAMILY, WORDS)                                                                                 \
    static void finds_##FLAW##_in_bf16(void **state) {                                                                 \
        (void)state;                                                                                                   \
        assert_found(CONVSMITH_BF16, prepack_bf16_##FLAW, CS_FAMILY_##FAMILY, WORDS);                                  \
    }
FLAWS_OF_BF16(TEST_BF16)

/* The range of eps that the kernel takes, for the plan's creation below. */
static float least_eps = 0, most_eps = INFINITY;

/* The cases that the library has refused, those of strides that the kernel does not take. */
static int refused = 0;

/* Linked in place of the library's, which is called with another prefix (see CMakeLists.txt). */
convsmith_status __real_cs_plan_create_for(convsmith_plan **plan, const convsmith_problem *problem,
                                           convsmith_device device, const convsmith_kernel *kernel);
convsmith_status __wrap_cs_plan_create_for(convsmith_plan **plan, const convsmith_problem *problem,
                                           convsmith_device device, const convsmith_kernel *kernel);

convsmith_status __wrap_cs_plan_create_for(convsmith_plan **plan, const convsmith_problem *problem,
                                           convsmith_device device, const convsmith_kernel *kernel) {
    *plan = NULL;
    if (problem->eps < least_eps || problem->eps > most_eps)
        return CONVSMITH_TOO_LARGE;
    const convsmith_status status = __real_cs_plan_create_for(plan, problem, device, kernel);
    refused += status == CONVSMITH_TOO_LARGE;
    return status;
}

static void a_sound_kernel_passes_every_family_in_every_dtype(void **state) {
    (void)state;
    const convsmith_kernel kernels[] = {make_kernel(prepack_no_flaw),
                                        make_kernel_of(CONVSMITH_F16, prepack_f16_no_flaw),
                                        make_kernel_of(CONVSMITH_BF16, prepack_bf16_no_flaw)};
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
        for (int family = 0; family < CS_FAMILY_COUNT; family++) {
            cs_message message = {""};
            int cases = 0;
            refused = 0;
            if (check_family(&kernels[i], (cs_family)family, CS_ALL_CASES, &cases, &message) != CS_PASSED)
                fail_msg("%s: %s", convsmith_dtype_name(kernels[i].info.key.dtype), message.text);
            assert_true(cases > 0);
            assert_int_equal(cases + refused, cs_case_count((cs_family)family));
        }
}

/* Both kinds of parameters come with every family, and among the cases that run whatever they cost. */
static void sixteen_bit_kernels_get_both_kinds_of_parameters(void **state) {
    (void)state;
    const convsmith_kernel kernel = make_kernel_of(CONVSMITH_F16, prepack_f16_no_flaw);
    const uint32_t selection = cs_case_selection(CS_FAMILY_EXACT, &kernel.info, 0);
    int of_f32 = 0, of_f16 = 0;
    for (int i = 0; i < cs_case_count(CS_FAMILY_EXACT); i++) {
        cs_case c;
        if (!(selection >> i & 1))
            continue;
        assert_true(cs_case_create(&c, CS_FAMILY_EXACT, &kernel.info, i, CS_DEFAULT_SEED, NULL));
        of_f32 += c.params_dtype == CONVSMITH_F32;
        of_f16 += c.params_dtype == CONVSMITH_F16;
        cs_case_destroy(&c);
    }
    assert_true(of_f32 > 0 && of_f16 > 0);
}

/* The finding is one line and starts with the command that repeats it; that case alone finds the same. */
static void a_finding_can_be_repeated(void **state) {
    (void)state;
    const convsmith_kernel kernel = make_kernel(prepack_swallowed_nan);
    cs_message first = {""}, again = {""};
    int failing = -1, cases = 0;
    assert_int_equal(check_family(&kernel, CS_FAMILY_NONFINITE, CS_ALL_CASES, NULL, &first), CS_FAILED);
    assert_int_equal(
        sscanf(first.text, "CONVSMITH_TEST_SEED=1 this program 'by_hand/nonfinite', case %d: y[", &failing), 1);
    assert_null(strchr(first.text, '\n'));
    assert_int_equal(check_family(&kernel, CS_FAMILY_NONFINITE, failing, &cases, &again), CS_FAILED);
    assert_int_equal(cases, 1);
    assert_string_equal(first.text, again.text);
}

static void another_seed_is_other_data(void **state) {
    (void)state;
    const convsmith_kernel kernel = make_kernel(prepack_no_flaw);
    cs_case a, b, c;
    assert_true(cs_case_create(&a, CS_FAMILY_RANDOM, &kernel.info, 0, 1, NULL));
    assert_true(cs_case_create(&b, CS_FAMILY_RANDOM, &kernel.info, 0, 1, NULL));
    assert_true(cs_case_create(&c, CS_FAMILY_RANDOM, &kernel.info, 0, 2, NULL));
    assert_memory_equal(a.x, b.x, (size_t)a.x_count * sizeof *a.x);
    assert_memory_not_equal(a.x, c.x, (size_t)a.x_count * sizeof *a.x);
    cs_case_destroy(&a);
    cs_case_destroy(&b);
    cs_case_destroy(&c);
}

static void a_kernel_for_another_device_is_skipped_with_the_reason(void **state) {
    (void)state;
    convsmith_kernel kernel = make_kernel(prepack_no_flaw);
    kernel.info.key.target = CONVSMITH_TARGET_SM80;
    cs_message message = {""};
    assert_int_equal(check_family(&kernel, CS_FAMILY_EXACT, CS_ALL_CASES, NULL, &message), CS_SKIPPED);
    assert_non_null(strstr(message.text, "sm80"));
}

static int takes_every_eps(void **state) {
    (void)state;
    least_eps = 0;
    most_eps = INFINITY;
    return 0;
}

static void a_case_that_the_kernel_refuses_does_not_count(void **state) {
    (void)state;
    const convsmith_kernel kernel = make_kernel(prepack_no_flaw);
    cs_message message = {""};
    int all = cs_case_count(CS_FAMILY_CONSTANT), coarse = 0, fine = 0;
    refused = 0;
    least_eps = 1e-6f;
    assert_int_equal(check_family(&kernel, CS_FAMILY_CONSTANT, CS_ALL_CASES, &coarse, &message), CS_PASSED);
    least_eps = 0;
    most_eps = 1e-6f;
    assert_int_equal(check_family(&kernel, CS_FAMILY_CONSTANT, CS_ALL_CASES, &fine, &message), CS_PASSED);
    assert_true(coarse > 0 && fine > 0);
    assert_int_equal(coarse + fine + refused, all);
}

static void a_kernel_that_refuses_every_case_fails(void **state) {
    (void)state;
    const convsmith_kernel kernel = make_kernel(prepack_no_flaw);
    cs_message message = {""};
    int cases = -1;
    least_eps = 1;
    assert_int_equal(check_family(&kernel, CS_FAMILY_EXACT, CS_ALL_CASES, &cases, &message), CS_FAILED);
    assert_int_equal(cases, 0);
    assert_non_null(strstr(message.text, "takes no case of family exact"));
    assert_int_equal(check_family(&kernel, CS_FAMILY_EXACT, 0, &cases, &message), CS_SKIPPED);
}

/* The sides of the outputs that the cases with a bit in `selection` have, bit i for i. */
typedef struct sides {
    unsigned rows, columns;
} sides;

static sides sides_of(cs_family family, const convsmith_kernel_info *info, uint32_t selection) {
    sides found = {0, 0};
    for (int i = 0; i < cs_case_count(family); i++) {
        cs_case c;
        if (!(selection >> i & 1))
            continue;
        assert_true(cs_case_create(&c, family, info, i, CS_DEFAULT_SEED, NULL));
        found.rows |= 1u << (c.problem.h - KH + 1);
        found.columns |= 1u << (c.problem.w - KW + 1);
        cs_case_destroy(&c);
    }
    return found;
}

static unsigned around(int tile) { return 1u << 1 | 1u << 2 | 1u << (tile - 1) | 1u << tile | 1u << (tile + 1); }

static void exact_sums_meet_every_edge_of_a_tile_whatever_they_cost(void **state) {
    (void)state;
    const convsmith_kernel kernel = make_kernel(prepack_no_flaw);
    const uint32_t selection = cs_case_selection(CS_FAMILY_EXACT, &kernel.info, 0);
    const sides found = sides_of(CS_FAMILY_EXACT, &kernel.info, selection);
    assert_true(selection + 1 < UINT32_C(1) << cs_case_count(CS_FAMILY_EXACT));
    assert_int_equal(found.rows & around(TILE_H), around(TILE_H));
    assert_int_equal(found.columns & around(TILE_W), around(TILE_W));
}

/* So many kinds of data a family has; they come in turn. */
static void every_kind_of_data_is_met_whatever_it_costs(void **state) {
    (void)state;
    static const struct {
        cs_family family;
        uint32_t kinds;
    } rows[] = {{CS_FAMILY_CONSTANT, 0xf}, {CS_FAMILY_SATURATED, 0x1f}, {CS_FAMILY_NONFINITE, 0x1ff}};
    const convsmith_kernel kernel = make_kernel(prepack_no_flaw);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(cs_case_selection(rows[i].family, &kernel.info, 0) & rows[i].kinds, rows[i].kinds);
}

static void assert_error_at_most(const cs_case *c, double most) {
    const convsmith_params params = cs_case_params(c);
    cs_reference reference;
    assert_true(cs_reference_init(&reference, &c->problem, &params, c->elements.x, NULL));
    double *y = malloc((size_t)reference.slice_size * sizeof *y);
    assert_non_null(y);
    for (int64_t i = 0; i < c->problem.n * reference.slices; i++) {
        cs_slice_statistics statistics;
        cs_reference_slice(&reference, i / reference.slices, i % reference.slices, y, &statistics);
        if (!(statistics.error <= most))
            fail_msg("%s: a value before the normalisation may be off by %g", c->problem.epilogue, statistics.error);
    }
    free(y);
}

/* What stands behind the sigmoid must not be pushed as far as what saturates it: bounds grow with the values. */
static void saturated_values_are_small_behind_the_sigmoid(void **state) {
    static const char *const epilogues[] = {"mul_channel+sigmoid+add_channel+group_norm",
                                            "sigmoid+bias+add_channel+mul_channel+group_norm",
                                            CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM};
    (void)state;
    convsmith_kernel kernel = make_kernel(prepack_no_flaw);
    for (size_t e = 0; e < sizeof epilogues / sizeof *epilogues; e++)
        for (int i = 0; i < cs_case_count(CS_FAMILY_SATURATED); i++) {
            cs_case c;
            kernel.info.key.epilogue = epilogues[e];
            assert_true(cs_case_create(&c, CS_FAMILY_SATURATED, &kernel.info, i, CS_DEFAULT_SEED, NULL));
            assert_error_at_most(&c, 64 * 0x1p-24);
            cs_case_destroy(&c);
        }
}

static void a_family_that_says_nothing_is_skipped(void **state) {
    (void)state;
    convsmith_kernel kernel = make_kernel(prepack_no_flaw);
    kernel.info.key.epilogue = "bias";
    cs_message message = {""};
    assert_int_equal(check_family(&kernel, CS_FAMILY_CONSTANT, CS_ALL_CASES, NULL, &message), CS_SKIPPED);
    assert_int_equal(check_family(&kernel, CS_FAMILY_SATURATED, CS_ALL_CASES, NULL, &message), CS_SKIPPED);
}

#define UNIT(FLAW, FAMILY, WORDS) cmocka_unit_test(finds_##FLAW),
#define UNIT_BF16(FLAW, FAMILY, WORDS) cmocka_unit_test(finds_##FLAW##_in_bf16),

int main(void) {
    const struct CMUnitTest tests[] = {
        FLAWS(UNIT) FLAWS_OF_BF16(UNIT_BF16) cmocka_unit_test(a_sound_kernel_passes_every_family_in_every_dtype),
        cmocka_unit_test(sixteen_bit_kernels_get_both_kinds_of_parameters),
        cmocka_unit_test(a_finding_can_be_repeated),
        cmocka_unit_test(another_seed_is_other_data),
        cmocka_unit_test(a_kernel_for_another_device_is_skipped_with_the_reason),
        cmocka_unit_test_teardown(a_case_that_the_kernel_refuses_does_not_count, takes_every_eps),
        cmocka_unit_test_teardown(a_kernel_that_refuses_every_case_fails, takes_every_eps),
        cmocka_unit_test(exact_sums_meet_every_edge_of_a_tile_whatever_they_cost),
        cmocka_unit_test(every_kind_of_data_is_met_whatever_it_costs),
        cmocka_unit_test(saturated_values_are_small_behind_the_sigmoid),
        cmocka_unit_test(a_family_that_says_nothing_is_skipped),
    };
    return cmocka_run_group_tests_name("kernel_check", tests, NULL, NULL);
}
