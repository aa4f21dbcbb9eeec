/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel tests with epilogues of all kinds: a kernel written by hand that computes any chain in fp32 passes them,
 * and one with a step that is slightly wrong does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/device/element.h"
#include "src/kernel.h"
#include "support/kernel_check.h"

#define CS_LANES 4
#include <device/host_vector.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- A kernel, 3 -> 4 channels, 2x2, one tile of 5x6 ------------------------------------------------------------- */

enum { C_IN = 3, KH = 2, KW = 2, C_OUT = 4, TAPS = C_IN * KH * KW, TILE_H = 5, TILE_W = 6 };

/* A step that is computed otherwise than it should be. */
typedef float (*wrong_step)(float v);

/* The kernel's packed form; what is to be computed travels with the parameters. */
typedef struct packed {
    float weight[C_OUT][TAPS], values[CS_MAX_STEPS][CS_STEP_VALUES][C_OUT], constants[CS_MAX_STEPS][CS_STEP_CONSTANTS];
    cs_chain chain;
    cs_step step;
    wrong_step wrong; /* in place of that step; NULL: none is wrong */
    int32_t dtype;
} packed;

/* What the next prepack puts into the packed form. */
static packed subject;

static float pointwise(cs_step step, float value, const float *c) {
    const cs_value v = cs_splat(value);
    switch (step) {
    case CS_STEP_MIN_CONST:
        return step_min_const(v, c[0])[0];
    case CS_STEP_MAX_CONST:
        return step_max_const(v, c[0])[0];
    case CS_STEP_CLAMP:
        return step_clamp(v, c[0], c[1])[0];
    case CS_STEP_RELU:
        return step_relu(v)[0];
    case CS_STEP_LEAKY_RELU:
        return step_leaky_relu(v, c[0])[0];
    case CS_STEP_ELU:
        return step_elu(v, c[0])[0];
    case CS_STEP_SIGMOID:
        return sigmoid_exp2(v * -1.44269504f)[0];
    case CS_STEP_TANH:
        return step_tanh(v)[0];
    case CS_STEP_SILU:
        return step_silu(v)[0];
    case CS_STEP_MISH:
        return step_mish(v)[0];
    case CS_STEP_HARDSWISH:
        return step_hardswish(v)[0];
    case CS_STEP_HARDSIGMOID:
        return step_hardsigmoid(v)[0];
    case CS_STEP_SOFTPLUS:
        return step_softplus(v)[0];
    case CS_STEP_GELU:
        return step_gelu(v)[0];
    case CS_STEP_GELU_TANH:
        return step_gelu_tanh(v)[0];
    case CS_STEP_SQUARE:
        return step_square(v)[0];
    case CS_STEP_ABS:
        return step_abs(v)[0];
    default:
        fail_msg("%s is no pointwise step", cs_step_get_info(step)->name);
        return 0;
    }
}

static float affine(const packed *p, int i, int channel, float v) {
    const float(*values)[C_OUT] = p->values[i], *c = p->constants[i];
    switch (p->chain.steps[i].step) {
    case CS_STEP_BIAS:
    case CS_STEP_ADD_CHANNEL:
        return v + values[0][channel];
    case CS_STEP_SUB_CHANNEL:
        return v - values[0][channel];
    case CS_STEP_MUL_CHANNEL:
        return v * values[0][channel];
    case CS_STEP_DIV_CHANNEL:
        return v / values[0][channel];
    case CS_STEP_ADD_CONST:
        return v + c[0];
    case CS_STEP_SUB_CONST:
        return v - c[0];
    case CS_STEP_MUL_CONST:
        return v * c[0];
    case CS_STEP_DIV_CONST:
        return v / c[0];
    default: /* batch_norm */
        return (v - values[2][channel]) / sqrtf(values[3][channel] + c[0]) * values[0][channel] + values[1][channel];
    }
}

/* The steps from `first` to before `end`. */
static float apply_steps(const packed *p, int first, int end, int channel, float v) {
    for (int i = first; i < end; i++) {
        const cs_step step = p->chain.steps[i].step;
        if (p->wrong && step == p->step)
            v = p->wrong(v);
        else if (cs_step_get_info(step)->kind == CS_AFFINE)
            v = affine(p, i, channel, v);
        else
            v = pointwise(step, v, p->constants[i]);
    }
    return v;
}

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

/* One element before the normalisation, or of y without one. */
static float value_at(const cs_conv_args *a, int64_t sample, int channel, int row, int column) {
    const packed *p = a->packed;
    float z = 0;
    for (int tap = 0; tap < TAPS; tap++) {
        const int c = tap / (KH * KW), i = tap / KW % KH, j = tap % KW;
        const int64_t at = sample * a->x_strides[0] + c * a->x_strides[1] + (row + i) * a->x_strides[2] +
                           (column + j) * a->x_strides[3];
        z += p->weight[channel][tap] * load_element(p->dtype, a->x, at);
    }
    return apply_steps(p, 0, p->chain.normalisation < 0 ? p->chain.count : p->chain.normalisation, channel, z);
}

