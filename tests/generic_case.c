/* SPDX-License-Identifier: Apache-2.0 */
#include "generic_case.h"

#include "src/device/element.h"
#include "src/element.h"
#include "src/problem.h"
#include "support/chain.h"
#include "support/random.h"
#include "support/steps.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const epilogues[] = {
    "",
    "bias",
    "bias+relu",
    "bias+add_channel+mul_channel+sigmoid+group_norm",
    "group_norm",
    "batch_norm+silu",
    "mul_const+bias+clamp(-1,2)+instance_norm",
    "tanh+square+add_const(0.5)",
    "div_channel+sub_channel+gelu+group_norm+mul_channel+add_channel",
    "leaky_relu+elu+hardswish+abs",
    "softplus+mish+min_const+max_const",
    "sub_const(0.25)+div_const(2)+gelu_tanh+hardsigmoid+instance_norm+batch_norm",
};
enum { EPILOGUES = sizeof epilogues / sizeof epilogues[0] };

static int64_t one_of(cs_random *random, const int64_t *values, int count) {
    return values[cs_random_whole(random, 0, count - 1)];
}

/* ---- Sizes ------------------------------------------------------------------------------------------------------- */

static void choose_channels(convsmith_problem *p, cs_random *random, bool small) {
    const int64_t groups[] = {1, 1, 1, 2, 3, 8}, outputs[] = {1, 2, 3, 5, 8, 13, 16, 24, 33, 70, 140};
    p->conv_groups = one_of(random, groups, 6);
    const int64_t ins[] = {5, 5, 5, small ? 40 : 20};
    const int64_t in = p->conv_groups == 8 ? 1 : cs_random_whole(random, 1, one_of(random, ins, 4));
    const int64_t out = p->conv_groups > 1 ? cs_random_whole(random, 1, 6) : one_of(random, outputs, small ? 9 : 11);
    p->c_in = p->conv_groups * in;
    p->c_out = p->conv_groups * out;
    do
        p->groups = cs_random_whole(random, 1, p->c_out);
    while (p->c_out % p->groups != 0);
}

static int64_t choose_input(cs_random *random, int64_t kernel, int64_t pad, int64_t dilation, int64_t more) {
    const int64_t extent = dilation * (kernel - 1) + 1, least = extent - 2 * pad;
    return (least > 1 ? least : 1) + cs_random_whole(random, 0, more);
}

static void choose_sizes(convsmith_problem *p, cs_random *random, bool small) {
    choose_channels(p, random, small);
    p->n = cs_random_whole(random, 1, 3);
    p->kh = cs_random_whole(random, 1, 4);
    p->kw = cs_random_whole(random, 1, small ? 4 : 7);
    p->stride_h = cs_random_whole(random, 0, 3);
    p->stride_w = cs_random_whole(random, 0, 3);
    p->pad_h = cs_random_whole(random, 0, 1) * cs_random_whole(random, 0, 4);
    p->pad_w = cs_random_whole(random, 0, 1) * cs_random_whole(random, 0, 4);
    p->dilation_h = cs_random_whole(random, 0, 1) * cs_random_whole(random, 0, 3);
    p->dilation_w = cs_random_whole(random, 0, 1) * cs_random_whole(random, 0, 3);
    p->h = choose_input(random, p->kh, p->pad_h, p->dilation_h > 1 ? p->dilation_h : 1, small ? 6 : 20);
    p->w = choose_input(random, p->kw, p->pad_w, p->dilation_w > 1 ? p->dilation_w : 1, small ? 12 : 70);
}

/* ---- Strides ----------------------------------------------------------------------------------------------------- */

/* Strides of the indices in an order, the first one fastest, each with room for `gap` more places than it has. */
static void order_strides(const int64_t sizes[4], const int order[4], int64_t gap, int64_t strides[4]) {
    int64_t stride = 1 + gap;
    for (int i = 0; i < 4; i++) {
        strides[order[i]] = stride;
        stride *= sizes[order[i]] + gap;
    }
}