static cs_moments measure(const cs_conv_args *a, const tile *t, int channel) {
    float mean = 0, m2 = 0;
    int count = 0;
    for (int i = 0; i < t->rows; i++)
        for (int j = 0; j < t->columns; j++) {
            const float value = value_at(a, t->sample, channel, t->row + i, t->column + j), before = value - mean;
            mean += before / (float)++count;
            m2 += before * (value - mean);
        }
    return (cs_moments){mean, m2};
}

static void apply(const cs_conv_args *a, const tile *t, int channel) {
    const packed *p = a->packed;
    const int64_t plane = t->sample * C_OUT + channel;
    const cs_affine norm = p->chain.normalisation < 0 ? (cs_affine){1, 0} : a->affine[plane];
    for (int i = t->row; i < t->row + t->rows; i++)
        for (int j = t->column; j < t->column + t->columns; j++) {
            float v = value_at(a, t->sample, channel, i, j);
            if (p->chain.normalisation >= 0)
                v = apply_steps(p, p->chain.normalisation + 1, p->chain.count, channel, norm.a * v + norm.b);
            store_element(
                p->dtype, a->y,
                t->sample * a->y_strides[0] + channel * a->y_strides[1] + i * a->y_strides[2] + j * a->y_strides[3], v);
        }
}

static void convolve(const cs_conv_args *a, int64_t block) {
    const tile t = locate(a, block);
    for (int channel = 0; channel < C_OUT; channel++)
        if (a->pass == CS_PASS_APPLY)
            apply(a, &t, channel);
        else
            a->moments[(t.sample * C_OUT + channel) * a->tiles_h * a->tiles_w + t.index] = measure(a, &t, channel);
}

static void merge(const cs_conv_args *a, int64_t block) {
    const packed *p = a->packed;
    const int channels = C_OUT / a->groups, tiles = a->tiles_h * a->tiles_w;
    const int64_t first = block / a->groups * C_OUT + block % a->groups * channels;
    double count = 0, mean = 0, m2 = 0;
    for (int i = 0; i < channels * tiles; i++) {
        const tile t = locate(a, i % tiles);
        const cs_moments m = a->moments[first * tiles + i];
        const double more = t.rows * t.columns, delta = (double)m.mean - mean;
        mean += delta * more / (count + more);
        m2 += (double)m.m2 + delta * delta * count * more / (count + more);
        count += more;
    }
    const float(*values)[C_OUT] = p->values[p->chain.normalisation];
    for (int64_t c = first; c < first + channels; c++) {
        const double scale = (double)values[0][c % C_OUT] / sqrt(m2 / count + (double)a->eps);
        a->affine[c] = (cs_affine){(float)scale, (float)((double)values[1][c % C_OUT] - mean * scale)};
    }
}

static void pack_step(packed *p, const cs_pack_args *a, int i) {
    const cs_chain_step *s = &p->chain.steps[i];
    const cs_step_info *info = cs_step_get_info(s->step);
    for (int k = 0; k < info->constant_count; k++)
        p->constants[i][k] = (s->is_fixed ? s->constants : a->steps[i].constants)[k];
    for (int k = 0; k < info->value_count; k++)
        for (int channel = 0; channel < C_OUT; channel++)
            p->values[i][k][channel] = a->steps[i].values[k]
                                           ? load_element(a->parameter_dtype, a->steps[i].values[k], channel)
                                           : (float)(info->values[k].role == CS_FACTOR);
}

static void prepack(const cs_pack_args *a) {
    packed *p = a->packed;
    *p = subject;
    for (int i = 0; i < C_OUT * TAPS; i++)
        p->weight[i / TAPS][i % TAPS] = round_to_element(p->dtype, load_element(a->parameter_dtype, a->weight, i));
    for (int i = 0; i < p->chain.count; i++)
        pack_step(p, a, i);
}

static cs_verdict check_family(const char *epilogue, convsmith_dtype dtype, cs_family family, cs_message *message) {
    if (!cs_chain_read(epilogue, &subject.chain, message))
        return CS_FAILED;
    const cs_chain_text name = cs_chain_name(&subject.chain);
    const convsmith_kernel kernel = {
        .info = {.name = "by_hand",
                 .key = {.c_in = C_IN,
                         .kh = KH,
                         .kw = KW,
                         .c_out = C_OUT,
                         .dtype = dtype,
                         .epilogue = name.text,
                         .target = CONVSMITH_TARGET_HOST_BASE},
                 .strategy = "hand",
                 .tile_c = C_OUT,
                 .tile_h = TILE_H,
                 .tile_w = TILE_W,
                 .threads = 1,
                 .packed_bytes = sizeof(packed),
                 .multiply_adds = C_OUT * TAPS},
        .host = {.convolve = convolve, .merge = merge, .prepack = prepack},
    };
    const convsmith_table table = {.layout = CS_TABLE_LAYOUT, .rows = &kernel, .count = 1};
    const cs_check check = {.table = &table,
                            .kernel = &kernel,
                            .device = {CONVSMITH_DEVICE_CPU, 0},
                            .family = family,
                            .only_case = CS_ALL_CASES,
                            .seed = CS_DEFAULT_SEED};
    subject.dtype = (int32_t)dtype;
    return cs_check_kernel(&check, NULL, message);
}

/* ---- Kernels that are right -------------------------------------------------------------------------------------- */

static void expect_passes(const char *epilogue) {
    subject.wrong = NULL;
    for (int dtype = CONVSMITH_F32; dtype <= CONVSMITH_BF16; dtype++)
        for (int family = 0; family < CS_FAMILY_COUNT; family++) {
            cs_message message = {""};
            if (check_family(epilogue, (convsmith_dtype)dtype, (cs_family)family, &message) == CS_FAILED)
                fail_msg("'%s' of %s: %s: %s", epilogue, convsmith_dtype_name((convsmith_dtype)dtype),
                         cs_family_name((cs_family)family), message.text);
        }
}

static void passes(void **state) { expect_passes(*state); }

/* Values far from 0 that hardly differ, or do not at all in a channel, before a normalisation. */
static const char *const steady[] = {
    "mul_const(0.01)+add_const(10)+group_norm",
    "sub_const(10)+relu+add_const(3.3)+instance_norm",
    "hardsigmoid+max_const(1.5)+square+mul_const(4)+instance_norm",
    "mul_const(0.001)+add_const(100)+instance_norm",
    "add_const(10)+tanh+mul_const(3.3)+instance_norm",
};

/* Results and values on their way beyond what the dtype holds. */
static const char *const extreme[] = {
    "mul_const(1e+06)",
    "add_const(1e+06)",
    "mul_const(1e+30)+square",
    "mul_const(1e+30)+square+mul_const(1e-30)",
    "mul_const(1e+30)+mul_const(1e+30)",
    "mul_const(1e+30)+group_norm",
    "mul_const(1e-30)+mul_const(1e-30)",
    "mul_const(1e-30)+mul_const(1e-30)+add_const(1)",
    "mul_const(1e-30)+mul_const(1e-30)+instance_norm",
    "add_const(3e+38)+add_const(3e+38)",
    "div_const(1e-40)",
    "square+square+square+square+square+square",
    "square+square+square+square+square+square+group_norm",
    "bias+mul_const(1e+20)+mul_channel+elu+group_norm",
    "mul_const(1e-20)+square+bias+mish",
};

/* ---- Steps that are not ------------------------------------------------------------------------------------------ */

/* As src/device/steps.h has it, with its coefficients. */
static float gelu_of(float v, const float c[6]) {
    const float t = 1 / (fabsf(v) * (c[0] * 0.707106781f) + 1);
    const float tail = ((((t * c[5] + c[4]) * t + c[3]) * t + c[2]) * t + c[1]) * t * expf(-0.5f * v * v);
    return v * (v > 0 ? 1 - tail : tail);
}

#define GELU(NAME, ...)                                                                                                \
    static float NAME(float v) { return gelu_of(v, (const float[]){__VA_ARGS__}); }
GELU(gelu_of_another_slope, 0.3276911f, 0.127414796f, -0.142248368f, 0.7107068705f, -0.7265760135f, 0.5307027145f)
GELU(gelu_of_another_end, 0.3275911f, 0.1275f, -0.142248368f, 0.7107068705f, -0.7265760135f, 0.5307027145f)
GELU(gelu_of_another_middle, 0.3275911f, 0.127414796f, -0.142248368f, 0.7108068705f, -0.7265760135f, 0.5307027145f)

static float gelu_tanh_of_another_cube(float v) {
    return 0.5f * v * (1 + tanhf(0.7978845608f * (v + 0.04473f * v * v * v)));
}

static float gelu_tanh_of_another_root(float v) { return 0.5f * v * (1 + tanhf(0.798f * (v + 0.044715f * v * v * v))); }

static float mish_of_another_two(float v) {
    const float e = expf(fminf(v, 20)), n = e * (e + 2.001f);
    return v * (n / (n + 2));
}