/* All 0, contiguous NCHW; NHWC; either with gaps; any order; where sharing is allowed, one index expanded. */
static void choose_strides(const int64_t sizes[4], cs_random *random, bool may_share, int64_t strides[4]) {
    static const int orders[][4] = {{3, 2, 1, 0}, {1, 3, 2, 0}, {2, 0, 3, 1}};
    const int64_t kind = cs_random_whole(random, 0, may_share ? 6 : 5);
    if (kind == 0)
        memset(strides, 0, 4 * sizeof *strides);
    else
        order_strides(sizes, orders[(kind - 1) % 3], kind > 3 ? cs_random_whole(random, 1, 2) : 0, strides);
    if (kind == 4) /* gaps between rows alone */
        order_strides(sizes, orders[0], 0, strides), strides[2] += 3, strides[1] = strides[2] * sizes[2] + 1,
                                                                      strides[0] = strides[1] * sizes[1];
    if (kind == 6)
        strides[cs_random_whole(random, 0, 3)] = 0;
}

static int64_t extent_of(const int64_t sizes[4], const int64_t strides[4]) {
    int64_t extent = 1;
    for (int i = 0; i < 4; i++)
        extent += (sizes[i] - 1) * strides[i];
    return extent;
}

/* ---- Data -------------------------------------------------------------------------------------------------------- */

static void *make_elements(int64_t count, convsmith_dtype dtype, cs_random *random, double scale, double offset) {
    void *elements = malloc((size_t)count * cs_element_bytes(dtype));
    for (int64_t i = 0; elements && i < count; i++)
        store_element((int32_t)dtype, elements, i, (float)(cs_random_even(random) * scale + offset));
    return elements;
}

/* Factors near 1, divisors and variances well above 0. */
static void *make_channels(const generic_case *c, int i, cs_random *random) {
    static const double scale[] = {[CS_ADDEND] = 0.3, [CS_FACTOR] = 0.3, [CS_DIVISOR] = 0.3, [CS_VARIANCE] = 0.2};
    static const double offset[] = {[CS_ADDEND] = 0, [CS_FACTOR] = 1, [CS_DIVISOR] = 1.5, [CS_VARIANCE] = 1};
    const cs_role role = cs_chain_value_role(&c->chain, i);
    if (cs_chain_value_step(&c->chain, i)->values_optional && cs_random_whole(random, 0, 1))
        return NULL;
    return make_elements(c->problem.c_out, c->params_dtype, random, scale[role], offset[role]);
}

static void choose_constants(generic_case *c, cs_random *random) {
    for (int i = 0; i < c->chain.count; i++) {
        const cs_chain_step *s = &c->chain.steps[i];
        const int count = cs_step_get_info(s->step)->constant_count;
        if (count > 0)
            memcpy(c->constants[i],
                   s->is_fixed ? s->constants : cs_usual_constants(s->step, (int)cs_random_whole(random, 0, 3)),
                   (size_t)count * sizeof(float));
    }
}

static bool make_data(generic_case *c, const cs_settled *s, cs_random *random) {
    const convsmith_problem *p = &s->problem;
    const int64_t taps = p->c_in / p->conv_groups * p->kh * p->kw;
    c->x = make_elements(c->x_count, p->dtype, random, 1, 0);
    c->weight = make_elements(c->weight_count, c->params_dtype, random, 1 / sqrt((double)taps), 0);
    bool good = c->x && c->weight;
    for (int i = 0; i < c->chain.value_count; i++) {
        c->channels[i] = make_channels(c, i, random);
        good = good && (c->channels[i] || cs_chain_value_step(&c->chain, i)->values_optional);
    }
    choose_constants(c, random);
    const size_t results = (size_t)(p->n * p->c_out * s->h_out * s->w_out);
    c->expected = malloc(results * sizeof(double));
    c->bound = malloc(results * sizeof(double));
    return good && c->expected && c->bound;
}

/* ---- The result in double ---------------------------------------------------------------------------------------- */

static double weight_at(const generic_case *c, const int64_t strides[4], int64_t channel, int64_t in, int64_t i,
                        int64_t j) {
    const int64_t at = channel * strides[0] + in * strides[1] + i * strides[2] + j * strides[3];
    const float weight = load_element((int32_t)c->params_dtype, c->weight, at);
    return (double)round_to_element((int32_t)c->problem.dtype, weight);
}

static double sum_at(const generic_case *c, const convsmith_problem *p, const int64_t weight_strides[4], int64_t n,
                     int64_t channel, int64_t row, int64_t col) {
    const int64_t ins = p->c_in / p->conv_groups, first = channel / (p->c_out / p->conv_groups) * ins;
    double sum = 0;
    for (int64_t i = 0; i < p->kh; i++)
        for (int64_t j = 0; j < p->kw; j++) {
            const int64_t y = row * p->stride_h - p->pad_h + i * p->dilation_h;
            const int64_t x = col * p->stride_w - p->pad_w + j * p->dilation_w;
            if (y < 0 || y >= p->h || x < 0 || x >= p->w)
                continue;
            for (int64_t in = 0; in < ins; in++)
                sum += weight_at(c, weight_strides, channel, in, i, j) *
                       (double)load_element((int32_t)p->dtype, c->x,
                                            n * p->x_strides[0] + (first + in) * p->x_strides[1] + y * p->x_strides[2] +
                                                x * p->x_strides[3]);
        }
    return sum;
}

static cs_operands operands_of(const generic_case *c, int step, int64_t channel) {
    cs_operands o = {.step = c->chain.steps[step].step};
    for (int i = 0; i < c->chain.value_count; i++)
        if (c->chain.values[i].step == step)
            o.values[c->chain.values[i].index] =
                c->channels[i] ? (double)load_element((int32_t)c->params_dtype, c->channels[i], channel)
                               : (cs_chain_value_role(&c->chain, i) == CS_FACTOR ? 1 : 0);
    for (int i = 0; i < CS_STEP_CONSTANTS; i++)
        o.constants[i] = (double)c->constants[step][i];
    return o;
}

/* The steps before a normalisation, on one value; the bound is that of fp32 sums of unit variance. */
static void trace(const generic_case *c, int64_t channel, double sum, double *value, double *bound) {
    cs_traced t = cs_trace_begin(sum);
    const int steps = c->chain.normalisation < 0 ? c->chain.count : c->chain.normalisation;
    for (int i = 0; i < steps; i++) {
        const cs_operands o = operands_of(c, i, channel);
        cs_trace_step(&t, &o);
    }
    cs_trace_end(&t);
    *value = t.value;
    *bound = t.error + t.gain * 2e-5;
}

static void normalise_group(const generic_case *c, const cs_settled *s, int64_t first_channel, int64_t n) {
    const int64_t plane = s->h_out * s->w_out, channels = s->problem.c_out / s->problem.groups;
    double *values = c->expected + (n * s->problem.c_out + first_channel) * plane;
    double *bounds = c->bound + (n * s->problem.c_out + first_channel) * plane;
    double mean = 0, m2 = 0, worst = 0;
    for (int64_t i = 0; i < channels * plane; i++)
        mean += values[i] / (double)(channels * plane);
    for (int64_t i = 0; i < channels * plane; i++) {
        m2 += (values[i] - mean) * (values[i] - mean);
        worst = fmax(worst, bounds[i]);
    }
    const double rstd = 1 / sqrt(m2 / (double)(channels * plane) + (double)s->problem.eps);
    for (int64_t i = 0; i < channels * plane; i++) {
        const int64_t channel = first_channel + i / plane;
        const cs_operands norm = operands_of(c, c->chain.normalisation, channel);
        double y = (values[i] - mean) * rstd * norm.values[0] + norm.values[1];
        double bound = worst * rstd * (2 * fabs(norm.values[0]) + fabs(y)) + 1e-6 * (1 + fabs(y));
        for (int step = c->chain.normalisation + 1; step < c->chain.count; step++) {
            const cs_operands o = operands_of(c, step, channel);
            const cs_line line = cs_line_of(&o);
            y = y * line.a + line.b;
            bound = bound * fabs(line.a) + 1e-6 * (1 + fabs(y));
        }
        values[i] = y;
        bounds[i] = bound;
    }
}