static float softplus_of_another_log(float v) { return fmaxf(v, 0) + log1pf(expf(-fabsf(v))) * 1.0001f; }
static float softplus_of_another_series(float v) {
    const float e = expf(-fabsf(v)), s = e / (2 + e);
    return fmaxf(v, 0) + log1pf(e) + 0.0001f * s * s * s;
}

static float hardsigmoid_of_another_sixth(float v) { return fminf(fmaxf(v + 3, 0), 6) * 0.1667f; }
static float hardsigmoid_of_another_three(float v) { return fminf(fmaxf(v + 3.001f, 0), 6) / 6; }
static float hardswish_of_another_sixth(float v) { return v * hardsigmoid_of_another_sixth(v); }
static float silu_of_another_exponent(float v) { return v / (1 + expf(-1.0002f * v)); }
static float tanh_of_another_exponent(float v) { return tanhf(1.0002f * v); }
static float sigmoid_of_another_exponent(float v) { return 1 / (1 + expf(-1.0002f * v)); }

/* X(the function, its step, the step's name, the last dtype of f32, f16, bf16 in which it shows): 16 bits hide what is
 * off by less than a hundredth of their last place. */
#define WRONG(X)                                                                                                       \
    X(gelu_of_another_slope, GELU, "gelu", BF16)                                                                       \
    X(gelu_of_another_end, GELU, "gelu", BF16)                                                                         \
    X(gelu_of_another_middle, GELU, "gelu", BF16)                                                                      \
    X(gelu_tanh_of_another_cube, GELU_TANH, "gelu_tanh", F16)                                                          \
    X(gelu_tanh_of_another_root, GELU_TANH, "gelu_tanh", BF16)                                                         \
    X(mish_of_another_two, MISH, "mish", BF16)                                                                         \
    X(softplus_of_another_log, SOFTPLUS, "softplus", BF16)                                                             \
    X(softplus_of_another_series, SOFTPLUS, "softplus", F32)                                                           \
    X(hardsigmoid_of_another_sixth, HARDSIGMOID, "hardsigmoid", BF16)                                                  \
    X(hardsigmoid_of_another_three, HARDSIGMOID, "hardsigmoid", BF16)                                                  \
    X(hardswish_of_another_sixth, HARDSWISH, "hardswish", BF16)                                                        \
    X(silu_of_another_exponent, SILU, "silu", BF16)                                                                    \
    X(tanh_of_another_exponent, TANH, "tanh", BF16)                                                                    \
    X(sigmoid_of_another_exponent, SIGMOID, "sigmoid", BF16)

static const char *const around[] = {"%s", "bias+%s", "%s+group_norm", "bias+mul_channel+%s+instance_norm+mul_channel",
                                     "bias+%s+mul_channel+%s"};

/* Whether some family finds it. */
static bool is_found(const char *epilogue, convsmith_dtype dtype) {
    cs_message message = {""};
    for (int family = 0; family < CS_FAMILY_COUNT; family++)
        if (check_family(epilogue, dtype, (cs_family)family, &message) == CS_FAILED)
            return true;
    return false;
}

static void expect_found(wrong_step wrong, cs_step step, const char *name, convsmith_dtype last) {
    subject.wrong = wrong;
    subject.step = step;
    for (int dtype = CONVSMITH_F32; dtype <= (int)last; dtype++)
        for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
            char epilogue[128];
            snprintf(epilogue, sizeof epilogue, around[i], name, name);
            if (!is_found(epilogue, (convsmith_dtype)dtype))
                fail_msg("it passes as '%s' of %s", epilogue, convsmith_dtype_name((convsmith_dtype)dtype));
        }
}

#define TEST(FUNCTION, STEP, WORD, LAST)                                                                               \
    static void finds_a_##FUNCTION(void **state) {                                                                     \
        (void)state;                                                                                                   \
        expect_found(FUNCTION, CS_STEP_##STEP, WORD, CONVSMITH_##LAST);                                                \
    }
WRONG(TEST)

#define UNIT(FUNCTION, STEP, WORD, LAST) cmocka_unit_test(finds_a_##FUNCTION),

enum { STEADY = sizeof steady / sizeof *steady, EXTREME = sizeof extreme / sizeof *extreme };

int main(void) {
    const struct CMUnitTest found[] = {WRONG(UNIT)};
    enum { FOUND = sizeof found / sizeof *found };
    struct CMUnitTest tests[STEADY + EXTREME + FOUND];
    for (int i = 0; i < STEADY + EXTREME; i++) {
        const char *epilogue = i < STEADY ? steady[i] : extreme[i - STEADY];
        tests[i] = (struct CMUnitTest){epilogue, passes, NULL, NULL, (void *)(uintptr_t)epilogue};
    }
    memcpy(tests + STEADY + EXTREME, found, sizeof found);
    return cmocka_run_group_tests_name("check_steps", tests, NULL, NULL);
}