static void compute(generic_case *c, const cs_settled *s, const int64_t weight_strides[4]) {
    const convsmith_problem *p = &s->problem;
    int64_t at = 0;
    for (int64_t n = 0; n < p->n; n++)
        for (int64_t channel = 0; channel < p->c_out; channel++)
            for (int64_t i = 0; i < s->h_out; i++)
                for (int64_t j = 0; j < s->w_out; j++, at++)
                    trace(c, channel, sum_at(c, p, weight_strides, n, channel, i, j), &c->expected[at], &c->bound[at]);
    for (int64_t n = 0; n < p->n && c->chain.normalisation >= 0; n++)
        for (int64_t group = 0; group < p->groups; group++)
            normalise_group(c, s, group * (p->c_out / p->groups), n);
}

/* ---- All of it --------------------------------------------------------------------------------------------------- */

static void describe(generic_case *c, uint64_t seed) {
    const convsmith_problem *p = &c->problem;
    snprintf(c->text, sizeof c->text,
             "seed %" PRIu64 ": x %" PRId64 "x%" PRId64 "x%" PRId64 "x%" PRId64 " strides %" PRId64 ",%" PRId64
             ",%" PRId64 ",%" PRId64 ", weight %" PRId64 "x%" PRId64 "x%" PRId64 ", stride %" PRId64 "x%" PRId64
             ", pad %" PRId64 "x%" PRId64 ", dilation %" PRId64 "x%" PRId64 ", conv_groups %" PRId64
             ", y strides %" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ", '%s' of %" PRId64 " groups",
             seed, p->n, p->c_in, p->h, p->w, p->x_strides[0], p->x_strides[1], p->x_strides[2], p->x_strides[3],
             p->c_out, p->kh, p->kw, p->stride_h, p->stride_w, p->pad_h, p->pad_w, p->dilation_h, p->dilation_w,
             p->conv_groups, p->y_strides[0], p->y_strides[1], p->y_strides[2], p->y_strides[3], p->epilogue,
             p->groups);
}

bool generic_case_create(generic_case *c, convsmith_dtype dtype, uint64_t seed, bool small, cs_message *message) {
    cs_random random = {seed};
    cs_settled settled;
    *c = (generic_case){.problem = {.dtype = dtype, .eps = 1e-5f}};
    c->problem.epilogue = epilogues[cs_random_whole(&random, 0, EPILOGUES - 1)];
    c->params_dtype = cs_random_whole(&random, 0, 1) ? dtype : CONVSMITH_F32;
    choose_sizes(&c->problem, &random, small);
    if (convsmith_output_size(&c->problem, &c->h_out, &c->w_out) != CONVSMITH_OK)
        return cs_refuse(message, "seed %" PRIu64 ": %s", seed, convsmith_detail());
    const convsmith_problem *p = &c->problem;
    const int64_t x[] = {p->n, p->c_in, p->h, p->w}, y[] = {p->n, p->c_out, c->h_out, c->w_out};
    const int64_t weight[] = {p->c_out, p->c_in / p->conv_groups, p->kh, p->kw};
    choose_strides(x, &random, true, c->problem.x_strides);
    choose_strides(y, &random, false, c->problem.y_strides);
    choose_strides(weight, &random, true, c->weight_strides);
    describe(c, seed);
    if (cs_problem_settle(&c->problem, &settled) != CONVSMITH_OK)
        return cs_refuse(message, "%s: %s", c->text, convsmith_detail());
    int64_t weight_strides[4] = {weight[1] * weight[2] * weight[3], weight[2] * weight[3], weight[3], 1};
    if (c->weight_strides[0] + c->weight_strides[1] + c->weight_strides[2] + c->weight_strides[3] != 0)
        memcpy(weight_strides, c->weight_strides, sizeof weight_strides);
    c->chain = settled.chain;
    c->x_count = extent_of(x, settled.problem.x_strides);
    c->y_count = extent_of(y, settled.problem.y_strides);
    c->weight_count = extent_of(weight, weight_strides);
    if (!make_data(c, &settled, &random)) {
        generic_case_destroy(c);
        return cs_refuse(message, "no memory for a case");
    }
    compute(c, &settled, weight_strides);
    return true;
}

void generic_case_destroy(generic_case *c) {
    free(c->x);
    free(c->weight);
    for (int i = 0; i < CS_MAX_VALUES; i++)
        free(c->channels[i]);
    free(c->expected);
    free(c->bound);
    *c = (generic_case){0};
}

/* ---- Checking ---------------------------------------------------------------------------------------------------- */

/* What rounding to the dtype adds. */
static double rounding_of(convsmith_dtype dtype, double magnitude) {
    const double part[] = {[CONVSMITH_F32] = 0, [CONVSMITH_F16] = 0x1p-11, [CONVSMITH_BF16] = 0x1p-8};
    return fmax(magnitude * part[dtype], dtype == CONVSMITH_F16 ? 0x1p-25 : 0);
}

/* Makes an element look as if it had not been written. */
static void poison(const generic_case *c, void *y, int64_t at) {
    const size_t bytes = cs_element_bytes(c->problem.dtype);
    memset((char *)y + (size_t)at * bytes, 0xff, bytes);
}

static bool check_untouched(const generic_case *c, const void *y, cs_message *message) {
    const size_t bytes = (size_t)c->y_count * cs_element_bytes(c->problem.dtype);
    for (size_t i = 0; i < bytes; i++)
        if (((const unsigned char *)y)[i] != 0xff)
            return cs_refuse(message, "%s: byte %zu between elements of y was written", c->text, i);
    return true;
}

static bool check_elements(const generic_case *c, const cs_settled *s, void *y, cs_message *message) {
    const int64_t *strides = s->problem.y_strides;
    int64_t i = 0;
    for (int64_t n = 0; n < c->problem.n; n++)
        for (int64_t channel = 0; channel < c->problem.c_out; channel++)
            for (int64_t row = 0; row < c->h_out; row++)
                for (int64_t col = 0; col < c->w_out; col++, i++) {
                    const int64_t at = n * strides[0] + channel * strides[1] + row * strides[2] + col * strides[3];
                    const double got = (double)load_element((int32_t)c->problem.dtype, y, at);
                    const double bound =
                        c->bound[i] + rounding_of(c->problem.dtype, fabs(c->expected[i]) + c->bound[i]);
                    if (!(fabs(got - c->expected[i]) <= bound))
                        return cs_refuse(message, "%s: y[%d][%d][%d][%d] is %.9g, expected %.9g within %.2g", c->text,
                                         (int)n, (int)channel, (int)row, (int)col, got, c->expected[i], bound);
                    poison(c, y, at);
                }
    return true;
}

bool generic_case_check(const generic_case *c, const void *y, cs_message *message) {
    const size_t bytes = (size_t)c->y_count * cs_element_bytes(c->problem.dtype);
    void *copy = malloc(bytes);
    cs_settled settled;
    if (!copy || cs_problem_settle(&c->problem, &settled) != CONVSMITH_OK) {
        free(copy);
        return cs_refuse(message, "no memory for a copy of y");
    }
    memcpy(copy, y, bytes);
    const bool good = check_elements(c, &settled, copy, message) && check_untouched(c, copy, message);
    free(copy);
    return good;
}
